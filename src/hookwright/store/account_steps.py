"""Accounts, their sites and their signing secrets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hookwright.core.audit import Entry
from hookwright.core.lanes import lane_of
from hookwright.core.model import (
    Account,
    Instant,
    SigningSecret,
    Site,
)
from hookwright.store.audit_steps import keep_entry
from hookwright.store.base import MAX_LIVE_SECRETS, SecretOwner
from hookwright.store.endpoint_steps import (
    EndpointSteps,
    insert_secret,
    live_secrets,
    live_secrets_of,
)
from hookwright.store.matching_steps import note_change
from hookwright.store.steps import (
    Row,
    Statement,
    Step,
    insert,
    made,
    reading,
    sql,
    writing,
)


class AccountSteps(EndpointSteps):
    """Keep, list and forget accounts; what they own goes with them."""

    @writing
    def add_account(self, account: Account, secret: SigningSecret, entry: Entry | None = None) -> Step[None]:
        yield insert("accounts", lane_of(account.id), account)
        yield insert_secret(secret)
        yield from keep_entry(entry)

    @reading
    def account(self, account_id: int) -> Step[Account | None]:
        rows = yield sql(
            "SELECT * FROM accounts WHERE lane = $1 AND id = $2 AND deleted_at IS NULL",
            lane_of(account_id),
            account_id,
        )
        return _account(rows[0]) if rows else None

    @reading
    def accounts(self, after: int = 0, limit: int = 100) -> Step[list[Account]]:
        # Every lane: administrators list accounts, traffic never does.
        rows = yield sql(
            "SELECT * FROM accounts WHERE id > $1 AND deleted_at IS NULL ORDER BY id LIMIT $2", after, limit
        )
        return [_account(row) for row in rows]

    async def delete_account(self, account_id: int, now: Instant, entry: Entry | None = None) -> bool:
        """See Store, and `delete_endpoint` for the two steps."""
        endpoint_ids = await self._forget_account(account_id, now, entry)
        await self._cancel_waiting(account_id, endpoint_ids or [], now)
        return endpoint_ids is not None

    @writing
    def _forget_account(self, account_id: int, now: Instant, entry: Entry | None) -> Step[list[int] | None]:
        lane = lane_of(account_id)
        found = yield sql(
            "UPDATE accounts SET deleted_at = $3 WHERE lane = $1 AND id = $2 AND deleted_at IS NULL RETURNING id",
            lane,
            account_id,
            now,
        )
        if not found:
            return None
        yield from keep_entry(entry)
        yield note_change(lane, account_id)
        yield sql("DELETE FROM keys WHERE lane = $1 AND account_id = $2", lane, account_id)
        yield sql(
            "UPDATE grants SET revoked_at = $3 WHERE lane = $1 AND account_id = $2 AND revoked_at IS NULL",
            lane,
            account_id,
            now,
        )
        deleted = yield sql(
            "UPDATE endpoints SET status = 'deleted', status_reason = 'account deleted', status_changed_at = $3,"
            " updated_at = $3 WHERE lane = $1 AND account_id = $2 AND status <> 'deleted' RETURNING id",
            lane,
            account_id,
            now,
        )
        return (yield from self.after_deletion(lane, deleted, now))

    @reading
    def signing_secrets(self, account_id: int, endpoint_id: int | None, now: Instant) -> Step[list[SigningSecret]]:
        rows = yield live_secrets(account_id, endpoint_id, now)
        return [_secret(row) for row in rows]

    @reading
    def signing_secrets_of(
        self, owners: Sequence[SecretOwner], now: Instant
    ) -> Step[dict[SecretOwner, list[SigningSecret]]]:
        found: dict[SecretOwner, list[SigningSecret]] = {}
        for statement in self.live_secrets(owners, now):
            for row in (yield statement):
                found.setdefault((row["account_id"], row["endpoint_id"]), []).append(_secret(row))
        return found

    def live_secrets(self, owners: Sequence[SecretOwner], now: Instant) -> Iterator[Statement]:
        """What looks up the secrets of many: a statement for each account, and one for all of its endpoints."""
        of_endpoints: dict[int, list[int]] = {}
        for account_id, endpoint_id in owners:
            if endpoint_id is None:
                yield live_secrets(account_id, None, now)
            else:
                of_endpoints.setdefault(account_id, []).append(endpoint_id)
        for account_id, ids in of_endpoints.items():
            yield live_secrets_of(account_id, *self.among(4, ids), now)

    @writing
    def rotate_signing_secret(
        self,
        secret: SigningSecret,
        others_expire_at: Instant,
        entry: Entry | None = None,
        *,
        at_most: int = MAX_LIVE_SECRETS,
    ) -> Step[bool]:
        # Held, so that two rotations at once cannot both find room.
        yield sql(
            f"SELECT id FROM accounts WHERE lane = $1 AND id = $2 {self.ALONE}",
            lane_of(secret.account_id),
            secret.account_id,
        )
        live = yield live_secrets(secret.account_id, secret.endpoint_id, secret.created_at)
        if len(live) >= at_most:
            return False
        yield sql(
            "UPDATE signing_secrets SET expires_at = $4 WHERE lane = $1 AND account_id = $2"
            " AND COALESCE(endpoint_id, 0) = $3 AND (expires_at IS NULL OR expires_at > $4)",
            lane_of(secret.account_id),
            secret.account_id,
            secret.endpoint_id or 0,
            others_expire_at,
        )
        yield insert_secret(secret)
        yield from keep_entry(entry)
        return True

    @writing
    def expire_previous_secrets(
        self, account_id: int, endpoint_id: int | None, now: Instant, entry: Entry | None = None
    ) -> Step[None]:
        live = yield live_secrets(account_id, endpoint_id, now)
        for row in live[1:]:
            yield sql(
                "UPDATE signing_secrets SET expires_at = $3 WHERE lane = $1 AND id = $2",
                lane_of(account_id),
                row["id"],
                now,
            )
        if live[1:]:
            yield from keep_entry(entry)

    @writing
    def add_site(self, site: Site, entry: Entry | None = None) -> Step[None]:
        yield insert("sites", lane_of(site.account_id), site)
        yield from keep_entry(entry)

    @reading
    def site(self, account_id: int, site_id: int) -> Step[Site | None]:
        rows = yield sql(
            "SELECT * FROM sites WHERE lane = $1 AND id = $2 AND account_id = $3",
            lane_of(account_id),
            site_id,
            account_id,
        )
        return _site(rows[0]) if rows else None

    @reading
    def sites(self, account_id: int) -> Step[list[Site]]:
        rows = yield sql(
            "SELECT * FROM sites WHERE lane = $1 AND account_id = $2 ORDER BY id", lane_of(account_id), account_id
        )
        return [_site(row) for row in rows]

    @reading
    def sites_of_account(self, account_id: int) -> Step[list[Site] | None]:
        rows = yield sql(
            "SELECT s.* FROM accounts a LEFT JOIN sites s ON s.lane = $1 AND s.account_id = $2"
            " WHERE a.lane = $1 AND a.id = $2 AND a.deleted_at IS NULL ORDER BY s.id",
            lane_of(account_id),
            account_id,
        )
        return [_site(row) for row in rows if row["id"] is not None] if rows else None

    async def delete_site(self, account_id: int, site_id: int, now: Instant, entry: Entry | None = None) -> bool:
        """See Store, and `delete_endpoint` for the two steps."""
        endpoint_ids = await self._forget_site(account_id, site_id, now, entry)
        await self._cancel_waiting(account_id, endpoint_ids or [], now)
        return endpoint_ids is not None

    @writing
    def _forget_site(
        self, account_id: int, site_id: int, now: Instant, entry: Entry | None
    ) -> Step[list[int] | None]:
        lane = lane_of(account_id)
        yield note_change(lane, account_id)
        found = yield sql(
            "DELETE FROM sites WHERE lane = $1 AND id = $2 AND account_id = $3 RETURNING id",
            lane,
            site_id,
            account_id,
        )
        if not found:
            return None
        yield from keep_entry(entry)
        deleted = yield sql(
            "UPDATE endpoints SET status = 'deleted', status_reason = 'site deleted', status_changed_at = $4,"
            " updated_at = $4 WHERE lane = $1 AND account_id = $2 AND site_id = $3 AND status <> 'deleted'"
            " RETURNING id",
            lane,
            account_id,
            site_id,
            now,
        )
        return (yield from self.after_deletion(lane, deleted, now))


def _account(row: Row) -> Account:
    return made(Account, row)


def _site(row: Row) -> Site:
    return made(Site, row)


def _secret(row: Row) -> SigningSecret:
    return made(SigningSecret, row)
