"""Event types over HTTP: the built-in ones, and those that the platform declares."""

from typing import Any

import httpx
import pytest

from api.conftest import CallerWith
from api.requests import EVENTS, get, pointers
from hookwright.core.announcements import OPERATIONAL_TYPES
from hookwright.core.model import Account
from hookwright.core.nesting import MAX_DEPTH

PATH = "/api/v1/event-types"
INVOICE: dict[str, Any] = {
    "description": "An invoice was paid in full.",
    "schema": {"type": "object", "properties": {"invoice": {"required": ["id"]}}, "required": ["invoice"]},
    "sample": {"invoice": {"id": 9001}},
}


@pytest.fixture
async def declared(admin: httpx.AsyncClient) -> dict[str, Any]:
    """The type invoice.paid."""
    response = await admin.put(f"{PATH}/invoice.paid", json=INVOICE)
    assert response.status_code == 201, response.text
    shown: dict[str, Any] = response.json()
    return shown


async def test_a_declared_type_is_shown_after_the_built_in_ones(
    admin: httpx.AsyncClient, declared: dict[str, Any]
) -> None:
    assert declared == {"name": "invoice.paid", "declared": True, "operational": False, **INVOICE}
    assert await get(admin, "/event-types/invoice.paid") == declared
    listed = (await get(admin, "/event-types"))["data"]
    assert listed[-1] == declared
    assert [each["declared"] for each in listed] == [False] * (len(listed) - 1) + [True]


async def test_a_built_in_type_can_be_looked_at(admin: httpx.AsyncClient) -> None:
    shown = await get(admin, "/event-types/contact.created")
    assert (shown["name"], shown["declared"]) == ("contact.created", False)
    assert shown["sample"]["contact"]["email"] == "grace@example.com"


async def test_what_only_hookwright_publishes_is_listed_and_marked(admin: httpx.AsyncClient) -> None:
    listed = (await get(admin, "/event-types"))["data"]
    marked = [each for each in listed if each["operational"]]
    assert [each["name"] for each in marked] == list(OPERATIONAL_TYPES)
    assert await get(admin, "/event-types/delivery.dead") == marked[-1]
    assert (marked[-1]["declared"], marked[-1]["sample"]["delivery"]["attempts"]) == (False, 10)
    assert (await admin.put(f"{PATH}/delivery.dead", json={})).status_code == 409


async def test_a_declaration_replaces_the_one_before_wholly(
    admin: httpx.AsyncClient, declared: dict[str, Any]
) -> None:
    response = await admin.put(f"{PATH}/invoice.paid", json={})
    assert response.status_code == 200
    assert response.json() == {**declared, "description": "", "schema": None, "sample": None}


async def test_a_violation_of_the_schema_is_refused_with_a_pointer(
    admin: httpx.AsyncClient, account: Account, declared: dict[str, Any]
) -> None:
    event = {"type": "invoice.paid", "account": account.id, "data": {"invoice": {}}}
    refused = await admin.post(EVENTS, json=event)
    assert (refused.status_code, pointers(refused)) == (422, ["/data/invoice/id"])
    assert (await admin.post(EVENTS, json={**event, "data": declared["sample"]})).status_code == 202
    nothing = await get(admin, "/deliveries", event_type="invoice.paid")
    assert nothing["data"] == []


async def test_a_deleted_type_is_gone(admin: httpx.AsyncClient, declared: dict[str, Any]) -> None:
    assert (await admin.delete(f"{PATH}/invoice.paid")).status_code == 204
    assert (await admin.get(f"{PATH}/invoice.paid")).status_code == 404
    assert (await admin.delete(f"{PATH}/invoice.paid")).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"schema": {"type": "nonsense"}}, "/schema/type"),
        ({"schema": {"$ref": "https://example.com/a"}}, "/schema/$ref"),
        ({"schema": []}, "/schema"),
        ({"schema": {"required": ["a"]}, "sample": {}}, "/sample/a"),
        ({"sample": []}, "/sample"),
        ({"description": "a\0b"}, "/description"),
        ({"shape": {}}, "/shape"),
    ],
)
async def test_a_declaration_that_makes_no_sense_is_refused(
    admin: httpx.AsyncClient, body: Any, pointer: str
) -> None:
    response = await admin.put(f"{PATH}/invoice.paid", json=body)
    assert (response.status_code, pointers(response)) == (422, [pointer])
    assert (await admin.get(f"{PATH}/invoice.paid")).status_code == 404


@pytest.mark.parametrize("name", ["invoice", "Invoice.paid", "invoice.*", "a.b.c", "%00.a"])
async def test_a_name_that_no_type_could_have_is_refused(admin: httpx.AsyncClient, name: str) -> None:
    response = await admin.put(f"{PATH}/{name}", json={})
    assert (response.status_code, pointers(response)) == (422, ["/name"])


async def test_a_built_in_type_stays_as_it_is(admin: httpx.AsyncClient) -> None:
    assert (await admin.put(f"{PATH}/contact.created", json={})).status_code == 409
    assert (await admin.delete(f"{PATH}/contact.created")).status_code == 409


async def test_only_the_platform_declares(caller_with: CallerWith, account: Account) -> None:
    for scopes, of in ((["admin"], account), (["manage", "publish"], None)):
        caller = await caller_with(*scopes, of=of)
        assert (await caller.put(f"{PATH}/invoice.paid", json={})).status_code == 403
        assert (await caller.delete(f"{PATH}/invoice.paid")).status_code == 403


async def test_a_schema_and_a_sample_that_are_nested_very_deeply_are_refused(admin: httpx.AsyncClient) -> None:
    deep = b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1)
    for member in (b"schema", b"sample"):
        response = await admin.put(f"{PATH}/invoice.paid", content=b'{"%b":%b}' % (member, deep))
        assert (response.status_code, pointers(response)) == (422, [f"/{member.decode()}"])
