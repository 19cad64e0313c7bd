"""The pages that people see on their way through OAuth: the consent and the refusal. No script, no frame."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from hookwright.core.model import Account, OAuthApp

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (_TEMPLATES / "page.css").read_text()
_STYLE_SOURCE = f"'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"

_environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
_environment.globals["style"] = _STYLE


class PageRefused(Exception):
    """An authorization request that must not lead to a redirect; the person is told why, on a page."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def consent_page(
    app: OAuthApp,
    action: str,
    hidden: Mapping[str, str],
    signs_in: bool,
    accounts: Sequence[Account],
    refused: bool,
) -> Response:
    """The page that asks whether an app may act for an account.

    `hidden` is the authorization request, for the form to carry. A person proves to be the account by its API key
    if `signs_in`, else chooses among `accounts`. `refused`: the last try did not prove it (401).
    """
    redirect_uri = hidden["redirect_uri"]
    html = _environment.get_template("consent.html").render(
        app=app,
        action=action,
        hidden=hidden,
        tenant_name=hidden.get("tenant_name"),
        destination=urlsplit(redirect_uri).netloc,
        signs_in=signs_in,
        accounts=accounts,
        refused=refused,
    )
    return _page(html, 401 if refused else 200, f"'self' {_form_target(redirect_uri)}")


def answer_page_refused(request: Request, error: Exception) -> Response:
    """The page that says why an authorization request goes no further."""
    assert isinstance(error, PageRefused)
    return _page(_environment.get_template("refusal.html").render(reason=error.reason), error.status, "'none'")


def _form_target(redirect_uri: str) -> str:
    """The redirect's origin: browsers hold the redirect after a form to the form's `form-action` as well."""
    parts = urlsplit(redirect_uri)
    # CSP has no syntax for IPv6 hosts, so for those the scheme has to do.
    return f"{parts.scheme}:" if "[" in parts.netloc else f"{parts.scheme}://{parts.netloc}"


def _page(html: str, status: int, form_action: str) -> Response:
    policy = (
        f"default-src 'none'; style-src {_STYLE_SOURCE}; form-action {form_action}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        # Not `no-referrer`: that would make browsers send the form with `Origin: null`.
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(html, status, headers)
