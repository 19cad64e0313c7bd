"""Several processes behind one port: a parent that holds the sockets, starts the children and keeps them alive.

The parent does nothing else, so that nothing can hurt it. It listens on one socket for each child, all on the same
port (SO_REUSEPORT): the kernel spreads connections evenly, and those that come while a child is being started again
wait for it, since its socket stays open. A child whose parent is gone drains and ends.
"""

from __future__ import annotations

import atexit
import gc
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import structlog
from msgspec import Struct

from hookwright.ambient import monotonic_us
from hookwright.config import ConfigError
from hookwright.core.errors import HookwrightError
from hookwright.core.model import SECOND

# A child that lived for so long did not die of its start.
STEADY_US = 10 * SECOND
LONGEST_PAUSE_SECONDS = 30.0

# On the pipe of news a byte below is the number of a signal; a child that is ready adds its own number to this.
READY = 128
STOPS = frozenset({signal.SIGTERM, signal.SIGINT})

log = structlog.get_logger("hookwright")


class Child(Struct, frozen=True):
    """A process that was started: the `number`-th, counted from 0."""

    number: int
    pid: int
    started_at: int


class Birth(Struct, frozen=True):
    """What a child is given: its number, how to say that it is ready, and what ends with its parent."""

    number: int
    say_ready: Callable[[], None]
    parents_life: int  # a pipe that becomes readable when the parent is gone


class Processes:
    """Keeps so many children running until SIGTERM or SIGINT; then passes that on and waits for all of them.

    `live` is a child's whole life. `on_ready` is called when every child has started, `on_stop` when the end begins.
    """

    def __init__(
        self,
        count: int,
        live: Callable[[Birth], None],
        on_ready: Callable[[], None],
        on_stop: Callable[[], None],
    ) -> None:
        if not hasattr(os, "fork"):
            raise ConfigError("processes (HOOKWRIGHT_PROCESSES): this system cannot fork; start servers one by one")
        self._live = live
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._children: dict[int, Child] = {}
        self._short_lives = [0] * count
        self._to_start = dict.fromkeys(range(count), 0)  # by number: when, by the monotonic clock
        self._not_ready = set(range(count))
        self._is_stopping = False
        self._went_well = True

    def run(self) -> int:
        """The parent's life. Answers its exit code: 0 when every child ended in good order."""
        self._news, self._tell = _pipe()
        self._life, self._life_held = _pipe()
        for number in (*STOPS, signal.SIGCHLD):
            signal.signal(number, _only_wake)
        signal.set_wakeup_fd(self._tell)
        gc.freeze()  # the children share what is there now, and a collection would copy it
        while self._children or not self._is_stopping:
            self._start_due()
            self._hear(self._seconds_to_wait())
            self._reap()
        signal.set_wakeup_fd(-1)
        return 0 if self._went_well else 1

    # -- starting ------------------------------------------------------------------------------------------------

    def _start_due(self) -> None:
        for number, when in list(self._to_start.items()):
            if when <= monotonic_us():
                del self._to_start[number]
                self._start(number)

    def _start(self, number: int) -> None:
        # No signal may reach the child while it still is its parent's copy: it would tell the parent of it.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, (*STOPS, signal.SIGCHLD))
        pid = os.fork()
        if pid == 0:
            self._become_child(number, blocked)
        self._children[pid] = Child(number, pid, monotonic_us())
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def _become_child(self, number: int, blocked: set[int | signal.Signals]) -> NoReturn:
        code = 1
        try:
            atexit._clear()  # the parent's
            signal.set_wakeup_fd(-1)
            for each in (*STOPS, signal.SIGCHLD):
                signal.signal(each, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            for held in (self._news, self._life_held):
                os.close(held)
            self._live(Birth(number, lambda: _write(self._tell, READY + number), self._life))
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        except (ConfigError, HookwrightError) as error:
            log.error("process failed", process=number + 1, error=str(error))
        except BaseException:
            log.exception("process failed", process=number + 1)
        finally:
            # Not the ordinary way out, which would unwind the parent's stack.
            with suppress(Exception):
                atexit._run_exitfuncs()
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    # -- news ----------------------------------------------------------------------------------------------------

    def _seconds_to_wait(self) -> float | None:
        if not self._to_start:
            return None
        return max(0, min(self._to_start.values()) - monotonic_us()) / SECOND

    def _hear(self, seconds: float | None) -> None:
        readable, _, _ = select.select([self._news], [], [], seconds)
        for number in os.read(self._news, 512) if readable else b"":
            if number >= READY:
                self._has_become_ready(number - READY)
            elif number in STOPS:
                self._stop()

    def _has_become_ready(self, number: int) -> None:
        if number in self._not_ready:
            self._not_ready.remove(number)
            if not self._not_ready:
                self._on_ready()

    def _stop(self) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            self._to_start.clear()
            self._on_stop()
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)

    def _reap(self) -> None:
        for child in list(self._children.values()):
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                del self._children[child.pid]
                self._ended(child, os.waitstatus_to_exitcode(status))

    def _ended(self, child: Child, exit_code: int) -> None:
        if self._is_stopping:
            # Before it has set up its own handling, the signal itself is its end.
            self._went_well &= exit_code in (0, -signal.SIGTERM)
            return
        lived = monotonic_us() - child.started_at
        short_lives = self._short_lives[child.number] + 1 if lived < STEADY_US else 0
        self._short_lives[child.number] = short_lives
        pause = pause_before_restart(short_lives)
        self._to_start[child.number] = monotonic_us() + round(pause * SECOND)
        log.warning(
            "process ended",
            process=child.number + 1,
            pid=child.pid,
            exit_code=exit_code,
            starts_again_in_seconds=pause,
        )


def pause_before_restart(short_lives: int) -> float:
    """Seconds until a child is started again that died soon after its start so many times in a row."""
    return 0.0 if short_lives <= 1 else min(LONGEST_PAUSE_SECONDS, 2.0 ** (short_lives - 2))


def _only_wake(number: int, frame: object) -> None:
    """The number comes through the pipe of news."""


def _pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    return reading, writing


def _write(pipe: int, number: int) -> None:
    with suppress(OSError):  # the parent is gone
        os.write(pipe, bytes([number]))
