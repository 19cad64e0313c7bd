"""Tokens: `POST /v1/oauth/token` and `POST /v1/oauth/revoke`.

Source: Kajabi openapi.yaml 1.1.0; the 401 text was seen on the real API by the w6w-apps Kajabi client. Unlike the
rest, these routes take forms, answer `application/json` and refuse with a flat `{"error": …}`.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hookwright.core.errors import Unauthorized
from hookwright.core.model import SECOND, Key
from hookwright.dialects.kajabi.bodies import read_form
from hookwright.dialects.kajabi.callers import Authenticated, Surface, count_request, surface_of
from hookwright.dialects.kajabi.errors import Refused
from hookwright.dialects.kajabi.events import narrowed
from hookwright.dialects.kajabi.schemas import TokenPair, flat_refusals, request_body
from hookwright.operations.grants import (
    GrantRequest,
    TokenRefused,
    authenticate_refresh,
    issue_tokens,
    revoke_token,
)
from hookwright.operations.keys import authenticate_client
from hookwright.web.forms import FORM

router = APIRouter(prefix="/oauth", tags=["Authentication"], default_response_class=JSONResponse)


@router.post(
    "/token",
    summary="Request an access token",
    response_model=TokenPair,
    responses=flat_refusals(400, 401, 413, 429, 503),
    openapi_extra=request_body("TokenRequest", FORM),
)
async def request_token(request: Request) -> Response:
    """A pair of tokens for a key's `client_id` and `client_secret`, or for a refresh token.

    A refresh token may be used again until it expires or is revoked. There are no people here, so `username` and
    `password` are the `client_id` and `client_secret` of a key too.
    """
    surface = surface_of(request)
    wanted = await _grant_request(surface, await read_form(request))
    count_request(surface, wanted.key_id)
    tokens = await issue_tokens(surface.services, wanted)
    pair = {
        "access_token": tokens.access,
        "refresh_token": tokens.refresh,
        "token_type": "Bearer",
        "expires_in": tokens.expires_in_seconds,
    }
    return JSONResponse(pair, headers={"Cache-Control": "no-store"})  # RFC 6749 §5.1


@router.post(
    "/revoke",
    summary="Revoke a token",
    response_class=Response,
    responses={200: {"description": "Both tokens of the pair are revoked"}, **flat_refusals(400, 401, 413, 429, 503)},
    openapi_extra=request_body("TokenRevocation", FORM),
)
async def revoke(request: Request, caller: Authenticated) -> Response:
    """Revoke an access or a refresh token of the account, and with it the other token of its pair."""
    form = await read_form(request)
    token = form.get("token")
    if not token:
        raise Refused(401, "Missing token")  # Kajabi's document has no other refusal of this request
    # RFC 7009 §2.1: a token that was given to somebody else is not the caller's to revoke, nor to learn of.
    if await revoke_token(caller.services, "kajabi", token, caller.account_id) is None:
        raise Refused(401, "Invalid token")
    return Response()


async def _grant_request(surface: Surface, form: dict[str, str]) -> GrantRequest:
    """What a form asks a grant for, once its credentials are known. Raises Refused (400, 401)."""
    match form.get("grant_type", ""):
        case "client_credentials":
            return await _for_client(surface, form, "client_id", "client_secret")
        case "refresh_token":
            return await _for_refresh_token(surface, form)
        case "" | "password" if "username" in form or "password" in form:
            return await _for_client(surface, form, "username", "password")
        case "":
            raise Refused(400, "Missing grant_type")
        case _:
            raise Refused(400, "Unsupported grant_type")


async def _for_client(surface: Surface, form: dict[str, str], id_field: str, secret_field: str) -> GrantRequest:
    client_id, secret = form.get(id_field, ""), form.get(secret_field, "")
    if not client_id or not secret:
        raise Refused(400, f"Missing {id_field} or {secret_field}")
    try:
        key = await authenticate_client(surface.services, client_id, secret)
    except Unauthorized:
        raise Refused(401, "Invalid client credentials") from None
    return _for_key(surface, key, narrowed(key.scopes, form.get("scope", "")))


async def _for_refresh_token(surface: Surface, form: dict[str, str]) -> GrantRequest:
    token = form.get("refresh_token", "")
    if not token:
        raise Refused(400, "Missing refresh_token")
    try:
        spent = await authenticate_refresh(surface.services, "kajabi", token)
    except TokenRefused:
        raise Refused(401, "Invalid refresh token") from None
    # A key that is rotated or deleted takes its tokens along; one that merely expires does not.
    key = await surface.services.store.key(spent.key_id) if spent.key_id is not None else None
    if key is None or _seconds_left(surface, key) <= 0:
        raise Refused(401, "Invalid refresh token")
    return _for_key(surface, key, narrowed(spent.scopes, form.get("scope", "")))


def _for_key(surface: Surface, key: Key, scopes: tuple[str, ...]) -> GrantRequest:
    assert key.account_id is not None  # as `create_key` promises for every key of a vendor's kind
    seconds = min(surface.access_token_seconds, _seconds_left(surface, key))
    return GrantRequest("kajabi", key.account_id, scopes, seconds, key_id=key.id)


def _seconds_left(surface: Surface, key: Key) -> int:
    """How long a key still lives: no token of it lives longer."""
    if key.expires_at is None:
        return surface.access_token_seconds
    return max(0, -(-(key.expires_at - surface.services.clock.now()) // SECOND))
