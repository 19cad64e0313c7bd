"""What accepting a batch of events comes to, as functions of values; the stores add only the SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple

from hookwright.core.errors import Conflict
from hookwright.core.lanes import LANE_COUNT, lane_of
from hookwright.core.matching import SubscriptionBook
from hookwright.core.model import Accepted, Claim, DeliveryStatus, Draft, Instant
from hookwright.store.base import NO_ROOM, Room
from hookwright.store.queue_steps import QueueKey
from hookwright.store.steps import Row, load_schedule


class Match(NamedTuple):
    """An endpoint that wants a notice: a draft's position in the batch, and a notice's in the draft."""

    draft: int
    notice: int
    endpoint_id: int


class Matched(NamedTuple):
    """Drafts that are written together, and who wants them."""

    drafts: Sequence[Draft]
    matches: list[Match]


# So many deliveries are written by one transaction, but for those of an event that has more by itself. It takes 0.7 s
# on a busy box and 30 ms of the event loop at a time: whoever waits for its locks or a turn does not wait for long.
MOST_TOGETHER = 10_000

# The first column of every row is its lane, which the statements may name once for all rows.


class KeyRow(NamedTuple):
    """An idempotency key on its way in."""

    lane: int
    account_id: int
    key: str
    event_id: str
    fingerprint: bytes
    accepted_at: Instant


class EventRow(NamedTuple):
    lane: int
    id: str
    account_id: int
    site_id: int | None
    type: str
    occurred_at: Instant
    accepted_at: Instant
    idempotency_key: str | None
    data: str
    traceparent: str | None
    expires_at: Instant | None
    ordering_key: str | None


class PayloadRow(NamedTuple):
    lane: int
    event_id: str
    ordinal: int
    body: bytes


class DeliveryRow(NamedTuple):
    lane: int
    id: int
    account_id: int
    event_id: str
    event_type: str
    endpoint_id: int
    dialect: str
    dialect_event: str
    ordinal: int
    created_at: Instant
    expires_at: Instant | None
    line: str | None
    place: int | None
    status: DeliveryStatus
    fence: int
    due_at: Instant | None
    lease_until: Instant | None


class QueueRow(NamedTuple):
    """An endpoint that has something to send, and since when."""

    lane: int
    endpoint_id: int
    due_at: Instant


class Known(NamedTuple):
    """What an idempotency key already stands for."""

    event_id: str
    fingerprint: bytes


class Batch(NamedTuple):
    """A batch on its way in: which of its drafts are new, who wants them, and what is known of these endpoints."""

    drafts: Sequence[Draft]
    matches: Sequence[Match]
    recipients: Mapping[int, Row]


AccountKey = tuple[int, str]

# The line of an endpoint all of whose deliveries are in order. No ordering key is the empty string.
THE_ONLY_LINE = ""


def key_rows(drafts: Sequence[Draft]) -> list[KeyRow]:
    """The first draft of each idempotency key, in one order everywhere, so that two batches cannot deadlock."""
    first: dict[AccountKey, KeyRow] = {}
    for draft in drafts:
        event = draft.event
        if event.idempotency_key is not None:
            row = KeyRow(
                lane_of(event.account_id),
                event.account_id,
                event.idempotency_key,
                event.id,
                draft.fingerprint,
                event.accepted_at,
            )
            first.setdefault((event.account_id, event.idempotency_key), row)
    return [first[key] for key in sorted(first)]


def is_new(draft: Draft, known: dict[AccountKey, Known]) -> bool:
    """Whether a draft is to be accepted: it has no idempotency key, or it is the one that the key stands for."""
    key = draft.event.idempotency_key
    return key is None or known[draft.event.account_id, key].event_id == draft.event.id


def matched(drafts: Sequence[Draft], book_of: Callable[[int], SubscriptionBook]) -> Matched:
    """Who wants which notice, in the order of the drafts; a draft for one endpoint goes to no other.

    Only the first drafts, as many as are written together: one at least.
    """
    matches: list[Match] = []
    for position, draft in enumerate(drafts):
        of_draft = [
            Match(position, number, endpoint_id)
            for number, notice in enumerate(draft.notices)
            for endpoint_id in sorted(book_of(draft.event.account_id).endpoints_for(notice))
            if draft.only_endpoint_id in (None, endpoint_id)
        ]
        if position and len(matches) + len(of_draft) > MOST_TOGETHER:
            return Matched(drafts[:position], matches)
        matches += of_draft
    return Matched(drafts, matches)


def only_new(batch: Batch, known: dict[AccountKey, Known]) -> Batch:
    """A batch without the drafts whose idempotency key stands for another event."""
    if not known:
        return batch
    positions = [position for position, draft in enumerate(batch.drafts) if is_new(draft, known)]
    place = {position: number for number, position in enumerate(positions)}
    kept = [match._replace(draft=place[match.draft]) for match in batch.matches if match.draft in place]
    return Batch([batch.drafts[position] for position in positions], kept, batch.recipients)


def event_row(draft: Draft) -> EventRow:
    event = draft.event
    return EventRow(
        lane_of(event.account_id),
        event.id,
        event.account_id,
        event.site_id,
        event.type,
        event.occurred_at,
        event.accepted_at,
        event.idempotency_key,
        event.data.decode(),
        event.traceparent,
        event.expires_at,
        event.ordering_key,
    )


def ids_wanted(batch: Batch) -> Counter[int]:
    """How many ids of each lane the deliveries take, by the lane's index."""
    return Counter(batch.drafts[match.draft].event.account_id % LANE_COUNT for match in batch.matches)


def payload_rows(batch: Batch) -> list[PayloadRow]:
    """A payload for each notice that somebody wants; the others are never rendered."""
    wanted = dict.fromkeys((match.draft, match.notice) for match in batch.matches)
    rows = []
    for position, number in wanted:
        event, notice = batch.drafts[position].event, batch.drafts[position].notices[number]
        rows.append(PayloadRow(lane_of(event.account_id), event.id, notice.ordinal, notice.render()))
    return rows


def places_wanted(batch: Batch) -> dict[int, int]:
    """How many of the deliveries are in a line, by endpoint id."""
    wanted: dict[int, int] = {}
    for match in batch.matches:
        if _line_of(batch, match) is not None:
            wanted[match.endpoint_id] = wanted.get(match.endpoint_id, 0) + 1
    return wanted


def delivery_rows(
    batch: Batch,
    ids: Mapping[int, Iterator[int]],
    first_places: Mapping[int, int],
    payloads: Sequence[PayloadRow],
    room: Room = NO_ROOM,
) -> Iterator[DeliveryRow]:
    """A delivery for each match; those in lines take places in the order of the drafts. `ids` are by lane.

    The first of them that nothing holds back are claimed at birth, as far as there is room: they are sent from
    memory. The others are due at once, for whoever claims them.
    """
    places = {endpoint_id: count(first) for endpoint_id, first in first_places.items()}
    left, left_bytes = room.deliveries, room.body_bytes
    left_of = {endpoint_id: room.crowd.left(endpoint_id) for endpoint_id in batch.recipients} if left else {}
    sizes = {(payload.event_id, payload.ordinal): len(payload.body) for payload in payloads} if left else {}
    for match in batch.matches:
        event = batch.drafts[match.draft].event
        notice = batch.drafts[match.draft].notices[match.notice]
        lane = lane_of(event.account_id)
        line = _line_of(batch, match)
        to = match.endpoint_id
        at_birth = (
            left > 0
            and left_bytes > 0
            and left_of[to] > 0
            and line is None
            and _is_free(batch.recipients[to])
            # What might expire before it is sent is left to a look, which sees whether it has.
            and (event.expires_at is None or event.expires_at > room.lease_until)
        )
        if at_birth:
            left -= 1
            left_bytes -= sizes[event.id, notice.ordinal]
            left_of[to] -= 1
        yield DeliveryRow(
            lane,
            next(ids[lane]),
            event.account_id,
            event.id,
            event.type,
            match.endpoint_id,
            notice.dialect,
            notice.event,
            notice.ordinal,
            event.accepted_at,
            event.expires_at,
            line,
            None if line is None else next(places[match.endpoint_id]),
            "in_flight" if at_birth else "pending",
            1 if at_birth else 0,
            None if at_birth else event.accepted_at,
            room.lease_until if at_birth else None,
        )


def note_turns(turns: dict[QueueKey, Instant], deliveries: Sequence[DeliveryRow]) -> None:
    """Note which endpoints these wait for, and since when."""
    for row in deliveries:
        if row.due_at is not None:
            key = row.lane, row.endpoint_id
            turns[key] = min(row.due_at, turns.get(key, row.due_at))


def queue_rows(turns: Mapping[QueueKey, Instant]) -> Iterator[QueueRow]:
    """The endpoints that something waits for, in the order in which their rows are locked everywhere."""
    return (QueueRow(*key, turns[key]) for key in sorted(turns))


def queue_rows_for(deliveries: Sequence[DeliveryRow]) -> list[QueueRow]:
    """The endpoints that these wait for, in that order."""
    turns: dict[QueueKey, Instant] = {}
    note_turns(turns, deliveries)
    return list(queue_rows(turns))


def _line_of(batch: Batch, match: Match) -> str | None:
    """The line that a delivery is to wait in: its endpoint's only one, that of the event's ordering key, or none."""
    ordering = batch.recipients[match.endpoint_id]["ordering"]
    if ordering == "endpoint":
        return THE_ONLY_LINE
    return batch.drafts[match.draft].event.ordering_key if ordering == "key" else None


def _is_free(recipient: Row) -> bool:
    return recipient["status"] == "active" and not recipient["guarded"]


def claims_at_birth(batch: Batch, payloads: Sequence[PayloadRow], deliveries: Sequence[DeliveryRow]) -> list[Claim]:
    """The claims of those deliveries that were claimed at birth."""
    bodies = {(payload.event_id, payload.ordinal): payload.body for payload in payloads}
    return [
        _claim(batch.drafts[match.draft], row, batch.recipients[row.endpoint_id], bodies[row.event_id, row.ordinal])
        for match, row in zip(batch.matches, deliveries, strict=True)
        if row.status == "in_flight"
    ]


def _claim(draft: Draft, row: DeliveryRow, recipient: Row, body: bytes) -> Claim:
    return Claim(
        delivery_id=row.id,
        fence=row.fence,
        account_id=row.account_id,
        event_id=row.event_id,
        event_type=row.event_type,
        occurred_at=draft.event.occurred_at,
        created_at=row.created_at,
        endpoint_id=row.endpoint_id,
        dialect=row.dialect,
        dialect_event=row.dialect_event,
        ordinal=row.ordinal,
        url=recipient["url"],
        body=body,
        attempt=1,
        round_attempt=1,
        retry_schedule=load_schedule(recipient["retry_schedule"]),
        sealed_headers=recipient["sealed_headers"],
        signature=recipient["signature"],
        troubled=bool(recipient["troubled"]),
        traceparent=draft.event.traceparent,
    )


def answers(
    drafts: Sequence[Draft], known: dict[AccountKey, Known], counts: dict[str, int]
) -> list[Accepted | Conflict]:
    """What each publisher is told. `counts` has the number of deliveries of every event, new or known."""
    return [_answer(draft, known, counts) for draft in drafts]


def _answer(draft: Draft, known: dict[AccountKey, Known], counts: dict[str, int]) -> Accepted | Conflict:
    if is_new(draft, known):
        return Accepted(draft.event.id, counts.get(draft.event.id, 0))
    first = known[draft.event.account_id, draft.event.idempotency_key or ""]
    if first.fingerprint != draft.fingerprint:
        return Conflict("this idempotency key was used for another event")
    return Accepted(first.event_id, counts.get(first.event_id, 0), duplicate=True)


def count_matches(batch: Batch) -> dict[str, int]:
    """How many deliveries each new event has."""
    counts: dict[str, int] = {}
    for match in batch.matches:
        event_id = batch.drafts[match.draft].event.id
        counts[event_id] = counts.get(event_id, 0) + 1
    return counts
