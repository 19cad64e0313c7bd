"""Health: warned on the way, disabled only by a long outage, recovered by one success."""

from msgspec.structs import replace

from hookwright.core.gates import BREAKER_FAILURES, BREAKER_FIRST_WAIT
from hookwright.core.health import HEALTHY, Change, Fared, breaker_of, diagnose, progress_percent, undecided
from hookwright.core.model import DAY, HOUR, MINUTE, SECOND, Health, Instant

NOW = 1_790_000_000 * SECOND


def failing(*times: Instant, fared: Fared = "failed") -> tuple[Health, list[tuple[Instant, Change]]]:
    """The health after failures at these times, and what was told when."""
    health, told = HEALTHY, []
    for time in times:
        diagnosis = diagnose(health, [fared], NOW + time)
        health = diagnosis.health
        told += [(time, change) for change in diagnosis.changes]
    return health, told


def test_an_outage_of_five_days_is_warned_of_three_times_and_then_disables() -> None:
    _, told = failing(*(hour * HOUR for hour in range(5 * 24 + 1)))
    assert told == [
        (60 * HOUR, "warned"),
        (84 * HOUR, "warned"),
        (108 * HOUR, "warned"),
        (120 * HOUR, "disabled"),
    ]


def test_where_failures_are_forgiven_the_warnings_are_the_same() -> None:
    health, told = failing(*(hour * HOUR for hour in range(10 * 24)), fared="forgiven")
    assert told == [(60 * HOUR, "warned"), (84 * HOUR, "warned"), (108 * HOUR, "warned")]
    assert diagnose(health, ["succeeded"], NOW + 10 * DAY).changes == ("recovered",)


def test_a_burst_of_failures_and_one_more_after_five_days_do_not_disable() -> None:
    _, told = failing(*(minute * MINUTE for minute in range(60)), 5 * DAY)
    assert "disabled" not in [change for _, change in told]


def test_the_next_failure_after_that_does() -> None:
    _, told = failing(0, 5 * DAY, 5 * DAY + 1)
    assert told[-1] == (5 * DAY + 1, "disabled")


def test_five_days_of_forgiven_failures_and_one_of_the_receiver_do_not_disable() -> None:
    health, _ = failing(*(hour * HOUR for hour in range(5 * 24)), fared="forgiven")
    diagnosis = diagnose(health, ["failed"], NOW + 5 * DAY)
    assert diagnosis.changes == ()
    assert diagnosis.health.failing_since == NOW + 5 * DAY


def test_the_receivers_own_five_days_follow_with_warnings_of_their_own() -> None:
    health, _ = failing(*(hour * HOUR for hour in range(5 * 24)), fared="forgiven")
    told = []
    for hour in range(5 * 24 + 1):
        diagnosis = diagnose(health, ["failed"], NOW + 5 * DAY + hour * HOUR)
        health = diagnosis.health
        told += [(hour, change) for change in diagnosis.changes]
    assert told == [(60, "warned"), (84, "warned"), (108, "warned"), (120, "disabled")]


def test_forgiven_failures_neither_spread_those_of_the_receiver_nor_disable() -> None:
    health, _ = failing(0)
    for hour in range(1, 5 * 24 + 1):
        diagnosis = diagnose(health, ["forgiven"], NOW + hour * HOUR)
        assert "disabled" not in diagnosis.changes
        health = diagnosis.health
    assert diagnose(health, ["failed"], NOW + 5 * DAY + HOUR).changes == ()


def test_whoever_was_warned_of_forgiven_failures_hears_of_a_success_after_one_of_the_receivers() -> None:
    health, _ = failing(0, 60 * HOUR, fared="forgiven")
    health = diagnose(health, ["failed"], NOW + 61 * HOUR).health
    assert diagnose(health, ["succeeded"], NOW + 62 * HOUR).changes == ("recovered",)


def test_one_success_begins_everything_anew() -> None:
    health, _ = failing(0, 3 * DAY)
    diagnosis = diagnose(health, ["succeeded"], NOW + 3 * DAY)
    assert (diagnosis.health, diagnosis.changes) == (HEALTHY, ("recovered",))
    assert diagnose(diagnosis.health, ["failed"], NOW + 6 * DAY).changes == ()


def test_a_recovery_that_nobody_was_warned_of_is_not_told() -> None:
    health, _ = failing(0)
    assert diagnose(health, ["succeeded"], NOW).changes == ()


def test_a_warning_is_given_once_for_each_step() -> None:
    _, told = failing(0, 60 * HOUR, 61 * HOUR, 62 * HOUR)
    assert told == [(60 * HOUR, "warned")]


def test_failures_in_a_row_open_the_breaker_and_a_success_closes_it() -> None:
    health, _ = failing(*range(BREAKER_FAILURES - 1))
    assert health.breaker_open_until is None
    health = diagnose(health, ["failed"], NOW + SECOND).health
    assert health.breaker_open_until == NOW + SECOND + BREAKER_FIRST_WAIT
    assert diagnose(health, ["succeeded"], NOW).health.breaker_open_until is None


def test_failures_of_requests_that_were_under_way_when_the_breaker_opened_do_not_keep_it_open_longer() -> None:
    health = diagnose(HEALTHY, ["failed"] * 100, NOW).health
    assert health.breaker_open_until == NOW + BREAKER_FIRST_WAIT


def test_a_failed_probe_keeps_the_breaker_open_twice_as_long() -> None:
    health = diagnose(HEALTHY, ["failed"] * BREAKER_FAILURES, NOW).health
    probing = replace(health, breaker_open_until=NOW + 90 * SECOND, probing=True)
    health = diagnose(probing, ["failed"], NOW + 31 * SECOND).health
    assert health.breaker_open_until == NOW + 31 * SECOND + 2 * BREAKER_FIRST_WAIT
    assert not health.probing


def test_attempts_of_one_moment_count_in_their_order() -> None:
    assert diagnose(HEALTHY, ["failed", "succeeded"], NOW).health == HEALTHY
    assert diagnose(HEALTHY, ["succeeded", "failed"], NOW).health.failures == 1


def test_progress_is_the_share_of_five_days() -> None:
    health, _ = failing(0)
    assert progress_percent(HEALTHY, NOW) == 0
    assert progress_percent(health, NOW + 60 * HOUR) == 50
    assert progress_percent(health, NOW + 30 * DAY) == 100


def test_a_breaker_is_open_until_its_time_and_then_half_open_until_a_success() -> None:
    health = Health(failing_since=NOW, breaker_open_until=NOW + MINUTE)
    assert breaker_of(HEALTHY, NOW) == "closed"
    assert breaker_of(health, NOW) == "open"
    assert breaker_of(health, NOW + MINUTE) == "half_open"
    assert breaker_of(replace(health, probing=True), NOW) == "half_open"


def test_attempts_that_say_nothing_of_the_endpoint_leave_its_probe_to_another() -> None:
    probing = Health(failing_since=1, failed_at=1, failures=10, breaker_open_until=NOW + 60, probing=True)
    assert breaker_of(undecided(probing, NOW), NOW) == "half_open"
    assert undecided(probing, NOW).probing is False
    assert undecided(Health(failing_since=1), NOW) == Health(failing_since=1)
