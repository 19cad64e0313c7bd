"""What is set by nobody is the same wherever it is left out; and limits that hang together do."""

import pytest

from hookwright.app import limits_of, worker_settings_of
from hookwright.config import ConfigError, Settings, load_settings
from hookwright.core.gates import LONGEST_TIMEOUT_SECONDS, PROBE_WAIT
from hookwright.core.model import SECOND
from hookwright.engine.limits import SendLimits
from hookwright.engine.worker import WorkerSettings


def test_settings_that_nobody_gave_are_those_of_the_engine() -> None:
    assert limits_of(Settings()) == SendLimits()
    assert worker_settings_of(Settings()) == WorkerSettings()


def test_as_many_connections_to_one_receiver_are_kept_as_requests_may_be_in_flight_to_it() -> None:
    limits = limits_of(Settings(concurrency=512))
    assert (limits.idle_per_host, limits.idle_total) == (512, 2048)


def test_a_probe_is_waited_for_longer_than_any_request_may_take() -> None:
    longest = load_settings({"HOOKWRIGHT_TIMEOUT_SECONDS": str(LONGEST_TIMEOUT_SECONDS)})
    assert limits_of(longest).total_seconds * SECOND < PROBE_WAIT
    with pytest.raises(ConfigError, match="HOOKWRIGHT_TIMEOUT_SECONDS"):
        load_settings({"HOOKWRIGHT_TIMEOUT_SECONDS": str(PROBE_WAIT / SECOND)})
