"""The case of changes under load: what goes wrong after a change is seen in the records."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from faults import changed
from faults.changed import Change
from faults.checker import Records
from faults.records import SECOND, Aim, Answered, Arrival, AttemptRow, DeliveryRow, Dump, EventRow
from standardwebhooks import Webhook

EVENT = "01a20464-fed5-7af5-b7e2-39eda9b69440"
OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
OTHER = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def change(kind: changed.Kind, at: float, secret: str | None = None) -> Change:
    instant = round(at * SECOND)
    return Change(asked_at=instant, answered_at=instant, kind=kind, endpoint_id=64, path="/1", secret=secret)


def arriving(at: float, *secrets: str) -> Arrival:
    signed_at = datetime.fromtimestamp(int(at), tz=UTC)
    return Arrival(
        at=round(at * SECOND),
        path="/1",
        message_id=EVENT,
        timestamp=str(int(at)),
        signature=" ".join(Webhook(secret).sign(EVENT, signed_at, "{}") for secret in secrets),
        body="{}",
        status=200,
    )


def delivery(**changes: object) -> DeliveryRow:
    row = DeliveryRow(
        id=128,
        event_id=EVENT,
        endpoint_id=64,
        ordinal=0,
        status="delivered",
        attempts=1,
        fence=1,
        created_at=0,
        finished_at=SECOND,
    )
    return msgspec.structs.replace(row, **changes)


def attempt(started: float) -> AttemptRow:
    started_at = round(started * SECOND)
    return AttemptRow(delivery_id=128, number=1, started_at=started_at, duration_us=1, status_code=200, error=None)


def records(
    arrivals: tuple[Arrival, ...] = (),
    deliveries: tuple[DeliveryRow, ...] = (),
    attempts: tuple[AttemptRow, ...] = (),
    answers: tuple[Answered, ...] = (),
    events: tuple[EventRow, ...] = (),
) -> Records:
    dump = Dump(events=list(events), deliveries=list(deliveries), attempts=list(attempts))
    return Records(answers, arrivals, [], dump, [Aim(account_id=64, endpoint_id=64, path="/1")])


CREATED = change("create", 0, OLD)


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ([CREATED], False),
        ([CREATED, change("pause", 9.5)], False),
        ([CREATED, change("pause", 8)], True),
        ([CREATED, change("delete", 8)], True),
        ([CREATED, change("pause", 5), change("activate", 9)], False),
        ([CREATED, change("pause", 5), change("activate", 10.5)], True),
        ([CREATED, change("pause", 1), change("activate", 2), change("pause", 8)], True),
        ([CREATED, change("rotate", 8, NEW)], False),
    ],
    ids=["none", "in the grace", "paused", "deleted", "activated", "too soon", "paused again", "rotated"],
)
def test_a_request_that_starts_too_long_after_a_change_is_seen(changes: list[Change], seen: bool) -> None:
    assert bool(changed.started_in_stillness(records((arriving(10, OLD),)), changes)) is seen
    began = records(deliveries=(delivery(),), attempts=(attempt(10),))
    assert bool(changed.started_in_stillness(began, changes)) is seen


@pytest.mark.parametrize(
    ("secrets", "unverifiable", "missing"),
    [((OLD, NEW), 0, 0), ((NEW,), 0, 1), ((OLD,), 0, 1), ((OTHER,), 1, 2), ((), 1, 2)],
    ids=["both", "only the new one", "only the old one", "a stranger's", "none"],
)
def test_a_signature_that_a_receiver_may_count_on_and_is_not_there_is_seen(
    secrets: tuple[str, ...], unverifiable: int, missing: int
) -> None:
    changes = [CREATED, change("rotate", 5, NEW)]
    arrivals = [arriving(10, *secrets)]
    assert len(changed.unverifiable(arrivals, changes)) == unverifiable
    assert len(changed.missing_signatures(arrivals, changes)) == missing


def test_a_new_key_need_not_sign_at_once() -> None:
    assert changed.missing_signatures([arriving(10, OLD)], [CREATED, change("rotate", 9.5, NEW)]) == []


def test_a_body_that_was_altered_verifies_with_no_key() -> None:
    altered = msgspec.structs.replace(arriving(10, OLD), body="{ }")
    assert len(changed.unverifiable([altered], [CREATED])) == 1


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        (delivery(), False),
        (delivery(status="pending"), True),
        (delivery(status="cancelled", endpoint_id=192), True),
        (delivery(status="cancelled"), False),
    ],
    ids=["delivered", "pending", "cancelled for nothing", "cancelled with its endpoint"],
)
def test_a_delivery_that_was_left_behind_is_seen(row: DeliveryRow, seen: bool) -> None:
    paused = msgspec.structs.replace(change("pause", 1), endpoint_id=192, path="/2")
    assert bool(changed.left_behind(records(deliveries=(row,)), [change("delete", 1), paused], attempts=4)) is seen


@pytest.mark.parametrize(
    ("statuses", "seen"),
    [
        ((503,) * 4, False),
        ((503,) * 3, True),
        ((503, 200, 503, 503), True),
        ((503, 503, 503, 200), True),
        ((503, 200, 503, 503, 503), True),
        ((503, 200, 503, 503, 503, 503), False),
    ],
    ids=["to the end", "too soon", "a lost success", "a success at last", "a replay too soon", "a replay to the end"],
)
def test_a_delivery_dies_of_refusals_alone(statuses: tuple[int, ...], seen: bool) -> None:
    came = [
        msgspec.structs.replace(arriving(second, OLD), status=status) for second, status in enumerate(statuses, 1)
    ]
    elsewhere = msgspec.structs.replace(arriving(9, OLD), path="/2")
    dead = delivery(status="dead", attempts=len(statuses))
    left = changed.left_behind(records((*came, elsewhere), (dead,)), [CREATED], attempts=4)
    assert bool(left) is seen


def test_a_delivery_that_was_promised_and_is_not_there_is_seen() -> None:
    answer = Answered(
        asked_at=0, answered_at=0, key="k", account_id=64, answer="ok", status=202, event_id=EVENT, deliveries=1
    )
    event = EventRow(id=EVENT, account_id=64, idempotency_key="k", accepted_at=0)
    assert changed.uncreated(records(answers=(answer,), deliveries=(delivery(),), events=(event,))) == []
    assert len(changed.uncreated(records(answers=(answer,), events=(event,)))) == 1


def test_an_event_that_was_accepted_for_nobody_is_there_all_the_same() -> None:
    answer = Answered(
        asked_at=0, answered_at=0, key="k", account_id=64, answer="ok", status=202, event_id=EVENT, deliveries=0
    )
    assert len(changed.uncreated(records(answers=(answer,)))) == 1
