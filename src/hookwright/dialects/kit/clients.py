"""Which app is calling the token or revocation endpoint, and with which parameters (RFC 6749 §2.3, §3.2)."""

from base64 import b64decode
from typing import NamedTuple
from urllib.parse import unquote_plus

from starlette.requests import Request

from hookwright.core.errors import Invalid, Unauthorized
from hookwright.core.model import OAuthApp
from hookwright.dialects.kit.errors import OAuthRefused
from hookwright.dialects.kit.surface import Surface
from hookwright.operations.apps import authenticate_app, find_app
from hookwright.web.forms import form_pairs
from hookwright.web.limits import parse_json, read_body


class ClientProof(NamedTuple):
    """Who a client says it is, and its secret if it has one."""

    client_id: str
    client_secret: str | None


async def read_parameters(request: Request) -> dict[str, str]:
    """The parameters of the body: JSON, as Kit's own SDKs send it, or a form. Raises OAuthRefused."""
    body = await read_body(request)
    if "json" not in request.headers.get("content-type", ""):
        return _once_each(await _form(request, body))
    try:
        value = parse_json(body)
    except Invalid:
        raise malformed("The request body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise malformed("The request body must be a JSON object.")
    return {name: item for name, item in value.items() if isinstance(item, str)}


def required(parameters: dict[str, str], name: str) -> str:
    """A parameter that must be there. Raises OAuthRefused."""
    value = parameters.get(name)
    if not value:
        raise malformed(f"Missing required parameter: {name}.")
    return value


async def authenticate_client(surface: Surface, request: Request, parameters: dict[str, str]) -> OAuthApp:
    """The app that is calling, by `client_secret_post`, HTTP Basic or, if public, its id. Raises OAuthRefused."""
    return await _authenticate(surface, _proof_of(request, parameters))


async def authenticate_refreshing_client(surface: Surface, request: Request, parameters: dict[str, str]) -> OAuthApp:
    """As `authenticate_client`, but what a public app sends as a secret is not looked at: Kit tolerates one here."""
    proof = _proof_of(request, parameters)
    app = await find_app(surface.services, proof.client_id)
    is_public = app is not None and app.secret_digest is None
    return await _authenticate(surface, proof._replace(client_secret=None) if is_public else proof)


def malformed(description: str) -> OAuthRefused:
    """A refusal of the request as such."""
    return OAuthRefused("invalid_request", description)


def _proof_of(request: Request, parameters: dict[str, str]) -> ClientProof:
    proof = _basic_proof(request) or ClientProof(
        parameters.get("client_id", ""), parameters.get("client_secret") or None
    )
    if parameters.get("client_id", proof.client_id) != proof.client_id:
        raise malformed("The client_id in the body is not the one in the Authorization header.")
    return proof


async def _authenticate(surface: Surface, proof: ClientProof) -> OAuthApp:
    try:
        return await authenticate_app(surface.services, proof.client_id, proof.client_secret)
    except Unauthorized:
        raise _invalid_client() from None


async def _form(request: Request, body: bytes) -> list[tuple[str, str]]:
    try:
        return await form_pairs(request, body)
    except Invalid:
        raise malformed("The request body is not a form.") from None


def _once_each(pairs: list[tuple[str, str]]) -> dict[str, str]:
    values = dict(pairs)
    if len(values) != len(pairs):  # RFC 6749 §3.2
        raise malformed("A parameter appears more than once.")
    return values


def _basic_proof(request: Request) -> ClientProof | None:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, client_secret = b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:  # neither base64 nor UTF-8
        raise _invalid_client() from None
    return ClientProof(unquote_plus(client_id), unquote_plus(client_secret) or None)


def _invalid_client() -> OAuthRefused:
    return OAuthRefused(
        "invalid_client",
        "Client authentication failed due to unknown client, no client authentication included, or unsupported "
        "authentication method.",
        401,
    )
