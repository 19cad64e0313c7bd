"""Requests that name what is another's, each beside its twin that names what nobody ever had."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import httpx

from hookwright.web.methods import ROUTED
from tenancy.holdings import Holdings
from tenancy.operations import QUERIES, Operation, Slot
from tenancy.running import Running

OWN_API, KAJABI, KIT = ("/api/v1/",), ("/v1/", "/api/v1/hooks"), ("/v4/", "/v3/", "/oauth/")

# Which slot names what kind of thing, in one request.
Naming = Mapping[Slot, str]


class Credential(NamedTuple):
    """How a caller proves itself; `strong` where it may do all that an API offers to an account.

    One that reaches every account speaks for one: it names that account wherever an account can be named.
    """

    name: str
    headers: Mapping[str, str]
    query: Mapping[str, str] = {}
    strong: tuple[str, ...] = ()
    reaches_all: bool = False


class Exchange(NamedTuple):
    """A request and its answer, with what it named taken out of both."""

    status: int
    headers: Mapping[str, str]
    text: str


async def credentials_of(running: Running, own: Holdings) -> list[Credential]:
    """Every kind of credential that an account has, and the platform's key, which speaks for it."""
    keys = {
        scope: (await own.new_key("hookwright", scope))["secret"] for scope in ("admin", "manage", "publish", "read")
    }
    return [
        *(_bearer(f"{scope} key", key, OWN_API if scope == "admin" else ()) for scope, key in keys.items()),
        _bearer("Kajabi token", own.own("kajabi token"), KAJABI),
        Credential("Kit key", own.kit_headers, {"api_secret": own.secrets["kit"]}, KIT),
        _bearer("Kit token", own.own("kit token")),
        _bearer("platform's key", running.platform_key)._replace(reaches_all=True),
    ]


def namings(operation: Operation, credential: Credential, kinds: Iterable[str]) -> Iterator[Naming]:
    """Each way to name another's things: in one place, the others holding the caller's own; and in all of them."""
    slots = [slot for slot in operation.slots if not (credential.reaches_all and slot.kind == "account")]
    if credential.reaches_all and len(slots) == len(operation.slots):
        return  # nothing says whose things are meant: the platform reads them all
    for slot in slots:
        anything = slot.where == "path" and operation.path.startswith(credential.strong or ("no path",))
        yield from ({slot: kind} for kind in {slot.kind, *(kinds if anything else ())})
    if len(slots) > 1:
        yield {slot: slot.kind for slot in slots}


async def exchange(
    running: Running,
    operation: Operation,
    credential: Credential,
    own: Holdings,
    named: Mapping[Slot, str],
    method: str | None = None,
) -> Exchange:
    """Send a request of `own`, with some places naming something else, and read the answer."""
    values = {slot: own.own(slot.kind) for slot in operation.slots if _is_filled(slot, credential)} | dict(named)
    answer = await running.client.request(
        method or operation.method,
        operation.path.format(name="contact.created", **_values_at("path", values)),
        params={**credential.query, **_good_query(operation, own), **_values_at("query", values)},
        headers=dict(credential.headers),
        **_content(operation, own, _values_at("body", values)),
    )
    return _without(list(named.values()), answer)


def differences(real: Exchange, never: Exchange, is_safe: bool) -> list[str]:
    """How the answer to a request that names another's things differs from the answer to its twin."""
    if real.status < 400 and not is_safe:
        # Something was made, of the caller's own, and each has an id: what the answers have in common is their form.
        real, never = (each._replace(text=_form_of(each.text), headers={}) for each in (real, never))
    pairs = zip(real._fields, real, never, strict=True)
    return [f"{name}: {one!r} and {other!r}" for name, one, other in pairs if one != other]


def unrouted_methods(operation: Operation, operations: list[Operation]) -> list[str]:
    """The methods that the path of an operation does not answer to, and HEAD."""
    routed = {each.method for each in operations if each.path == operation.path}
    return [method for method in (*ROUTED, "HEAD", "OPTIONS") if method not in routed]


def _bearer(name: str, token: str, strong: tuple[str, ...] = ()) -> Credential:
    return Credential(name, {"Authorization": f"Bearer {token}"}, strong=strong)


def _is_filled(slot: Slot, credential: Credential) -> bool:
    """Whether a place has to hold something of the caller's own if nothing else is named there."""
    return slot.where == "path" or (credential.reaches_all and slot.kind == "account")


def _values_at(where: str, values: Mapping[Slot, str]) -> dict[str, str]:
    return {slot.name: value for slot, value in values.items() if slot.where == where}


def _good_query(operation: Operation, own: Holdings) -> dict[str, str]:
    return QUERIES[operation.label](own) if operation.label in QUERIES else {}


def _content(operation: Operation, own: Holdings, named: Mapping[str, str]) -> dict[str, Any]:
    if operation.body is None:
        return {}
    body = json.loads(json.dumps(operation.body.of(own)))
    for place, value in named.items():
        _put(body, place.split("/"), value)
    return {"data": body} if operation.body.form else {"json": body}


def _put(value: Any, steps: list[str], new: str) -> None:
    for step in steps[:-1]:
        value = value[int(step)] if isinstance(value, list) else value[step]
    value[steps[-1]] = int(new) if new.isdigit() and isinstance(value.get(steps[-1]), int) else new


def _without(named: list[str], answer: httpx.Response) -> Exchange:
    text = _blank(answer.text, named)
    # A tag is made of the body, which may repeat what was asked for: it tells no more than the body does.
    headers = {name: _blank(value, named) for name, value in answer.headers.items() if name != "etag"}
    if headers.get("content-length") == str(len(answer.content)):
        headers["content-length"] = str(len(text.encode()))  # one twin may be longer than the other
    elif answer.request.method == "HEAD":
        del headers["content-length"]  # of a content that is not there to be compared
    return Exchange(answer.status_code, headers, text)


def _blank(text: str, named: list[str]) -> str:
    for each in named:
        for form in (each, str(httpx.QueryParams({"": each}))[1:]):
            text = text.replace(form, "…")
    return text


def _form_of(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return ""
    return json.dumps(_shape(value))


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(member) for name, member in value.items()}
    return [_shape(each) for each in value] if isinstance(value, list) else type(value).__name__
