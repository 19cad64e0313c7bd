"""Who calls: the bearer token, its scopes and its share of requests."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from hookwright.core.audit import Actor
from hookwright.core.errors import Forbidden, Unauthorized
from hookwright.core.model import Grant
from hookwright.dialects.base import DialectSettings
from hookwright.dialects.kajabi.errors import too_many_requests
from hookwright.dialects.kajabi.events import missing_scopes
from hookwright.operations.grants import authenticate_access
from hookwright.operations.services import Services
from hookwright.web.credentials import bearer_token
from hookwright.web.limits import RateLimiter

# Kajabi publishes no number; 429s have been met at far more than this many requests a second.
REQUESTS_A_MINUTE = 600
# Kajabi publishes no lifetime; most of its clients assume two hours.
ACCESS_TOKEN_SECONDS = 7200


@dataclass(frozen=True, slots=True)
class Surface:
    """What one built app works with; it hangs on `app.state`."""

    services: Services
    access_token_seconds: int
    limiter: RateLimiter | None


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller, and the services that they may use."""

    grant: Grant
    services: Services

    @property
    def account_id(self) -> int:
        return self.grant.account_id


def new_surface(services: Services, settings: DialectSettings) -> Surface:
    """The surface of a new app, with a count of requests of its own."""
    limiter = RateLimiter(services.clock, REQUESTS_A_MINUTE) if settings.rate_limits else None
    return Surface(services, settings.access_token_seconds or ACCESS_TOKEN_SECONDS, limiter)


def surface_of(request: Request) -> Surface:
    """The surface of the app that answers a request."""
    surface = request.app.state.surface
    assert isinstance(surface, Surface)
    return surface


def count_request(surface: Surface, key_id: int | None) -> None:
    """Count one request of a key. Raises Refused (429) when it is one too many."""
    if surface.limiter is not None and not surface.limiter.admits(key_id):
        too_many_requests(surface.limiter.seconds_left())


# It only documents the scheme: `bearer_token` reads the header, and a refusal is ours to word.
_documented_scheme = HTTPBearer(scheme_name="Bearer", auto_error=False)


async def authenticate(
    request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(_documented_scheme)]
) -> Caller:
    """The caller of a request. Raises Unauthorized, and Refused (429) for a caller with too many requests."""
    surface = surface_of(request)
    token = bearer_token(request)
    if token is None:
        raise Unauthorized("no bearer token")
    grant = await authenticate_access(surface.services, "kajabi", token)
    count_request(surface, grant.key_id)
    actor = Actor(way="kajabi", kind="key", id=grant.key_id)
    return Caller(grant, surface.services.on_behalf_of(actor))


Authenticated = Annotated[Caller, Depends(authenticate)]


def require_scopes(caller: Caller, event: str) -> None:
    """Raises Forbidden when a caller's scopes do not cover an event."""
    if missing := missing_scopes(caller.grant.scopes, event):
        raise Forbidden(f"the API key lacks {' and '.join(missing)}, which {event} hooks require")
