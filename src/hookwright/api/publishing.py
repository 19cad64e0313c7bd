"""The two publish routes: one pass over the body, no FastAPI on the way, answered when everything is on disk."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from fastapi import APIRouter
from msgspec import Meta, Raw, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from hookwright.api.callers import DOCUMENTED_PUBLISH_KEY, Caller, Surface, publisher, surface_of
from hookwright.api.document import BATCH_EXTRA, PUBLISH_EXTRA, refusals
from hookwright.api.shortcuts import Answer
from hookwright.core.errors import Conflict, Invalid, Problem
from hookwright.core.misfits import MOST, first_items, problems_of
from hookwright.core.model import Accepted
from hookwright.core.traceparent import known_traceparent
from hookwright.core.vocabulary import data_misfits
from hookwright.operations.publish import MAX_BATCH, Publish, publish
from hookwright.web.limits import receive_body

MAX_BATCH_BYTES = 16 * 1024 * 1024
ACCEPTED = 202

T = TypeVar("T", bound=Struct)


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    """Several events in one request."""

    events: Annotated[list[Publish], Meta(min_length=1)]


class EventList(Struct):
    """A batch of which nothing is looked into but its list."""

    events: Raw


class Content(Struct):
    """An event of which nothing matters but what it carries."""

    type: str
    data: Raw


class PublishHeaders(NamedTuple):
    """The headers of a request that a publish reads."""

    authorization: str | None = None
    idempotency_key: str | None = None
    traceparent: str | None = None


_FIELDS = {field.replace("_", "-").encode(): field for field in PublishHeaders._fields}

# Lenient, so that an account may be 64 or "64".
_one = msgspec.json.Decoder(Publish, strict=False)
_batch = msgspec.json.Decoder(Batch, strict=False)
_list = msgspec.json.Decoder(EventList)

_NO_TEXT = Problem("", "the body is not valid JSON: it is not UTF-8", "malformed")
_TOO_LONG = Problem("/events", f"has more than {MAX_BATCH} events", "too_long")

router = APIRouter(tags=["Events"], responses=refusals(400, 409, 413, 422), dependencies=[DOCUMENTED_PUBLISH_KEY])


@router.post("/events", status_code=ACCEPTED, summary="Publish an event", openapi_extra=PUBLISH_EXTRA)
async def publish_event(request: Request) -> Response:
    """202 means that the event is on disk with its deliveries, in one transaction.

    The same `idempotency_key` with the same event answers the first result again, with `duplicate`; with another
    event it is a 409. The key may also come in the header `Idempotency-Key`.
    """
    return await accept_event(surface_of(request), request.scope, request.receive)


@router.post("/events/batch", status_code=ACCEPTED, summary="Publish up to 1,000 events", openapi_extra=BATCH_EXTRA)
async def publish_batch(request: Request) -> Response:
    """All events are checked before any is accepted: one that is invalid is a 422 for the whole batch.

    Results come in the order of the events. An idempotency key that was used for another event is a conflict of
    its own event only, which shows as `{"status": 409, "error"}` in its place.
    """
    return await accept_batch(surface_of(request), request.scope, request.receive)


async def accept_event(surface: Surface, scope: Scope, receive: Receive) -> Response:
    """Publish the event in a request's body."""
    headers = _headers_of(scope)
    caller = await publisher(surface, headers.authorization)
    asked = _with_header_key(headers.idempotency_key, _decode(_one, await receive_body(receive)))
    _refuse_foreign_accounts(caller, [asked], "")
    (answer,) = await publish(surface.services, [asked], traceparent=known_traceparent(headers.traceparent))
    if isinstance(answer, Conflict):
        raise answer
    return _respond(_accepted(answer))


async def accept_batch(surface: Surface, scope: Scope, receive: Receive) -> Response:
    """Publish the events in a request's body."""
    headers = _headers_of(scope)
    caller = await publisher(surface, headers.authorization)
    if headers.idempotency_key is not None:
        raise Invalid(Problem("/idempotency_key", "a batch has no key of its own; give each event its key"))
    batch = _decode(_batch, await receive_body(receive, MAX_BATCH_BYTES))
    if len(batch.events) > MAX_BATCH:
        raise Invalid(_TOO_LONG)
    _refuse_foreign_accounts(caller, batch.events, "/events")
    answers = await publish(surface.services, batch.events, "/events", known_traceparent(headers.traceparent))
    return _respond({"results": [_result(answer) for answer in answers]})


SHORTCUTS: Mapping[str, Answer] = {"/events": accept_event, "/events/batch": accept_batch}


def _headers_of(scope: Scope) -> PublishHeaders:
    """What a publish reads of its headers; of one that is there twice the first counts."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        field = _FIELDS.get(name)
        if field is not None and field not in found:
            found[field] = value.decode("latin-1")
    return PublishHeaders(**found)


def _decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Invalid(*_problems_in(body, decoder.type, error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(Problem("", f"the body is not valid JSON: {error}", "malformed")) from None
    except RecursionError:
        raise Invalid(Problem("", "the body is nested too deeply", "malformed")) from None


def _problems_in(body: bytes, wanted: type[Struct], first: msgspec.ValidationError) -> list[Problem]:
    """What is wrong with a body; with a batch that is too long only that it is, since the rest may be without end."""
    if not _is_text(body):
        return [_NO_TEXT]
    if wanted is Batch and len(_list_in(body) or ()) > MAX_BATCH:
        return [_TOO_LONG]
    return [*problems_of(first, body, wanted), *islice(_misfits_of_data(body), MOST)]


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _misfits_of_data(body: bytes) -> Iterator[Problem]:
    """What is wrong with the data of events, where something beside it is wrong: all of it is told at once."""
    for place, event in _events_in(body):
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            content = msgspec.json.decode(event, type=Content)
            yield from data_misfits(content.type, content.data, place)


def _events_in(body: bytes) -> Iterator[tuple[str, bytes | Raw]]:
    """Each event of a body that was refused, with its place: of a batch those of its list, else the body itself."""
    events = _list_in(body)
    if events is None:
        yield "", body
    else:
        yield from ((f"/events/{position}", event) for position, event in enumerate(events))


def _list_in(body: bytes) -> list[Raw] | None:
    """The beginning of a batch's list, long enough to see that it is too long; None where there is none."""
    try:
        return first_items(_list.decode(body).events, MAX_BATCH + 1)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _with_header_key(key: str | None, asked: Publish) -> Publish:
    if key is None:
        return asked
    if not key.isascii():
        raise Invalid(Problem("/idempotency_key", "must be ASCII in a header"))
    if asked.idempotency_key not in (None, key):
        raise Invalid(Problem("/idempotency_key", "differs from the header Idempotency-Key"))
    return msgspec.structs.replace(asked, idempotency_key=key)


def _refuse_foreign_accounts(caller: Caller, requests: Sequence[Publish], root: str) -> None:
    """Raises Invalid, in the words for an account that does not exist, where a key does not reach an account."""
    problems = [
        Problem(
            f"{root}/{position}/account" if root else "/account", f"account {each.account} does not exist", "unknown"
        )
        for position, each in enumerate(requests)
        if not caller.reaches(each.account)
    ]
    if problems:
        raise Invalid(*problems)


def _result(answer: Accepted | Conflict) -> dict[str, Any]:
    return {"status": 409, "error": str(answer)} if isinstance(answer, Conflict) else _accepted(answer)


def _accepted(answer: Accepted) -> dict[str, Any]:
    return {"event_id": answer.event_id, "deliveries": answer.deliveries, "duplicate": answer.duplicate}


def _respond(content: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(content), ACCEPTED, media_type="application/json")
