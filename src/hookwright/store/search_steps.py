"""The search for deliveries: newest first, within a bounded number of rows, however rare the hits are.

A list that is filtered may have to read very many rows to find few. So a search looks at the newest rows of the index
that serves it best, up to a bound, and says how far it came; the next page goes on from there. Most of that needs no
index of its own: deliveries of an account or an endpoint have one, what failed has a small one, and the newest of all
lanes are found through their events, of which a delivery has the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hookwright.core.lanes import lane_of
from hookwright.core.model import Instant
from hookwright.store.base import DeliveryMatches, DeliverySearch, SearchedStatus
from hookwright.store.line_steps import ENDPOINT_STATUS, shown_delivery_of
from hookwright.store.steps import Filters, Row, Statement, Step, Steps, labels, reading, sql

# What a delivery `d` is that gave up, or waits for a retry. Spelt as its index is: see 0014_console.sql.
FAILED = "d.status = 'dead' OR (d.status = 'pending' AND d.attempts > d.round_start)"

STATUSES: dict[SearchedStatus, str] = {
    "waiting": "(d.status = 'pending' AND d.attempts <= d.round_start)",
    "sending": "d.status = 'in_flight'",
    "delivered": "d.status = 'delivered'",
    "retrying": "(d.status = 'pending' AND d.attempts > d.round_start)",
    "dead": "d.status = 'dead'",
    "cancelled": "d.status = 'cancelled'",
    "failed": f"({FAILED})",
}
FAILURES = {"failed", "dead", "retrying"}

# How many rows of each lane the first looks at every lane take; often they are enough.
FEW_ROWS = (3, 12)

# How many deliveries an event is taken to have, where a bound on deliveries becomes one on events.
OFTEN_OF_AN_EVENT = 10
END_OF_TIME: Instant = 2**62


class Source(NamedTuple):
    """Where rows come from, newest first: a condition on an indexed table, and the column that has their time.

    `is_events`: they are events, each with all its deliveries. `lanes` are asked one by one for how far to look.
    """

    table: str
    condition: str
    value: int | None
    time: str
    lanes: Sequence[int]
    is_events: bool = False


class Spelling(NamedTuple):
    """What each database is told in other words; these are SQLite's.

    `lowered`: a text in small letters, for LIKE, which knows no large and small letters of ASCII here anyway.
    `cut_out`: a part of WITH that is read by its own index, whatever is asked of it; here row by row, without a copy.
    """

    lowered: str = "{0}"
    cut_out: str = "AS ({0} LIMIT -1)"


class SearchSteps(Steps):
    """Find deliveries."""

    SPELLING = Spelling()

    @reading
    def search_deliveries(self, search: DeliverySearch) -> Step[DeliveryMatches]:
        rows, back_to = yield from self._search(search, "d.*", search.limit)
        return DeliveryMatches([shown_delivery_of(row) for row in rows], back_to)

    @reading
    def count_matches(self, search: DeliverySearch) -> Step[tuple[int, Instant | None]]:
        rows, back_to = yield from self._search(search, "d.lane, d.endpoint_id, d.created_at, d.id", search.limit)
        return len(rows), back_to

    def _search(
        self, search: DeliverySearch, columns: str, enough: int
    ) -> Step[tuple[Sequence[Row], Instant | None]]:
        """The rows that match, and how far back was looked; None: to the end, or to where the search begins."""
        source = _source_of(search, labels(range(self.lane_count)))
        begin, end = search.created_from or 0, _until(search)
        looked_at_from, left = end + 1, search.most_examined
        back_to: Instant | None = None
        rows: list[Row] = []
        for share in _shares(search, source):
            back_to = yield from self._far_enough(source, share, end)
            # What the looks before this one have looked at is not read again.
            since, until = max(begin, back_to or 0), looked_at_from - 1
            if source.is_events:
                counted = yield _deliveries_in(search, source, since, until, left, self.SPELLING)
                left -= counted[0]["many"]
                if left <= 0:
                    since = back_to = int(counted[0]["back_to"])
            rows += yield _matching(search, source, since, until, columns, enough - len(rows), self.SPELLING)
            looked_at_from = min(since, looked_at_from)
            if len(rows) >= enough or back_to is None or since == begin or left <= 0:
                break
        if back_to is not None and search.created_from is not None and back_to <= search.created_from:
            back_to = None
        return rows, back_to

    def _far_enough(self, source: Source, share: int, until: Instant) -> Step[Instant | None]:
        """The time of the row of each lane that is `share` rows back, the latest of them; None: that is all there is.

        What is newer has then been looked at in every lane.
        """
        latest: Instant | None = None
        for statement in self.rows_back(source, share, until):
            for row in (yield statement):
                if row["back_to"] is not None:
                    latest = max(latest or 0, int(row["back_to"]))
        return latest

    def rows_back(self, source: Source, share: int, until: Instant) -> list[Statement]:
        """The statements that answer, for each lane, the time `share` rows back."""
        return [
            sql(
                f"SELECT d.{source.time} AS back_to FROM {source.table} d WHERE d.lane = $1 AND {source.condition}"
                f" AND d.{source.time} <= $2 ORDER BY d.{source.time} DESC LIMIT 1 OFFSET $3"
                .replace("$value", "$4"),
                lane,
                until,
                share - 1,
                *(() if source.value is None else (source.value,)),
            )
            for lane in source.lanes
        ]  # fmt: skip


def _until(search: DeliverySearch) -> Instant:
    """The newest time that comes into question. Of what was looked at to its end, nothing is looked at again."""
    until = END_OF_TIME if search.created_to is None else search.created_to - 1
    if search.before is None:
        return until
    created_at, id = search.before
    return min(until, created_at if id else created_at - 1)


def _source_of(search: DeliverySearch, every_lane: Sequence[int]) -> Source:
    if search.endpoint_id is not None and not _only_failures(search):
        lanes = [lane_of(search.endpoint_id)]
        return Source("deliveries", "d.endpoint_id = $value", search.endpoint_id, "created_at", lanes)
    owner = search.endpoint_id if search.account_id is None else search.account_id
    lanes = list(every_lane) if owner is None else [lane_of(owner)]
    if _only_failures(search):
        return Source("deliveries", f"({FAILED})", None, "created_at", lanes)
    if search.account_id is not None:
        return Source("deliveries", "d.account_id = $value", search.account_id, "created_at", lanes)
    return Source("events", "TRUE", None, "accepted_at", lanes, is_events=True)


def _only_failures(search: DeliverySearch) -> bool:
    return bool(search.statuses) and set(search.statuses) <= FAILURES


def _shares(search: DeliverySearch, source: Source) -> list[int]:
    """How many rows back to look in each lane: first few, then as many as the bound allows."""
    most = search.most_examined // len(source.lanes)
    if source.is_events and search.statuses:
        most //= OFTEN_OF_AN_EVENT  # only its deliveries have a status
    most = max(1, most)
    first = (search.limit,) if len(source.lanes) == 1 else (*FEW_ROWS, search.limit)
    return [share for share in dict.fromkeys(first) if share < most] + [most]


def _matching(
    search: DeliverySearch,
    source: Source,
    since: Instant,
    until: Instant,
    columns: str,
    at_most: int,
    spelling: Spelling,
) -> Statement:
    """The deliveries of a stretch of time that pass the filters.

    The stretch is cut out first, whatever a planner thinks of the filters: it is short, they may fit anything.
    """
    stretch = _stretch_of(search, source, since, until, spelling)
    if source.is_events:
        filters = _filters(search, Filters(stretch.values))
        cut = f"WITH stretch AS MATERIALIZED (SELECT d.lane, d.id FROM events d WHERE {stretch})"
        found = "stretch s JOIN deliveries d ON d.lane = s.lane AND d.event_id = s.id"
    else:
        filters = _filters(search, Filters(stretch.values))
        cut = "WITH stretch " + spelling.cut_out.format(f"SELECT d.* FROM deliveries d WHERE {stretch}")
        found = "stretch d"
        if search.text is not None:
            cut += _saying(search.text, filters, spelling)
    return sql(
        f"{cut} SELECT {columns}, {ENDPOINT_STATUS.format('d')} FROM {found} WHERE {filters}"
        f" ORDER BY d.created_at DESC, d.id DESC LIMIT ${len(filters.values) + 1}",
        *filters.values,
        at_most,
    )


def _deliveries_in(
    search: DeliverySearch, source: Source, since: Instant, until: Instant, at_most: int, spelling: Spelling
) -> Statement:
    """How many deliveries the events of a stretch have, and how far back these are; counted up to a bound.

    One event may have very many: then fewer events are looked at. The index tells, no row is read.
    """
    stretch = _stretch_of(search, source, since, until, spelling)
    return sql(
        "SELECT COUNT(*) AS many, MIN(c.at) AS back_to FROM (SELECT s.at FROM"
        # In their order from the beginning, so that PostgreSQL joins no more than it counts.
        f" (SELECT d.lane, d.id, d.accepted_at AS at FROM events d WHERE {stretch} ORDER BY d.accepted_at DESC) AS s"
        " CROSS JOIN deliveries d WHERE d.lane = s.lane AND d.event_id = s.id"
        f" ORDER BY s.at DESC LIMIT ${len(stretch.values) + 1}) AS c",
        *stretch.values,
        at_most,
    )


def _stretch_of(
    search: DeliverySearch, source: Source, since: Instant, until: Instant, spelling: Spelling
) -> Filters:
    """The rows of the source that a stretch of time holds; of events, those that say what is looked for."""
    stretch = Filters()
    stretch.add(f"d.{source.time} >= $? AND d.{source.time} <= $?", since, until)
    stretch.add(f"d.lane IN ({', '.join(map(str, source.lanes))})")  # few texts: one lane, or all of them
    stretch.add(source.condition.replace("$value", "$?"), *(() if source.value is None else (source.value,)))
    if source.is_events:
        _filter_events(search, stretch, spelling)
    return stretch


def _saying(text: str, filters: Filters, spelling: Spelling) -> str:
    """One more part of WITH: the events of the stretch that say something; the filters are given that condition.

    Each event is read once, however many deliveries it has.
    """
    passed = str(filters)
    events = Filters(filters.values)
    _add_text_filter(events, "v", text, spelling)
    filters.values = events.values
    # `IS TRUE` has PostgreSQL look them up in a table of hashes; IN by itself becomes a join, here of nested loops.
    filters.add("(d.event_id IN (SELECT id FROM saying)) IS TRUE")
    return (
        ", saying AS MATERIALIZED (SELECT v.id FROM"
        f" (SELECT DISTINCT d.lane, d.event_id FROM stretch d WHERE {passed}) AS e"
        f" JOIN events v ON v.lane = e.lane AND v.id = e.event_id WHERE {events})"
    )


def _filters(search: DeliverySearch, filters: Filters) -> Filters:
    if search.account_id is not None:
        filters.add("d.account_id = $?", search.account_id)
    if search.endpoint_id is not None:
        filters.add("d.endpoint_id = $?", search.endpoint_id)
    if search.event_type is not None:
        filters.add_type("d.event_type", search.event_type)
    if search.statuses:
        filters.add(f"({' OR '.join(STATUSES[status] for status in search.statuses)})")
    if search.created_to is not None:
        filters.add("d.created_at < $?", search.created_to)
    if search.before is not None:
        filters.add("(d.created_at, d.id) < ($?, $?)", *search.before)
    return filters


def _filter_events(search: DeliverySearch, events: Filters, spelling: Spelling) -> None:
    """What an event says itself, before its deliveries are read."""
    if search.event_type is not None:
        events.add_type("d.type", search.event_type)
    if search.text is not None:
        _add_text_filter(events, "d", search.text, spelling)


def _add_text_filter(filters: Filters, event: str, text: str, spelling: Spelling) -> None:
    """A key as it is, or a part of the data in which only letters of ASCII may be large or small."""
    data = spelling.lowered.format(f"{event}.data")
    escaped = text.encode().lower().decode().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    filters.add(
        f"({event}.ordering_key = $? OR {event}.idempotency_key = $? OR {data} LIKE $? ESCAPE '\\')",
        text,
        text,
        f"%{escaped}%",
    )
