"""Endpoints: create, change, delete."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import UNSET, Struct

from hookwright.core.addresses import target_problem
from hookwright.core.errors import Conflict, Invalid, NotFound, Problem
from hookwright.core.gates import MAX_IN_FLIGHT, MAX_RATE_PER_SECOND
from hookwright.core.listening import is_listener_url, listener_url
from hookwright.core.model import (
    OWN_DIALECT,
    Binding,
    Endpoint,
    EndpointChange,
    EndpointStatus,
    Ordering,
    SignatureScheme,
    Subscription,
)
from hookwright.core.retry import schedule_problem
from hookwright.operations.audit import new_entry
from hookwright.operations.services import Services
from hookwright.operations.signing_secrets import new_secret
from hookwright.store.base import EndpointQuery


class NewEndpoint(NamedTuple):
    """An endpoint and the signing secret of its own."""

    endpoint: Endpoint
    signing_secret: str


class Details(Struct, frozen=True, kw_only=True):
    """What some dialects' endpoints have beyond a URL. `headers` are sealed before they are kept."""

    name: str = ""
    description: str = ""
    app_id: int | None = None
    headers: Mapping[str, str] = {}
    signature: SignatureScheme = "v1"
    retry_schedule: tuple[int, ...] | None = None
    batch_limit: int = 1
    max_in_flight: int | None = None
    rate_per_second: int | None = None
    ordering: Ordering = "none"


async def create_endpoint(
    services: Services,
    account_id: int,
    dialect: str,
    url: str | None,
    subscriptions: Sequence[Subscription],
    site_id: int | None = None,
    details: Details | None = None,
) -> Endpoint:
    """A new endpoint, signed with the account's secret; without a URL it is a listener.

    Raises Invalid with the pointer `/url`, and Conflict when the account has as many as it may.
    """
    details = details or Details()
    endpoint = await _new_endpoint(services, account_id, dialect, url, subscriptions, site_id, details)
    entry = await new_entry(services, "endpoint.created", endpoint.id, account_id)
    await services.store.add_endpoint(endpoint, entry=entry)
    return endpoint


async def create_signed_endpoint(
    services: Services,
    account_id: int,
    dialect: str,
    url: str | None,
    subscriptions: Sequence[Subscription],
    details: Details,
) -> NewEndpoint:
    """A new endpoint with a signing secret of its own; without a URL it is a listener.

    Raises Invalid with the name of what is wrong as pointer, and Conflict when the account has as many as it may.
    """
    endpoint = await _new_endpoint(services, account_id, dialect, url, subscriptions, None, details)
    secret, text = await new_secret(services, account_id, endpoint.id)
    entry = await new_entry(services, "endpoint.created", endpoint.id, account_id)
    await services.store.add_endpoint(endpoint, secret, entry)
    return NewEndpoint(endpoint, text)


async def change_endpoint(services: Services, account_id: int, endpoint_id: int, change: EndpointChange) -> Endpoint:
    """Change what is set. Raises NotFound, and Invalid with the name of what is wrong as pointer."""
    if isinstance(change.url, str):
        _check_url(services, change.url)
    if isinstance(change.retry_schedule, tuple):
        _check_schedule(change.retry_schedule)
    _check_limits(
        None if change.max_in_flight is UNSET else change.max_in_flight,
        None if change.rate_per_second is UNSET else change.rate_per_second,
    )
    entry = await new_entry(services, "endpoint.changed", endpoint_id, account_id)
    changed = await services.store.change_endpoint(account_id, endpoint_id, change, services.clock.now(), entry)
    if changed is None:
        raise NotFound(f"endpoint {endpoint_id} does not exist")
    return changed


def seal_headers(services: Services, account_id: int, endpoint_id: int, headers: Mapping[str, str]) -> bytes | None:
    """Custom headers as they are kept: often a credential is among them."""
    if not headers:
        return None
    return services.vault.seal(Binding("headers", account_id, endpoint_id), msgspec.json.encode(dict(headers)))


def open_headers(services: Services, endpoint: Endpoint) -> dict[str, str]:
    """The custom headers of an endpoint."""
    if endpoint.sealed_headers is None:
        return {}
    opened = services.vault.open(Binding("headers", endpoint.account_id, endpoint.id), endpoint.sealed_headers)
    return msgspec.json.decode(opened, type=dict[str, str])


async def require_endpoint(services: Services, account_id: int, endpoint_id: int, dialect: str | None) -> Endpoint:
    """An endpoint of this account, and of this dialect if one is given. Raises NotFound.

    To the dialects there are no listeners: they have more than one subscription, and no URL that could be shown.
    """
    endpoint = await services.store.endpoint(account_id, endpoint_id)
    is_hidden = endpoint is not None and dialect not in (None, OWN_DIALECT) and is_listener_url(endpoint.url)
    if endpoint is None or is_hidden or dialect not in (None, endpoint.dialect):
        raise NotFound(f"endpoint {endpoint_id} does not exist")
    return endpoint


async def delete_endpoint(services: Services, account_id: int, endpoint_id: int, dialect: str | None) -> None:
    """Delete an endpoint; what was still to be sent to it is cancelled. Raises NotFound."""
    await require_endpoint(services, account_id, endpoint_id, dialect)
    entry = await new_entry(services, "endpoint.deleted", endpoint_id, account_id)
    if not await services.store.delete_endpoint(account_id, endpoint_id, services.clock.now(), entry):
        raise NotFound(f"endpoint {endpoint_id} does not exist")


async def set_status(
    services: Services, account_id: int, endpoint_id: int, status: EndpointStatus, reason: str | None = None
) -> Endpoint:
    """Pause or activate an endpoint; what waited for an activated one becomes due. Raises NotFound."""
    action = "endpoint.activated" if status == "active" else f"endpoint.{status}"
    entry = await new_entry(services, action, endpoint_id, account_id)
    now = services.clock.now()
    changed = await services.store.set_endpoint_status(account_id, endpoint_id, status, reason, now, entry)
    if changed is None:
        raise NotFound(f"endpoint {endpoint_id} does not exist")
    return changed


async def _new_endpoint(
    services: Services,
    account_id: int,
    dialect: str,
    url: str | None,
    subscriptions: Sequence[Subscription],
    site_id: int | None,
    details: Details,
) -> Endpoint:
    if url is not None:
        _check_url(services, url)
    if details.retry_schedule is not None:
        _check_schedule(details.retry_schedule)
    _check_limits(details.max_in_flight, details.rate_per_second)
    await _require_room(services, account_id)
    now = services.clock.now()
    endpoint_id = await services.store.new_id(account_id)
    return Endpoint(
        id=endpoint_id,
        account_id=account_id,
        site_id=site_id,
        dialect=dialect,
        url=listener_url(endpoint_id) if url is None else url,
        subscriptions=tuple(subscriptions),
        name=details.name,
        description=details.description,
        app_id=details.app_id,
        sealed_headers=seal_headers(services, account_id, endpoint_id, details.headers),
        signature=details.signature,
        batch_limit=details.batch_limit,
        max_in_flight=details.max_in_flight,
        rate_per_second=details.rate_per_second,
        ordering=details.ordering,
        status_changed_at=now,
        retry_schedule=details.retry_schedule,
        created_at=now,
        updated_at=now,
    )


async def _require_room(services: Services, account_id: int) -> None:
    """Raises Conflict. Of several that are created at the same moment, one or two more may get in."""
    most = services.endpoints_per_account
    if most is not None and await services.store.count_endpoints(EndpointQuery(account_id=account_id)) >= most:
        raise Conflict(f"the account has {most} endpoints already, as many as it may")


def _check_url(services: Services, url: str) -> None:
    if problem := target_problem(url, services.policy):
        raise Invalid(Problem("/url", problem))


def _check_schedule(schedule: Sequence[int]) -> None:
    if problem := schedule_problem(schedule):
        raise Invalid(Problem("/retry_schedule", problem))


def _check_limits(max_in_flight: int | None, rate_per_second: int | None) -> None:
    asked = (
        ("/max_in_flight", max_in_flight, MAX_IN_FLIGHT),
        ("/rate_per_second", rate_per_second, MAX_RATE_PER_SECOND),
    )
    problems = [
        Problem(pointer, f"must be 1 to {most}, or null for no limit")
        for pointer, value, most in asked
        if value is not None and not 1 <= value <= most
    ]
    if problems:
        raise Invalid(*problems)
