"""The live screen of `hookwright dev`: credentials at the top, then each attempt as it is recorded."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from threading import Thread
from typing import Any, TypeVar

from structlog.typing import EventDict, WrappedLogger

from hookwright.cli.attempts import follows, render_line, time_of_day
from hookwright.cli.bodies import body_lines
from hookwright.cli.screen import Action, Actions, Entry, Errand, Screen, Tone
from hookwright.cli.terminal import browse
from hookwright.cli.trying import endpoint_for_tries
from hookwright.core.answer_headers import header_lines
from hookwright.core.errors import HookwrightError
from hookwright.core.lifecycle import is_success
from hookwright.core.model import OWN_DIALECT, Attempt, Delivery
from hookwright.core.times import iso_micros
from hookwright.operations.deliveries import replay_delivery
from hookwright.operations.samples import send_sample
from hookwright.operations.services import Services
from hookwright.play import PREFIX

PATIENCE_SECONDS = 3.0
TRY_PATH = f"{PREFIX}/first"

T = TypeVar("T")


class Live:
    """Shows what the log tells of attempts, in a thread of its own; the log goes here while it is up."""

    def __init__(self) -> None:
        self._screen: Screen | None = None
        self._thread: Thread | None = None
        self._services: Services | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._url = ""
        self._account_id = 0
        self._failure: BaseException | None = None

    def start(self, services: Services, url: str, account_id: int, head: Sequence[str]) -> None:
        """Take over the terminal. Quitting ends the process in good order, as Ctrl-C does."""
        self._services, self._url, self._account_id = services, url, account_id
        self._loop = asyncio.get_running_loop()
        actions: Actions = {
            "r": Action("send again", self._replay),
            "o": Action("open", self._browse),
            "t": Errand("try", self._try),
        }
        self._screen = Screen(head, actions, f"Press t for a first one, to {url}{TRY_PATH}.")
        self._thread = Thread(target=self._run, args=(self._screen,))
        self._thread.start()

    def end(self) -> None:
        """Give the terminal back. Raises what the screen failed with, if it did."""
        if self._screen is None or self._thread is None:
            return
        self._screen.end()
        self._thread.join()
        self._screen = None
        if self._failure is not None:
            raise self._failure

    def _run(self, screen: Screen) -> None:
        try:
            screen.run()
        except BaseException as failure:
            self._failure = failure
        os.kill(os.getpid(), signal.SIGTERM)  # once more does no harm

    # -- the log ---------------------------------------------------------------------------------------------

    def render(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        """Attempts become entries of the screen, and no line at all; everything else is a line."""
        if self._screen is not None and event.get("event") == "attempt":
            self._screen.put(self._entry(event))
            return ""
        return render_line(logger, method, event)

    def write(self, line: str) -> None:
        """Show a line of the log: below the list while the screen is up."""
        line = line.strip("\n")
        if not line:
            return
        if self._screen is not None and self._thread is not None and self._thread.is_alive():
            self._screen.say(line)
        else:
            print(line, file=sys.stderr, flush=True)

    def _entry(self, event: EventDict) -> Entry:
        delivery_id = int(event["delivery_id"])
        return Entry(
            key=f"{delivery_id} {event['attempt']}",
            time=time_of_day(event["started_at"]),
            status=str(event["status_code"] or event["error"]),
            tone=_tone_of(event),
            event=_event_of(event),
            endpoint=str(event["endpoint_id"]),
            took=f"{event['duration_ms']} ms",
            note=_note_of(event),
            details=lambda: self._details(delivery_id),
        )

    # -- keys ------------------------------------------------------------------------------------------------

    def _replay(self, entry: Entry) -> str:
        assert self._services is not None
        delivery_id = _delivery_of(entry)
        try:
            self._ask(replay_delivery(self._services, None, delivery_id))
        except (HookwrightError, TimeoutError) as error:
            return str(error) or "the server is busy"
        return f"delivery {delivery_id} is sent again"

    def _try(self) -> str:
        assert self._services is not None
        try:
            delivery = self._ask(send_to_play(self._services, self._account_id, f"{self._url}{TRY_PATH}"))
        except (HookwrightError, TimeoutError) as error:
            return str(error) or "the server is busy"
        return f"a sample of {delivery.event_type} is on its way to {TRY_PATH}"

    def _browse(self, entry: Entry) -> str:
        return browse(f"{self._url}/console/deliveries/{_delivery_of(entry)}")

    def _details(self, delivery_id: int) -> list[str]:
        assert self._services is not None
        store = self._services.store
        try:
            payload = self._ask(store.payload(delivery_id))
            attempts = self._ask(store.attempts(delivery_id))
        except (HookwrightError, TimeoutError) as error:
            return [str(error) or "the server is busy"]
        return [f"Delivery {delivery_id}", *_all_told(attempts), "", "Payload", *_set_out(payload)]

    def _ask(self, question: Coroutine[Any, Any, T]) -> T:
        """What the server's own loop answers."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(question, self._loop).result(PATIENCE_SECONDS)


async def send_to_play(services: Services, account_id: int, url: str) -> Delivery:
    """A sample event to an endpoint with this URL, which is made when there is none."""
    endpoint = await endpoint_for_tries(services, account_id, url)
    return await send_sample(services, account_id, endpoint.id)


def _delivery_of(entry: Entry) -> int:
    return int(entry.key.split()[0])


def _event_of(event: EventDict) -> str:
    """The event in the dialect's words; ours need no name before them, and lines are short enough."""
    name = str(event["dialect_event"])
    return name if event["dialect"] == OWN_DIALECT else f"{event['dialect']} {name}"


def _note_of(event: EventDict) -> str:
    """What follows, in few words: a terminal may have eighty columns, and the status is told already."""
    if event["status"] == "pending" and event["next_attempt_at"] is not None:
        return f"next {time_of_day(event['next_attempt_at'])}"
    return follows(event)


def _tone_of(event: EventDict) -> Tone:
    return "good" if is_success(event["status_code"], event["error"]) else "bad"


def _all_told(attempts: Sequence[Attempt]) -> list[str]:
    lines: list[str] = []
    for attempt in attempts:
        took = f"{attempt.duration_us / 1000:.1f} ms"
        came_to = attempt.status_code or attempt.error
        lines += ["", f"Attempt {attempt.number} at {iso_micros(attempt.started_at)}: {came_to} in {took}"]
        lines += [f"  {attempt.detail}"] if attempt.detail else []
        if attempt.response_headers is not None:
            lines += [f"  {line}" for line in header_lines(attempt.response_headers)]
        lines += _set_out(attempt.response_body) if attempt.response_body else []
    return lines


def _set_out(body: bytes | None) -> list[str]:
    if body is None:
        return ["  is not kept any more"]
    return [f"  {line}" for line in body_lines(body)]
