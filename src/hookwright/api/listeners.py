"""Listeners: requests are fetched and answered by whoever has no address that could be dialled."""

import base64
import binascii
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StringConstraints
from starlette.requests import Request

from hookwright.api.bodies import documented_body, json_body
from hookwright.api.caching import keep_out_of_caches
from hookwright.api.callers import Caller, ManageCaller, require_still, surface_of
from hookwright.api.document import refusals
from hookwright.api.endpoint_views import EndpointWithKey, endpoint_view, endpoint_with_key
from hookwright.api.requests import Name, NamedAccount, PathId, RequestModel, RowId, Text, WantedEvents
from hookwright.core.listening import HeldRequest, ListenersAnswer
from hookwright.core.model import OWN_DIALECT, Delivery, Endpoint
from hookwright.core.times import iso_micros
from hookwright.operations import listeners
from hookwright.operations.accounts import require_account, reveal_signing_secrets
from hookwright.operations.keys import MANAGE
from hookwright.operations.own_endpoints import VerifyingKey
from hookwright.operations.signing_secrets import reveal_secrets

MAX_WAIT_SECONDS = 25  # less than most proxies let a request take
MAX_FETCHED = 100
MAX_ANSWER_LENGTH = 90_000  # 64 KiB as base64

router = APIRouter(tags=["Listeners"], responses=refusals(404, 422))


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64") from None
    return text


class NewListener(RequestModel):
    """A listener; one of this name that the account has already is taken, and gets these events."""

    model_config = ConfigDict(json_schema_extra={"example": {"account": 64, "name": "laptop", "events": ["*"]}})

    account: RowId | None = Field(default=None, description="Required unless the key has an account.")
    name: Name = "listener"
    dialect: Text = Field(
        default=OWN_DIALECT,
        description="In whose words and form: Hookwright's own, or those of a dialect whose events it then names.",
    )
    site: RowId | None = Field(default=None, description="For a dialect with sites, where there are several.")
    events: WantedEvents


class Fetching(RequestModel):
    """How long to wait for something to fetch, and how much to take at once."""

    model_config = ConfigDict(json_schema_extra={"example": {"wait_seconds": 0}})

    wait_seconds: StrictInt | StrictFloat = Field(default=0, ge=0, le=MAX_WAIT_SECONDS)
    limit: StrictInt = Field(default=10, ge=1, le=MAX_FETCHED)


class Answer(RequestModel):
    """What came of a request: a status code with what belongs to it, or an error when there was no answer."""

    model_config = ConfigDict(json_schema_extra={"example": {"status_code": 200, "body": "b2s="}})

    status_code: Annotated[StrictInt, Field(ge=100, le=599)] | None = None
    body: Annotated[str, StringConstraints(max_length=MAX_ANSWER_LENGTH), AfterValidator(_base64)] = Field(
        default="", description="Base64; the first 16 KiB are kept.", json_schema_extra={"contentEncoding": "base64"}
    )
    retry_after: Annotated[Text, StringConstraints(max_length=100)] | None = Field(
        default=None, description="The header, as it came."
    )
    error: Literal["connect_refused", "connect_failed", "timeout", "reset", "bad_answer"] | None = Field(
        default=None, description="Taken for `connect_failed` when neither this nor a status code is given."
    )
    detail: Annotated[Text, StringConstraints(max_length=500)] | None = None


class HeldRequestView(BaseModel):
    id: int
    delivery: int | None = Field(
        description="The delivery, the first one of a batch; null if it is not kept any more."
    )
    event: str = Field(description="What the listener's dialect calls it; that of all in a batch.")
    headers: dict[str, str] = Field(description="With the signature; content-length and host are the listener's.")
    body: str = Field(description="Base64.")
    expires_at: str = Field(description="Nobody waits for the answer any more from then on.")


class Fetched(BaseModel):
    data: list[HeldRequestView]


@router.post(
    "/listeners",
    status_code=201,
    responses=refusals(409),
    dependencies=[Depends(keep_out_of_caches)],
    openapi_extra=documented_body(NewListener),
    summary="Open a listener",
)
async def open_listener(
    caller: ManageCaller, asked: Annotated[NewListener, Depends(json_body(NewListener))]
) -> EndpointWithKey:
    """An endpoint whose requests are not sent anywhere: they are fetched and answered. It is active from now on.

    In a dialect whose endpoints have no secret of their own the account's signs, which only an administrator's key is
    shown; the dialect's API does not list it. While nobody fetches, attempts fail with `no_listener` and are retried
    as usual; pause it to have its events wait. In all else it is an endpoint like the others.
    """
    account_id = caller.one_account(asked.account)
    await require_account(caller.services, account_id)
    wanted = [each.subscription() for each in asked.events]
    if asked.dialect == OWN_DIALECT:
        endpoint, key = await listeners.open_listener(caller.services, account_id, asked.name, wanted)
    else:
        endpoint = await listeners.open_foreign_listener(
            caller.services, account_id, asked.name, wanted, asked.dialect, asked.site
        )
        key = await _key_of(caller, endpoint)
    return endpoint_with_key(endpoint_view(endpoint, caller.services.clock.now()), key)


@router.post(
    "/listeners/{id}/requests/fetch",
    dependencies=[Depends(keep_out_of_caches)],
    openapi_extra=documented_body(Fetching, required=False),
    summary="Fetch requests",
)
async def fetch(
    id: PathId,
    request: Request,
    caller: ManageCaller,
    asked: Annotated[Fetching, Depends(json_body(Fetching, required=False))],
    account: NamedAccount = None,
) -> Fetched:
    """What is to be answered, as soon as there is something, or nothing once the time is over. Each is fetched once.

    Whoever fetches again at once is taken to be there all the time.
    """
    surface = surface_of(request)

    async def may_wait() -> bool:
        await require_still(request, MANAGE)
        return surface.is_ready() and not await request.is_disconnected()

    found = await listeners.fetch_requests(
        caller.services, caller.one_account(account), id, asked.wait_seconds, asked.limit, may_wait
    )
    if not found:
        return Fetched(data=[])
    listener = await listeners.require_listener(caller.services, caller.one_account(account), id)
    deliveries = await listeners.deliveries_of(caller.services, listener, found)
    return Fetched(data=[_view(each, delivery) for each, delivery in zip(found, deliveries, strict=True)])


@router.post(
    "/listeners/{id}/requests/{request}/answer",
    status_code=204,
    openapi_extra=documented_body(Answer),
    summary="Answer a request",
)
async def answer(
    id: PathId,
    request: PathId,
    caller: ManageCaller,
    given: Annotated[Answer, Depends(json_body(Answer))],
    account: NamedAccount = None,
) -> None:
    """What the request came to; it becomes the attempt's outcome. 404 when nobody waits for it any more."""
    await listeners.answer_request(caller.services, caller.one_account(account), id, request, _answer(given))


async def _key_of(caller: Caller, listener: Endpoint) -> VerifyingKey:
    """What what comes to a listener of a dialect is verified with; the account's secret for whoever may see it."""
    services, account_id = caller.services, listener.account_id
    if listeners.has_own_secret(services, listener):
        return VerifyingKey((await reveal_secrets(services, account_id, listener.id))[0], None)
    if not caller.is_administrator:
        return VerifyingKey(None, None)
    return VerifyingKey((await reveal_signing_secrets(services, account_id))[0], None)


def _view(held: HeldRequest, delivery: Delivery | None) -> HeldRequestView:
    return HeldRequestView(
        id=held.id,
        delivery=None if delivery is None else delivery.id,
        event="" if delivery is None else delivery.dialect_event,
        headers=held.headers,
        body=base64.b64encode(held.body).decode(),
        expires_at=iso_micros(held.expires_at),
    )


def _answer(given: Answer) -> ListenersAnswer:
    answered = given.status_code is not None
    return ListenersAnswer(
        status_code=given.status_code,
        body=base64.b64decode(given.body) if answered else b"",
        retry_after=given.retry_after,
        error=None if answered else given.error or "connect_failed",
        detail=given.detail,
    )
