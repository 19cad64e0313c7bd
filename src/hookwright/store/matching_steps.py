"""Who gets what is being accepted: by the accounts' subscriptions, which are kept in memory.

Every change of an account's subscriptions raises its `subscriptions_version` in the same transaction. Accepting reads
that number, so memory is never behind what was committed before; only what changed is read again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hookwright.core.lanes import lane_of
from hookwright.core.matching import NOBODY, Entry, SubscriptionBook
from hookwright.core.model import Draft, Instant
from hookwright.store.acceptance import Batch, Match, matched
from hookwright.store.steps import Row, Statement, Step, Steps, reading, sql

# Of all accounts together; an entry takes about 300 bytes.
MOST_REMEMBERED = 200_000

# Whether an endpoint's deliveries go through a gate or in batches.
GUARDED = (
    "(e.batch_limit > 1 OR e.max_in_flight IS NOT NULL OR e.rate_per_second IS NOT NULL"
    " OR e.breaker_open_until IS NOT NULL)"
)

# Whether an endpoint fails, or its account was told that it did: a success is worth noting then.
TROUBLED = "(e.failing_since IS NOT NULL OR e.warned_percent > 0)"

# What accepting needs to know of an endpoint.
RECIPIENT = (
    "e.status, e.url, e.ordering, e.retry_schedule, e.sealed_headers, e.signature,"
    f" {TROUBLED} AS troubled, {GUARDED} AS guarded"
)

Recipients = Mapping[int, Row]


class Remembered(NamedTuple):
    """An account's subscriptions as they were at some version."""

    version: int | None
    book: SubscriptionBook


NOTHING = Remembered(None, NOBODY)


class Books:
    """The subscriptions of the accounts that were published to last, each with its version."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._books: OrderedDict[int, Remembered] = OrderedDict()
        self._size = 0

    def remembered(self, account_id: int) -> Remembered:
        """What is remembered of an account's subscriptions, and of which version that is."""
        if account_id not in self._books:
            return NOTHING
        self._books.move_to_end(account_id)
        return self._books[account_id]

    def keep(self, account_id: int, version: int, book: SubscriptionBook) -> None:
        """Remember an account's subscriptions; those that were asked for least recently make room."""
        self._forget(account_id)
        self._books[account_id] = Remembered(version, book)
        self._size += book.size
        while self._size > self._most and len(self._books) > 1:
            self._forget(next(iter(self._books)))

    def forget_all(self) -> None:
        """What was remembered may never have been committed."""
        self._books.clear()
        self._size = 0

    def _forget(self, account_id: int) -> None:
        self._size -= self._books.pop(account_id, NOTHING).book.size


class MatchingSteps(Steps):
    """Find who wants what."""

    _books: Books

    def match(self, drafts: Sequence[Draft]) -> Step[Batch]:
        """The first drafts, as many as are written together: who wants them, and what is to be known of whom.

        Matched by what is remembered first, so that one look tells both whether that still holds and who they are.
        """
        # Held here: what others publish meanwhile, or a batch of many large accounts, may push books out of memory.
        remembered = {id: self._books.remembered(id) for id in {draft.event.account_id for draft in drafts}}
        first, matches = matched(drafts, lambda account_id: remembered[account_id].book)
        account_ids = sorted({draft.event.account_id for draft in first})
        versions, recipients = yield from self.versions_and_recipients(account_ids, _endpoint_ids(matches))
        changed = [id for id, version in versions.items() if version != remembered[id].version]
        if changed:
            for id in changed:
                # Read after its version: at worst the subscriptions are newer, and are read once more.
                book = SubscriptionBook(map(_entry, (yield _subscriptions_of(lane_of(id), id))))
                remembered[id] = Remembered(versions[id], book)
                self._books.keep(id, versions[id], book)
            first, matches = matched(first, lambda account_id: remembered[account_id].book)
            recipients = yield from self._recipients(_endpoint_ids(matches))
        return Batch(first, [match for match in matches if match.endpoint_id in recipients], recipients)

    def versions_and_recipients(
        self, account_ids: Sequence[int], endpoint_ids: Sequence[int]
    ) -> Step[tuple[dict[int, int], Recipients]]:
        """The version of each account's subscriptions, then what accepting needs to know of endpoints."""
        rows = yield from self.by_ids("accounts a", account_ids, "a.id, a.subscriptions_version")
        recipients = yield from self._recipients(endpoint_ids)
        return {row["id"]: row["subscriptions_version"] for row in rows}, recipients

    def _recipients(self, endpoint_ids: Sequence[int]) -> Step[Recipients]:
        rows = yield from self.by_ids("endpoints e", endpoint_ids, f"e.id, {RECIPIENT}")
        return {row["id"]: row for row in rows if row["status"] != "deleted"}

    @reading
    def sendable(
        self, endpoint_ids: Sequence[int], unchanged_since: Instant, *, through_gates: bool = False
    ) -> Step[set[int]]:
        rows = yield from self.by_ids(
            "endpoints e", endpoint_ids, f"e.id, e.status, e.updated_at, {GUARDED} AS guarded"
        )
        return {
            row["id"]
            for row in rows
            if row["status"] == "active"
            and row["updated_at"] < unchanged_since
            and (through_gates or not row["guarded"])
        }


def _endpoint_ids(matches: Sequence[Match]) -> list[int]:
    return sorted({match.endpoint_id for match in matches})


def note_change(lane: int, account_id: int) -> Statement:
    """An account's subscriptions change in this transaction. Comes first in it, so that two cannot deadlock."""
    return sql(
        "UPDATE accounts SET subscriptions_version = subscriptions_version + 1 WHERE lane = $1 AND id = $2",
        lane,
        account_id,
    )


def _subscriptions_of(lane: int, account_id: int) -> Statement:
    return sql(
        "SELECT s.dialect, s.event, s.resource, s.endpoint_id, e.site_id FROM subscriptions s"
        " JOIN endpoints e ON e.lane = $1 AND e.id = s.endpoint_id WHERE s.lane = $1 AND s.account_id = $2",
        lane,
        account_id,
    )


def _entry(row: Row) -> Entry:
    return Entry(row["dialect"], row["event"], row["resource"], row["endpoint_id"], row["site_id"])
