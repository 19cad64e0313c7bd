"""Refusals in Kit's shapes: `{"errors": [text]}`, for v3 `{"error", "message"}`, for OAuth that of RFC 6749.

Texts: Kit openapi v4.json, developers.kit.com "Response codes" and "Rate limits", and the tests of Kit's own
WordPress libraries (`Authentication Failed`, `The access token expired`).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from hookwright.core.errors import (
    Conflict,
    Forbidden,
    HookwrightError,
    Invalid,
    NotFound,
    Problem,
    Unauthorized,
    Unavailable,
)
from hookwright.dialects.kit.surface import KitJson
from hookwright.web.limits import BodyTooLarge
from hookwright.web.rails import as_routed_by_rails, phrase_of

RETRY_AFTER_SECONDS = "5"


class RateLimited(Exception):
    """One request too many for its credential."""


class OAuthRefused(Exception):
    """A refusal of the token or revocation endpoint (RFC 6749 §5.2). The descriptions are Doorkeeper's."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status


class _Refusal(NamedTuple):
    status: int
    texts: Sequence[str]
    headers: Mapping[str, str] = {}


def install_refusals(app: FastAPI) -> None:
    """Answer everything that goes wrong in this app in Kit's shapes."""
    for kind in (HookwrightError, BodyTooLarge, ClientDisconnect, HTTPException, Exception):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(RateLimited, _answer_rate_limited)
    app.add_exception_handler(OAuthRefused, _answer_oauth)


def _answer(request: Request, error: Exception) -> Response:
    refusal = _refusal_of(error)
    path = request.url.path
    if path.startswith("/v3/"):
        body: object = _v3_shape(refusal)
    elif path.startswith(("/oauth/", "/v4/oauth/")):
        body = _oauth_shape(refusal)
    else:
        body = {"errors": list(refusal.texts)}
    return KitJson(body, refusal.status, dict(refusal.headers))


def _answer_rate_limited(request: Request, error: Exception) -> Response:
    # The vendor's 429 is plain text and has no Retry-After header.
    return PlainTextResponse("Retry later", 429)


def _answer_oauth(request: Request, error: Exception) -> Response:
    assert isinstance(error, OAuthRefused)
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    if error.status == 401 and "authorization" in request.headers:
        headers["WWW-Authenticate"] = 'Basic realm="Kit"'  # RFC 6749 §5.2: the scheme that the client used
    return KitJson({"error": error.error, "error_description": error.description}, error.status, headers)


def _refusal_of(error: Exception) -> _Refusal:
    match error:
        case Invalid():
            malformed = any(problem.code == "malformed" for problem in error.problems)
            return _Refusal(400 if malformed else 422, [_text(problem) for problem in error.problems])
        case Unauthorized():
            return _Refusal(401, [str(error)])
        case Forbidden():
            return _Refusal(
                403, ["You do not have sufficient permissions to access this resource. Please contact support."]
            )
        case NotFound():
            return _Refusal(404, ["Not Found"])
        case Conflict():
            return _Refusal(409, [str(error)])
        case Unavailable():
            return _Refusal(503, ["Service Unavailable"], {"Retry-After": RETRY_AFTER_SECONDS})
        case BodyTooLarge():
            return _Refusal(413, ["The request body is too large"])
        case ClientDisconnect():
            return _Refusal(400, ["The request body ended early"])
        case HTTPException():
            status = as_routed_by_rails(error.status_code)
            return _Refusal(status, [phrase_of(status)])
        case _:
            return _Refusal(500, ["Internal Server Error"])


def _text(problem: Problem) -> str:
    if problem.pointer == "/url":
        return f"Target url is invalid: {problem.message}"
    return problem.message


def _v3_shape(refusal: _Refusal) -> dict[str, str]:
    # Source: developers.kit.com "Response codes" (v3): `{"error": "Authorization Failed", "message": …}`.
    error = "Authorization Failed" if refusal.status == 401 else phrase_of(refusal.status)
    return {"error": error, "message": "; ".join(refusal.texts)}


def _oauth_shape(refusal: _Refusal) -> dict[str, str]:
    codes = {500: "server_error", 503: "temporarily_unavailable"}
    return {"error": codes.get(refusal.status, "invalid_request"), "error_description": "; ".join(refusal.texts)}
