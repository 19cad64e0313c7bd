"""How `hookwright listen` shows an exchange: as an entry of its screen, as short lines, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookwright.cli.bodies import body_lines
from hookwright.cli.listening import Exchange
from hookwright.cli.screen import Entry
from hookwright.core.times import iso_micros

_TIME_OF_DAY = slice(11, 19)  # of an ISO 8601 time


def entry_of(exchange: Exchange) -> Entry:
    """An exchange as a line of the screen."""
    request, response = exchange.request, exchange.response
    return Entry(
        key=f"{request.delivery or 0} {request.id}",
        time=iso_micros(exchange.received_at)[_TIME_OF_DAY],
        status="…" if response is None else _status(exchange),
        tone="waiting" if response is None else "good" if response.succeeded else "bad",
        event=request.event_type,
        endpoint="",  # one for all
        took="" if response is None else f"{response.duration_us / 1000:.1f} ms",
        note=request.message_id,
        details=lambda: details_of(exchange),
    )


def delivery_of(entry: Entry) -> str:
    """The id of the delivery that an entry shows."""
    return entry.key.split()[0]


def short_lines(exchange: Exchange) -> str:
    """`12:34:56  --> contact.created  019c…`, and `<-- 200 in 3.1 ms` once the answer is there."""
    request, response = exchange.request, exchange.response
    time = iso_micros(exchange.received_at)[_TIME_OF_DAY]
    if response is None:
        return f"{time}  --> {request.event_type}  {request.message_id}"
    detail = f" ({response.detail})" if response.detail else ""
    took = f"{response.duration_us / 1000:.1f} ms"
    return f"{time}  <-- {_status(exchange)} in {took}{detail}  {request.message_id}"


def record_of(exchange: Exchange) -> dict[str, Any]:
    """An exchange for programs; bodies that are no text have their odd bytes replaced."""
    request, response = exchange.request, exchange.response
    assert response is not None  # programs are told once, at the end
    return {
        "message_id": request.message_id,
        "delivery": request.delivery,
        "event_type": request.event_type,
        "received_at": iso_micros(exchange.received_at),
        "duration_ms": response.duration_us / 1000,
        "status_code": response.status_code,
        "error": response.error,
        "detail": response.detail,
        "request": {"headers": request.headers, "body": request.body.decode(errors="replace")},
        "response": {"headers": dict(response.headers), "body": response.body.decode(errors="replace")},
    }


def details_of(exchange: Exchange) -> list[str]:
    """Request and response in full."""
    request, response = exchange.request, exchange.response
    lines = ["Request", *_message(request.headers, request.body), "", "Response"]
    if response is None:
        return [*lines, "  is waited for"]
    if response.error is not None:
        return [*lines, f"  {response.error}: {response.detail}"]
    return [*lines, f"  {response.status_code}", *_message(response.headers, response.body)]


def _message(headers: Mapping[str, str], body: bytes) -> list[str]:
    return [*(f"  {name}: {value}" for name, value in headers.items()), "", *_body_lines(body)]


def _body_lines(body: bytes) -> list[str]:
    return [f"  {line}" for line in body_lines(body)] or ["  (empty)"]


def _status(exchange: Exchange) -> str:
    response = exchange.response
    assert response is not None
    return response.error or str(response.status_code)
