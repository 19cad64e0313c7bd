"""The disk of the power cuts, and the check of what it leaves: each has to see what is wrong."""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.apsw_driver import Connection
from faults.case import Plan
from faults.cases.power_cut import POWER_CUT
from faults.forgetful_disk import (
    SECTOR,
    Change,
    ForgetfulDisk,
    Manner,
    Remembered,
    Resize,
    Write,
    apply,
    surviving,
    survivor,
)
from faults.power_check import DeliveryKept, Kept, half_written, lost, only_claimed, read_kept, unfinished
from faults.power_lives import Request, Told

DICE = random.Random(1)
NEVER = 10**9


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[ForgetfulDisk]:
    disk = ForgetfulDisk(f"test-{tmp_path.name}", tmp_path, NEVER)
    yield disk
    disk.unregister()


def connected(disk: ForgetfulDisk, folder: Path, *, lax: bool = False) -> Connection:
    db = Connection(disk, folder / "file", lax=lax)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    return db


def numbers_after(disk: ForgetfulDisk, manner: Manner, folder: Path) -> list[int]:
    folder.mkdir()
    for name, content in disk.cut(manner, DICE).items():
        (folder / name).write_bytes(content)
    with sqlite3.connect(folder / "file") as db:
        found = [number for (number,) in db.execute("SELECT number FROM numbers")]
    db.close()
    return found


@pytest.mark.parametrize("manner", Manner)
def test_what_was_committed_survives_every_manner_of_cut(disk: ForgetfulDisk, tmp_path: Path, manner: Manner) -> None:
    db = connected(disk, tmp_path)
    db.execute("CREATE TABLE numbers (number)")
    db.execute("INSERT INTO numbers VALUES (1)")
    assert numbers_after(disk, manner, tmp_path / "after") == [1]
    db.close()


def test_what_was_committed_without_a_sync_is_lost_when_nothing_unsynced_survives(
    disk: ForgetfulDisk, tmp_path: Path
) -> None:
    strict = connected(disk, tmp_path)
    strict.execute("CREATE TABLE numbers (number)")
    db = connected(disk, tmp_path, lax=True)
    db.execute("INSERT INTO numbers VALUES (1)")
    assert numbers_after(disk, Manner.DROPPED, tmp_path / "after") == []
    db.close()
    strict.close()


def test_a_disk_that_is_off_refuses_whatever_would_change_it(tmp_path: Path) -> None:
    disk = ForgetfulDisk(f"off-{tmp_path.name}", tmp_path, cut_at=0)
    db = Connection(disk, tmp_path / "file")
    with pytest.raises(sqlite3.OperationalError):
        db.execute("CREATE TABLE numbers (number)")
    assert disk.is_off
    db.close()
    disk.unregister()


def test_a_file_whose_name_was_not_synced_may_be_gone() -> None:
    unnamed = Remembered(b"content")
    assert survivor(unnamed, Manner.DROPPED, DICE) is None
    assert {survivor(unnamed, Manner.KEPT, DICE) for _ in range(50)} == {None, b"content"}


def test_a_deleted_file_comes_back_until_the_folder_is_synced() -> None:
    deleted = Remembered(b"content", is_named=True, is_deleted=True)
    assert {survivor(deleted, Manner.DROPPED, DICE) for _ in range(50)} == {None, b"content"}


def test_a_file_comes_back_in_place_of_its_successor() -> None:
    assert survivor(Remembered(b"new", predecessor=b"old"), Manner.DROPPED, DICE) == b"old"


def content_after(changes: list[Change], start: bytes = b"") -> bytes:
    content = bytearray(start)
    for change in changes:
        apply(change, content)
    return bytes(content)


def test_changes_are_done_in_their_order() -> None:
    assert content_after([Write(0, b"abcdef"), Resize(4), Write(6, b"xy"), Write(1, b"-")]) == b"a-cd\0\0xy"


def test_a_hollow_file_has_its_size_and_zeros() -> None:
    found = {content_after(surviving([Write(2, b"abc")], Manner.HOLLOW, DICE), b"12") for _ in range(50)}
    assert found == {b"12", b"12\0\0\0"}


def test_a_torn_write_is_torn_at_the_border_of_a_sector() -> None:
    before, written = b"." * 2 * SECTOR, b"x" * SECTOR
    found = {content_after(surviving([Write(100, written)], Manner.TORN, DICE), before) for _ in range(100)}
    assert {content.count(b"x") for content in found} == {0, 100, SECTOR - 100, SECTOR}


def test_a_scrambled_write_harms_nothing_beside_it() -> None:
    before, written = b"." * 3 * SECTOR, b"x" * SECTOR
    found = [content_after(surviving([Write(100, written)], Manner.SCRAMBLED, DICE), before) for _ in range(100)]
    assert {content[:100] + content[100 + SECTOR :] for content in found} == {b"." * 2 * SECTOR}
    assert any(set(content) - set(b".x") for content in found)


def test_writes_are_swapped_when_a_later_one_survives_alone() -> None:
    found = {content_after(surviving([Write(0, b"a"), Write(1, b"b")], Manner.SWAPPED, DICE)) for _ in range(50)}
    assert b"\0b" in found


async def test_a_few_cuts_lose_nothing_and_the_control_is_caught(tmp_path: Path) -> None:
    verdict = await POWER_CUT.run(Plan(seed=1, rounds=10, folder=tmp_path, database="sqlite"))
    assert verdict.held, (verdict.checks, verdict.evidence)
    assert verdict.done["cuts"] == 10


# -- the check -------------------------------------------------------------------------------------------------


def told(**changes: object) -> Told:
    good: dict[str, object] = {
        "account_id": 64,
        "endpoint_ids": [128],
        "requests": [Request(("0-0", "0-1"), b"[]")],
        "event_ids": {"0-0": "e0", "0-1": "e1"},
        "recorded": {(1, 1): "delivered"},
        "sent": {"e0": b"body"},
        "succeeded": {(URL, "e0")},
    }
    return Told(**good | changes)  # type: ignore[arg-type]


URL = "http://127.0.0.1:9/0"


def row(event_id: str, status: str, attempts: int) -> DeliveryKept:
    return DeliveryKept(event_id, status, attempts, endpoint_id=128, message_id=event_id)


def kept(**changes: object) -> Kept:
    good: dict[str, object] = {
        "accounts": {64},
        "endpoints": {128: URL},
        "events": {"0-0": "e0", "0-1": "e1"},
        "deliveries": {1: row("e0", "delivered", 1), 2: row("e1", "pending", 0)},
        "payloads": {"e0": b"body", "e1": b"other"},
        "attempts": Counter({1: 1}),
    }
    return Kept(**good | changes)  # type: ignore[arg-type]


def test_a_disk_that_holds_what_was_told_is_as_it_should_be() -> None:
    assert lost(told(), kept()) == []
    assert half_written(told(), kept()) == []
    assert only_claimed(told(), kept()) == []


@pytest.mark.parametrize(
    "found",
    [
        kept(accounts=set()),
        kept(endpoints={}),
        kept(events={"0-0": "e0"}),
        kept(events={"0-0": "e0", "0-1": "another"}),
        kept(deliveries={1: row("e0", "delivered", 1)}),
        kept(deliveries={1: row("e0", "in_flight", 1), 2: row("e1", "pending", 0)}),
        kept(deliveries={1: row("e0", "pending", 0), 2: row("e1", "pending", 0)}),
    ],
    ids=["account", "endpoint", "event", "another event", "delivery", "outcome", "attempt"],
)
def test_what_was_acknowledged_and_is_gone_is_seen(found: Kept) -> None:
    assert len(lost(told(), found)) == 1


@pytest.mark.parametrize(
    "found",
    [
        kept(faults=["page 3 is never used"]),
        kept(events={"0-0": "e0"}, deliveries={1: row("e0", "delivered", 1)}),
        kept(deliveries={1: row("e0", "delivered", 1)}),
        kept(payloads={"e0": b"body"}),
        kept(payloads={"e0": b"another body", "e1": b"other"}),
        kept(attempts=Counter()),
        kept(unqueued={2}),
    ],
    ids=["SQLite", "a part of a request", "a delivery", "a payload", "other bytes", "an attempt", "the queue"],
)
def test_what_is_there_in_part_is_seen(found: Kept) -> None:
    assert len(half_written(told(), found)) == 1


def test_what_was_never_answered_may_be_missing_all_together() -> None:
    nothing = kept(events={}, deliveries={}, payloads={}, attempts=Counter())
    assert half_written(told(event_ids={}, recorded={}, sent={}), nothing) == []


@pytest.mark.parametrize("status", ["pending", "in_flight", "dead", "cancelled"])
def test_what_was_not_delivered_in_the_end_is_seen(status: str) -> None:
    assert unfinished(kept(deliveries={2: row("e1", status, 0)})) == [f"the delivery 2 is {status}"]


@pytest.mark.parametrize("succeeded", [set(), {("http://127.0.0.1:9/1", "e0")}, {(URL, "e1")}])
def test_what_another_receiver_got_is_not_delivered(succeeded: set[tuple[str, str]]) -> None:
    assert len(only_claimed(told(succeeded=succeeded), kept())) == 1


def test_a_file_that_is_no_database_any_more_is_seen(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 8192)
    assert read_kept(tmp_path / "file").faults
