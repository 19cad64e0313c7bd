"""What no document can say: bytes that are no JSON, JSON that nobody means, headers and queries of nonsense.

Every operation of the three documents gets them at a place that exists and with a credential that is good, so that
they reach the code behind. tests/api/test_junk.py does the same to our own API by its parts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from fuzz.conftest import Length, Running
from fuzz.surfaces import SURFACES, Credential, Surface, known_places
from fuzz.tenants import Tenant

ODD_JSON = {
    "a lone surrogate": r'"\ud800"',
    "NUL": r'"a\u0000"',
    "a number of 400 digits": "9" * 400,
    "a number beyond every float": "1e400",
    "a number that is none": "NaN",
    "a negative number": "-1",
    "a fraction": "0.5",
    "a long text": '"' + "x" * 100_000 + '"',
    "a deep list": "[" * 5_000 + "]" * 5_000,
    "a deep object": '{"a":' * 5_000 + "1" + "}" * 5_000,
    "an object with an odd name": r'{"\ud800\u0000": null}',
    "an empty list": "[]",
}
ODD_BODIES = {
    "nothing": b"",
    "NUL": b"\0",
    "half an object": b'{"a": ',
    "no UTF-8": b'{"name": "\xff", "url": "\xc3\x28"}',
    "UTF-16": '{"name": "a"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "null": b"null",
    "a list": b"[{}]",
    "a text": b'"text"',
    "a list without end": b"[" * 200_000,
    "more than most routes take": b" " * 300_000,
    "a form of escapes": b"%=%zz&%ff=%00&&=&;",
    "a form of one name": b"event[=1&event]=2&event[]=3&event[name][name]=4&event=5&event[name]=6&token=1&token=2",
    "a form of many names": b"&".join(b"n%d=" % number for number in range(5_000)),
}
ODD_TYPES = (
    None,
    "",
    "text/plain",
    "application/json; charset=utf-16",
    "application/vnd.api+json;;=",
    "multipart/form-data",
    "application/x-www-form-urlencoded; charset=klingon",
    "\xff\xfe/\xe9",
    "json",
)
ODD_HEADERS = (
    {"Host": "["},
    {"Host": "[::1"},
    {"Host": "a b\xff@:99999"},
    {"Host": ""},
    {"Accept": "\xff, */*;q=\xe9"},
    {"Accept-Encoding": "klingon;q=9"},
    {"Content-Encoding": "gzip"},
    {"Cookie": "=;=\xff;" * 100},
    {"Idempotency-Key": "\xff"},
    {"Idempotency-Key": "k" * 5_000},
    {"traceparent": "00-\xff-0-0"},
    {"Origin": "http://["},
    {"Sec-Fetch-Site": "\xff"},
    {"Range": "bytes=9-1"},
    {"If-None-Match": '"'},
    {"X-Forwarded-Host": "[", "X-Forwarded-Proto": "\xff", "Forwarded": "host="},
    {"Authorization": "Basic " + "=" * 10},
    {"Authorization": "Bearer\t"},
    {"Authorization": "\xff\xfe"},
    {"X-Kit-Api-Key": "\xff"},
)
ODD_QUERIES = (
    "%",
    "%ff=%00",
    "&&=&=&;",
    "account=1&account=2&limit=1&limit=x",
    "limit=" + "9" * 5_000,
    "cursor=%00&after=%00&before=%ff",
    "cursor=" + "A" * 5_000 + "&after=" + "W" * 5_001,
    "page[number]=" + "9" * 5_000 + "&page[size]=%D9%A3&page[]=&page[number][x]=1",
    "filter[site_id]=%00&filter[event_eq]=%00&filter[title_cont]=%00%ff&sort=--title",
    "status=%00&event_type=%ed%a0%80&per_page=-0&include_total_count=%00",
    "created_from=9999999999999-01-01&created_to=0000-00-00T00:00:00Z",
    "created_from=9999-12-31T23:59:59.999999-23:59&created_to=0001-01-01T00:00:00%2B23:59",
    "redirect_uri=%ff&client_id=%00&response_type=code&state=%0d%0a",
)


class Operation(NamedTuple):
    """One method of one path, and whether it takes a body."""

    method: str
    path: str
    takes_body: bool

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"


class Request(NamedTuple):
    """A request at a place that exists; what is odd about it comes on top."""

    about: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    """What came back."""

    status: int
    media_type: str
    body: bytes


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_an_odd_request_gets_an_answer_of_its_dialect(
    surface: Surface, dev: Running, http: httpx.Client, length: Length
) -> None:
    faults: list[str] = []
    with closing(HTTPConnection(urlsplit(dev.url).netloc, timeout=60)) as connection:
        for number, operation in enumerate(_operations(http.get(surface.document).json())):
            tenant = Tenant(http, dev.given)
            credential = next(each for each in surface.credentials(tenant) if each.strong)
            requests = _odd_requests(surface, operation, tenant, credential)
            for request in islice(requests, number % length.odd_step, None, length.odd_step):
                answer = _send(connection, surface, operation, tenant, request)
                if problem := _problem(surface, operation, answer):
                    told = f"{answer.status} {answer.body[:200]!r}"
                    faults.append(f"{operation.label} with {request.about}: {problem}: {told}")
    assert not faults, "\n".join(faults)


def _operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            yield Operation(method.upper(), path, "requestBody" in described)


def _odd_requests(
    surface: Surface, operation: Operation, tenant: Tenant, credential: Credential
) -> Iterator[Request]:
    good_query = surface.queries[operation.label](tenant) if operation.label in surface.queries else {}
    query = urlencode({**good_query, **credential.query})
    json_type = {**credential.headers, "Content-Type": "application/json"}
    good = surface.bodies[operation.label](tenant) if operation.takes_body else {}
    good_body = json.dumps(good).encode() if operation.takes_body else b""
    for odd_query in ODD_QUERIES:
        yield Request(f"the query {odd_query[:60]}", f"{query}&{odd_query}", json_type, good_body)
    for headers in ODD_HEADERS:
        yield Request(f"the headers {headers}", query, {**json_type, **headers}, good_body)
    if not operation.takes_body:
        return
    for media_type in ODD_TYPES:
        headers = {**credential.headers, **({} if media_type is None else {"Content-Type": media_type})}
        yield Request(f"the type {media_type!r}", query, headers, good_body)
    for name, body in ODD_BODIES.items():
        for media_type in ("application/json", "application/x-www-form-urlencoded"):
            headers = {**credential.headers, "Content-Type": media_type}
            yield Request(f"{name} as {media_type}", query, headers, body)
    for name, literal in ODD_JSON.items():
        for place, body in _with_each_value_replaced(good, literal):
            yield Request(f"{name} at {place}", query, json_type, body)


def _with_each_value_replaced(value: Any, literal: str) -> Iterator[tuple[str, bytes]]:
    """JSON texts of a value, each with another part of it replaced; the last says the same name twice."""
    mark = "a mark that is nowhere else"
    for place, marked in _marked(value, mark):
        yield place, json.dumps(marked).replace(json.dumps(mark), literal).encode()
    for name in value:
        yield f"/{name}, twice", (json.dumps(value)[:-1] + f', "{name}": {literal}}}').encode()


def _marked(value: Any, mark: str) -> Iterator[tuple[str, Any]]:
    yield "", mark
    if isinstance(value, Mapping):
        for name, member in value.items():
            for place, marked in _marked(member, mark):
                yield f"/{name}{place}", {**value, name: marked}
    if isinstance(value, list):
        for position, item in enumerate(value):
            for place, marked in _marked(item, mark):
                yield f"/{position}{place}", [*value[:position], marked, *value[position + 1 :]]


def _send(
    connection: HTTPConnection, surface: Surface, operation: Operation, tenant: Tenant, request: Request
) -> Answer:
    path = operation.path.format(**known_places(surface, operation.method, operation.path, tenant))
    connection.putrequest(operation.method, f"{path}?{request.query}", skip_host="Host" in request.headers)
    for name, value in request.headers.items():
        connection.putheader(name, value.encode("latin-1"))
    connection.putheader("Content-Length", str(len(request.body)))
    connection.endheaders(request.body)
    response = connection.getresponse()
    answer = Answer(response.status, response.getheader("content-type", ""), response.read())
    if answer.status >= 500:
        connection.close()  # as the server does after a fault
    return answer


def _problem(surface: Surface, operation: Operation, answer: Answer) -> str | None:
    if answer.status >= 500:
        return "a fault of ours"
    if answer.status < 400:
        return None
    try:
        value = json.loads(answer.body)
    except ValueError:
        value = None
    return surface.shape_problem(operation.path, answer.status, answer.media_type.partition(";")[0], value)
