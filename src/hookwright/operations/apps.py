"""OAuth apps: programs that accounts may let in."""

import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from hookwright.ambient import digest, matches, new_token, public_id, row_id
from hookwright.core.errors import Invalid, NotFound, Problem, Unauthorized
from hookwright.core.model import OAuthApp
from hookwright.operations.accounts import MAX_NAME_LENGTH
from hookwright.operations.audit import new_entry
from hookwright.operations.grants import ACCESS_PREFIXES
from hookwright.operations.services import Services

CLIENT_ID_PREFIX = "kitapp"
CLIENT_SECRET_PREFIX = "kitappsec"  # noqa: S105 - the public prefix of every client secret
MAX_REDIRECT_URI_LENGTH = 2000

# Apps belong to no account; they live in the first lane.
_LANE_INDEX = 0

# Stricter than RFC 3986, since the host is repeated in the consent page's Content-Security-Policy.
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+", re.IGNORECASE)
_VISIBLE_ASCII = re.compile(r"[!-~]+")


class NewApp(NamedTuple):
    """An app, the `client_id` that it is known by, and its secret, which nobody can see again."""

    app: OAuthApp
    client_id: str
    client_secret: str | None


async def create_app(services: Services, name: str, redirect_uris: Sequence[str], confidential: bool) -> NewApp:
    """A new app; a confidential one gets a secret. Raises Invalid below `/name` and `/redirect_uris`."""
    _check(name, redirect_uris)
    app_id = await services.store.new_id(_LANE_INDEX)
    secret = new_token(CLIENT_SECRET_PREFIX, app_id) if confidential else None
    app = OAuthApp(
        id=app_id,
        name=name,
        secret_digest=digest(secret) if secret else None,
        redirect_uris=tuple(redirect_uris),
        created_at=services.clock.now(),
    )
    await services.store.add_app(app, await new_entry(services, "app.created", app_id, None))
    return NewApp(app, client_id_of(app), secret)


async def delete_app(services: Services, app_id: int) -> None:
    """Delete an app; every token that it holds ends at once. Raises NotFound."""
    entry = await new_entry(services, "app.deleted", app_id, None)
    if not await services.store.delete_app(app_id, services.clock.now(), entry):
        raise NotFound(f"app {app_id} does not exist")


async def find_app(services: Services, client_id: str) -> OAuthApp | None:
    """The app that a `client_id` names."""
    app_id = row_id(client_id, CLIENT_ID_PREFIX)
    return await services.store.app(app_id) if app_id is not None else None


async def authenticate_app(services: Services, client_id: str, client_secret: str | None) -> OAuthApp:
    """The app that proves to be this client; a public one has no secret and gives none. Raises Unauthorized."""
    app = await find_app(services, client_id)
    if app is None:
        raise Unauthorized("unknown client id")
    if app.secret_digest is None:
        if client_secret:
            raise Unauthorized("a public client has no secret")
    elif not client_secret or not matches(client_secret, app.secret_digest):
        raise Unauthorized("wrong client secret")
    return app


def mint_app_token(app: OAuthApp) -> str:
    """An access token for an app that acts for nobody. It opens no account, so nothing of it is kept."""
    return new_token(ACCESS_PREFIXES["kit"], app.id)


def client_id_of(app: OAuthApp) -> str:
    """The `client_id` that an app is known by."""
    return public_id(CLIENT_ID_PREFIX, app.id)


def redirect_uri_problem(uri: str) -> str | None:
    """Why a URI cannot be redirected to, in words for the person who gave it, or None if it can."""
    if len(uri) > MAX_REDIRECT_URI_LENGTH:
        return f"is too long (at most {MAX_REDIRECT_URI_LENGTH} characters)"
    if not _VISIBLE_ASCII.fullmatch(uri) or "\\" in uri:
        return "must be an absolute URL in ASCII"
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return "must be an absolute URL"
    return _parts_problem(uri, parts)


def _parts_problem(uri: str, parts: SplitResult) -> str | None:
    host = parts.hostname or ""
    if not _HOST.fullmatch(host) or parts.username is not None or parts.password is not None:
        return "must be an absolute URL with a host and without a user name"
    if "#" in uri:  # RFC 6749 §3.1.2
        return "must not have a fragment"
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return None
    return "must be https, or http on a loopback address"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _check(name: str, redirect_uris: Sequence[str]) -> None:
    if not name.strip() or "\0" in name:
        raise Invalid(Problem("/name", "can't be blank", "blank"))
    if len(name) > MAX_NAME_LENGTH:
        raise Invalid(Problem("/name", f"is too long (at most {MAX_NAME_LENGTH} characters)", "too_long"))
    if not redirect_uris:
        raise Invalid(Problem("/redirect_uris", "needs at least one URI", "blank"))
    problems = [
        Problem(f"/redirect_uris/{index}", problem)
        for index, uri in enumerate(redirect_uris)
        if (problem := redirect_uri_problem(uri))
    ]
    if problems:
        raise Invalid(*problems)
