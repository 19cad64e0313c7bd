"""Following a server's attempts over its API: what is new since the last look.

The API lists deliveries by when they were made, so each look reads those made lately, a hundred at least, and asks
for each older one that is to be tried again once its time has come. What is older and is replayed is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from hookwright.ambient import Clock
from hookwright.cli.server_calls import Server
from hookwright.core.lifecycle import is_success
from hookwright.core.model import SECOND, Instant
from hookwright.core.times import from_datetime, iso_micros

Delivery = Mapping[str, Any]
Record = dict[str, Any]

PAGE = 100
MOST_PAGES = 20  # of one look: 2,000 deliveries
MOST_OLDER = 50  # of one look: deliveries that are to be tried again
# Transactions do not end in the order of what they wrote.
OVERLAP = timedelta(seconds=10)
# A delivery that waits for its endpoint or its turn has no time; it is looked at so often.
PATIENCE: Instant = 10 * SECOND

UNFINISHED = ("pending", "in_flight")


class Following:
    """Tells each attempt once that is made after `begin`. Raises Unreachable, Refused, and can go on after both."""

    def __init__(self, server: Server, clock: Clock, endpoint_id: int | None, event_type: str | None) -> None:
        self._server = server
        self._clock = clock
        self._filters = {"endpoint": endpoint_id, "event_type": event_type}
        self._since: str | None = None
        self._told: dict[int, int] = {}  # how many attempts, of each delivery that is followed
        self._again_at: dict[int, Instant] = {}  # when to ask for those that are not finished

    def begin(self) -> None:
        """Take what is there as told."""
        for page in (self._newest(), *self._pages(status="pending")):
            for delivery in page:
                self._note(delivery)

    def look(self) -> list[Record]:
        """The attempts since the last look, by when they were made."""
        records: list[Record] = []
        listed = self._newest()
        for delivery in listed:
            if delivery["attempt_count"] > self._told.get(delivery["id"], 0):
                records += self._ask_for(delivery["id"])
            else:
                self._note(delivery)
        ids = {delivery["id"] for delivery in listed}
        for id in self._older_due(ids):
            records += self._ask_for(id)
        return sorted(records, key=lambda record: str(record["started_at"]))

    def _ask_for(self, id: int) -> list[Record]:
        delivery = self._server.get(f"/deliveries/{id}")
        told = self._told.get(id, 0)
        self._note(delivery)
        return [_record(delivery, attempt) for attempt in delivery["attempts"] if attempt["number"] > told]

    def _note(self, delivery: Delivery) -> None:
        id = delivery["id"]
        self._told[id] = delivery["attempt_count"]
        self._again_at.pop(id, None)
        if delivery["status"] in UNFINISHED:
            self._again_at[id] = self._time_of(delivery)

    def _time_of(self, delivery: Delivery) -> Instant:
        text = delivery["next_attempt_at"]
        if text is not None:
            return max(_instant(text), self._clock.now() + SECOND // 2)
        return self._clock.now() + (SECOND if delivery["status"] == "in_flight" else PATIENCE)

    def _older_due(self, listed: set[int]) -> list[int]:
        now = self._clock.now()
        due = [id for id, at in self._again_at.items() if at <= now and id not in listed]
        return sorted(due, key=lambda id: self._again_at[id])[:MOST_OLDER]

    def _newest(self) -> list[Delivery]:
        """The newest deliveries: a page at least, since they may be replayed, and all since the last look."""
        found: list[Delivery] = []
        for page in self._pages():
            found += page
            if self._since is None or found[-1]["created_at"] < self._since:
                break
        if found:
            newest = datetime.fromisoformat(found[0]["created_at"])
            self._since = iso_micros(from_datetime(newest - OVERLAP))
        ids = {delivery["id"] for delivery in found}
        self._told = {id: told for id, told in self._told.items() if id in ids or id in self._again_at}
        return found

    def _pages(self, **filters: object) -> Iterator[list[Delivery]]:
        """Pages that are not empty, the newest deliveries first."""
        cursor = None
        for _ in range(MOST_PAGES):
            page = self._server.get("/deliveries", limit=PAGE, cursor=cursor, **self._filters, **filters)
            if page["data"]:
                yield page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return


def _record(delivery: Delivery, attempt: Mapping[str, Any]) -> Record:
    is_last = attempt["number"] == delivery["attempt_count"]
    return {
        "delivery": delivery["id"],
        "account": delivery["account"],
        "endpoint": delivery["endpoint"]["id"],
        "event": delivery["event"]["id"],
        "event_type": delivery["event"]["type"],
        "dialect": delivery["dialect"],
        "dialect_event": delivery["dialect_event"],
        "message_id": delivery["message_id"],
        "attempt": attempt["number"],
        "started_at": attempt["started_at"],
        "duration_ms": attempt["duration_ms"],
        "status_code": attempt["status_code"],
        "error": attempt["error"],
        "detail": attempt["detail"],
        "status": delivery["status"] if is_last else "pending",
        "next_attempt_at": attempt["next_attempt_at"],
    }


def succeeded(record: Record) -> bool:
    """Whether the attempt was answered 2xx."""
    return is_success(record["status_code"], record["error"])


def line_of(record: Record) -> str:
    """`12:34:56  kit subscriber.tag_add → endpoint 128: 200 in 3.1 ms, delivered`."""
    from hookwright.cli.attempts import attempt_line

    next_at = record["next_attempt_at"]
    event = {**record, "endpoint_id": record["endpoint"], "timestamp": record["started_at"]}
    return attempt_line({**event, "next_attempt_at": None if next_at is None else _instant(next_at)})


def _instant(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text))
