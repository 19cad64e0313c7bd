"""Who calls, and what their key allows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from hookwright.core.errors import Forbidden, Invalid, NotFound, Problem, Unauthorized
from hookwright.core.model import Key
from hookwright.operations.audit import actor_with
from hookwright.operations.keys import ADMIN, MANAGE, PUBLISH, READ, authenticate_key, recall_key
from hookwright.operations.services import Services
from hookwright.web.credentials import bearer_token, bearer_token_in
from hookwright.web.limits import RateLimiter, TooManyRequests

# The scopes that allow what a route asks for.
_ALLOWED_BY = {
    PUBLISH: (PUBLISH, ADMIN),
    READ: (READ, MANAGE, ADMIN),
    MANAGE: (MANAGE, ADMIN),
    ADMIN: (ADMIN,),
}


@dataclass(frozen=True, slots=True)
class Surface:
    """What one built app works with; it hangs on `app.state`."""

    services: Services
    limiter: RateLimiter | None  # of requests for each key
    is_ready: Callable[[], bool] = lambda: True  # False while the process stops
    public_url: str | None = None

    def count_request(self, key: Key) -> None:
        """Raises TooManyRequests."""
        if self.limiter is not None and not self.limiter.admits(key.id):
            raise TooManyRequests(self.limiter.seconds_left())


def surface_of(request: Request) -> Surface:
    """The surface of the app that answers a request."""
    surface: Surface = request.app.state.surface
    return surface


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller, and the services that they may use."""

    key: Key
    services: Services

    @property
    def account_id(self) -> int | None:
        """The only account that this caller reaches, or None for a platform, which reaches every one."""
        return self.key.account_id

    @property
    def is_administrator(self) -> bool:
        """Whether it may do everything that there is to do, within its reach."""
        return _allows(self.key, ADMIN)

    def reaches(self, account_id: int | None) -> bool:
        """Whether what belongs to this account (or, for None, to the platform) is there for this caller."""
        return self.account_id in (None, account_id)

    def require_reach(self, account_id: int) -> None:
        """Raises NotFound for an account that is not this caller's: it looks like one that does not exist."""
        if not self.reaches(account_id):
            raise NotFound(f"account {account_id} does not exist")

    def one_account(self, account_id: int | None) -> int:
        """The account that a request is about: the key's own, or the one it names. Raises Invalid, NotFound."""
        chosen = self.account_id if account_id is None else account_id
        if chosen is None:
            raise Invalid(Problem("/account", "is required: this key reaches every account", "blank"))
        self.require_reach(chosen)
        return chosen


# It only documents the scheme: `bearer_token` reads the header, and a refusal is ours to word.
_documented_scheme = HTTPBearer(
    scheme_name="Key", description="A Hookwright key, `hw_…`, as a bearer token.", auto_error=False
)
_DOCUMENTED_KEY = Security(_documented_scheme)
DOCUMENTED_PUBLISH_KEY = Security(_documented_scheme, scopes=[PUBLISH])


async def publisher(surface: Surface, authorization: str | None) -> Caller:
    """Who publishes with this `Authorization` header; what is remembered of a key may let in but never refuses.

    Raises Unauthorized, Forbidden, TooManyRequests.
    """
    services = surface.services
    token = _require_token(bearer_token_in(authorization))
    key = recall_key(services, "hookwright", token)
    if key is None or not _allows(key, PUBLISH):
        key = await authenticate_key(services, "hookwright", token)
        _require_scope(key, PUBLISH)
    surface.count_request(key)
    return Caller(key, services)


async def require_still(request: Request, scope: str) -> None:
    """Raises Unauthorized or Forbidden once the key of a request that goes on is gone, or has lost this scope.

    Asks the store once a second, however often it is called.
    """
    services, token = surface_of(request).services, _require_token(bearer_token(request))
    key = recall_key(services, "hookwright", token) or await authenticate_key(services, "hookwright", token)
    _require_scope(key, scope)


def _caller_with(scope: str) -> Callable[..., Awaitable[Caller]]:
    async def authenticate(
        request: Request, _: Annotated[HTTPAuthorizationCredentials | None, _DOCUMENTED_KEY]
    ) -> Caller:
        surface = surface_of(request)
        key = await authenticate_key(surface.services, "hookwright", _require_token(bearer_token(request)))
        surface.count_request(key)
        _require_scope(key, scope)
        return Caller(key, surface.services.on_behalf_of(actor_with(key, "api")))

    return authenticate


def _require_token(token: str | None) -> str:
    if token is None:
        raise Unauthorized("a key is required: `Authorization: Bearer hw_…`")
    return token


def _require_scope(key: Key, scope: str) -> None:
    if not _allows(key, scope):
        raise Forbidden(f"the key lacks the scope {scope}")


def _allows(key: Key, scope: str) -> bool:
    return any(allowed in key.scopes for allowed in _ALLOWED_BY[scope])


# `scopes` is for the OpenAPI document, which names what each operation needs.
ReadCaller = Annotated[Caller, Security(_caller_with(READ), scopes=[READ])]
ManageCaller = Annotated[Caller, Security(_caller_with(MANAGE), scopes=[MANAGE])]
AdminCaller = Annotated[Caller, Security(_caller_with(ADMIN), scopes=[ADMIN])]
