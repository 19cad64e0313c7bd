"""A secret in the wrong place: no refusal repeats it, and no log line does (the scan of the log looks at those)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any, NamedTuple

import httpx
import pytest

from fuzz.conftest import Running
from fuzz.surfaces import SURFACES, Body, Credential, Surface, known_places
from fuzz.tenants import Tenant
from hookwright.ambient import new_signing_key, new_token
from hookwright.core.signing import encode_secret


class Call(NamedTuple):
    """A request with a secret where none belongs."""

    about: str
    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: Any = None


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_no_refusal_repeats_a_secret(surface: Surface, dev: Running, http: httpx.Client) -> None:
    secrets = cycle([new_token("hw", 64), encode_secret(new_signing_key()), new_token("kitat", 64)])
    repeated, refusals = [], 0
    for path, methods in http.get(surface.document).json()["paths"].items():
        for method, described in methods.items():
            tenant = Tenant(http, dev.given)
            credential = next(each for each in surface.credentials(tenant) if each.strong)
            for secret, call in zip(secrets, _calls(surface, method.upper(), path, described, tenant), strict=False):
                answer = _send(http, method, _with(call, secret), credential)
                refusals += answer.status_code >= 400
                if answer.status_code >= 400 and _has(answer, secret):
                    repeated.append(f"{method} {path} with {call.about}: {answer.status_code} {answer.text[:200]}")
    assert not repeated, "\n".join(repeated)
    assert refusals > 50


HERE = "the-place-of-a-secret"


def _calls(surface: Surface, method: str, path: str, described: Any, tenant: Tenant) -> Iterator[Call]:
    label = f"{method} {path}"
    good: Body = surface.bodies[label](tenant) if "requestBody" in described else {}
    place = path.format(**known_places(surface, method, path, tenant))
    if "{" in path:
        yield Call("a place", path.format_map(_Everywhere()), body=good)
    yield Call("an unknown parameter", place, query={HERE: "1"}, body=good)
    yield Call("its key", place, headers={"Authorization": f"Bearer {HERE}", "X-Kit-Api-Key": HERE}, body=good)
    for parameter in described.get("parameters", []):
        if parameter["in"] == "query":
            yield Call(f"the parameter {parameter['name']}", place, query={parameter["name"]: HERE}, body=good)
    if "requestBody" in described:
        yield Call("a whole body", place, body=HERE)
        yield Call("a name", place, body={**good, HERE: 1})
        for where, body in _each_value_replaced(good):
            yield Call(f"a value at {where}", place, body=body)


def _each_value_replaced(value: Any) -> Iterator[tuple[str, Any]]:
    """The value with each of its members replaced by a secret, by a list of one, and by an object with its name."""
    for name, member in value.items() if isinstance(value, Mapping) else ():
        for instead in (HERE, [HERE], {HERE: HERE}):
            yield f"/{name}", {**value, name: instead}
        for where, inner in _each_value_replaced(member):
            yield f"/{name}{where}", {**value, name: inner}


class _Everywhere(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return HERE


def _with(call: Call, secret: str) -> Call:
    def put(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace(HERE, secret)
        if isinstance(value, Mapping):
            return {put(name): put(member) for name, member in value.items()}
        return [put(item) for item in value] if isinstance(value, list) else value

    return Call(*map(put, call))


def _send(http: httpx.Client, method: str, call: Call, credential: Credential) -> httpx.Response:
    headers, query = {**credential.headers, **call.headers}, {**credential.query, **call.query}
    if call.path.startswith(("/v1/oauth/", "/v4/oauth/")) and isinstance(call.body, Mapping):
        form = {name: value for name, value in call.body.items() if isinstance(value, str)}
        return http.request(method, call.path, params=query, headers=headers, data=form)
    return http.request(method, call.path, params=query, headers=headers, json=call.body)


def _has(answer: httpx.Response, secret: str) -> bool:
    """Whether a refusal repeats a secret, or enough of it to find it."""
    told = answer.text + "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
    return secret[-30:] in told or secret[:30] in told
