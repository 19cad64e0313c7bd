"""Keys, OAuth apps and codes, and the grants that hang on them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hookwright.core.audit import Entry
from hookwright.core.lanes import lane_of
from hookwright.core.model import (
    Grant,
    Instant,
    Key,
    OAuthApp,
    OAuthCode,
)
from hookwright.store.audit_steps import keep_entry
from hookwright.store.steps import (
    Filters,
    Row,
    Statement,
    Step,
    Steps,
    insert,
    made,
    reading,
    sql,
    texts,
    writing,
)

USES_AT_ONCE = 500


class CredentialSteps(Steps):
    """Credentials, and the end of all that was granted with one."""

    @writing
    def add_key(self, key: Key, entry: Entry | None = None) -> Step[None]:
        yield insert(
            "keys",
            lane_of(key.id),
            key,
            scopes=json.dumps(key.scopes),
            attributes=json.dumps(key.attributes),
        )
        yield from keep_entry(entry)

    @reading
    def key(self, key_id: int) -> Step[Key | None]:
        rows = yield sql("SELECT * FROM keys WHERE lane = $1 AND id = $2", lane_of(key_id), key_id)
        return _key(rows[0]) if rows else None

    @reading
    def keys(self, account_id: int | None = None, after: int = 0, limit: int | None = None) -> Step[list[Key]]:
        filters = Filters()
        filters.add("id > $?", after)
        if account_id is not None:  # otherwise every lane: administrators list keys, traffic never does
            filters.add("lane = $? AND account_id = $?", lane_of(account_id), account_id)
        text = f"SELECT * FROM keys WHERE {filters} ORDER BY id"
        rows = yield sql(text if limit is None else f"{text} LIMIT {limit:d}", *filters.values)
        return [_key(row) for row in rows]

    @writing
    def rotate_key(self, key_id: int, digest: bytes, now: Instant, entry: Entry | None = None) -> Step[bool]:
        found = yield sql(
            "UPDATE keys SET digest = $3, rotated_at = $4 WHERE lane = $1 AND id = $2 RETURNING id",
            lane_of(key_id),
            key_id,
            digest,
            now,
        )
        yield _revoke_grants_of_key(key_id, now)
        if found:
            yield from keep_entry(entry)
        return bool(found)

    @writing
    def delete_key(self, key_id: int, now: Instant, entry: Entry | None = None) -> Step[bool]:
        found = yield sql("DELETE FROM keys WHERE lane = $1 AND id = $2 RETURNING id", lane_of(key_id), key_id)
        yield _revoke_grants_of_key(key_id, now)
        if found:
            yield from keep_entry(entry)
        return bool(found)

    async def note_key_uses(self, key_ids: Sequence[int], now: Instant) -> None:
        by_lane: dict[int, list[int]] = {}
        for key_id in key_ids:
            by_lane.setdefault(lane_of(key_id), []).append(key_id)
        for lane, of_lane in by_lane.items():
            for start in range(0, len(of_lane), USES_AT_ONCE):
                await self._note_uses(lane, of_lane[start : start + USES_AT_ONCE], now)

    @writing
    def _note_uses(self, lane: int, key_ids: Sequence[int], now: Instant) -> Step[None]:
        # Waits for no row while it holds others, so it can be part of no deadlock: it is only a note.
        among, values = self.among(3, key_ids)
        yield sql(
            "UPDATE keys SET last_used_at = $2 WHERE lane = $1 AND id IN"
            f" (SELECT id FROM keys WHERE lane = $1 AND id {among} {self.SKIP_LOCKED})",
            lane,
            now,
            *values,
        )

    @writing
    def add_app(self, app: OAuthApp, entry: Entry | None = None) -> Step[None]:
        yield insert("oauth_apps", lane_of(app.id), app, redirect_uris=json.dumps(app.redirect_uris))
        yield from keep_entry(entry)

    @reading
    def app(self, app_id: int) -> Step[OAuthApp | None]:
        rows = yield sql("SELECT * FROM oauth_apps WHERE lane = $1 AND id = $2", lane_of(app_id), app_id)
        return _app(rows[0]) if rows else None

    @reading
    def apps(self) -> Step[list[OAuthApp]]:
        rows = yield sql("SELECT * FROM oauth_apps ORDER BY id")  # every lane: only administrators list apps
        return [_app(row) for row in rows]

    @writing
    def delete_app(self, app_id: int, now: Instant, entry: Entry | None = None) -> Step[bool]:
        found = yield sql("DELETE FROM oauth_apps WHERE lane = $1 AND id = $2 RETURNING id", lane_of(app_id), app_id)
        # Every lane: an app's grants live with the accounts that gave them. Rare, and never on the hot path.
        yield sql("UPDATE grants SET revoked_at = $2 WHERE app_id = $1 AND revoked_at IS NULL", app_id, now)
        if found:
            yield from keep_entry(entry)
        return bool(found)

    @writing
    def add_code(self, code: OAuthCode, entry: Entry | None = None) -> Step[None]:
        yield insert("oauth_codes", lane_of(code.id), code)
        yield from keep_entry(entry)

    @reading
    def code(self, code_id: int) -> Step[OAuthCode | None]:
        rows = yield sql("SELECT * FROM oauth_codes WHERE lane = $1 AND id = $2", lane_of(code_id), code_id)
        return _code(rows[0]) if rows else None

    @writing
    def redeem_code(self, code_id: int, grant: Grant, now: Instant) -> Step[bool]:
        live = yield from self._roots_are_live(grant)
        spent = yield sql(
            "UPDATE oauth_codes SET used_at = $3 WHERE lane = $1 AND id = $2 AND used_at IS NULL RETURNING id",
            lane_of(code_id),
            code_id,
            now,
        )
        if spent:
            yield _insert_grant(grant, live)
        return bool(spent)

    @writing
    def add_grant(self, grant: Grant) -> Step[None]:
        live = yield from self._roots_are_live(grant)
        yield _insert_grant(grant, live)

    def _roots_are_live(self, grant: Grant) -> Step[bool]:
        """Whether the account, key and app that a grant hangs on are there, and will be until it is on disk.

        A key must still have the secret that was shown: who showed it may have waited for its rotation to commit.
        """
        found = yield sql(
            f"SELECT id FROM accounts WHERE lane = $1 AND id = $2 AND deleted_at IS NULL {self.SHARED}",
            lane_of(grant.account_id),
            grant.account_id,
        )
        live = bool(found)
        if grant.key_id is not None:
            found = yield sql(
                f"SELECT id FROM keys WHERE lane = $1 AND id = $2 AND digest = $3 {self.SHARED}",
                lane_of(grant.key_id),
                grant.key_id,
                grant.key_digest,
            )
            live = live and bool(found)
        if grant.app_id is not None:
            found = yield sql(
                f"SELECT id FROM oauth_apps WHERE lane = $1 AND id = $2 {self.SHARED}",
                lane_of(grant.app_id),
                grant.app_id,
            )
            live = live and bool(found)
        return live

    @reading
    def grant(self, grant_id: int) -> Step[Grant | None]:
        rows = yield sql("SELECT * FROM grants WHERE lane = $1 AND id = $2", lane_of(grant_id), grant_id)
        return _grant(rows[0]) if rows else None

    @writing
    def refresh_grant(self, grant_id: int, successor: Grant, now: Instant) -> Step[bool]:
        # The old access token goes on until it expires: requests that carry it are under way. Only the refresh
        # token is spent.
        live = yield from self._roots_are_live(successor)
        spent = yield sql(
            "UPDATE grants SET refreshed_at = $3 WHERE lane = $1 AND id = $2"
            " AND refreshed_at IS NULL AND revoked_at IS NULL RETURNING id",
            lane_of(grant_id),
            grant_id,
            now,
        )
        if spent:
            yield _insert_grant(successor, live)
        return bool(spent)

    @writing
    def revoke_grant(self, grant_id: int, now: Instant) -> Step[None]:
        yield sql(
            "UPDATE grants SET revoked_at = $3 WHERE lane = $1 AND id = $2 AND revoked_at IS NULL",
            lane_of(grant_id),
            grant_id,
            now,
        )

    @writing
    def revoke_family(self, account_id: int, family_id: int, now: Instant) -> Step[None]:
        yield sql(
            f"SELECT id FROM accounts WHERE lane = $1 AND id = $2 {self.ALONE}", lane_of(account_id), account_id
        )
        yield sql(
            "UPDATE grants SET revoked_at = $4"
            " WHERE lane = $1 AND account_id = $2 AND family_id = $3 AND revoked_at IS NULL",
            lane_of(account_id),
            account_id,
            family_id,
            now,
        )


def _insert_grant(grant: Grant, live: bool) -> Statement:
    """A new grant; it is born revoked when its account, its app, its key or that one's secret ended meanwhile."""
    return insert(
        "grants",
        lane_of(grant.id),
        grant,
        scopes=json.dumps(grant.scopes),
        revoked_at=None if live else grant.created_at,
    )


def _revoke_grants_of_key(key_id: int, now: Instant) -> Statement:
    # A key and what was granted with it share the account's lane.
    return sql(
        "UPDATE grants SET revoked_at = $3 WHERE lane = $1 AND key_id = $2 AND revoked_at IS NULL",
        lane_of(key_id),
        key_id,
        now,
    )


def _key(row: Row) -> Key:
    return made(Key, row, scopes=texts(row["scopes"]), attributes=json.loads(row["attributes"]))


def _app(row: Row) -> OAuthApp:
    return made(OAuthApp, row, redirect_uris=texts(row["redirect_uris"]))


def _code(row: Row) -> OAuthCode:
    return made(OAuthCode, row)


def _grant(row: Row) -> Grant:
    return made(Grant, row, scopes=texts(row["scopes"]))
