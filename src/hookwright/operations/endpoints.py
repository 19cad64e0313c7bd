"""Endpoints: create, change, delete."""

from collections.abc import Sequence

from hookwright.core.addresses import target_problem
from hookwright.core.errors import Invalid, NotFound, Problem
from hookwright.core.model import Endpoint, EndpointStatus, Subscription
from hookwright.core.retry import schedule_problem
from hookwright.operations.services import Services


async def create_endpoint(
    services: Services,
    account_id: int,
    dialect: str,
    url: str,
    subscriptions: Sequence[Subscription],
    site_id: int | None = None,
) -> Endpoint:
    """A new endpoint; events accepted from now on match it. Raises Invalid with the pointer `/url`."""
    if problem := target_problem(url, services.policy):
        raise Invalid(Problem("/url", problem))
    now = services.clock.now()
    endpoint = Endpoint(
        id=await services.store.new_id(account_id),
        account_id=account_id,
        site_id=site_id,
        dialect=dialect,
        url=url,
        subscriptions=tuple(subscriptions),
        status_changed_at=now,
        created_at=now,
        updated_at=now,
    )
    await services.store.add_endpoint(endpoint)
    return endpoint


async def require_endpoint(services: Services, account_id: int, endpoint_id: int, dialect: str | None) -> Endpoint:
    """An endpoint of this account, and of this dialect if one is given. Raises NotFound."""
    endpoint = await services.store.endpoint(account_id, endpoint_id)
    if endpoint is None or dialect not in (None, endpoint.dialect):
        raise NotFound(f"endpoint {endpoint_id} does not exist")
    return endpoint


async def delete_endpoint(services: Services, account_id: int, endpoint_id: int, dialect: str | None) -> None:
    """Delete an endpoint; what was still to be sent to it is cancelled. Raises NotFound."""
    await require_endpoint(services, account_id, endpoint_id, dialect)
    if not await services.store.delete_endpoint(account_id, endpoint_id, services.clock.now()):
        raise NotFound(f"endpoint {endpoint_id} does not exist")


async def set_status(
    services: Services, account_id: int, endpoint_id: int, status: EndpointStatus, reason: str | None = None
) -> Endpoint:
    """Pause or activate an endpoint; what waited for an activated one becomes due. Raises NotFound."""
    changed = await services.store.set_endpoint_status(account_id, endpoint_id, status, reason, services.clock.now())
    if changed is None:
        raise NotFound(f"endpoint {endpoint_id} does not exist")
    return changed


async def set_retry_schedule(
    services: Services, account_id: int, endpoint_id: int, schedule: Sequence[int] | None
) -> Endpoint:
    """Give an endpoint its own retry schedule, or None for the service's. Raises NotFound, Invalid."""
    if schedule is not None and (problem := schedule_problem(schedule)):
        raise Invalid(Problem("/retry_schedule", problem))
    changed = await services.store.set_retry_schedule(
        account_id, endpoint_id, tuple(schedule) if schedule is not None else None, services.clock.now()
    )
    if changed is None:
        raise NotFound(f"endpoint {endpoint_id} does not exist")
    return changed
