"""The offline checker: joins what the producer was answered, what receivers got and what the database holds.

Every function is one of a run's records alone, and answers a line for each thing that is wrong; none is what must be.
Times in answers are seconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
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


def started_after(arrivals: Iterable[Arrival], ends: Mapping[str, int], grace_seconds: float = 1.0) -> list[str]:
    """Requests at a path that came later than a while after its end, which `ends` has in microseconds."""
    return [
        f"{arrival.message_id} at {arrival.path}: {(arrival.at - ends[arrival.path]) / SECOND:.2f} s after its end"
        for arrival in arrivals
        if arrival.path in ends and arrival.at > ends[arrival.path] + grace_seconds * SECOND
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


def unasked(answers: Iterable[Answered], allowed: Collection[int] = (503,)) -> list[str]:
    """Refusals other than the allowed ones, and allowed ones without Retry-After."""
    found: list[str] = []
    for answer in answers:
        if answer.answer == "fail" and answer.status not in allowed:
            found.append(f"{answer.key}: answered {answer.status}: {answer.error}")
        elif answer.answer == "fail" and answer.retry_after is None:
            found.append(f"{answer.key}: answered {answer.status} without Retry-After")
    return found


def unanswered(answers: Iterable[Answered]) -> list[str]:
    """Requests whose connection ended without an answer, or that nobody answered in time."""
    return [f"{answer.key}: {answer.error}" for answer in answers if answer.answer == "unknown"]


def slowest(answers: Iterable[Answered]) -> float:
    """The longest that a request waited for its answer."""
    return max(((answer.answered_at - answer.asked_at) / SECOND for answer in answers), default=0.0)


def asked_between(answers: Iterable[Answered], began_at: int, ended_at: float = inf) -> list[Answered]:
    """The requests that were asked and answered within a span of time."""
    return [answer for answer in answers if began_at <= answer.asked_at and answer.answered_at < ended_at]


def healed_after(answers: Iterable[Answered], ended_at: int) -> float:
    """How long after a trouble's end an event was accepted and nothing was refused any more; infinity where never.

    `answers` are those until the next trouble.
    """
    later = sorted((each for each in answers if each.answered_at >= ended_at), key=lambda each: each.answered_at)
    refused = [place for place, answer in enumerate(later) if answer.answer != "ok"]
    rest = later[refused[-1] + 1 :] if refused else later
    return (rest[0].answered_at - ended_at) / SECOND if rest else inf


def delivering_after(records: Records, back_at: int) -> float:
    """How long after a moment the first event that was accepted after it arrived; infinity where none did."""
    accepted = {each.event_id for each in records.answers if each.answer == "ok" and each.asked_at >= back_at}
    arrived = [each.at for each in records.arrivals if each.at >= back_at and event_of(each.message_id) in accepted]
    return (min(arrived) - back_at) / SECOND if arrived else inf


def longest_healing(records: Records, deeds: Iterable[Deed]) -> tuple[float, float]:
    """The longest after some deeds until events were accepted and none refused, and until such arrived."""
    accepting = delivering = 0.0
    for deed in deeds:
        next_began = min((each.began_at for each in records.deeds if each.began_at > deed.began_at), default=inf)
        own = asked_between(records.answers, deed.began_at, next_began)
        accepting = max(accepting, healed_after(own, deed.ended_at))
        delivering = max(delivering, delivering_after(records, deed.ended_at))
    return accepting, delivering


def committed_unanswered(answers: Iterable[Answered]) -> list[Answered]:
    """The requests whose events had been committed although their publisher never had an answer."""
    unknown: dict[str, Answered] = {}
    found: list[Answered] = []
    for answer in sorted(answers, key=lambda each: each.asked_at):
        if answer.answer == "unknown":
            unknown.setdefault(answer.key, answer)
        elif answer.answer == "ok" and answer.duplicate and answer.key in unknown:
            found.append(unknown[answer.key])
    return found


def kills_before_the_answer(answers: Iterable[Answered], deeds: Iterable[Deed]) -> int:
    """How many deeds fell on a request whose event was committed and whose publisher never had an answer."""
    cut_off = committed_unanswered(answers)
    return sum(
        any(request.asked_at <= deed.ended_at and deed.began_at <= request.answered_at for request in cut_off)
        for deed in deeds
    )


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
