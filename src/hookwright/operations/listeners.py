"""Listeners: endpoints of our own whose requests are fetched and answered, from a laptop without a public address."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from hookwright.ambient import monotonic_us
from hookwright.core.errors import Invalid, NotFound, Problem
from hookwright.core.event_names import EVERYTHING, meant_by, one_of
from hookwright.core.listening import HeldRequest, ListenersAnswer, is_listener_url
from hookwright.core.model import OWN_DIALECT, SECOND, Delivery, Endpoint, EndpointChange, Instant, Subscription
from hookwright.operations.endpoints import (
    Details,
    change_endpoint,
    create_endpoint,
    create_signed_endpoint,
    set_status,
)
from hookwright.operations.named_samples import notices_in
from hookwright.operations.own_endpoints import (
    OwnEndpoint,
    change_own_endpoint,
    create_own_endpoint,
    reveal_verifying_keys,
)
from hookwright.operations.services import Services
from hookwright.store.base import DeliveryQuery, EndpointQuery

# A laptop, and a request to it costs several statements: no more at once.
MAX_IN_FLIGHT = 10
LOOK_EVERY_SECONDS = 0.2
# Between two fetches a listener is taken to be there still.
HEARD_FOR: Instant = 5 * SECOND
HEARD_EVERY: Instant = 2 * SECOND

_PAGE = 100
EVENT_ID_LENGTH = 36  # of a message id, whose rest is the notice's number


async def open_listener(
    services: Services, account_id: int, name: str, wanted: Sequence[Subscription]
) -> OwnEndpoint:
    """The account's listener of this name, active and with these subscriptions; a new one when it has none.

    Raises Invalid with a place below `/events`, and Conflict when the account has as many endpoints as it may.
    """
    known = await _listener_named(services, account_id, OWN_DIALECT, name)
    if known is None:
        opened = await create_own_endpoint(services, account_id, None, wanted, _details(name))
    else:
        await change_own_endpoint(services, account_id, known.id, EndpointChange(subscriptions=tuple(wanted)))
        endpoint = await set_status(services, account_id, known.id, "active")
        opened = OwnEndpoint(endpoint, (await reveal_verifying_keys(services, account_id, known.id))[0])
    await _hear(services, opened.endpoint)
    return opened


async def open_foreign_listener(
    services: Services,
    account_id: int,
    name: str,
    wanted: Sequence[Subscription],
    dialect: str,
    site_id: int | None = None,
) -> Endpoint:
    """As `open_listener`, in the words and the form of a dialect name; `*` is every event of it.

    Raises Invalid also below `/dialect`, and `/site` where the dialect's events are of a site.
    """
    notices = notices_in(services, dialect) if dialect in services.forms else {}
    if not notices:
        raise Invalid(Problem("/dialect", f"must be {one_of(services.forms)}", "unknown"))
    subscriptions = _foreign_subscriptions(wanted, tuple(notices))
    if any(notice.site_id is not None for notice in notices.values()):
        site_id = await _site(services, account_id, site_id)
    elif site_id is not None:
        raise Invalid(Problem("/site", f"events of {dialect} are not of a site"))
    known = await _listener_named(services, account_id, dialect, name, site_id)
    if known is None:
        opened = await _new_foreign_listener(services, account_id, name, subscriptions, dialect, site_id)
    else:
        await change_endpoint(services, account_id, known.id, EndpointChange(subscriptions=subscriptions))
        opened = await set_status(services, account_id, known.id, "active")
    await _hear(services, opened)
    return opened


async def _new_foreign_listener(
    services: Services,
    account_id: int,
    name: str,
    subscriptions: Sequence[Subscription],
    dialect: str,
    site_id: int | None,
) -> Endpoint:
    form = services.forms[dialect]
    details = replace(_details(name), batch_limit=form.batch_limit, retry_schedule=form.retry_schedule)
    if not form.own_secret:
        return await create_endpoint(services, account_id, dialect, None, subscriptions, site_id, details)
    return (await create_signed_endpoint(services, account_id, dialect, None, subscriptions, details)).endpoint


def has_own_secret(services: Services, listener: Endpoint) -> bool:
    """Whether a secret of its own signs what a listener gets, and not its account's."""
    return services.forms[listener.dialect].own_secret


def _details(name: str) -> Details:
    return Details(name=name, max_in_flight=MAX_IN_FLIGHT)


async def _hear(services: Services, listener: Endpoint) -> None:
    # Whoever opens one is about to fetch: what is published in between must not fail for that.
    await services.store.heard_listener(listener.id, services.clock.now() + HEARD_FOR)


def _foreign_subscriptions(wanted: Sequence[Subscription], known: tuple[str, ...]) -> tuple[Subscription, ...]:
    problems: list[Problem] = []
    subscriptions: list[Subscription] = []
    for place, each in enumerate(wanted):
        if each.event == EVERYTHING:
            subscriptions += [replace(each, event=event) for event in known]
        elif each.event in known:
            subscriptions.append(each)
        else:
            meant = None if problems else meant_by(each.event, known)
            told = f"unknown event; {one_of((*known, EVERYTHING), meant)}"
            problems.append(Problem(f"/events/{place}", told, "unknown"))
    if problems:
        raise Invalid(*problems)
    return tuple(dict.fromkeys(subscriptions))


async def _site(services: Services, account_id: int, site_id: int | None) -> int:
    """The site that was named, or the only one. Raises Invalid."""
    sites = [site.id for site in await services.store.sites(account_id)]
    if site_id is None and len(sites) == 1:
        return sites[0]
    if site_id in sites:
        return site_id
    known = ", ".join(map(str, sites)) or "it has none"
    raise Invalid(Problem("/site", f"must be one of the account's sites ({known})", "unknown"))


async def deliveries_of(
    services: Services, listener: Endpoint, requests: Sequence[HeldRequest]
) -> list[Delivery | None]:
    """The delivery of each request, the first one of a batch; None where it is not kept any more."""
    name = services.forms[listener.dialect].delivery_header
    if name is None:
        return await _deliveries_by_message(services, listener, [each.headers["webhook-id"] for each in requests])
    return [await services.store.delivery(int(each.headers[name])) for each in requests]


async def _deliveries_by_message(
    services: Services, listener: Endpoint, message_ids: Sequence[str]
) -> list[Delivery | None]:
    found: dict[str, Delivery] = {}
    for event_id in {message_id[:EVENT_ID_LENGTH] for message_id in message_ids}:
        query = DeliveryQuery(account_id=listener.account_id, endpoint_id=listener.id, event_id=event_id)
        found |= {each.message_id: each for each in await services.store.deliveries(query)}
    return [found.get(message_id) for message_id in message_ids]


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

    Each request is handed out once. `may_wait` says, before each look and once more before anything is handed out,
    whether there is still somebody to hand it to, or raises. Raises NotFound, also when the listener is deleted
    meanwhile.
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
        if await store.has_requests(endpoint_id, clock.now()) and await may_wait():
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


async def _listener_named(
    services: Services, account_id: int, dialect: str, name: str, site_id: int | None = None
) -> Endpoint | None:
    below = None
    while True:
        query = EndpointQuery(account_id=account_id, dialects=(dialect,), site_id=site_id, below=below, limit=_PAGE)
        page = await services.store.endpoints(query)
        for endpoint in page:
            if is_listener_url(endpoint.url) and endpoint.name == name:
                return endpoint
        if len(page) < _PAGE:
            return None
        below = page[-1].id
