"""Forwarding: a request that was fetched goes to a server on this machine, and its answer goes back."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from hookwright.ambient import monotonic_us
from hookwright.cli.misuse import Misuse
from hookwright.cli.server_calls import described
from hookwright.core.lifecycle import is_success

READ_BYTES = 65_536  # as much as Hookwright reads of any answer
TIMEOUT_SECONDS = 15.0


class NoTarget(Misuse):
    """What was given is nowhere to forward to."""


class Request(NamedTuple):
    """A request as it was fetched."""

    id: int
    headers: dict[str, str]
    body: bytes
    event: str = ""  # what the listener's dialect calls it
    delivery: int | None = None

    @property
    def message_id(self) -> str:
        """What names the message in the request; if nothing does, the delivery."""
        return self.headers.get("webhook-id") or f"delivery {self.delivery}"

    @property
    def event_type(self) -> str:
        """What it is; if the server did not say, what the body calls itself."""
        if self.event:
            return self.event
        try:
            content = json.loads(self.body)
        except (ValueError, RecursionError):
            return "?"
        return str(content.get("type", "?")) if isinstance(content, dict) else "?"


class Response(NamedTuple):
    """What came of it: a status with headers and body, or an error in place of an answer.

    With a status `detail` says how its body broke off.
    """

    duration_us: int
    status_code: int | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""
    error: str | None = None
    detail: str | None = None

    @property
    def succeeded(self) -> bool:
        return is_success(self.status_code, self.error)

    @property
    def retry_after(self) -> str | None:
        return self.headers.get("retry-after")


def request_of(fetched: dict[str, Any]) -> Request:
    """A request from its JSON."""
    return Request(
        fetched["id"], fetched["headers"], base64.b64decode(fetched["body"]), fetched["event"], fetched["delivery"]
    )


def answer_to_give(response: Response) -> dict[str, Any]:
    """A response as the server takes it."""
    return {
        "status_code": response.status_code,
        "body": base64.b64encode(response.body).decode(),
        "retry_after": response.retry_after and response.retry_after[:100],
        "error": response.error,
        "detail": response.detail and response.detail[:500],
    }


def target_url(text: str) -> str:
    """Where to forward to: `3000`, `3000/path`, `localhost:3000/path` or a whole URL. Raises NoTarget."""
    url = text
    if "://" not in text:
        port, slash, path = text.partition("/")
        host = f"127.0.0.1:{port}" if port.isdigit() else port
        url = f"http://{host}{slash}{path}"
    parts = urlsplit(url)
    try:
        is_target = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none
        is_target = False
    if not is_target or not url.isascii() or not url.isprintable() or " " in url:
        raise NoTarget(f"{text} is nowhere to forward to: write a port, 3000/path, or a URL")
    return url


def forward(request: Request, url: str) -> Response:
    """POST a request to a URL of this machine's; whatever comes of it is a Response."""
    began = monotonic_us()
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(str(parts.hostname), parts.port, timeout=TIMEOUT_SECONDS)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, request.body, request.headers)
        answer = connection.getresponse()
        body, broke_off = _body_of(answer)
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Response(monotonic_us() - began, answer.status, headers, body, detail=broke_off)
    except (OSError, http.client.HTTPException) as error:
        return Response(monotonic_us() - began, error=_code_of(error), detail=f"{parts.netloc}: {described(error)}")
    finally:
        connection.close()


def _body_of(answer: http.client.HTTPResponse) -> tuple[bytes, str | None]:
    """The body as far as it comes, and how it broke off, if it did: the status counts all the same."""
    try:
        return answer.read(READ_BYTES), None
    except http.client.IncompleteRead as cut:
        return cut.partial, "the connection was closed before the end of the answer"
    except (OSError, http.client.HTTPException) as error:
        return b"", f"the answer broke off: {described(error)}"


def _code_of(error: Exception) -> str:
    match error:
        case ConnectionRefusedError():
            return "connect_refused"
        case TimeoutError():
            return "timeout"
        case ConnectionError():
            return "reset"
        case http.client.HTTPException():
            return "bad_answer"
        case _:
            return "connect_failed"
