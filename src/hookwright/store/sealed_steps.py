"""What the vault has sealed, wherever it is kept: counted, found, and sealed anew."""

from __future__ import annotations

from collections.abc import Sequence

from hookwright.core.lanes import LANES
from hookwright.core.model import Binding, Instant, SealedKind
from hookwright.store.base import Resealed, SealedCount, SealedValue
from hookwright.store.steps import PLATFORM_LANE, Row, Statement, Step, Steps, reading, sql, writing

# How many bytes of a sealed value say which master key sealed it. The vault decides; a test holds them together.
HEAD_BYTES = 5


class _Home:
    """Where one kind of sealed values is kept: a table, its column, and what names the endpoint there."""

    def __init__(self, table: str, column: str, endpoint_id: str) -> None:
        self.table = table
        self.column = column
        self.fields = f"id, account_id, {endpoint_id} AS bound_to, {column} AS sealed"
        self.head = f"substr({column}, 1, {HEAD_BYTES})"  # bytes, on both databases


_HOMES: dict[SealedKind, _Home] = {
    "signing secret": _Home("signing_secrets", "sealed", "endpoint_id"),
    "headers": _Home("endpoints", "sealed_headers", "id"),
}


class SealedSteps(Steps):
    """What `hookwright secrets` and the start of a server ask."""

    @reading
    def sealed_counts(self) -> Step[list[SealedCount]]:
        counts: list[SealedCount] = []
        for kind, home in _HOMES.items():
            # Every lane, and every row: people ask this, traffic never does.
            rows = yield sql(
                f"SELECT {home.head} AS head, COUNT(*) AS number FROM {home.table}"
                f" WHERE {home.column} IS NOT NULL GROUP BY {home.head} ORDER BY {home.head}"
            )
            counts += [SealedCount(kind, bytes(row["head"]), int(row["number"])) for row in rows]
        return counts

    @reading
    def one_sealed_as(self, version: bytes) -> Step[SealedValue | None]:
        # Every lane: once, when a database is first met by a version that notes its master keys.
        rows = yield sql(
            f"SELECT {_HOMES['signing secret'].fields} FROM signing_secrets WHERE substr(sealed, 1, 1) = $1 LIMIT 1",
            version,
        )
        return _value("signing secret", rows[0]) if rows else None

    @reading
    def sealed_otherwise(
        self, lane_index: int, kind: SealedKind, head: bytes, after: int, limit: int
    ) -> Step[list[SealedValue]]:
        home = _HOMES[kind]
        rows = yield sql(
            f"SELECT {home.fields} FROM {home.table} WHERE lane = $1 AND id > $2 AND {home.head} <> $3"
            " ORDER BY id LIMIT $4",
            LANES[lane_index],
            after,
            head,
            limit,
        )
        return [_value(kind, row) for row in rows]

    @writing
    def reseal(self, lane_index: int, resealed: Sequence[Resealed]) -> Step[int]:
        done = 0
        for value, sealed in resealed:
            changed = yield self._replace(LANES[lane_index], value, sealed)
            done += len(changed)
        return done

    def _replace(self, lane: int, value: SealedValue, sealed: bytes) -> Statement:
        home = _HOMES[value.binding.what]
        # Only what still is as it was read: its owner may have changed it meanwhile. And never waiting for a row that
        # somebody holds, while we hold others: so this can be part of no deadlock. It is met again on the next round.
        return sql(
            f"UPDATE {home.table} SET {home.column} = $4 WHERE lane = $1 AND id = (SELECT id FROM {home.table}"
            f" WHERE lane = $1 AND id = $2 AND {home.column} = $3 {self.SKIP_LOCKED}) RETURNING id",
            lane,
            value.id,
            value.sealed,
            sealed,
        )

    @reading
    def master_key_ids(self) -> Step[list[str]]:
        rows = yield sql("SELECT id FROM master_keys WHERE lane = $1 ORDER BY first_used_at, id", PLATFORM_LANE)
        return [row["id"] for row in rows]

    @writing
    def note_master_key(self, key_id: str, now: Instant) -> Step[None]:
        yield sql(
            "INSERT INTO master_keys (lane, id, first_used_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            PLATFORM_LANE,
            key_id,
            now,
        )

    @writing
    def forget_master_key(self, key_id: str) -> Step[None]:
        yield sql("DELETE FROM master_keys WHERE lane = $1 AND id = $2", PLATFORM_LANE, key_id)


def _value(kind: SealedKind, row: Row) -> SealedValue:
    return SealedValue(Binding(kind, row["account_id"], row["bound_to"]), row["id"], bytes(row["sealed"]))
