"""Listeners: endpoints of our own whose requests are fetched and answered, from a laptop without a public address."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from hookwright.ambient import monotonic_us
from hookwright.core.errors import NotFound
from hookwright.core.listening import HeldRequest, ListenersAnswer, is_listener_url
from hookwright.core.model import OWN_DIALECT, SECOND, Endpoint, EndpointChange, Instant, Subscription
from hookwright.operations.endpoints import Details, set_status
from hookwright.operations.own_endpoints import (
    OwnEndpoint,
    change_own_endpoint,
    create_own_endpoint,
    reveal_verifying_keys,
)
from hookwright.operations.services import Services
from hookwright.store.base import EndpointQuery

# A laptop, and a request to it costs several statements: no more at once.
MAX_IN_FLIGHT = 10
LOOK_EVERY_SECONDS = 0.2
# Between two fetches a listener is taken to be there still.
HEARD_FOR: Instant = 5 * SECOND
HEARD_EVERY: Instant = 2 * SECOND

_PAGE = 100


async def open_listener(
    services: Services, account_id: int, name: str, wanted: Sequence[Subscription]
) -> OwnEndpoint:
    """The account's listener of this name, active and with these subscriptions; a new one when it has none.

    Raises Invalid with a place below `/events`, and Conflict when the account has as many endpoints as it may.
    """
    known = await _listener_named(services, account_id, name)
    if known is None:
        details = Details(name=name, max_in_flight=MAX_IN_FLIGHT)
        return await create_own_endpoint(services, account_id, None, wanted, details)
    change = EndpointChange(subscriptions=tuple(wanted))
    await change_own_endpoint(services, account_id, known.id, change)
    endpoint = await set_status(services, account_id, known.id, "active")
    return OwnEndpoint(endpoint, (await reveal_verifying_keys(services, account_id, known.id))[0])


async def require_listener(services: Services, account_id: int, endpoint_id: int) -> Endpoint:
    """A listener of this account. Raises NotFound."""
    endpoint = await services.store.endpoint(account_id, endpoint_id)
    if endpoint is None or not is_listener_url(endpoint.url):
        raise NotFound(f"listener {endpoint_id} does not exist")
    return endpoint


async def fetch_requests(
    services: Services,
    account_id: int,
    endpoint_id: int,
    wait_seconds: float,
    limit: int,
    may_wait: Callable[[], Awaitable[bool]],
) -> list[HeldRequest]:
    """What is to be answered by this listener, as soon as there is something; nothing once the time is over.

    Each request is handed out once. `may_wait` says whether there is still somebody to hand it to. Raises NotFound,
    also when the listener is deleted meanwhile.
    """
    store, clock = services.store, services.clock
    deadline = monotonic_us() + round(wait_seconds * SECOND)
    heard_at = None
    while await may_wait():
        now = monotonic_us()
        if heard_at is None or now - heard_at >= HEARD_EVERY:
            await require_listener(services, account_id, endpoint_id)
            await store.heard_listener(endpoint_id, clock.now() + HEARD_FOR)
            heard_at = now
        if await store.has_requests(endpoint_id, clock.now()):
            return await store.fetch_requests(endpoint_id, clock.now(), limit)
        if now >= deadline:
            break
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    return []


async def answer_request(
    services: Services, account_id: int, endpoint_id: int, request_id: int, answer: ListenersAnswer
) -> None:
    """Give the answer to a request that was fetched. Raises NotFound, also when nobody waits for it any more."""
    await require_listener(services, account_id, endpoint_id)
    if not await services.store.answer_request(endpoint_id, request_id, answer):
        raise NotFound(f"listener {endpoint_id} has no request {request_id} that waits for an answer")


async def _listener_named(services: Services, account_id: int, name: str) -> Endpoint | None:
    below = None
    while True:
        query = EndpointQuery(account_id=account_id, dialects=(OWN_DIALECT,), below=below, limit=_PAGE)
        page = await services.store.endpoints(query)
        for endpoint in page:
            if is_listener_url(endpoint.url) and endpoint.name == name:
                return endpoint
        if len(page) < _PAGE:
            return None
        below = page[-1].id
