"""One delivery: what went out, what came back, what follows, and how to look into it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from starlette.responses import Response

from hookwright.console.json_trees import Branch, tree_of
from hookwright.console.snippets import as_curl, as_pytest
from hookwright.console.visits import Visit
from hookwright.console.words import shown_status
from hookwright.core.answer_headers import shown_value
from hookwright.core.causes import Cause, cause_of, tried_in
from hookwright.core.lifecycle import succeeded
from hookwright.core.model import Attempt, Delivery, Endpoint, Event, Instant
from hookwright.core.signature_check import Verdict, check_signature
from hookwright.operations.deliveries import require_delivery
from hookwright.operations.sent_requests import SentRequest, request_of

# How much is on the page, which has to stay below 150 KB whatever was sent and answered. The whole of a body can be
# downloaded.
MOST_OF_A_BODY = 6_000
MOST_OF_THE_LATEST_ANSWER = 3_000
MOST_OF_AN_ANSWER = 200
MOST_OF_ALL_HEADERS = 6_000  # the latest attempts first
ROW_AROUND_A_HEADER = 50
MOST_ATTEMPTS = 20

MOST_COMPUTED = 500


class Step(NamedTuple):
    """One attempt on the timeline."""

    attempt: Attempt
    succeeded: bool
    cause: Cause | None
    answer: str
    is_cut: bool
    answer_tree: Branch | None
    headers: Sequence[tuple[str, str]]
    headers_hidden: int  # that are not on the page, or were not kept


class Signature(NamedTuple):
    """How a request is signed: what is signed, with which keys, and what was found of one that somebody computed."""

    message_id: str
    timestamp: int
    value: str
    live_secrets: int
    computed: str
    verdict: Verdict | None


class Pane(NamedTuple):
    """Everything about one delivery."""

    delivery: Delivery
    status: str
    endpoint: Endpoint | None
    event: Event | None
    steps: Sequence[Step]  # the latest first
    earlier_attempts: int  # that are not on the page
    sent: SentRequest | None
    sent_at: Instant
    body: str
    body_is_cut: bool
    tree: Branch | None
    curl: str | None
    pytest: str | None
    signature: Signature | None
    ahead_id: int | None
    may_replay: bool
    may_cancel: bool


async def pane_of(visit: Visit, delivery_id: int) -> Pane:
    """A delivery that the viewer may see. Raises NotFound."""
    delivery = await require_delivery(visit.services, visit.viewer.own_account_id, delivery_id)
    store = visit.store
    endpoint = (await store.endpoints_by_id([delivery.endpoint_id])).get(delivery.endpoint_id)
    event = await store.event(delivery.event_id)
    attempts = await store.attempts(delivery_id)
    sent_at = attempts[-1].started_at if attempts else visit.now
    sent = None
    if endpoint is not None and event is not None:
        sent = await request_of(visit.services, visit.surface.settings.forms, delivery, endpoint, event, sent_at)
    shown = "" if sent is None else sent.body[:MOST_OF_A_BODY].decode(errors="replace")
    return Pane(
        delivery=delivery,
        status=shown_status(delivery),
        endpoint=endpoint,
        event=event,
        steps=_steps(attempts[::-1][:MOST_ATTEMPTS], endpoint, visit.surface.settings.timeout_seconds),
        earlier_attempts=max(0, len(attempts) - MOST_ATTEMPTS),
        sent=sent,
        sent_at=sent_at,
        body=shown,
        body_is_cut=sent is not None and len(sent.body) > MOST_OF_A_BODY,
        tree=None if sent is None else tree_of(sent.body),
        curl=None if sent is None else as_curl(sent),
        pytest=None if sent is None else as_pytest(sent, delivery.event_type),
        signature=None if sent is None else _signature(sent, visit.asked("computed")[:MOST_COMPUTED]),
        ahead_id=await store.ahead_of(delivery) if delivery.status == "pending" else None,
        may_replay=visit.viewer.may_change and delivery.status != "in_flight" and sent is not None,
        may_cancel=visit.viewer.may_change and delivery.status == "pending",
    )


async def show_payload(visit: Visit, delivery_id: int) -> Response:
    """The bytes of a payload, to keep: never shown by the browser, whatever they hold."""
    await require_delivery(visit.services, visit.viewer.own_account_id, delivery_id)
    body = await visit.store.payload(delivery_id)
    if body is None:
        return await visit.page("error.html", status=410, title="Gone", reason="This payload is not kept any more.")
    headers = {"Content-Disposition": f'attachment; filename="delivery-{delivery_id}.json"'}
    return Response(body, media_type="application/octet-stream", headers=headers)


def _steps(attempts: Sequence[Attempt], endpoint: Endpoint | None, limit_seconds: float) -> list[Step]:
    """The latest attempt with more of what was answered than those before it."""
    lengths = (MOST_OF_THE_LATEST_ANSWER, *(MOST_OF_AN_ANSWER for _ in attempts[1:]))
    headers = _headers_on_the_page(attempts)
    return [_step(*each, endpoint, limit_seconds) for each in zip(attempts, lengths, headers, strict=False)]


def _headers_on_the_page(attempts: Sequence[Attempt]) -> list[list[tuple[str, str]]]:
    """As many headers of each attempt as there is room for, those of the latest first."""
    room = MOST_OF_ALL_HEADERS
    shown: list[list[tuple[str, str]]] = []
    for attempt in attempts:
        shown.append([])
        for header in () if attempt.response_headers is None else attempt.response_headers.kept:
            value = shown_value(header)
            room -= len(escape(header.name)) + len(escape(value)) + ROW_AROUND_A_HEADER
            if room < 0:
                break
            shown[-1].append((header.name, value))
    return shown


def _step(
    attempt: Attempt,
    most_shown: int,
    headers: Sequence[tuple[str, str]],
    endpoint: Endpoint | None,
    limit_seconds: float,
) -> Step:
    answered = attempt.response_headers
    return Step(
        attempt=attempt,
        succeeded=succeeded(attempt),
        cause=cause_of(tried_in(attempt, "" if endpoint is None else endpoint.url, limit_seconds)),
        answer=attempt.response_body[:most_shown].decode(errors="replace"),
        is_cut=len(attempt.response_body) > most_shown,
        answer_tree=tree_of(attempt.response_body) if len(attempt.response_body) <= most_shown else None,
        headers=headers,
        headers_hidden=0 if answered is None else len(answered.kept) + answered.left_out - len(headers),
    )


def _signature(sent: SentRequest, computed: str) -> Signature | None:
    headers: dict[str, Any] = {name.lower(): value for name, value in sent.headers.items()}
    message_id, timestamp = headers.get("webhook-id"), headers.get("webhook-timestamp", "")
    value = headers.get("webhook-signature")
    if message_id is None or value is None or not str(timestamp).isdigit():
        return None
    verdict = check_signature(computed, message_id, int(timestamp), sent.body, sent.keys) if computed else None
    return Signature(message_id, int(timestamp), value, len(sent.keys), computed, verdict)
