"""The fault harness itself: its checker objects to wrong records, its report tells, its cases are registered."""

from __future__ import annotations

import ast
import asyncio
import signal
import sys
from dataclasses import asdict, replace
from math import inf
from pathlib import Path

import msgspec
import pytest
from faults import answered, checker
from faults.case import Check, Plan, Skipped, Verdict
from faults.cases import CASES
from faults.checker import Records
from faults.commit_watch import file_watch
from faults.earlier import MIGRATIONS, unpack_earlier
from faults.farm import Manners
from faults.promise import promised
from faults.records import SECOND, Aim, Answered, Arrival, AttemptRow, Deed, DeliveryRow, Dump, EventRow, percentile
from faults.report import as_object, closing_line, rows, table
from faults.running import Ended, Job, in_turn, jobs_of
from faults.tables import DOCUMENT, together, with_table

ROOT = Path(__file__).parent.parent
EVENT = "01a20464-fed5-7af5-b7e2-39eda9b69440"
OTHER = "01a20464-fed5-7af5-b7e2-39eda9b69480"

ANSWER = Answered(
    asked_at=0,
    answered_at=SECOND // 10,
    key="event-1",
    account_id=64,
    answer="ok",
    status=202,
    event_id=EVENT,
    deliveries=1,
)
ARRIVAL = Arrival(at=SECOND, path="/1", message_id=EVENT, timestamp="1", signature="v1,x", body="{}", status=200)
ROW = EventRow(id=EVENT, account_id=64, idempotency_key="event-1", accepted_at=0)
DELIVERY = DeliveryRow(
    id=64,
    event_id=EVENT,
    endpoint_id=64,
    ordinal=0,
    status="delivered",
    attempts=1,
    fence=1,
    created_at=0,
    finished_at=2 * SECOND,
)
ATTEMPT = AttemptRow(delivery_id=64, number=1, started_at=SECOND, duration_us=1, status_code=200, error=None)
DUMP = Dump(events=[ROW], deliveries=[DELIVERY], attempts=[ATTEMPT])
AIM = Aim(account_id=64, endpoint_id=64, path="/1")
GOOD = Records([ANSWER], [ARRIVAL], [], DUMP, [AIM])

# The same with a second endpoint of the account, and one of somebody else.
TO_BOTH = Records(
    [msgspec.structs.replace(ANSWER, deliveries=2)],
    [ARRIVAL, msgspec.structs.replace(ARRIVAL, path="/2")],
    [],
    Dump(
        events=[ROW],
        deliveries=[DELIVERY, msgspec.structs.replace(DELIVERY, id=128, endpoint_id=128)],
        attempts=[ATTEMPT, msgspec.structs.replace(ATTEMPT, delivery_id=128)],
    ),
    [AIM, Aim(account_id=64, endpoint_id=128, path="/2"), Aim(account_id=65, endpoint_id=65, path="/3")],
)


def with_answers(*answers: Answered) -> Records:
    return replace(GOOD, answers=answers)


def with_arrivals(*arrivals: Arrival, deeds: tuple[Deed, ...] = ()) -> Records:
    return replace(GOOD, arrivals=arrivals, deeds=deeds)


def with_dump(**rows: object) -> Records:
    return replace(GOOD, dump=msgspec.structs.replace(DUMP, **rows))


def arriving(seconds: float, **changes: object) -> Arrival:
    return msgspec.structs.replace(ARRIVAL, at=round(seconds * SECOND), **changes)


def kill(began: float, ended: float | None = None, *, goes_on: bool = False) -> Deed:
    return Deed(
        began_at=round(began * SECOND),
        ended_at=round((began if ended is None else ended) * SECOND),
        deed="SIGKILL",
        target="node-1",
        goes_on=goes_on,
    )


def broken(records: Records) -> set[str]:
    """The names of the checks of the promise that do not hold."""
    checks, evidence = promised(records)
    found = {check.name for check in checks if not check.held}
    assert bool(found) == bool(evidence)
    return found


def test_a_run_in_which_all_went_well_breaks_nothing() -> None:
    assert broken(GOOD) == set()
    assert broken(TO_BOTH) == set()
    assert checker.needless_repeats(GOOD) == []
    assert answered.unasked(GOOD.answers) == []


@pytest.mark.parametrize(
    ("records", "check"),
    [
        (with_dump(events=[]), "accepted events lost"),
        (with_dump(deliveries=[]), "accepted events lost"),
        (with_arrivals(), "accepted events lost"),
        (with_arrivals(arriving(1, status=503)), "accepted events lost"),
        (with_dump(deliveries=[msgspec.structs.replace(DELIVERY, status="pending")]), "deliveries left unfinished"),
        (with_dump(deliveries=[msgspec.structs.replace(DELIVERY, status="dead")]), "deliveries left unfinished"),
        (with_arrivals(), "called delivered, never arrived"),
        (with_arrivals(ARRIVAL, arriving(2, body="{ }")), "ids with more than one body"),
        (with_dump(events=[ROW, msgspec.structs.replace(ROW, id=OTHER)]), "events doubled"),
        (with_answers(ANSWER, msgspec.structs.replace(ANSWER, event_id=OTHER)), "events doubled"),
        (with_arrivals(ARRIVAL, arriving(2, message_id=OTHER)), "requests of no delivery"),
        (with_dump(attempts=[]), "attempts miscounted"),
        (with_dump(attempts=[ATTEMPT, msgspec.structs.replace(ATTEMPT, number=2)]), "attempts miscounted"),
        (with_dump(deliveries=[msgspec.structs.replace(DELIVERY, attempts=2)]), "attempts miscounted"),
    ],
)
def test_the_checker_objects_to_wrong_records(records: Records, check: str) -> None:
    assert check in broken(records)


def test_an_accepted_event_that_is_for_nobody_is_lost() -> None:
    answer = msgspec.structs.replace(ANSWER, deliveries=0)
    unmatched = Records([answer], [], [], Dump(events=[ROW], deliveries=[], attempts=[]), GOOD.aims)
    assert broken(unmatched) == {"accepted events lost"}
    assert broken(replace(GOOD, aims=[])) >= {"accepted events lost"}


@pytest.mark.parametrize(
    ("records", "checks"),
    [
        (
            replace(TO_BOTH, arrivals=[ARRIVAL]),
            {"accepted events lost", "called delivered, never arrived", "attempts miscounted"},
        ),
        (
            replace(TO_BOTH, arrivals=[ARRIVAL, msgspec.structs.replace(ARRIVAL, path="/3")]),
            {
                "accepted events lost",
                "called delivered, never arrived",
                "attempts miscounted",
                "requests of no delivery",
            },
        ),
        (
            replace(TO_BOTH, arrivals=[*TO_BOTH.arrivals, msgspec.structs.replace(ARRIVAL, path="/3")]),
            {"requests of no delivery"},
        ),
        (
            replace(
                TO_BOTH,
                dump=msgspec.structs.replace(
                    TO_BOTH.dump,
                    deliveries=[DELIVERY, msgspec.structs.replace(DELIVERY, id=128, endpoint_id=65)],
                ),
                arrivals=[ARRIVAL, msgspec.structs.replace(ARRIVAL, path="/3")],
            ),
            {"accepted events lost"},
        ),
    ],
    ids=[
        "only one got it",
        "another account got it instead",
        "another account got it too",
        "made for another account",
    ],
)
def test_what_came_to_somebody_else_has_not_arrived(records: Records, checks: set[str]) -> None:
    assert broken(records) == checks


def test_what_is_not_looked_for_is_not_told_to_be_absent() -> None:
    checks, _ = promised(GOOD, delivered=False)
    assert {check.name for check in promised(GOOD)[0]} - {check.name for check in checks} == {
        "accepted events lost",
        "deliveries left unfinished",
    }


def test_an_event_whose_answer_never_came_may_be_there_or_not() -> None:
    unknown = msgspec.structs.replace(ANSWER, answer="unknown", status=None, event_id=None, deliveries=None)
    assert broken(with_answers(unknown)) == set()
    assert broken(Records([unknown], [], [], Dump(events=[], deliveries=[], attempts=[]), GOOD.aims)) == set()


@pytest.mark.parametrize(
    ("deeds", "excused"),
    [
        ((), False),
        ((kill(1.5),), True),
        ((kill(0.9, 1.1),), True),
        ((kill(0.4),), False),
        ((kill(2.5),), False),
        ((kill(9.5),), False),
        ((kill(-2, 5),), False),
        ((kill(-2, 5, goes_on=True),), True),
        ((kill(-2, 0.4, goes_on=True),), False),
    ],
    ids=[
        "no deed",
        "just after it",
        "while it came",
        "before it",
        "its outcome was written",
        "after the repeat",
        "long before it, for a while",
        "again and again, also then",
        "again and again, before it",
    ],
)
def test_a_repeat_is_excused_only_by_a_deed_that_can_have_hit_it(deeds: tuple[Deed, ...], excused: bool) -> None:
    records = with_arrivals(ARRIVAL, arriving(9), deeds=deeds)
    assert (checker.needless_repeats(records) == []) is excused
    assert checker.repeats(records.arrivals) == 1


def test_a_retry_after_a_refusal_is_no_repeat() -> None:
    records = with_arrivals(arriving(1, status=503), arriving(2))
    assert checker.needless_repeats(records) == []
    assert checker.repeats(records.arrivals) == 0


def test_a_takeover_lasts_from_the_first_deed_that_hit_to_the_next_request() -> None:
    records = with_arrivals(ARRIVAL, arriving(9.5), deeds=(kill(1.2), kill(1.5), kill(30)))
    assert checker.takeovers(records, records.deeds) == [pytest.approx(8.3)]


@pytest.mark.parametrize(("status", "retry_after", "wrong"), [(503, "5", 0), (503, None, 1), (500, "5", 1)])
def test_a_refusal_is_a_503_that_says_when_to_come_again(status: int, retry_after: str | None, wrong: int) -> None:
    refused = msgspec.structs.replace(ANSWER, answer="fail", status=status, retry_after=retry_after)
    assert len(answered.unasked([refused])) == wrong


def test_the_first_request_of_an_event_tells_how_late_it_was() -> None:
    assert checker.latenesses(with_arrivals(arriving(5), ARRIVAL)) == [pytest.approx(0.9)]


def answer_at(asked: float, after: float, **changes: object) -> Answered:
    asked_at = round(asked * SECOND)
    return msgspec.structs.replace(ANSWER, asked_at=asked_at, answered_at=asked_at + round(after * SECOND), **changes)


def refused(asked: float, after: float = 0.1) -> Answered:
    return answer_at(asked, after, answer="fail", status=503, retry_after="5", event_id=None)


@pytest.mark.parametrize(
    ("answers", "seconds"),
    [
        ([answer_at(10.5, 0.5)], 1),
        ([refused(10.2), answer_at(11, 0.5), refused(12), answer_at(13, 1)], 4),
        ([refused(9.0), answer_at(10, 0.25)], 0.25),
        ([answer_at(11, 0.5), refused(12)], inf),
        ([], inf),
    ],
    ids=["at once", "refused in between", "refused before", "refused to the last", "nothing asked"],
)
def test_it_is_healed_when_nothing_is_refused_any_more(answers: list[Answered], seconds: float) -> None:
    assert answered.healed_after(answers, 10 * SECOND) == pytest.approx(seconds)


def test_what_arrives_after_a_trouble_must_have_been_accepted_after_it() -> None:
    before, after = answer_at(9, 0.1), answer_at(10.5, 0.1, event_id=OTHER)
    late, new = arriving(10.2), arriving(13, message_id=OTHER)
    records = Records([before, after], [late, new], [], DUMP, GOOD.aims)
    assert answered.delivering_after(records, 10 * SECOND) == 3
    assert answered.delivering_after(replace(records, arrivals=[late]), 10 * SECOND) == inf


def test_the_longest_healing_of_several_troubles_is_told_and_each_ends_with_the_next() -> None:
    answers = [
        answer_at(10.1, 0.1),
        refused(11),
        answer_at(12.9, 0.1),
        refused(20),
        answer_at(20.5, 0.5, event_id=OTHER),
    ]
    arrivals = [arriving(13.5), arriving(21.5, message_id=OTHER)]
    records = Records(answers, arrivals, [kill(9, 10), kill(19, 20)], DUMP, GOOD.aims)
    assert answered.longest_healing(records, records.deeds) == pytest.approx((3, 3.5))
    assert answered.longest_healing(records, records.deeds[1:]) == pytest.approx((1, 1.5))
    assert answered.longest_healing(replace(records, answers=answers[:4]), records.deeds) == (inf, inf)


def test_a_request_without_an_answer_is_seen() -> None:
    dropped = msgspec.structs.replace(ANSWER, answer="unknown", status=None, event_id=None, error="ReadError")
    assert answered.unanswered([ANSWER, refused(1), dropped]) == ["event-1: ReadError"]


def test_the_slowest_answer_of_a_span_is_of_those_that_lie_within_it() -> None:
    answers = [answer_at(1, 9), answer_at(11, 2), answer_at(12, 3), answer_at(19, 4)]
    assert answered.slowest(answered.asked_between(answers, 10 * SECOND, 20 * SECOND)) == 3
    assert answered.slowest([]) == 0


def test_a_commit_without_an_answer_shows_when_its_key_is_told_to_be_a_duplicate() -> None:
    unknown = answer_at(1, 1, answer="unknown", status=None, event_id=None)
    assert answered.committed_unanswered([unknown, answer_at(3, 1, duplicate=True)]) == [unknown]
    assert answered.committed_unanswered([unknown, answer_at(3, 1)]) == []
    assert answered.committed_unanswered([refused(1), answer_at(3, 1, duplicate=True)]) == []


def test_a_kill_falls_between_commit_and_answer_when_such_a_request_was_under_way() -> None:
    unknown = answer_at(1, 1, answer="unknown", status=None, event_id=None)
    answers = [unknown, answer_at(3, 1, duplicate=True)]
    assert answered.kills_before_the_answer(answers, [kill(0.5), kill(1.5), kill(2.5)]) == 1
    assert answered.kills_before_the_answer(answers[:1], [kill(1.5)]) == 0


async def test_a_watch_kills_a_process_when_it_has_committed(tmp_path: Path) -> None:
    database = tmp_path / "events.sqlite3"
    committing = f"""
import sqlite3
db = sqlite3.connect({str(database)!r}, isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute("CREATE TABLE events (id INTEGER)")
print("ready", flush=True)
while True:
    db.execute("INSERT INTO events VALUES (1)")
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", committing, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    async with file_watch(database) as watch:
        await watch.kill(process.pid)
    assert await process.wait() == -signal.SIGKILL


def test_the_version_before_lacks_our_newest_migrations_and_nothing_else_is_new_in_it(tmp_path: Path) -> None:
    try:
        source = unpack_earlier(tmp_path)
    except Skipped as reason:
        pytest.skip(str(reason))
    earlier, now = (
        {path.name for path in (folder / MIGRATIONS.removeprefix("src/")).glob("*.sql")}
        for folder in (source, ROOT / "src")
    )
    assert earlier < now


def test_a_percentile_is_a_value_that_was_seen() -> None:
    assert (percentile([], 0.99), percentile([3, 1, 2], 0.5), percentile(range(100), 0.99)) == (0, 2, 99)


def test_what_a_request_meets_follows_from_the_seed_alone() -> None:
    manners = Manners(seed=7, refused=0.5)
    met = [manners.towards(f"message-{number}", 0) for number in range(50)]
    assert met == [manners.towards(f"message-{number}", 0) for number in range(50)]
    assert {status for status, _ in met} == {200, 503}


JOB = Job("worker_kill", "sqlite", 7, 3, 10)


def test_a_failure_is_told_with_its_seed_and_the_command_that_tries_it_again() -> None:
    verdict = Verdict({"kills": 3}, [Check("events lost", 1), Check("hit", 5, 2, "at least")], ["one is lost"])
    results = as_object([Ended(JOB, 1.0, verdict, folder="records")], {"worker_kill": "kills"}, long=False)
    printed = table(results)
    assert "again: python -m faults --only worker_kill --on sqlite --seed 7 --rounds 3" in printed
    assert "one is lost" in printed
    assert printed.endswith("0 passed, 1 failed")


def test_problems_of_which_there_are_none_are_one_row_and_those_that_there_are_have_their_own() -> None:
    checks = [Check("lost", 0), Check("doubled", 2), Check("altered", 0), Check("back", 0.5, 5, unit="s")]
    results = as_object([Ended(JOB, 1.0, Verdict({"kills": 3}, checks))], {"worker_kill": "kills"}, long=False)
    assert [row[3:] for row in rows(results)] == [
        ("3 kills", "problems of 2 kinds", "0", "≤ 0", "yes"),
        ("", "doubled", "2", "≤ 0", "NO"),
        ("", "back", "0.50 s", "≤ 5 s", "yes"),
    ]


def test_the_document_has_a_place_for_the_table() -> None:
    results = as_object([Ended(JOB, 1.0, Verdict({"kills": 3}, [Check("lost", 0)]))], {"worker_kill": ""}, long=False)
    assert "| worker_kill | sqlite | 1 s | 3 kills | lost | 0 | ≤ 0 | yes |" in with_table(
        DOCUMENT.read_text(), results
    )


def test_the_parts_of_a_long_form_make_one_table() -> None:
    ended = Ended(JOB, 1.0, Verdict({"kills": 3}, [Check("lost", 0)]))
    first, second = (as_object([ended], {"worker_kill": ""}, long=True) for _ in range(2))
    second = {**second, "date": "2999-01-01", "machine": {**second["machine"], "load_average": 99.0}}
    whole = together([second, first])
    assert (whole["passed"], len(whole["runs"]), whole["date"]) == (2, 2, "2999-01-01")
    assert whole["machine"]["load_average"] == 99.0
    with pytest.raises(ValueError, match="one form, on one machine"):
        together([first, {**second, "form": "short"}])


def test_a_case_strikes_as_often_as_its_form_says_unless_somebody_says_otherwise() -> None:
    (case,) = (case for case in CASES if case.name == "worker_kill")
    rounds = {form: [job.rounds for job in jobs_of(case, 7, form == "long", None)] for form in ("short", "long")}
    assert rounds == {"short": [25, 10], "long": [1_000, 1_000]}
    assert [job.rounds for job in jobs_of(case, 7, False, 3)] == [3, 3]


def test_what_lasts_longest_begins_first_and_what_measures_speed_runs_alone_at_the_end() -> None:
    jobs = [Job(name, "postgres", 7, 1, 10) for name in ("flood", "postgres_kill", "worker_kill")]
    side_by_side, one_by_one = in_turn(jobs)
    assert [job.case for job in side_by_side] == ["worker_kill", "postgres_kill"]
    assert [job.case for job in one_by_one] == ["flood"]


def test_what_was_skipped_has_not_passed() -> None:
    ends = [Ended(JOB, 1.0, skipped="needs root"), Ended(JOB, 1.0, Verdict({}, [Check("events lost", 0)]))]
    assert closing_line(as_object(ends, {"worker_kill": "kills"}, long=True)) == "1 passed, 0 failed, 1 skipped"


def test_a_case_that_checked_nothing_has_not_held() -> None:
    assert not Verdict({"kills": 3}, []).held


def test_dice_of_one_purpose_do_not_move_those_of_another(tmp_path: Path) -> None:
    plan = Plan(1, 1, tmp_path, "sqlite")
    assert plan.dice("kills").random() == plan.dice("kills").random() != plan.dice("load").random()
    assert asdict(plan)["seed"] == 1


def test_every_module_of_a_case_is_registered_once() -> None:
    modules = {path.stem for path in (ROOT / "faults" / "cases").glob("*.py")} - {"__init__"}
    assert sorted(case.run.__module__.rpartition(".")[2] for case in CASES) == sorted(modules)
    assert {case.name for case in CASES} == modules


def test_the_harness_stands_beside_the_benchmarks_and_takes_nothing_from_them() -> None:
    for path in (ROOT / "faults").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").partition(".")[0] not in ("benchmarks", "tests"), path
