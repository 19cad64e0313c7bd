"""What is found on a disk after a power cut, held against what the outside world had been told."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from faults.power_lives import Told


class DeliveryKept(NamedTuple):
    """A delivery's row."""

    event_id: str
    status: str
    attempts: int
    endpoint_id: int
    message_id: str


@dataclass
class Kept:
    """What is in a database file. `faults` is what SQLite itself finds wrong with it."""

    faults: list[str] = field(default_factory=list)
    accounts: set[int] = field(default_factory=set)
    endpoints: dict[int, str] = field(default_factory=dict)  # their URLs
    events: dict[str, str] = field(default_factory=dict)  # by idempotency key
    deliveries: dict[int, DeliveryKept] = field(default_factory=dict)
    payloads: dict[str, bytes] = field(default_factory=dict)  # by message id
    attempts: Counter[int] = field(default_factory=Counter)  # by delivery
    unqueued: set[int] = field(default_factory=set)  # deliveries that no look would ever find


def read_kept(path: Path) -> Kept:
    """Open the file as the next start does, with Python's own SQLite. Its log is used up by that: give it a copy."""
    kept = Kept()
    with closing(sqlite3.connect(path)) as db:
        try:
            db.execute("PRAGMA synchronous = OFF")  # this machine's own power stays on
            kept.faults = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
            kept.faults += [f"{row[0]} refers to nothing" for row in db.execute("PRAGMA foreign_key_check")]
            if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'replays'").fetchone():
                _read_rows(db, kept)
        except sqlite3.DatabaseError as error:
            kept.faults.append(str(error))
    return kept


def _read_rows(db: sqlite3.Connection, kept: Kept) -> None:
    kept.accounts = {row[0] for row in db.execute("SELECT id FROM accounts")}
    kept.endpoints = dict(db.execute("SELECT id, url FROM endpoints"))
    kept.events = dict(db.execute("SELECT idempotency_key, id FROM events"))
    kept.deliveries = {
        id: DeliveryKept(event_id, status, attempts, endpoint_id, _message_id(event_id, ordinal))
        for id, event_id, ordinal, status, attempts, endpoint_id in db.execute(
            "SELECT id, event_id, ordinal, status, attempts, endpoint_id FROM deliveries"
        )
    }
    kept.payloads = {
        _message_id(event_id, ordinal): body
        for event_id, ordinal, body in db.execute("SELECT event_id, ordinal, body FROM payloads")
    }
    kept.attempts = Counter(row[0] for row in db.execute("SELECT delivery_id FROM attempts"))
    kept.unqueued = {
        row[0]
        for row in db.execute(
            "SELECT id FROM deliveries d WHERE status = 'pending' AND due_at IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM queues q WHERE q.lane = d.lane AND q.endpoint_id = d.endpoint_id)"
        )
    }


def _message_id(event_id: str, ordinal: int) -> str:
    return event_id if ordinal == 0 else f"{event_id}-{ordinal}"


def lost(told: Told, kept: Kept) -> list[str]:
    """What was acknowledged and is not there."""
    return list(_lost(told, kept))


def _lost(told: Told, kept: Kept) -> Iterator[str]:
    if told.account_id is not None and told.account_id not in kept.accounts:
        yield f"the account {told.account_id}"
    for endpoint_id in told.endpoint_ids:
        if endpoint_id not in kept.endpoints:
            yield f"the endpoint {endpoint_id}"
    receivers = Counter(delivery.event_id for delivery in kept.deliveries.values())
    for key, event_id in told.event_ids.items():
        if kept.events.get(key) != event_id:
            yield f"the event {event_id} with the key {key}"
        elif receivers[event_id] != len(told.endpoint_ids):
            yield f"deliveries of the event {event_id}: {receivers[event_id]} of {len(told.endpoint_ids)} are there"
    for (delivery_id, attempt), status in told.recorded.items():
        delivery = kept.deliveries.get(delivery_id)
        if delivery is None or delivery.attempts < attempt or (status == "delivered" != delivery.status):
            yield f"the attempt {attempt} of the delivery {delivery_id}, which had made it {status}"


def half_written(told: Told, kept: Kept) -> list[str]:
    """What is there in part, acknowledged or not: a transaction is all there or not at all."""
    return list(_half_written(told, kept))


def _half_written(told: Told, kept: Kept) -> Iterator[str]:
    yield from kept.faults
    receivers = Counter(delivery.event_id for delivery in kept.deliveries.values())
    for key, event_id in kept.events.items():
        if receivers[event_id] != len(told.endpoint_ids):
            yield f"the event {event_id} with the key {key} has {receivers[event_id]} deliveries"
        if event_id not in kept.payloads:
            yield f"the event {event_id} with the key {key} has no payload"
    for request in told.requests:
        there = sum(key in kept.events for key in request.keys)
        if there not in (0, len(request.keys)):
            yield f"of the request with {', '.join(request.keys)} {there} events are there"
    known = set(kept.events.values())
    for delivery_id, each in kept.deliveries.items():
        if each.event_id not in known:
            yield f"the delivery {delivery_id} is of no event"
        if kept.attempts[delivery_id] != each.attempts:
            yield f"the delivery {delivery_id} counts {each.attempts} attempts and has {kept.attempts[delivery_id]}"
        if each.status == "delivered" and not each.attempts:
            yield f"the delivery {delivery_id} was delivered without an attempt"
    for delivery_id in kept.unqueued:
        yield f"the delivery {delivery_id} waits in no queue"
    for message_id, body in told.sent.items():
        if kept.payloads.get(message_id) != body:
            yield f"the message {message_id} was sent, and its payload is not there as it was sent"


def only_claimed(told: Told, kept: Kept) -> list[str]:
    """What is called delivered although its own receiver, one of several of an event, never answered with success."""
    return [
        f"the delivery {id} is called delivered, and its receiver never had {each.message_id}"
        for id, each in kept.deliveries.items()
        if each.status == "delivered"
        and (kept.endpoints.get(each.endpoint_id), each.message_id) not in told.succeeded
    ]


def unfinished(kept: Kept) -> list[str]:
    """What was not delivered though there was time enough, and nobody who refuses for ever or cancels."""
    return [
        f"the delivery {id} is {delivery.status}"
        for id, delivery in kept.deliveries.items()
        if delivery.status != "delivered"
    ]
