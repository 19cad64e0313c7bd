"""What accepting a batch of events comes to, as functions of values; the stores add only the SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count, product
from typing import NamedTuple

from hookwright.core.errors import Conflict
from hookwright.core.model import ANY_RESOURCE, Accepted, Draft, Instant, Notice, Ordering


class Want(NamedTuple):
    """One question to the subscriptions: who of this account wants this notice with this resource?"""

    account_id: int
    dialect: str
    event: str
    resource: str
    site_id: int | None


class Asker(NamedTuple):
    """Whose question it is: a draft's position in the batch, and a notice's in the draft."""

    draft: int
    notice: int


class Match(NamedTuple):
    """An endpoint that wants a notice."""

    draft: int
    notice: int
    endpoint_id: int
    ordering: Ordering


class KeyRow(NamedTuple):
    """An idempotency key on its way in."""

    account_id: int
    key: str
    event_id: str
    fingerprint: bytes
    accepted_at: Instant


class EventRow(NamedTuple):
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
    event_id: str
    ordinal: int
    body: bytes


class DeliveryRow(NamedTuple):
    id: int
    account_id: int
    event_id: str
    event_type: str
    endpoint_id: int
    dialect: str
    dialect_event: str
    ordinal: int
    due_at: Instant
    created_at: Instant
    expires_at: Instant | None
    line: str | None
    place: int | None


class Known(NamedTuple):
    """What an idempotency key already stands for."""

    event_id: str
    fingerprint: bytes


AccountKey = tuple[int, str]

# The line of an endpoint all of whose deliveries are in order. No ordering key is the empty string.
THE_ONLY_LINE = ""


def key_rows(drafts: Sequence[Draft]) -> list[KeyRow]:
    """The first draft of each idempotency key, in one order everywhere, so that two batches cannot deadlock."""
    first: dict[AccountKey, KeyRow] = {}
    for draft in drafts:
        event = draft.event
        if event.idempotency_key is not None:
            row = KeyRow(event.account_id, event.idempotency_key, event.id, draft.fingerprint, event.accepted_at)
            first.setdefault((event.account_id, event.idempotency_key), row)
    return [first[key] for key in sorted(first)]


def is_new(draft: Draft, known: dict[AccountKey, Known]) -> bool:
    """Whether a draft is to be accepted: it has no idempotency key, or it is the one that the key stands for."""
    key = draft.event.idempotency_key
    return key is None or known[draft.event.account_id, key].event_id == draft.event.id


def wants(drafts: Sequence[Draft]) -> dict[Want, list[Asker]]:
    """What to ask the subscriptions about these drafts: each name and each resource that may be subscribed to.

    The events of a batch are often alike, so that each question is asked once for many.
    """
    asked: dict[Want, list[Asker]] = {}
    for position, draft in enumerate(drafts):
        for number, notice in enumerate(draft.notices):
            # PostgreSQL's text holds no NUL, so no subscription names such a resource.
            resources = (ANY_RESOURCE, *(each for each in notice.resources if "\0" not in each))
            for event, resource in product((notice.event, *notice.families), resources):
                want = Want(draft.event.account_id, notice.dialect, event, resource, notice.site_id)
                asked.setdefault(want, []).append(Asker(position, number))
    return asked


def once_each(drafts: Sequence[Draft], matches: Iterable[Match]) -> list[Match]:
    """An endpoint that wants a notice for two reasons gets it once; a draft for one endpoint goes to no other."""
    return sorted(match for match in set(matches) if _may_go_to(drafts[match.draft], match.endpoint_id))


def _may_go_to(draft: Draft, endpoint_id: int) -> bool:
    return draft.only_endpoint_id in (None, endpoint_id)


def event_row(draft: Draft) -> EventRow:
    event = draft.event
    return EventRow(
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


def payload_rows(drafts: Sequence[Draft], matches: Sequence[Match]) -> list[PayloadRow]:
    """A payload for each notice that somebody wants; the others are never rendered."""
    wanted = sorted({(match.draft, match.notice) for match in matches})
    rows = []
    for position, number in wanted:
        notice = drafts[position].notices[number]
        rows.append(PayloadRow(drafts[position].event.id, notice.ordinal, notice.render()))
    return rows


def places_wanted(drafts: Sequence[Draft], matches: Sequence[Match]) -> dict[int, int]:
    """How many of the deliveries are in a line, by endpoint id."""
    wanted: dict[int, int] = {}
    for match in matches:
        if _line_of(drafts[match.draft], match) is not None:
            wanted[match.endpoint_id] = wanted.get(match.endpoint_id, 0) + 1
    return wanted


def delivery_rows(
    drafts: Sequence[Draft], matches: Sequence[Match], ids: Iterable[int], first_places: Mapping[int, int]
) -> list[DeliveryRow]:
    """A delivery for each match, due at once; those in lines take places in the order of the drafts."""
    places = {endpoint_id: count(first) for endpoint_id, first in first_places.items()}
    rows = []
    for match, id in zip(matches, ids, strict=True):
        draft = drafts[match.draft]
        line = _line_of(draft, match)
        place = None if line is None else next(places[match.endpoint_id])
        rows.append(_delivery_row(draft, draft.notices[match.notice], match.endpoint_id, id, line, place))
    return rows


def _line_of(draft: Draft, match: Match) -> str | None:
    """The line that a delivery is to wait in: its endpoint's only one, that of the event's ordering key, or none."""
    if match.ordering == "endpoint":
        return THE_ONLY_LINE
    return draft.event.ordering_key if match.ordering == "key" else None


def _delivery_row(
    draft: Draft, notice: Notice, endpoint_id: int, id: int, line: str | None, place: int | None
) -> DeliveryRow:
    event = draft.event
    return DeliveryRow(
        id,
        event.account_id,
        event.id,
        event.type,
        endpoint_id,
        notice.dialect,
        notice.event,
        notice.ordinal,
        event.accepted_at,
        event.accepted_at,
        event.expires_at,
        line,
        place,
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


def count_matches(drafts: Sequence[Draft], matches: Sequence[Match]) -> dict[str, int]:
    """How many deliveries each new event has."""
    counts: dict[str, int] = {}
    for match in matches:
        event_id = drafts[match.draft].event.id
        counts[event_id] = counts.get(event_id, 0) + 1
    return counts
