"""Every operation that the running app has, and each place in it where somebody may name what is not theirs.

What stands here is what neither routes nor documents can say: which parameter names a thing of what kind, and which
names nothing of anybody's. A parameter, a member of a body or a path of which nothing is said here fails the tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from hookwright.surfaces import Surfaces
from tenancy.holdings import Holdings
from tenancy.running import REDIRECT_URI

Where = Literal["path", "query", "body"]

# Walked in `console/test_foreign_ids.py`.
PAGES = ("/console", "/portal")

# Answers that are the same to everybody. Paths that end so, of any app.
OF_NOBODY = re.compile(r"/(openapi\.json|docs|healthz|readyz|metrics)")

# Not in any document: the paths of Kit's own SDKs for what the document has below /v4.
UNDOCUMENTED = re.compile(r"/oauth/(authorize|token|revoke)")

# By the noun before a parameter of a path: the kind of thing that it names.
KINDS_OF_PATHS = {
    "accounts": "account",
    "sites": "site",
    "keys": "platform's key",
    "endpoints": "endpoint",
    "listeners": "listener",
    "requests": "listener request",
    "events": "event",
    "replays": "replay",
    "hooks": "hook",
    "automations/hooks": "webhook",
    "webhooks": "webhook",
    "webhook_endpoints": "webhook endpoint",
    "deliveries": "delivery",
    "event-types": None,  # the platform's, the same for every account
}
KINDS_OF_OPERATIONS = {
    "POST /api/v1/deliveries/{id}/cancel": "waiting delivery",
    "GET /v4/webhook_endpoints/{id}/deliveries/{delivery_id}": "kit delivery",
}

# By the name of a parameter of a query.
KINDS_OF_QUERIES: Mapping[str, str | None] = {
    "account": "account",
    "endpoint": "endpoint",
    "event": "event",
    "actor": "platform's key",
    "object": "endpoint",
    **dict.fromkeys(("action", "way", "since", "until")),
    "filter[site_id]": "site",
    "filter[title_cont]": "title",
    "filter[subdomain_cont]": "title",
    **dict.fromkeys(("limit", "status", "event_type", "created_from", "created_to", "dialect")),
    **dict.fromkeys(("sort", "page[number]", "page[size]", "filter[event_eq]", "fields[sites]")),
    **dict.fromkeys(("per_page", "include_total_count", "include_payload")),
    **dict.fromkeys(("client_id", "redirect_uri", "response_type", "state", "scope", "tenant_name")),
    **dict.fromkeys(("code_challenge", "code_challenge_method")),
    "api_secret": None,  # it says who calls
}
CURSORS = {
    "GET /api/v1/deliveries": "delivery cursor",
    "GET /api/v1/replays": "replay cursor",
    "GET /api/v1/endpoints": "endpoint cursor",
    "GET /api/v1/accounts": "account cursor",
    "GET /api/v1/audit": "audit cursor",
    "GET /v4/webhooks": "webhook cursor",
    "GET /v4/webhook_endpoints": "webhook endpoint cursor",
    "GET /v4/webhook_endpoints/{id}/deliveries": "kit delivery cursor",
}

# By the last part of their place: the members of bodies that name something.
KINDS_OF_MEMBERS = {"account", "endpoint", "site", "idempotency_key", "token", "code", "refresh_token", "client_id"}
MEMBERS_OF_NOBODY = frozenset(
    (
        "attributes", "client_secret", "code_challenge", "code_challenge_method", "code_verifier",
        "created_from", "created_to", "data", "decision", "description", "dialect", "dry_run", "event",
        "events", "event_type", "expires_at", "finished_from", "force", "grant_type", "headers", "kind",
        "max_in_flight", "name", "occurred_at", "ordering", "ordering_key", "password", "rate_per_second",
        "redirect_uri", "relationships", "resource", "resource_id", "response_type", "retry_schedule",
        "sample", "schema", "scope", "scopes", "signature", "since", "state", "status", "statuses",
        "subdomain", "target_url", "tenant_name", "title", "token_type_hint", "type", "url", "accent",
        "expires_in_seconds", "logo", "permissions", "body", "detail", "error", "limit", "retry_after",
        "status_code", "wait_seconds", "username", "api_secret", "api_key", "id", "tag_id", "form_id",
        "sequence_id", "course_id", "product_id", "initiator_value", "custom_field_id",
    )
)  # fmt: skip


class Slot(NamedTuple):
    """A place in an operation where something is named, and the kind of thing."""

    where: Where
    name: str  # of a member of a body: its place, `data/relationships/site/data/id`
    kind: str


class Body(NamedTuple):
    """What a good body of an operation is, and where in it something is named."""

    of: Callable[[Holdings], dict[str, Any]]
    slots: tuple[tuple[str, str], ...] = ()
    form: bool = False


class Operation(NamedTuple):
    """One method of one path."""

    method: str
    path: str
    slots: tuple[Slot, ...]
    body: Body | None

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"


def _redemption(own: Holdings) -> dict[str, Any]:
    granted = {"grant_type": "authorization_code", "code": own.own("kit code"), "redirect_uri": REDIRECT_URI}
    return {**own.kit_proof, **granted}


def _refresh(own: Holdings) -> dict[str, Any]:
    return {**own.kit_proof, "grant_type": "refresh_token", "refresh_token": own.own("kit refresh token")}


_PUBLISH = Body(
    lambda own: own.event,
    (("account", "account"), ("site", "site"), ("idempotency_key", "idempotency_key")),
)
_BATCH = Body(
    lambda own: {"events": [own.event]},
    (("events/0/account", "account"), ("events/0/site", "site"), ("events/0/idempotency_key", "idempotency_key")),
)
_HOOK = Body(lambda own: own.hook, (("data/relationships/site/data/id", "site"),))
_CONSENT = Body(lambda own: own.kit_consent, (("account", "account"),), form=True)
_KIT_REVOCATION = Body(lambda own: {**own.kit_proof, "token": own.own("kit token")}, (("token", "kit token"),))

# By method and path: what has to be in a body for it to be a good one.
BODIES: Mapping[str, Body] = {
    "POST /api/v1/events": _PUBLISH,
    "POST /api/v1/events/batch": _BATCH,
    "PUT /api/v1/event-types/{name}": Body(lambda own: {}),
    "POST /api/v1/replays": Body(
        lambda own: {"account": own.account_id}, (("account", "account"), ("endpoint", "endpoint"))
    ),
    "POST /api/v1/endpoints": Body(
        lambda own: {"account": own.account_id, "url": own.target, "events": ["contact.*"]},
        (("account", "account"),),
    ),
    "PATCH /api/v1/endpoints/{id}": Body(lambda own: {"status": "paused", "name": "changed"}),
    "POST /api/v1/endpoints/{id}/recover": Body(lambda own: {}),
    "POST /api/v1/endpoints/{id}/test": Body(lambda own: {}),
    "POST /api/v1/listeners": Body(
        lambda own: {
            "account": own.account_id,
            "name": own.word,
            "events": ["form_submission"],
            "dialect": "kajabi",
            "site": int(own.own("site")),
        },
        (("account", "account"), ("site", "site")),
    ),
    "POST /api/v1/listeners/{id}/requests/fetch": Body(lambda own: {}),
    "POST /api/v1/listeners/{id}/requests/{request}/answer": Body(lambda own: {"status_code": 200}),
    "POST /api/v1/accounts": Body(lambda own: {"name": "another"}),
    "POST /api/v1/accounts/{id}/portal-links": Body(lambda own: {}),
    "POST /api/v1/accounts/{id}/sites": Body(lambda own: {"title": "another"}),
    "POST /api/v1/keys": Body(
        lambda own: {"kind": "hookwright", "account": own.account_id, "name": "another", "scopes": ["read"]},
        (("account", "account"),),
    ),
    "POST /v1/oauth/token": Body(
        lambda own: {
            "grant_type": "client_credentials",
            "client_id": own.own("client id"),
            "client_secret": own.secrets["kajabi"],
        },
        (("client_id", "client id"),),
        form=True,
    ),
    "POST /v1/oauth/revoke": Body(
        lambda own: {"token": own.own("kajabi refresh token")}, (("token", "kajabi refresh token"),), form=True
    ),
    "POST /v1/hooks": _HOOK,
    "POST /api/v1/hooks": _HOOK,
    "POST /v4/webhooks": Body(lambda own: own.webhook),
    "POST /v3/automations/hooks": Body(lambda own: own.webhook),
    "POST /v4/webhook_endpoints": Body(lambda own: own.webhook_endpoint),
    "PATCH /v4/webhook_endpoints/{id}": Body(lambda own: {"status": "disabled", "name": "changed"}),
    "POST /v4/webhook_endpoints/{id}/rotate_secret": Body(lambda own: {"force": True}),
    "POST /v4/oauth/authorize": _CONSENT,
    "POST /oauth/authorize": _CONSENT,
    # One operation under two paths: each grant is asked for under one of them.
    "POST /v4/oauth/token": Body(_redemption, (("code", "kit code"),)),
    "POST /oauth/token": Body(_refresh, (("refresh_token", "kit refresh token"),)),
    "POST /v4/oauth/revoke": _KIT_REVOCATION,
    "POST /oauth/revoke": _KIT_REVOCATION,
}

# What has to be in a query.
_AUTHORIZATION = ("client_id", "redirect_uri", "response_type")
QUERIES: Mapping[str, Callable[[Holdings], dict[str, str]]] = dict.fromkeys(
    ("GET /v4/oauth/authorize", "GET /oauth/authorize"),
    lambda own: {name: own.kit_consent[name] for name in _AUTHORIZATION},
)


def operations_of(app: Surfaces) -> list[Operation]:
    """Every method of every route that a request can reach. Fails for what nothing is said of here."""
    found: dict[str, Operation] = {}
    for surface in apps_of(app):
        document = surface.openapi()
        for method, path in _routes(surface):
            if OF_NOBODY.search(path):
                continue
            described = document["paths"].get(path, {}).get(method.lower())
            assert described is not None or UNDOCUMENTED.fullmatch(path), f"{method} {path} is in no document"
            operation = _operation(method, path, described or {}, document)
            found[operation.label] = operation
    return list(found.values())


def apps_of(app: Surfaces) -> list[FastAPI]:
    """The apps behind the prefixes, each once, but for those of pages."""
    behind = {id(each): each for prefix, each in app.made() if prefix not in PAGES}
    assert all(isinstance(each, FastAPI) for each in behind.values())
    return [each for each in behind.values() if isinstance(each, FastAPI)]


def _routes(surface: FastAPI) -> Iterator[tuple[str, str]]:
    for route in iter_route_contexts(surface.routes):
        assert route.path is not None, f"{route} is none of the routes that these tests know"
        assert route.methods, f"{route.path} answers to methods that these tests do not see"
        yield from ((method, route.path) for method in sorted(route.methods))


def _operation(method: str, path: str, described: Mapping[str, Any], document: Mapping[str, Any]) -> Operation:
    label = f"{method} {path}"
    body = BODIES.get(label)
    takes_body = "requestBody" in described
    assert body is not None or not takes_body, f"{label} takes a body, and BODIES has none"
    if takes_body:
        for name in _members(described["requestBody"], document):
            known = name in MEMBERS_OF_NOBODY or name in KINDS_OF_MEMBERS
            assert known, f"does `{name}` in the body of {label} name something of an account?"
    named_in_body = (Slot("body", place, kind) for place, kind in (body.slots if body else ()))
    return Operation(method, path, (*_slots_of_path(label), *_slots_of_query(label, described), *named_in_body), body)


def _slots_of_path(label: str) -> Iterator[Slot]:
    _, path = label.split(" ")
    for before, parameter in re.findall(r"((?:automations/)?[\w-]+)/\{(\w+)\}", path):
        assert before in KINDS_OF_PATHS, f"what does {{{parameter}}} in {label} name?"
        kind = KINDS_OF_PATHS[before]
        if path.endswith((f"{{{parameter}}}", f"{{{parameter}}}/cancel")):
            kind = KINDS_OF_OPERATIONS.get(label, kind)
        if kind is not None:
            yield Slot("path", parameter, kind)


def _slots_of_query(label: str, described: Mapping[str, Any]) -> Iterator[Slot]:
    for parameter in described.get("parameters", []):
        name = parameter["name"]
        if parameter["in"] == "query":
            is_cursor = name in ("cursor", "after", "before")
            assert label in CURSORS if is_cursor else name in KINDS_OF_QUERIES, f"what does {name} in {label} name?"
            kind = CURSORS[label] if is_cursor else KINDS_OF_QUERIES[name]
            if kind is not None:
                yield Slot("query", name, kind)
        else:
            known = parameter["in"] == "path" or name in ("Idempotency-Key", "traceparent")
            assert known, f"does the header {name} of {label} name something of an account?"


def _members(body: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    """The names of all members that a body may have, except what is in the data of an event."""
    for content in body["content"].values():
        yield from _members_of_schema(content["schema"], document, seen=set())


def _members_of_schema(schema: Any, document: Mapping[str, Any], seen: set[str]) -> Iterator[str]:
    if isinstance(schema, list):
        for each in schema:
            yield from _members_of_schema(each, document, seen)
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref")
    if reference is not None and reference not in seen and not reference.endswith("Data"):
        seen.add(reference)
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place.get(step, {})
        yield from _members_of_schema(place, document, seen)
    for name, member in schema.get("properties", {}).items():
        yield name
        yield from _members_of_schema(member, document, seen)
    for part in ("anyOf", "oneOf", "allOf", "items", "$defs"):
        yield from _members_of_schema(
            list(schema[part].values()) if part == "$defs" and part in schema else schema.get(part), document, seen
        )
