"""Children of one parent: when they are started again, and the port that they share."""

import pytest

from hookwright.config import ConfigError
from hookwright.processes import LONGEST_PAUSE_SECONDS, pause_before_restart
from hookwright.server import listen, listen_together


def test_a_child_that_dies_once_is_started_again_at_once_and_one_that_keeps_dying_ever_later() -> None:
    assert [pause_before_restart(short_lives) for short_lives in range(6)] == [0, 0, 1, 2, 4, 8]
    assert pause_before_restart(1_000) == LONGEST_PAUSE_SECONDS


def test_processes_listen_together_on_one_port() -> None:
    together = listen_together("127.0.0.1", 0, 3)
    try:
        assert len({each.getsockname() for each in together}) == 1
        assert len({each.fileno() for each in together}) == 3
    finally:
        for each in together:
            each.close()


@pytest.mark.parametrize("setting", ["--port", "metrics_port (HOOKWRIGHT_METRICS_PORT)"])
def test_a_taken_port_is_told_by_the_setting_that_chose_it(setting: str) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as refusal:
            listen("127.0.0.1", port, setting)
    assert (
        str(refusal.value) == f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another {setting}"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "a" * 70, "a\0b"])
def test_a_host_that_is_not_this_machine_is_told_as_the_host(host: str) -> None:
    with pytest.raises(ConfigError, match="choose another --host"):
        listen(host, 0, "metrics_port (HOOKWRIGHT_METRICS_PORT)")


def test_a_port_that_another_server_listens_on_is_not_shared_with_it() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=str(port)):
            listen_together("127.0.0.1", port, 2)
    [first] = listen_together("127.0.0.1", 0, 1)
    with first, pytest.raises(ConfigError):
        listen_together("127.0.0.1", first.getsockname()[1], 2)
