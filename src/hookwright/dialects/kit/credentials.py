"""Who is calling: a Kit API key, an OAuth access token or, for v3, the key as `api_secret`."""

from typing import Annotated, NamedTuple

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader, OAuth2AuthorizationCodeBearer
from starlette.requests import Request

from hookwright.core.audit import Actor
from hookwright.core.errors import Unauthorized
from hookwright.core.model import Key
from hookwright.dialects.kit.errors import RateLimited
from hookwright.dialects.kit.surface import Surface, surface_of
from hookwright.operations.audit import actor_with
from hookwright.operations.grants import TokenFault, TokenRefused, authenticate_access
from hookwright.operations.keys import authenticate_key
from hookwright.operations.services import Services
from hookwright.web.credentials import bearer_token
from hookwright.web.limits import RateLimiter

SCOPES = {"read": "Read access to Kit API v4", "write": "Write access to Kit API v4"}

API_KEY_HEADER = "X-Kit-Api-Key"

# Kit's own clients switch on these texts: "expired" makes them refresh (Kit/convertkit-wordpress-libraries).
TOKEN_TEXTS: dict[TokenFault, str] = {
    "invalid": "The access token is invalid",
    "expired": "The access token expired",
    "revoked": "The access token was revoked",
    "spent": "The access token is invalid",
}

# Either of the two; they stand here for the OpenAPI document alone, `require_caller` reads the headers.
DOCUMENTED_SECURITY = (
    Security(APIKeyHeader(name=API_KEY_HEADER, scheme_name="ApiKey", auto_error=False)),
    Security(
        OAuth2AuthorizationCodeBearer(
            authorizationUrl="/v4/oauth/authorize",
            tokenUrl="/v4/oauth/token",
            refreshUrl="/v4/oauth/token",
            scopes=SCOPES,
            scheme_name="OAuth2",
            auto_error=False,
        )
    ),
)


class Caller(NamedTuple):
    """The account that a request may act for, the OAuth app that acts (None for an API key), and with what."""

    account_id: int
    app_id: int | None
    services: Services


async def require_caller(request: Request) -> Caller:
    """Who makes a v4 request. Raises Unauthorized with the vendor's text, RateLimited."""
    surface = surface_of(request)
    if api_key := request.headers.get(API_KEY_HEADER):
        return await _caller_with_key(surface, api_key)
    if token := bearer_token(request):
        return await _caller_with_token(surface, token)
    raise Unauthorized("Authentication Failed")


KitCaller = Annotated[Caller, Depends(require_caller)]


async def require_account_id(caller: KitCaller) -> int:
    """The account that a v4 request may act for. Raises as `require_caller` does."""
    return caller.account_id


AccountId = Annotated[int, Depends(require_account_id)]


async def require_caller_v3(surface: Surface, api_key: object, api_secret: object) -> Caller:
    """Whoever has the key that is v3's `api_secret`; `api_key` is not enough. Raises Unauthorized, RateLimited."""
    if not api_key and not api_secret:
        raise Unauthorized("API Key not present")
    try:
        key = await authenticate_key(surface.services, "kit", api_secret if isinstance(api_secret, str) else "")
    except Unauthorized:
        raise Unauthorized("API Secret not valid") from None
    _admit(surface, surface.key_limiter, key.id)
    return caller_of(surface, key)


def account_of(key: Key) -> int:
    """The account of a Kit key."""
    assert key.account_id is not None  # only a platform's own key has none
    return key.account_id


async def _caller_with_key(surface: Surface, api_key: str) -> Caller:
    try:
        key = await authenticate_key(surface.services, "kit", api_key)
    except Unauthorized:
        # The vendor documents no text of its own for a bad API key.
        raise Unauthorized(TOKEN_TEXTS["invalid"]) from None
    _admit(surface, surface.key_limiter, key.id)
    return caller_of(surface, key)


async def _caller_with_token(surface: Surface, token: str) -> Caller:
    try:
        grant = await authenticate_access(surface.services, "kit", token)
    except TokenRefused as refused:
        raise Unauthorized(TOKEN_TEXTS[refused.fault]) from None
    _admit(surface, surface.token_limiter, grant.id)
    actor = Actor(way="kit", kind="app", id=grant.app_id)
    return Caller(grant.account_id, grant.app_id, surface.services.on_behalf_of(actor))


def caller_of(surface: Surface, key: Key) -> Caller:
    """Whoever has a Kit key, and what they do with it."""
    return Caller(account_of(key), None, surface.services.on_behalf_of(actor_with(key, "kit")))


def _admit(surface: Surface, limiter: RateLimiter, credential_id: int) -> None:
    if surface.settings.rate_limits and not limiter.admits(credential_id):
        raise RateLimited
