"""The records that a run leaves behind, one JSON object in each line: all that the checker knows.

Times are microseconds since 1970 UTC by this machine's clock, which producer, receivers and nemesis share.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Literal, TypeVar

import msgspec
from msgspec import Struct

SECOND = 1_000_000

AIMS, PRODUCER, RECEIVER = "aims.jsonl", "producer.jsonl", "receiver.jsonl"
NEMESIS, DUMP = "nemesis.jsonl", "dump.json"

Answer = Literal["ok", "fail", "unknown"]
T = TypeVar("T")


class Aim(Struct, frozen=True):
    """An endpoint of an account: whatever is published for the account has to arrive at its path."""

    account_id: int
    endpoint_id: int
    path: str


class Answered(Struct, frozen=True, kw_only=True):
    """One publish request: `unknown` is one whose answer never came, `fail` one that was refused or not even sent."""

    asked_at: int
    answered_at: int
    key: str  # the idempotency key; requests that are repeated share it
    account_id: int
    answer: Answer
    status: int | None = None
    event_id: str | None = None
    deliveries: int | None = None
    duplicate: bool = False
    retry_after: str | None = None
    error: str | None = None


class Arrival(Struct, frozen=True, kw_only=True):
    """One request at a receiver, written when it had come whole, before it was answered."""

    at: int
    path: str
    message_id: str
    timestamp: str
    signature: str
    body: str
    status: int  # what it is answered
    answer_in: float = 0.0  # after so many seconds
    port: int = 0  # the sender's end of the connection


class Deed(Struct, frozen=True, kw_only=True):
    """What the nemesis did, to whom, and from when to when.

    Most deeds strike once, as they begin, however long they last; `goes_on` is one that strikes until it ends.
    """

    began_at: int
    ended_at: int
    deed: str
    target: str
    goes_on: bool = False


class EventRow(Struct, frozen=True, kw_only=True):
    """What the database holds of an event."""

    id: str
    account_id: int
    idempotency_key: str | None
    accepted_at: int


class DeliveryRow(Struct, frozen=True, kw_only=True):
    """What the database holds of a delivery."""

    id: int
    event_id: str
    endpoint_id: int
    ordinal: int
    status: str
    attempts: int
    fence: int
    created_at: int
    finished_at: int | None

    @property
    def message_id(self) -> str:
        return self.event_id if self.ordinal == 0 else f"{self.event_id}-{self.ordinal}"


class AttemptRow(Struct, frozen=True, kw_only=True):
    """What the database holds of an attempt."""

    delivery_id: int
    number: int
    started_at: int
    duration_us: int
    status_code: int | None
    error: str | None


class Dump(Struct, frozen=True, kw_only=True):
    """The rows of a database that the promise is about."""

    events: list[EventRow]
    deliveries: list[DeliveryRow]
    attempts: list[AttemptRow]


class Log:
    """A file of records; each is with the kernel before `write` returns, so that a killed process loses none."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("ab", buffering=0)

    def write(self, record: Struct) -> None:
        self._file.write(msgspec.json.encode(record) + b"\n")

    def close(self) -> None:
        self._file.close()


def now() -> int:
    """The time on the clock of all records."""
    return time.time_ns() // 1_000


def read(path: Path, kind: type[T]) -> list[T]:
    """The records of a file; none where there is no file."""
    if not path.exists():
        return []
    decoder = msgspec.json.Decoder(kind)
    return [decoder.decode(line) for line in path.read_bytes().splitlines()]


def read_dump(path: Path) -> Dump:
    return msgspec.json.decode(path.read_bytes(), type=Dump)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share of all does not exceed; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
