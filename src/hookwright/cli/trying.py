"""An endpoint for tries: what `hookwright trigger --to` and the live screen's `t` send to."""

from __future__ import annotations

from hookwright.core.event_names import EVERYTHING
from hookwright.core.model import OWN_DIALECT, Endpoint, Subscription
from hookwright.operations.endpoints import Details
from hookwright.operations.own_endpoints import create_own_endpoint
from hookwright.operations.services import Services
from hookwright.store.base import EndpointQuery

NAME = "For tries"


async def endpoint_for_tries(services: Services, account_id: int, url: str) -> Endpoint:
    """An endpoint with this URL; one for everything is made where there is none. Raises Invalid, Conflict."""
    for endpoint in await services.store.endpoints(EndpointQuery(account_id=account_id, dialects=(OWN_DIALECT,))):
        if endpoint.url == url:
            return endpoint
    created = await create_own_endpoint(services, account_id, url, [Subscription(EVERYTHING)], Details(name=NAME))
    return created.endpoint
