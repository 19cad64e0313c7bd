"""Lines: deliveries of one endpoint that go one after another, in the order of their places.

A delivery in a line is sent only while nothing unfinished is ahead of it. Whoever gives a place, finds out whose turn
it is, or makes it the next one's turn holds the endpoint's row alone: so no two processes ever decide at once, and
places are in the order of the commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hookwright.core.lanes import lane_of
from hookwright.core.model import Delivery, Instant
from hookwright.store.base import MOST_WAITING, BlockedLine
from hookwright.store.steps import Row, Statement, Step, Steps, made, reading, sql

UNFINISHED = "{0}.place IS NOT NULL AND {0}.status IN ('pending', 'in_flight')"

# What `shown_delivery_of` needs of a row of {0} beside the row: from when its endpoint is sent to, if it is.
ENDPOINT_OPENS_AT = (
    "(SELECT CASE shown.status WHEN 'active' THEN COALESCE(shown.breaker_open_until, 0) END FROM endpoints shown"
    " WHERE shown.lane = {0}.lane AND shown.id = {0}.endpoint_id) AS endpoint_opens_at"
)

# Whether it is the turn of a delivery `d` of lane $1. What is in no line never waits for its turn.
IN_TURN = (
    "(d.place IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries ahead WHERE ahead.lane = $1"
    " AND ahead.endpoint_id = d.endpoint_id AND ahead.line = d.line AND ahead.place < d.place"
    f" AND {UNFINISHED.format('ahead')}))"
)


class LineSteps(Steps):
    """What waits in lines, for people to see."""

    @reading
    def blocked_lines(self, endpoint_id: int, limit: int) -> Step[list[BlockedLine]]:
        lane = lane_of(endpoint_id)
        # Only what is first in its line is ever attempted.
        heads = yield sql(
            f"SELECT d.*, {ENDPOINT_OPENS_AT.format('d')} FROM deliveries d"
            " WHERE d.lane = $1 AND d.endpoint_id = $2 AND d.attempts > d.round_start"
            f" AND {UNFINISHED.format('d')} ORDER BY d.place LIMIT $3",
            lane,
            endpoint_id,
            limit,
        )
        blocked: list[BlockedLine] = []
        for head in heads:
            waiting = yield from _count_behind(head)
            blocked.append(BlockedLine(head=shown_delivery_of(head), waiting=waiting))
        return blocked

    @reading
    def ahead_of(self, delivery: Delivery) -> Step[int | None]:
        lane = lane_of(delivery.id)
        rows = yield sql(
            "SELECT d.id FROM deliveries d WHERE d.lane = $1 AND d.endpoint_id = $2 AND d.line = $3 AND d.place <"
            " (SELECT mine.place FROM deliveries mine WHERE mine.lane = $1 AND mine.id = $4"
            f" AND {UNFINISHED.format('mine')})"
            f" AND {UNFINISHED.format('d')} ORDER BY d.place LIMIT 1",
            lane,
            delivery.endpoint_id,
            delivery.line,
            delivery.id,
        )
        return int(rows[0]["id"]) if rows else None


def take_places(wanted: Mapping[int, int]) -> Step[dict[int, int]]:
    """The first of so many new places at the end of each endpoint's lines, by endpoint id."""
    first: dict[int, int] = {}
    for endpoint_id in sorted(wanted):  # in one order everywhere, so that two batches cannot deadlock
        rows = yield sql(
            "UPDATE endpoints SET next_place = next_place + $3 WHERE lane = $1 AND id = $2 RETURNING next_place",
            lane_of(endpoint_id),
            endpoint_id,
            wanted[endpoint_id],
        )
        first[endpoint_id] = int(rows[0]["next_place"]) - wanted[endpoint_id]
    return first


def move_to_the_end(lane: int, rows: Sequence[Row]) -> Step[None]:
    """Give finished deliveries that are to be sent again new places behind all that waits, in their old order."""
    in_lines = sorted((row for row in rows if row["place"] is not None), key=lambda row: int(row["place"]))
    wanted: dict[int, int] = {}
    for row in in_lines:
        wanted[row["endpoint_id"]] = wanted.get(row["endpoint_id"], 0) + 1
    places = yield from take_places(wanted)
    for row in in_lines:
        yield sql(
            "UPDATE deliveries SET place = $3 WHERE lane = $1 AND id = $2"
            " AND status IN ('delivered', 'dead', 'cancelled')",
            lane,
            row["id"],
            places[row["endpoint_id"]],
        )
        places[row["endpoint_id"]] += 1


def set_aside(lane: int, among: str, values: Sequence[Any]) -> Statement:
    """Put aside what is not in turn, whatever ends the wait makes the next one due; or what has expired."""
    return sql(
        f"UPDATE deliveries SET due_at = NULL WHERE lane = $1 AND id {among} AND status = 'pending'",
        lane,
        *values,
    )


def postpone(lane: int, until: Instant, among: str, values: Sequence[Any]) -> Statement:
    """Put off what waits, whatever it waits for."""
    return sql(
        f"UPDATE deliveries SET due_at = $2 WHERE lane = $1 AND id {among} AND status = 'pending'",
        lane,
        until,
        *values,
    )


def next_in_line(lane: int, endpoint_id: int, lines: Iterable[str | None], now: Instant) -> Step[bool]:
    """Make due what is first in each of these lines now, if it waited for its turn. Answers whether anything did.

    Its endpoint is then to queue up.
    """
    is_due = False
    for line in sorted({line for line in lines if line is not None}):
        found = yield sql(
            "UPDATE deliveries SET due_at = $4 WHERE lane = $1 AND status = 'pending' AND due_at IS NULL AND id ="
            " (SELECT d.id FROM deliveries d WHERE d.lane = $1 AND d.endpoint_id = $2 AND d.line = $3"
            f" AND {UNFINISHED.format('d')} ORDER BY d.place LIMIT 1) RETURNING id",
            lane,
            endpoint_id,
            line,
            now,
        )
        is_due = is_due or bool(found)
    return is_due


def delivery_of(row: Row) -> Delivery:
    return made(Delivery, row, event_id=str(row["event_id"]))


def shown_delivery_of(row: Row) -> Delivery:
    """A delivery for people to see: due when its endpoint's breaker lets it through at the earliest.

    While it waits for an endpoint that is not active, nobody can say when it is due.
    """
    own, opens = row["due_at"], row["endpoint_opens_at"]
    return made(
        Delivery,
        row,
        event_id=str(row["event_id"]),
        due_at=None if own is None or opens is None else max(own, opens),
    )


def _count_behind(head: Row) -> Step[int]:
    rows = yield sql(
        "SELECT COUNT(*) AS number FROM (SELECT 1 FROM deliveries d WHERE d.lane = $1 AND d.endpoint_id = $2"
        f" AND d.line = $3 AND d.place > $4 AND {UNFINISHED.format('d')} LIMIT {MOST_WAITING}) AS behind",
        head["lane"],
        head["endpoint_id"],
        head["line"],
        head["place"],
    )
    return int(rows[0]["number"])
