"""Calls of a server's API, for the commands that work from another machine."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from hookwright.cli.misuse import Misuse
from hookwright.core.errors import HookwrightError

PREFIX = "/api/v1"
PATIENCE_SECONDS = 30.0


class Unreachable(HookwrightError):
    """The server could not be asked, or what answered is no Hookwright; it may be there again later."""


class Refused(HookwrightError):
    """The server refused what was asked."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def may_pass(self) -> bool:
        """Whether the same may be granted a little later."""
        return self.status in (408, 429) or self.status >= 500


class Server:
    """A Hookwright behind a URL, and a key of it. Threads may share one."""

    def __init__(self, url: str, key: str, account_id: int | None = None) -> None:
        """`account_id` is sent along wherever an account may be named. Raises Misuse for what is no URL."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Misuse(f"{url} is no URL of a server: write one like https://hooks.example.com")
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self.account_id = account_id
        self._parts = parts
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}

    def get(self, path: str, **filters: object) -> Any:
        """What a path shows; filters that are None are left out. Raises Unreachable, Refused."""
        return self._ask("GET", path, filters, None)

    def send(self, method: str, path: str, body: object = None, seconds: float = PATIENCE_SECONDS) -> Any:
        """What comes of a change, or None. Raises Unreachable, Refused."""
        return self._ask(method, path, {}, body, seconds)

    def _ask(
        self, method: str, path: str, query: Mapping[str, object], body: object, seconds: float = PATIENCE_SECONDS
    ) -> Any:
        asked = {"account": self.account_id, **query}
        text = urlencode({name: value for name, value in asked.items() if value is not None})
        target = f"{self._parts.path.rstrip('/')}{PREFIX}{path}{'?' if text else ''}{text}"
        connection = self._connect(seconds)
        try:
            connection.request(method, target, None if body is None else json.dumps(body), self._headers)
            answer = connection.getresponse()
            return _content(answer.status, answer.read(), self.url)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{self.url} does not answer: {described(error)}") from None
        finally:
            connection.close()

    def _connect(self, seconds: float) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        assert self._parts.hostname is not None  # as checked
        return kind(self._parts.hostname, self._parts.port, timeout=seconds)


def described(error: Exception) -> str:
    """An error of the network in a few words."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _content(status: int, body: bytes, url: str) -> Any:
    try:
        content = json.loads(body) if body else None
    except ValueError:
        raise Unreachable(f"{url} answered {status}, but not as a Hookwright does; is it the right URL?") from None
    if status < 400:
        return content
    detail = content.get("detail") if isinstance(content, dict) else None
    raise Refused(status, str(detail or f"{url} answered {status}"))
