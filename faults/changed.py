"""What was changed while deliveries went out, and the checks of what came after.

Every check is a function of a run's records alone and answers a line for each thing that is wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from msgspec import Struct
from standardwebhooks import Webhook

from faults.checker import Records
from faults.records import SECOND, Arrival, read

CHANGES = "changes.jsonl"

# How long after its answer a change may still be unknown to a worker.
GRACE_SECONDS = 1.0

Kind = Literal["create", "pause", "activate", "delete", "rotate"]


class Change(Struct, frozen=True, kw_only=True):
    """One change of an endpoint; `secret` is the new one of what was created or rotated."""

    asked_at: int
    answered_at: int
    kind: Kind
    endpoint_id: int
    path: str
    secret: str | None = None


class Still(NamedTuple):
    """A time in which nothing may start to an endpoint, in µs; the grace is part of it."""

    begins: int
    ends: float


def read_changes(folder: Path) -> list[Change]:
    """The changes of a run's folder."""
    return read(folder / CHANGES, Change)


def started_in_stillness(records: Records, changes: Iterable[Change]) -> list[str]:
    """Requests that came, or attempts that began, more than the grace after their endpoint was paused or deleted."""
    changes = list(changes)
    still = _stillness(changes)
    endpoint_of = {delivery.id: delivery.endpoint_id for delivery in records.dump.deliveries}
    path_of = {change.endpoint_id: change.path for change in changes}
    starts = [(arrival.at, arrival.path, arrival.message_id) for arrival in records.arrivals]
    starts += [
        (attempt.started_at, path_of[endpoint_of[attempt.delivery_id]], f"attempt of {attempt.delivery_id}")
        for attempt in records.dump.attempts
    ]
    return [
        f"{what} at {path}: {(at - each.begins) / SECOND:.2f} s after the answer"
        for at, path, what in starts
        for each in still[path]
        if each.begins + GRACE_SECONDS * SECOND < at < each.ends
    ]


def unverifiable(arrivals: Iterable[Arrival], changes: Iterable[Change]) -> list[str]:
    """Requests that no key verifies which their endpoint ever had."""
    keys = _keys(changes)
    return [
        f"{arrival.message_id} at {arrival.path}: no key verifies it"
        for arrival in arrivals
        if not any(_verifies(arrival, key.secret or "") for key in keys[arrival.path])
    ]


def missing_signatures(arrivals: Iterable[Arrival], changes: Iterable[Change]) -> list[str]:
    """Requests that a receiver could not verify which knows one key only: an old one, or one that it just got.

    Old keys sign for a day after a rotation, which no run outlasts; a new one signs when the grace is over.
    """
    keys = _keys(changes)
    return [
        f"{arrival.message_id} at {arrival.path}: not signed with key {number} of {len(keys[arrival.path])}"
        for arrival in arrivals
        for number, key in enumerate(keys[arrival.path], 1)
        if _had_to_sign(key, arrival) and not _verifies(arrival, key.secret or "")
    ]


def left_behind(records: Records, changes: Iterable[Change], attempts: int) -> list[str]:
    """Deliveries at the end that are not delivered, nor dead by refusals alone, nor cancelled with their endpoint.

    A round of so many attempts ends in death only when each was refused; attempts add up over the rounds of replays,
    so the last ones that came tell how the last round went.
    """
    changes = list(changes)
    deleted = {change.endpoint_id for change in changes if change.kind == "delete"}
    path_of = {change.endpoint_id: change.path for change in changes}
    statuses: dict[tuple[str, str], list[int]] = defaultdict(list)
    for arrival in sorted(records.arrivals, key=lambda each: each.at):
        statuses[arrival.path, arrival.message_id].append(arrival.status)
    wrong: list[str] = []
    for delivery in records.dump.deliveries:
        last = statuses[path_of[delivery.endpoint_id], delivery.message_id][-attempts:]
        gave_up = delivery.status == "dead" and len(last) == attempts and min(last) >= 400
        went_with_endpoint = delivery.status == "cancelled" and delivery.endpoint_id in deleted
        if not (delivery.status == "delivered" or gave_up or went_with_endpoint):
            wrong.append(f"{delivery.message_id}: {delivery.status}, and its last requests were answered {last}")
    return wrong


def uncreated(records: Records) -> list[str]:
    """Accepted events that are not there, or have not as many deliveries as their answer said."""
    events = {event.id for event in records.dump.events}
    count: dict[str, int] = defaultdict(int)
    for delivery in records.dump.deliveries:
        count[delivery.event_id] += 1
    found: list[str] = []
    for answer in records.answers:
        if answer.answer != "ok" or answer.event_id is None:
            continue
        there = count[answer.event_id]
        if answer.event_id not in events:
            found.append(f"{answer.event_id}: answered 202, not in the database")
        elif there != answer.deliveries:
            found.append(f"{answer.event_id}: answered {answer.deliveries} deliveries, the database has {there}")
    return found


def _stillness(changes: Iterable[Change]) -> Mapping[str, Sequence[Still]]:
    still: dict[str, list[Still]] = defaultdict(list)
    for change in changes:
        own = still[change.path]
        if change.kind in ("pause", "delete"):
            own.append(Still(change.answered_at, float("inf")))
        elif change.kind == "activate" and own:
            own[-1] = own[-1]._replace(ends=change.asked_at)
    return still


def _keys(changes: Iterable[Change]) -> Mapping[str, Sequence[Change]]:
    keys: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.secret is not None:
            keys[change.path].append(change)
    return keys


def _had_to_sign(key: Change, arrival: Arrival) -> bool:
    # The request's own time, in whole seconds rounded down, is when its keys were looked up.
    return int(arrival.timestamp) * SECOND >= key.answered_at + GRACE_SECONDS * SECOND


def _verifies(arrival: Arrival, secret: str) -> bool:
    # By signing it again: `verify` would also ask how old the request is, which it was not when it came.
    signed_at = datetime.fromtimestamp(int(arrival.timestamp), tz=UTC)
    return Webhook(secret).sign(arrival.message_id, signed_at, arrival.body) in arrival.signature.split()
