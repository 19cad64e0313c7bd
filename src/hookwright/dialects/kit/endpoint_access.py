"""Which webhook endpoints a caller may see, and which it may change.

An app only ever sees what it made. An API key sees every endpoint of its account, but may not touch an app's.
Source: developers.kit.com "Getting started" (webhooks) and Kit openapi v4.json (404 and 403 of "Update").
"""

from typing import Annotated

from fastapi import Depends

from hookwright.core.errors import Forbidden, NotFound
from hookwright.core.model import Endpoint
from hookwright.dialects.kit.credentials import Caller, KitCaller
from hookwright.dialects.kit.endpoint_events import ENDPOINT_DIALECT
from hookwright.dialects.kit.endpoint_objects import SHOWN_AS, ShownStatus
from hookwright.dialects.kit.ids import parse_id
from hookwright.dialects.kit.surface import KitSurface
from hookwright.operations.endpoints import require_endpoint
from hookwright.store.base import EndpointQuery, Store


def sees(caller: Caller, endpoint: Endpoint) -> bool:
    """Whether a caller may know of an endpoint of its account."""
    return caller.app_id is None or endpoint.app_id == caller.app_id


async def require_visible(id: str, surface: KitSurface, caller: KitCaller) -> Endpoint:
    """The endpoint that a path names. Raises NotFound."""
    endpoint = await require_endpoint(surface.services, caller.account_id, parse_id(id), ENDPOINT_DIALECT)
    if not sees(caller, endpoint):
        raise NotFound(f"endpoint {endpoint.id} belongs to another app")
    return endpoint


VisibleEndpoint = Annotated[Endpoint, Depends(require_visible)]


async def require_changeable(surface: KitSurface, caller: KitCaller, endpoint: VisibleEndpoint) -> Endpoint:
    """The endpoint that a path names, if the caller may change it. Raises NotFound, Forbidden."""
    if caller.app_id is None and await _has_a_guard(surface.services.store, endpoint):
        raise Forbidden(f"endpoint {endpoint.id} was made by an app")
    return endpoint


ChangeableEndpoint = Annotated[Endpoint, Depends(require_changeable)]


def visible_to(caller: Caller, status: ShownStatus | None) -> EndpointQuery:
    """Every endpoint that a caller may see; of one status if it is given."""
    return EndpointQuery(
        account_id=caller.account_id,
        dialects=(ENDPOINT_DIALECT,),
        app_id=caller.app_id,
        statuses=None if status is None else SHOWN_AS[status],
        listeners=False,
    )


async def _has_a_guard(store: Store, endpoint: Endpoint) -> bool:
    # A deleted app guards nothing: nobody else could ever stop what it made.
    return endpoint.app_id is not None and await store.app(endpoint.app_id) is not None
