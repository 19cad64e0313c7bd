"""The offline checker: joins what the producer was answered, what receivers got and what the database holds.

Every function is one of a run's records alone, and answers a line for each thing that is wrong; none is what must be.
Times in answers are seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from faults.records import (
    AIMS,
    DUMP,
    NEMESIS,
    PRODUCER,
    RECEIVER,
    SECOND,
    Aim,
    Answered,
    Arrival,
    Deed,
    DeliveryRow,
    Dump,
    read,
    read_dump,
)

# How long after its answer an outcome may still be unwritten: outcomes are gathered, and a commit takes its time.
UNWRITTEN_SECONDS = 1.0
# How long a request may be under way before its receiver has it whole and writes it down.
UNSEEN_SECONDS = 0.5
UUID_LENGTH = 36
NOWHERE = "nowhere"  # the path of an endpoint that nobody aimed at: no request comes there


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that a run left behind."""

    answers: Sequence[Answered]
    arrivals: Sequence[Arrival]
    deeds: Sequence[Deed]
    dump: Dump
    aims: Sequence[Aim]


def read_records(folder: Path) -> Records:
    """The records of a run's folder."""
    return Records(
        read(folder / PRODUCER, Answered),
        read(folder / RECEIVER, Arrival),
        read(folder / NEMESIS, Deed),
        read_dump(folder / DUMP),
        read(folder / AIMS, Aim),
    )


def lost(records: Records) -> list[str]:
    """Events that were answered 202 and are not there, not for every endpoint of the account, or did not arrive."""
    deliveries, destinations, arrived = (
        _by_event(records.dump.deliveries),
        _destinations(records),
        _succeeded(records),
    )
    events = {event.id for event in records.dump.events}
    aimed_at: dict[int, set[int]] = defaultdict(set)
    for aim in records.aims:
        aimed_at[aim.account_id].add(aim.endpoint_id)
    found: list[str] = []
    for answer in records.answers:
        if answer.answer != "ok" or answer.event_id is None:
            continue
        own, meant = deliveries[answer.event_id], sorted(aimed_at[answer.account_id])
        if answer.event_id not in events:
            found.append(f"{answer.event_id}: answered 202, not in the database")
        if answer.deliveries != len(meant):
            found.append(f"{answer.event_id}: answered {answer.deliveries} deliveries, for {len(meant)} endpoints")
        if (there := sorted(each.endpoint_id for each in own)) != meant:
            found.append(f"{answer.event_id}: for the endpoints {meant}, the database has deliveries to {there}")
        found += [_at(destinations[each.id], "never arrived") for each in own if destinations[each.id] not in arrived]
    return found


def unfinished(records: Records) -> list[str]:
    """Deliveries that are not recorded as delivered, of events with an answer or without."""
    return [
        f"{delivery.message_id}: {delivery.status} at the end"
        for delivery in records.dump.deliveries
        if delivery.status != "delivered"
    ]


def only_claimed(records: Records) -> list[str]:
    """Deliveries that the database calls delivered and their own receiver never answered with success."""
    destinations, arrived = _destinations(records), _succeeded(records)
    return [
        _at(destinations[delivery.id], "called delivered, never arrived")
        for delivery in records.dump.deliveries
        if delivery.status == "delivered" and destinations[delivery.id] not in arrived
    ]


def strangers(records: Records) -> list[str]:
    """Requests whose id is of no delivery in the database that has to go where they came."""
    known = set(_destinations(records).values())
    came = [(arrival.path, arrival.message_id) for arrival in records.arrivals]
    return [_at(each, "of no delivery") for each in came if each not in known]


def altered(arrivals: Iterable[Arrival]) -> list[str]:
    """Message ids that came with more than one body."""
    bodies: dict[str, set[str]] = defaultdict(set)
    for arrival in arrivals:
        bodies[arrival.message_id].add(arrival.body)
    return [f"{message_id}: came with {len(own)} bodies" for message_id, own in bodies.items() if len(own) > 1]


def doubled(records: Records) -> list[str]:
    """Idempotency keys with more than one event: in the database, or in what was answered."""
    events: dict[tuple[int, str], set[str]] = defaultdict(set)
    for event in records.dump.events:
        if event.idempotency_key is not None:
            events[event.account_id, event.idempotency_key].add(event.id)
    for answer in records.answers:
        if answer.event_id is not None:
            events[answer.account_id, answer.key].add(answer.event_id)
    return [f"key {key}: {len(ids)} events" for (_, key), ids in events.items() if len(ids) > 1]


def needless_repeats(records: Records) -> list[str]:
    """Requests that came although the one before had succeeded and no deed kept its outcome from being written.

    A deed excuses the repeat of a request that was under way when it began, or answered so short a time before that
    its outcome was not written yet. One that goes on excuses what was under way at any time until its end.
    """
    found: list[str] = []
    for (path, message_id), own in _by_message(records.arrivals).items():
        for earlier, later in pairwise(own):
            if _is_success(earlier) and not _deeds_upon(earlier, later, records.deeds):
                after = (later.at - earlier.at) / SECOND
                found.append(f"{message_id} at {path}: again {after:.1f} s after a success that nothing disturbed")
    return found


def repeats(arrivals: Iterable[Arrival]) -> int:
    """How many requests came for deliveries that had been answered with success."""
    counted = 0
    for own in _by_message(arrivals).values():
        first = next((place for place, arrival in enumerate(own) if _is_success(arrival)), len(own))
        counted += len(own[first + 1 :])
    return counted


def takeovers(records: Records, deeds: Sequence[Deed]) -> list[float]:
    """How long after a deed that hit them deliveries in flight came again."""
    found: list[float] = []
    for own in _by_message(records.arrivals).values():
        for earlier, later in pairwise(own):
            upon = _deeds_upon(earlier, later, deeds)
            if upon and _is_success(earlier):
                # The first of several: a takeover is never called shorter than it was.
                found.append((later.at - min(deed.began_at for deed in upon)) / SECOND)
    return found


def latenesses(records: Records) -> list[float]:
    """For each accepted event: from its answer to the first request, or 0 where that was sooner."""
    first: dict[str, int] = {}
    for arrival in records.arrivals:
        event_id = event_of(arrival.message_id)
        first[event_id] = min(arrival.at, first.get(event_id, arrival.at))
    return [
        max(0, first[answer.event_id] - answer.answered_at) / SECOND
        for answer in records.answers
        if answer.answer == "ok" and answer.event_id in first
    ]


def miscounted(records: Records) -> list[str]:
    """Deliveries whose attempts are not those that the database has rows of, numbered from 1, or came to nobody."""
    numbers: dict[int, list[int]] = defaultdict(list)
    for attempt in records.dump.attempts:
        numbers[attempt.delivery_id].append(attempt.number)
    came = Counter((arrival.path, arrival.message_id) for arrival in records.arrivals)
    destinations = _destinations(records)
    found: list[str] = []
    for delivery in records.dump.deliveries:
        own, destination = sorted(numbers[delivery.id]), destinations[delivery.id]
        if own != list(range(1, delivery.attempts + 1)):
            found.append(_at(destination, f"{delivery.attempts} attempts, recorded are {own}"))
        if delivery.attempts > came[destination]:
            found.append(_at(destination, f"{delivery.attempts} attempts, {came[destination]} requests"))
    return found


def _deeds_upon(earlier: Arrival, later: Arrival, deeds: Iterable[Deed]) -> list[Deed]:
    """The deeds that may have kept the outcome of a request from being written before it came again."""
    sent_at = earlier.at - UNSEEN_SECONDS * SECOND
    written_at = earlier.at + (earlier.answer_in + UNWRITTEN_SECONDS) * SECOND
    return [deed for deed in deeds if sent_at <= _struck_until(deed) and deed.began_at <= min(written_at, later.at)]


def _struck_until(deed: Deed) -> int:
    return deed.ended_at if deed.goes_on else deed.began_at


def _destinations(records: Records) -> dict[int, tuple[str, str]]:
    """Of each delivery by its id: the path where its requests have to come, and the message id that they carry."""
    path_of = {aim.endpoint_id: aim.path for aim in records.aims}
    return {
        delivery.id: (path_of.get(delivery.endpoint_id, NOWHERE), delivery.message_id)
        for delivery in records.dump.deliveries
    }


def _succeeded(records: Records) -> set[tuple[str, str]]:
    return {(arrival.path, arrival.message_id) for arrival in records.arrivals if _is_success(arrival)}


def _at(destination: tuple[str, str], what: str) -> str:
    path, message_id = destination
    return f"{message_id} at {path}: {what}"


def _by_message(arrivals: Iterable[Arrival]) -> dict[tuple[str, str], list[Arrival]]:
    found: dict[tuple[str, str], list[Arrival]] = defaultdict(list)
    for arrival in sorted(arrivals, key=lambda each: each.at):
        found[arrival.path, arrival.message_id].append(arrival)
    return found


def _by_event(deliveries: Iterable[DeliveryRow]) -> dict[str, list[DeliveryRow]]:
    found: dict[str, list[DeliveryRow]] = defaultdict(list)
    for delivery in deliveries:
        found[delivery.event_id].append(delivery)
    return found


def _is_success(arrival: Arrival) -> bool:
    return 200 <= arrival.status < 300


def event_of(message_id: str) -> str:
    """The id of the event: a message id is that, and the notice's number after it where there are several."""
    return message_id[:UUID_LENGTH]
