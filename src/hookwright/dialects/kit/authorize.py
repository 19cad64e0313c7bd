"""The authorization endpoint: an account decides whether an app may act for it (RFC 6749 §4.1, RFC 7636).

Nothing is remembered between the page and the decision: the form carries the whole request again, and it is
checked again. Where somebody signs in, the typed API key is what a forger lacks; where nobody does (in
development), a form that another site sends is refused.
"""

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hookwright.core.audit import Actor
from hookwright.core.errors import Unauthorized
from hookwright.core.model import Account, OAuthApp
from hookwright.dialects.kit.credentials import SCOPES, Caller, caller_of
from hookwright.dialects.kit.documented import UNAVAILABLE, page, query_parameter, refusals, request_body
from hookwright.dialects.kit.pages import PageRefused, consent_page
from hookwright.dialects.kit.schemas import ConsentForm, OAuthError
from hookwright.dialects.kit.surface import KitSurface, Surface
from hookwright.operations.apps import find_app
from hookwright.operations.codes import issue_code
from hookwright.operations.keys import authenticate_key
from hookwright.web.limits import read_body

# What real tokens carry, although the OpenAPI document only knows `read` and `write`.
DEFAULT_SCOPE = "public"
KNOWN_SCOPES = frozenset({DEFAULT_SCOPE, *SCOPES})

# A SHA-256 in base64url without padding (RFC 7636 §4.2).
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")

router = APIRouter(tags=["OAuth"])


class AuthorizeRequest(NamedTuple):
    """What an app asks for; an absent parameter is empty. `tenant_name` says for which of its sites it asks."""

    client_id: str = ""
    redirect_uri: str = ""
    response_type: str = ""
    state: str = ""
    scope: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""
    tenant_name: str = ""


# Without these there is nobody to ask and nowhere to go back to.
REQUIRED = ("client_id", "redirect_uri", "response_type")


class RedirectFault(NamedTuple):
    """Why a request is refused, told to the app through the browser (RFC 6749 §4.1.2.1; Doorkeeper's texts)."""

    error: str
    error_description: str


_PAGES = {
    **page("The consent page", 200),
    **page("Why the request goes no further", 400),
    **refusals(OAuthError, UNAVAILABLE),
    303: {"description": "Back to the app, with a code or an error"},
}

DENIED = RedirectFault("access_denied", "The resource owner or authorization server denied the request.")


@router.get(
    "/v4/oauth/authorize",
    response_class=HTMLResponse,
    responses=_PAGES,
    openapi_extra={
        "parameters": [query_parameter(name, required=name in REQUIRED) for name in AuthorizeRequest._fields]
    },
)
@router.get("/oauth/authorize", include_in_schema=False)
async def show_the_consent_page(request: Request, surface: KitSurface) -> Response:
    """Ask a person whether an app may act for the account. Parameters: RFC 6749 §4.1.1 and RFC 7636 §4.3."""
    app, asked = await _known_request(surface, request.query_params.multi_items())
    if fault := fault_of(app, asked):
        return _redirect(asked, fault._asdict())
    return await _page(request, surface, app, asked)


@router.post(
    "/v4/oauth/authorize",
    response_class=HTMLResponse,
    responses={
        **_PAGES,
        **page("The account has not proved to be one", 401),
        **page("Another site has sent the form", 403),
        **refusals(OAuthError, {413: "The form is too large"}),
    },
    openapi_extra=request_body(ConsentForm, "application/x-www-form-urlencoded"),
)
@router.post("/oauth/authorize", include_in_schema=False)
async def decide(request: Request, surface: KitSurface) -> Response:
    """The person's decision, as the consent page's form sends it."""
    _refuse_other_sites(request)
    form = parse_qsl((await read_body(request)).decode(errors="replace"), keep_blank_values=True)
    app, asked = await _known_request(surface, form)
    if fault := fault_of(app, asked):
        return _redirect(asked, fault._asdict())
    values = dict(form)
    if values.get("decision") == "deny":
        return _redirect(asked, DENIED._asdict())
    consenter = await _consenter_of(surface, values)
    if consenter is None:
        return await _page(request, surface, app, asked, refused=True)
    code = await issue_code(
        consenter.services,
        app,
        consenter.account_id,
        asked.redirect_uri,
        asked.code_challenge or None,
        asked.scope or DEFAULT_SCOPE,
    )
    return _redirect(asked, {"code": code})


def fault_of(app: OAuthApp, asked: AuthorizeRequest) -> RedirectFault | None:
    """Why an app's request is refused, or None when a person may be asked."""
    if not asked.response_type:
        return RedirectFault("invalid_request", "Missing required parameter: response_type.")
    if asked.response_type != "code":
        return RedirectFault(
            "unsupported_response_type", "The authorization server does not support this response type."
        )
    if not set(asked.scope.split()) <= KNOWN_SCOPES:
        return RedirectFault("invalid_scope", "The requested scope is invalid, unknown, or malformed.")
    return _challenge_fault(app, asked)


def redirect_uri_with(redirect_uri: str, parameters: dict[str, str]) -> str:
    """A redirect URI with more parameters after those that it already has (RFC 6749 §3.1.2)."""
    separator = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{separator}{urlencode(parameters)}"


def _challenge_fault(app: OAuthApp, asked: AuthorizeRequest) -> RedirectFault | None:
    if not asked.code_challenge and not asked.code_challenge_method:
        if app.secret_digest is None:
            return RedirectFault("invalid_request", "Missing required parameter: code_challenge.")
        return None
    # Without a method RFC 7636 means `plain`, which would let whoever sees the request redeem the code.
    if asked.code_challenge_method != "S256":
        return RedirectFault("invalid_request", "The code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(asked.code_challenge):
        return RedirectFault("invalid_request", "The code_challenge must be a base64url SHA-256 without padding.")
    return None


async def _known_request(surface: Surface, pairs: list[tuple[str, str]]) -> tuple[OAuthApp, AuthorizeRequest]:
    """The app that asks and what it asks for. Raises PageRefused where redirecting would serve an attacker."""
    values = [(name, value) for name, value in pairs if name in AuthorizeRequest._fields]
    if len(dict(values)) != len(values):  # RFC 6749 §3.1
        raise PageRefused("A parameter of this request appears more than once.")
    asked = AuthorizeRequest(**dict(values))
    app = await find_app(surface.services, asked.client_id)
    if app is None:
        raise PageRefused("This app is not known here: its client_id is wrong, or it was deleted.")
    if asked.redirect_uri not in app.redirect_uris:
        raise PageRefused("The redirect_uri of this request is not one that the app has registered.")
    return app, asked


async def _consenter_of(surface: Surface, values: dict[str, str]) -> Caller | None:
    """Who sends the form, for which account; None when it does not prove that it may speak for one."""
    if not surface.settings.sign_in_on_consent:
        chosen = values.get("account", "")
        found = [account.id for account in await _all_accounts(surface) if str(account.id) == chosen]
        developer = Actor(way="kit", kind="machine", name="this machine")
        return Caller(found[0], None, surface.services.on_behalf_of(developer)) if found else None
    try:
        return caller_of(surface, await authenticate_key(surface.services, "kit", values.get("api_key", "").strip()))
    except Unauthorized:
        return None


async def _all_accounts(surface: Surface) -> list[Account]:
    """Every account, by id: what a developer may choose from."""
    found: list[Account] = []
    while some := await surface.services.store.accounts(after=found[-1].id if found else 0):
        found += some
    return found


async def _page(
    request: Request, surface: Surface, app: OAuthApp, asked: AuthorizeRequest, refused: bool = False
) -> Response:
    signs_in = surface.settings.sign_in_on_consent
    accounts = [] if signs_in else await _all_accounts(surface)
    hidden = {name: value for name, value in asked._asdict().items() if value}
    return consent_page(app, request.url.path, hidden, signs_in, accounts, refused)


def _redirect(asked: AuthorizeRequest, parameters: dict[str, str]) -> Response:
    state = {"state": asked.state} if asked.state else {}
    # 303, so that the browser never sends the form, with the key in it, on to the app (RFC 9700 §4.12).
    location = redirect_uri_with(asked.redirect_uri, {**parameters, **state})
    return RedirectResponse(location, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _refuse_other_sites(request: Request) -> None:
    """Raise PageRefused when a browser says that another site sent this form; other clients say nothing."""
    fetch_site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = fetch_site not in (None, "same-origin", "none") or (
        origin is not None and _host_of(origin) != request.headers.get("host")
    )
    if foreign:
        raise PageRefused("This form was sent by another site.", 403)


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # such as `http://[`, which no browser sends
        return None
