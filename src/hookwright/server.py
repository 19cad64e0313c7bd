"""Hookwright behind a socket: HTTP in front, the engine beside it, and an orderly end."""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

import structlog
import uvicorn
from starlette.types import ASGIApp

try:
    import resource
except ImportError:  # Windows, which has no such limit
    resource = None  # type: ignore[assignment]

from hookwright import http_connection
from hookwright.app import Hookwright
from hookwright.config import ConfigError
from hookwright.http_connection import MAX_CONNECTIONS, http_connections

BACKLOG = 2048
ENOUGH_FILES = 65_536

log = structlog.get_logger("hookwright")


class HttpServer(uvicorn.Server):
    """uvicorn without its signal handlers, which would end the process before the engine has drained."""

    def __init__(self, app: ASGIApp, drain_seconds: float, max_connections: int = MAX_CONNECTIONS) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=http_connections(max_connections),  # type: ignore[arg-type]  # uvicorn only ever calls it
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=http_connection.KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=max(1, round(drain_seconds)),
            )
        )
        self.ready = asyncio.Event()

    def end_connections(self) -> None:
        """Have every answer from now on end its connection, so that clients turn to others before we close it.

        A request that meets a connection which is being closed fails, and its sender cannot know whether it was done.
        """
        closing = (b"connection", b"close")
        self.server_state.default_headers = [*self.server_state.default_headers, closing]
        self.config.encoded_headers.append(closing)  # of which uvicorn makes the default anew, each second

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def allow_many_files() -> int:
    """Raise this process's soft limit on open files as far as it may go. Answers the limit.

    Each receiver's connection is one. The usual soft limit of 1,024 is for the sake of programs that use select(),
    which cannot count further; the event loop does not.
    """
    if resource is None:
        return ENOUGH_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(ENOUGH_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft if soft != resource.RLIM_INFINITY else ENOUGH_FILES


def listen(host: str, port: int, setting: str = "--port") -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises ConfigError when the address cannot be had.

    `setting` is where the port comes from, for whoever has to choose another one.
    """
    listening = _bound(host, port, setting)
    try:
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise _cannot_listen(host, port, error.strerror, setting) from None
    listening.setblocking(False)
    return listening


def listen_together(host: str, port: int, count: int) -> list[socket.socket]:
    """Listening sockets on one port, over which the kernel spreads connections evenly. Raises ConfigError."""
    if not hasattr(socket, "SO_REUSEPORT"):
        raise ConfigError("processes (HOOKWRIGHT_PROCESSES): this system has no SO_REUSEPORT to share a port with")
    # A first look without sharing: another server's port must be refused, not shared.
    with _bound(host, port, "--port") as first:
        port = first.getsockname()[1]
    together = [_bound(host, port, "--port", shared=True) for _ in range(count)]
    for each in together:
        each.listen(BACKLOG)
        each.setblocking(False)
    return together


def _bound(host: str, port: int, setting: str, *, shared: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        is_of_the_host = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
        raise _cannot_listen(host, port, error.strerror, "--host" if is_of_the_host else setting) from None
    except (TypeError, ValueError):  # what no name can be: too long, or with an odd character
        bound.close()
        raise _cannot_listen(host, port, "this is no host", "--host") from None
    return bound


def _cannot_listen(host: str, port: int, reason: str | None, setting: str) -> ConfigError:
    return ConfigError(f"cannot listen on {host}:{port}: {reason}; choose another {setting}")


def url_of(listening: socket.socket) -> str:
    """The base URL that reaches a listening socket from this machine."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(
    hookwright: Hookwright,
    listening: socket.socket,
    on_ready: Callable[[], None],
    *,
    monitored: socket.socket | None = None,
    parents_life: int | None = None,
) -> None:
    """Answer and send until SIGTERM or SIGINT, or until the parent is gone; then drain and return.

    No new claims from that moment on; HTTP requests under way are answered; deliveries in flight finish within the
    drain time or are given back. On `monitored` only health and metrics are answered.
    """
    # The other half is for receivers: clients that only connect must not keep deliveries from being sent.
    max_connections = min(hookwright.settings.http_connections, allow_many_files() // 2)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if parents_life is not None:
        loop.add_reader(parents_life, stopping.set)
    http = HttpServer(hookwright.app, hookwright.settings.drain_seconds, max_connections)
    serving = asyncio.create_task(http.serve(sockets=[listening]))
    monitor = HttpServer(hookwright.monitor, hookwright.settings.drain_seconds)
    monitoring = [asyncio.create_task(monitor.serve(sockets=[monitored]))] if monitored else []
    hookwright.start()
    try:
        await _either(serving, http.ready)
        if http.ready.is_set():
            collect_less_often()
            on_ready()
            await _either(serving, stopping)
            await _leave(hookwright, http, serving, stopping)
    finally:
        log.info("draining", seconds=hookwright.settings.drain_seconds)
        if parents_life is not None:
            loop.remove_reader(parents_life)
        http.should_exit = monitor.should_exit = True
        # Each to its end, whatever becomes of the other.
        ends = await asyncio.gather(serving, *monitoring, hookwright.drain(), return_exceptions=True)
        await hookwright.close()
    for failure in ends:
        if isinstance(failure, BaseException):
            raise failure


def collect_less_often() -> None:
    """Spare the garbage collector what lives as long as the process, and let more come together before it looks.

    Nearly all that a delivery needs is freed without it. Looking through modules, routes and schemas again and again,
    hundreds of thousands of objects, took a fifth of a busy process's time.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(10_000, 20, 50)


async def _leave(
    hookwright: Hookwright, http: HttpServer, serving: asyncio.Task[None], stopping: asyncio.Event
) -> None:
    """Go on as before for as long as load balancers need to notice that we are not ready any more."""
    seconds = hookwright.settings.unready_seconds
    if not seconds or serving.done():
        return
    log.info("leaving", seconds=seconds)
    hookwright.leave()
    http.end_connections()
    stopping.clear()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _either(serving, stopping)


async def _either(task: asyncio.Task[None], event: asyncio.Event) -> None:
    """Wait until a task has ended or an event has come."""
    coming = asyncio.create_task(event.wait())
    await asyncio.wait({task, coming}, return_when=asyncio.FIRST_COMPLETED)
    coming.cancel()
