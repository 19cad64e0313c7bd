"""What `hookwright listen` does beside its screen: fetch, forward, answer, until it is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Any, NamedTuple

from hookwright.ambient import Clock
from hookwright.cli.forwarding import Request, Response, answer_to_give, forward, request_of
from hookwright.cli.server_calls import Refused, Server, Unreachable
from hookwright.core.model import Instant

WAIT_SECONDS = 20
PATIENCE_SECONDS = WAIT_SECONDS + 20.0
AT_ONCE = 10
PAUSE_SECONDS = 2.0


class Listener(NamedTuple):
    """An endpoint of the server's that this command fetches for."""

    id: int
    account_id: int
    signing_secret: str | None  # None: the account's, which the key may not be shown


class Exchange(NamedTuple):
    """A request, and its response once it is there."""

    request: Request
    received_at: Instant
    response: Response | None


class Listening:
    """Fetches in one thread and forwards each request in one of its own. `on_exchange` is told twice of each."""

    def __init__(
        self,
        server: Server,
        listener: Listener,
        target: str,
        clock: Clock,
        on_exchange: Callable[[Exchange], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        self._server = server
        self._target = target
        self._clock = clock
        self._on_exchange = on_exchange
        self._on_trouble = on_trouble
        self._path = f"/listeners/{listener.id}/requests"
        self.ended = Event()
        self.failure: Refused | None = None

    def start(self) -> None:
        """Begin. The threads end with the process: what hangs must not hold it."""
        Thread(target=self._fetch_all, daemon=True).start()

    def _fetch_all(self) -> None:
        is_in_trouble = False
        while not self.ended.is_set():
            try:
                requests = self._fetch()
            except Unreachable as error:
                is_in_trouble = True
                self._on_trouble(f"{error}; trying again")
                self.ended.wait(PAUSE_SECONDS)
            except Refused as error:
                if not error.may_pass:
                    self.failure = error
                    self.ended.set()
                    return
                is_in_trouble = True
                self._on_trouble(f"{error} Trying again.")
                self.ended.wait(PAUSE_SECONDS)
            else:
                if is_in_trouble:
                    is_in_trouble = False
                    self._on_trouble("")
                for request in requests:
                    Thread(target=self._exchange, args=(request,), daemon=True).start()

    def _fetch(self) -> list[Request]:
        asked = {"wait_seconds": WAIT_SECONDS, "limit": AT_ONCE}
        fetched = self._server.send("POST", f"{self._path}/fetch", asked, PATIENCE_SECONDS)
        return [request_of(each) for each in fetched["data"]]

    def _exchange(self, request: Request) -> None:
        received_at = self._clock.now()
        self._on_exchange(Exchange(request, received_at, None))
        response = forward(request, self._target)
        try:
            self._server.send("POST", f"{self._path}/{request.id}/answer", answer_to_give(response))
        except (Unreachable, Refused) as error:
            self._on_trouble(f"the answer to {request.message_id} did not get back: {error}")
        self._on_exchange(Exchange(request, received_at, response))


def open_listener(
    server: Server, name: str, events: list[str], dialect: str | None = None, site: int | None = None
) -> Listener:
    """The listener of this name, for these events, in a dialect's words if one is named. Raises Unreachable, Refused.

    An event may name its resource: `tag_added:123`.
    """
    wanted = [
        {"event": event, **({"resource": resource} if resource else {})} for event, resource in map(_parts, events)
    ]
    body = {"account": server.account_id, "name": name, "events": wanted, "dialect": dialect, "site": site}
    opened: dict[str, Any] = server.send("POST", "/listeners", {k: v for k, v in body.items() if v is not None})
    server.account_id = opened["account"]
    return Listener(opened["id"], opened["account"], opened["signing_secret"])


def _parts(event: str) -> tuple[str, str]:
    name, _, resource = event.partition(":")
    return name, resource


def pause_listener(server: Server, listener: Listener) -> None:
    """Have what comes from now on wait for the next time. Raises Unreachable, Refused."""
    server.send("PATCH", f"/endpoints/{listener.id}", {"status": "paused"})


def delete_listener(server: Server, listener: Listener) -> None:
    """Nothing comes any more. Raises Unreachable, Refused."""
    server.send("DELETE", f"/endpoints/{listener.id}")


def replay(server: Server, delivery: str) -> None:
    """Have a delivery sent again, with all of its batch. Raises Unreachable, Refused."""
    server.send("POST", f"/deliveries/{delivery}/replay")
