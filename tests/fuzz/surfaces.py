"""The three APIs: where each document is, what a good request is made of, and the one shape of every refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fuzz.tenants import Tenant

Body = Mapping[str, Any]


class Credential(NamedTuple):
    """How a caller proves itself. A `strong` one may do everything that its API offers."""

    name: str
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    strong: bool = False


class Surface(NamedTuple):
    """One API with its document."""

    name: str
    document: str
    credentials: Callable[[Tenant], list[Credential]]
    # By method and path: the members without which a body, or a query, cannot be a good one.
    bodies: Mapping[str, Callable[[Tenant], Body]]
    queries: Mapping[str, Callable[[Tenant], Body]]
    # The nouns of a path, or of one operation, whose ids another word stands for.
    nouns: Mapping[str, str]
    shape_problem: Callable[[str, int, str, Any], str | None]
    # Whether a path says 405 to a method that it does not have; to Rails there is no such path.
    knows_405: bool
    # Whether an operation refuses all that its document does not allow.
    is_strict: Callable[[str], bool]


def known_places(surface: Surface, method: str, path: str, tenant: Tenant) -> dict[str, str]:
    """Path parameters that lead somewhere; what a call uses up was made for it."""
    found = re.findall(r"([\w-]+)/\{(\w+)\}", path)
    places: dict[str, str] = {}
    for position, (noun, parameter) in enumerate(found):
        used_up = position == len(found) - 1 and _uses_up(method, path)
        if noun == "accounts" and not used_up:
            places[parameter] = str(tenant.account)
        else:
            word = surface.nouns.get(f"{method} {path}") or surface.nouns.get(noun, noun)
            places[parameter] = tenant.id_of(word, fresh=used_up)
    return places


def _uses_up(method: str, path: str) -> bool:
    # Only so many signing secrets may be live at once.
    return method == "DELETE" or path.endswith(("/signing-secrets/rotate", "/deliveries/{id}/cancel", "/answer"))


def _bearer(name: str, token: str, strong: bool = False) -> Credential:
    return Credential(name, {"Authorization": f"Bearer {token}"}, strong=strong)


def _own_credentials(tenant: Tenant) -> list[Credential]:
    scopes = ("admin", "publish", "read", "manage")
    keys = [(scope, of_platform) for scope in scopes for of_platform in (True, False)]
    return [
        _bearer(
            f"{scope} key of {'the platform' if of_platform else 'the account'}",
            tenant.new_key("hookwright", scope, of_platform=of_platform)["secret"],
            strong=scope == "admin" and of_platform,
        )
        for scope, of_platform in keys
    ]


def _kajabi_credentials(tenant: Tenant) -> list[Credential]:
    return [_bearer("access token", tenant.new_kajabi_tokens()["access_token"], strong=True)]


def _kit_credentials(tenant: Tenant) -> list[Credential]:
    # v3 takes the key as a parameter; v4 does not look there.
    v3 = {"api_secret": tenant.kit_key}
    return [
        Credential("API key", {"X-Kit-Api-Key": tenant.kit_key}, v3, strong=True),
        _bearer("access token of an app", tenant.new_kit_tokens()["access_token"]),
    ]


def _own_shape_problem(path: str, status: int, media_type: str, body: Any) -> str | None:
    if media_type != "application/problem+json":
        return f"a refusal as {media_type}"
    if not isinstance(body, dict) or list(body) != ["type", "title", "status", "detail", "errors"]:
        return "no problem details"
    if body["status"] != status:
        return f"problem details of a {body['status']}"
    if any(list(error) != ["pointer", "message", "code"] for error in body["errors"]):
        return "errors of another shape"
    return None


def _kajabi_shape_problem(path: str, status: int, media_type: str, body: Any) -> str | None:
    if path.startswith("/v1/oauth/"):
        flat = media_type == "application/json" and isinstance(body, dict) and list(body) == ["error"]
        return None if flat else "no flat error"
    if media_type != "application/vnd.api+json" or not isinstance(body, dict) or list(body) != ["errors"]:
        return "no JSON:API errors"
    if not body["errors"] or any(error.get("status") != str(status) for error in body["errors"]):
        return "JSON:API errors of another status"
    return None


def _kit_shape_problem(path: str, status: int, media_type: str, body: Any) -> str | None:
    if path == "/v4/oauth/authorize" and media_type == "text/html":
        return None  # It is a person who sees these refusals (RFC 6749 §4.1.2.1).
    if media_type != "application/json" or not isinstance(body, dict):
        return f"a refusal as {media_type}"
    if path.startswith("/v4/oauth/"):
        return None if list(body) == ["error", "error_description"] else "no error of RFC 6749"
    if path.startswith("/v3/"):
        return None if list(body) == ["error", "message"] else "no error of v3"
    texts = body.get("errors")
    described = (
        list(body) == ["errors"] and isinstance(texts, list) and texts and all(type(it) is str for it in texts)
    )
    return None if described else "no list of texts"


def _account(tenant: Tenant) -> Body:
    return {"account": tenant.account}


def _nothing(tenant: Tenant) -> Body:
    return {}


OWN = Surface(
    name="own",
    document="/api/v1/openapi.json",
    credentials=_own_credentials,
    bodies={
        "POST /api/v1/events": lambda tenant: tenant.event,
        "POST /api/v1/events/batch": lambda tenant: {"events": [tenant.event]},
        "PUT /api/v1/event-types/{name}": _nothing,
        "POST /api/v1/accounts/{id}/portal-links": _nothing,
        "POST /api/v1/replays": _account,
        "POST /api/v1/endpoints/{id}/recover": _nothing,
        "POST /api/v1/endpoints": lambda tenant: {
            "account": tenant.account,
            "url": "http://127.0.0.1:9/new",
            "events": ["contact.*", {"event": "form.submitted", "resource": "512"}],
        },
        "PATCH /api/v1/endpoints/{id}": lambda tenant: {"status": "active"},
        "POST /api/v1/endpoints/{id}/test": _nothing,
        "POST /api/v1/listeners": lambda tenant: {"account": tenant.account, "events": ["contact.*"]},
        "POST /api/v1/listeners/{id}/requests/fetch": _nothing,
        "POST /api/v1/listeners/{id}/requests/{request}/answer": lambda tenant: {"status_code": 200},
        "POST /api/v1/accounts": lambda tenant: {"name": "Blaise"},
        "POST /api/v1/accounts/{id}/sites": lambda tenant: {"title": "Wagers"},
        "POST /api/v1/keys": lambda tenant: {
            "kind": "hookwright",
            "account": tenant.account,
            "name": "Fuzz",
            "scopes": ["read"],
        },
    },
    queries={
        **{f"GET /api/v1/{noun}": _account for noun in ("deliveries", "replays", "endpoints", "keys")},
        "GET /api/v1/replays/{id}": _account,
        "POST /api/v1/replays/{id}/cancel": _account,
        **{f"{method} /api/v1/endpoints/{{id}}": _account for method in ("GET", "PATCH", "DELETE")},
        **{f"POST /api/v1/endpoints/{{id}}/{verb}": _account for verb in ("recover", "test")},
        "GET /api/v1/endpoints/{id}/blocked-lines": _account,
        "POST /api/v1/listeners/{id}/requests/fetch": _account,
        "POST /api/v1/listeners/{id}/requests/{request}/answer": _account,
        "GET /api/v1/endpoints/{id}/signing-secrets": _account,
        "POST /api/v1/endpoints/{id}/signing-secrets/rotate": _account,
    },
    nouns={"POST /api/v1/deliveries/{id}/cancel": "waiting_deliveries"},
    shape_problem=_own_shape_problem,
    # What is published is read leniently: the vendors' clients send an id as 123 and as "123".
    knows_405=True,
    is_strict=lambda label: not label.startswith("POST /api/v1/events"),
)

KAJABI = Surface(
    name="kajabi",
    document="/v1/openapi.json",
    credentials=_kajabi_credentials,
    bodies={
        "POST /v1/oauth/token": lambda tenant: {"grant_type": "client_credentials", **tenant.kajabi_client},
        "POST /v1/oauth/revoke": lambda tenant: {"token": tenant.new_kajabi_tokens()["refresh_token"]},
        "POST /v1/hooks": lambda tenant: tenant.hook,
        "POST /api/v1/hooks": lambda tenant: tenant.hook,
    },
    queries={},
    nouns={},
    shape_problem=_kajabi_shape_problem,
    # Numbers of pages that are none fall back to the default, as in Kajabi's gem jsonapi.rb; Rails casts strings.
    knows_405=False,
    is_strict=lambda label: False,
)

KIT = Surface(
    name="kit",
    document="/v4/openapi.json",
    credentials=_kit_credentials,
    bodies={
        "POST /v4/webhooks": lambda tenant: tenant.webhook,
        "POST /v4/webhook_endpoints": lambda tenant: tenant.webhook_endpoint,
        "PATCH /v4/webhook_endpoints/{id}": lambda tenant: {"status": "active"},
        "POST /v4/webhook_endpoints/{id}/rotate_secret": lambda tenant: {"force": True},
        "POST /v3/automations/hooks": lambda tenant: tenant.webhook,
        "POST /v4/oauth/authorize": lambda tenant: tenant.kit_consent,
        "POST /v4/oauth/token": lambda tenant: tenant.new_kit_code(),
        "POST /v4/oauth/revoke": lambda tenant: {
            **tenant.kit_app,
            "token": tenant.new_kit_tokens()["refresh_token"],
        },
    },
    queries={"GET /v4/oauth/authorize": lambda tenant: tenant.kit_authorization},
    nouns={"deliveries": "kit_deliveries", "hooks": "webhooks"},
    shape_problem=_kit_shape_problem,
    # Null counts as absent, ids may be strings, and OAuth ignores what it does not know (RFC 6749 §3.2).
    knows_405=False,
    is_strict=lambda label: False,
)

SURFACES = (OWN, KAJABI, KIT)
