"""The token and revocation endpoints (RFC 6749 §3.2, RFC 7009), as JSON or as a form, under both of Kit's paths.

Kit documents `/v4/oauth/*`; its own SDKs call `/oauth/*`. The descriptions of errors are Doorkeeper's, the
library whose behaviour Kit's server shows.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hookwright.core.model import SECOND, Grant, Instant, OAuthApp, OAuthCode
from hookwright.dialects.kit.authorize import DEFAULT_SCOPE
from hookwright.dialects.kit.clients import (
    authenticate_client,
    authenticate_refreshing_client,
    read_parameters,
    required,
)
from hookwright.dialects.kit.documented import UNAVAILABLE, refusals, request_body
from hookwright.dialects.kit.errors import OAuthRefused
from hookwright.dialects.kit.schemas import OAuthError, RevocationRequest, TokenAnswer, TokenRequest
from hookwright.dialects.kit.surface import KitJson, KitSurface, Surface
from hookwright.operations.apps import mint_app_token
from hookwright.operations.codes import find_code
from hookwright.operations.grants import (
    TokenRefused,
    Tokens,
    authenticate_access,
    authenticate_refresh,
    redeem_code,
    refresh_tokens,
    revoke_token,
)
from hookwright.web.forms import FORM

# About 48 hours, as linyiru/kit-rb observed; clients add `expires_in` to `created_at`.
ACCESS_TOKEN_SECONDS = 172_800

MEDIA_TYPES = ("application/json", FORM)

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 §4.1

router = APIRouter(
    tags=["OAuth"],
    responses=refusals(
        OAuthError,
        {400: "The request or the grant is not valid", 401: "The client is unknown", 413: "The body is too large"},
        UNAVAILABLE,
    ),
)


@router.post(
    "/v4/oauth/token",
    responses={200: {"model": TokenAnswer}},
    openapi_extra=request_body(TokenRequest, *MEDIA_TYPES),
)
@router.post("/oauth/token", include_in_schema=False)
async def issue_a_token(request: Request, surface: KitSurface) -> Response:
    """Exchange a code or a refresh token, each of which is good once, for a new pair of tokens."""
    parameters = await read_parameters(request)
    grant_type = required(parameters, "grant_type")
    if grant_type not in ("authorization_code", "refresh_token", "client_credentials"):
        raise OAuthRefused(
            "unsupported_grant_type", "The authorization grant type is not supported by the authorization server."
        )
    authenticate = authenticate_refreshing_client if grant_type == "refresh_token" else authenticate_client
    app = await authenticate(surface, request, parameters)
    if grant_type == "client_credentials":
        return _answer_app_token(surface, app)
    redeem = _tokens_for_code if grant_type == "authorization_code" else _tokens_for_refresh_token
    return _answer(await redeem(surface, app, parameters))


@router.post(
    "/v4/oauth/revoke",
    response_class=Response,
    responses={200: {"description": "The token is good no more, or never was"}},
    openapi_extra=request_body(RevocationRequest, *MEDIA_TYPES),
)
@router.post("/oauth/revoke", include_in_schema=False)
async def revoke_a_token(request: Request, surface: KitSurface) -> Response:
    """End an access token and the refresh token that came with it; naming either ends both."""
    parameters = await read_parameters(request)
    app = await authenticate_client(surface, request, parameters)
    token = required(parameters, "token")
    grant = await _grant_of(surface, token)
    # RFC 7009 §2.1: only the client that was given a token may revoke it, and it learns nothing about others.
    if grant is not None and grant.app_id == app.id:
        await revoke_token(surface.services, "kit", token)
    return Response(headers={"Cache-Control": "no-store"})


def verifies(verifier: str, challenge: str) -> bool:
    """Whether a PKCE verifier is the one that a challenge was made of, by the method S256 (RFC 7636 §4.6)."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    made = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode())


async def _tokens_for_code(surface: Surface, app: OAuthApp, parameters: dict[str, str]) -> Tokens:
    services = surface.services
    redirect_uri = required(parameters, "redirect_uri")
    code = await find_code(services, required(parameters, "code"))
    if code is None or code.app_id != app.id or await services.store.account(code.account_id) is None:
        raise _invalid_grant()
    verifier = parameters.get("code_verifier", "")
    # A spent code goes on to `redeem_code` whatever comes with it: there its second use ends what it bought.
    if code.used_at is None and not _fits(code, redirect_uri, verifier, services.clock.now()):
        raise _invalid_grant()
    tokens = await redeem_code(services, code, _access_seconds(surface))
    if tokens is None:
        raise _invalid_grant()
    return tokens


def _fits(code: OAuthCode, redirect_uri: str, verifier: str, now: Instant) -> bool:
    if code.expires_at <= now or code.redirect_uri != redirect_uri:
        return False
    if code.challenge is None:
        return not verifier  # RFC 9700 §4.8.2: a verifier without a challenge means that somebody took it away
    return verifies(verifier, code.challenge)


async def _tokens_for_refresh_token(surface: Surface, app: OAuthApp, parameters: dict[str, str]) -> Tokens:
    try:
        grant = await authenticate_refresh(surface.services, "kit", required(parameters, "refresh_token"))
        if grant.app_id != app.id:
            raise _invalid_grant()
        return await refresh_tokens(surface.services, grant, _access_seconds(surface))
    except TokenRefused:
        raise _invalid_grant() from None


async def _grant_of(surface: Surface, token: str) -> Grant | None:
    """The grant that an access or refresh token belongs to, if only to one that is over."""
    for authenticate in (authenticate_access, authenticate_refresh):
        try:
            return await authenticate(surface.services, "kit", token)
        except TokenRefused as refused:
            if refused.grant is not None:
                return refused.grant
    return None


def _answer(tokens: Tokens) -> Response:
    return _uncached(
        {
            "access_token": tokens.access,
            "token_type": "Bearer",
            "expires_in": tokens.expires_in_seconds,
            "refresh_token": tokens.refresh,
            "scope": " ".join(tokens.grant.scopes),
            "created_at": tokens.grant.created_at // SECOND,
        }
    )


def _answer_app_token(surface: Surface, app: OAuthApp) -> Response:
    """As observed on the vendor's API: such a token is issued, without a refresh token, and opens nothing."""
    if app.secret_digest is None:
        raise OAuthRefused(
            "unauthorized_client", "The client is not authorized to perform this request using this method."
        )
    return _uncached(
        {
            "access_token": mint_app_token(app),
            "token_type": "Bearer",
            "expires_in": _access_seconds(surface),
            "scope": DEFAULT_SCOPE,
            "created_at": surface.services.clock.now() // SECOND,
        }
    )


def _uncached(body: dict[str, object]) -> Response:
    return KitJson(body, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


def _access_seconds(surface: Surface) -> int:
    return surface.settings.access_token_seconds or ACCESS_TOKEN_SECONDS


def _invalid_grant() -> OAuthRefused:
    return OAuthRefused(
        "invalid_grant",
        "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in "
        "the authorization request, or was issued to another client.",
    )
