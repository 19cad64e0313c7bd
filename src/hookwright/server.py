"""Hookwright behind a socket: HTTP in front, the engine beside it, and an orderly end."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

import structlog
import uvicorn
from starlette.types import ASGIApp

from hookwright.app import Hookwright
from hookwright.config import ConfigError

KEEP_ALIVE_SECONDS = 75
BACKLOG = 2048

log = structlog.get_logger("hookwright")


class HttpServer(uvicorn.Server):
    """uvicorn without its signal handlers, which would end the process before the engine has drained."""

    def __init__(self, app: ASGIApp, drain_seconds: float) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=max(1, round(drain_seconds)),
                h11_max_incomplete_event_size=64 * 1024,
            )
        )

        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises ConfigError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from None
    listening.setblocking(False)
    return listening


def url_of(listening: socket.socket) -> str:
    """The base URL that reaches a listening socket from this machine."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(hookwright: Hookwright, listening: socket.socket, on_ready: Callable[[], None]) -> None:
    """Answer and send until SIGTERM or SIGINT; then drain and return.

    No new claims from that moment on; HTTP requests under way are answered; deliveries in flight finish within the
    drain time or are given back.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    http = HttpServer(hookwright.app, hookwright.settings.drain_seconds)
    serving = asyncio.create_task(http.serve(sockets=[listening]))
    hookwright.start()
    await http.ready.wait()
    on_ready()
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    log.info("draining", seconds=hookwright.settings.drain_seconds)
    http.should_exit = True
    await asyncio.gather(serving, hookwright.drain())
    await hookwright.close()
