"""Declared event types: when a change is seen, and what publishing asks of the data."""

import asyncio
from typing import Any

import msgspec
import pytest

from conftest import services_on
from hookwright.ambient import MovableClock
from hookwright.core.errors import Conflict, Invalid, NotFound, Problem
from hookwright.core.model import Accepted, Account
from hookwright.engine.intake import GroupCommit
from hookwright.operations.event_types import declare_event_type, declared_types, delete_event_type
from hookwright.operations.publish import Publish, publish
from hookwright.operations.services import Services

SCHEMA = {"properties": {"total": {"type": "integer"}}, "required": ["total"]}


async def publish_invoice(services: Services, account: Account, data: Any, **more: Any) -> Accepted:
    body = {"type": "invoice.paid", "account": account.id, "data": data, **more}
    [answer] = await publish(services, [msgspec.json.decode(msgspec.json.encode(body), type=Publish)])
    assert isinstance(answer, Accepted)
    return answer


async def problems_of(services: Services, account: Account, data: Any) -> tuple[Problem, ...]:
    with pytest.raises(Invalid) as refused:
        await publish_invoice(services, account, data)
    return refused.value.problems


async def test_a_type_can_be_published_as_soon_as_it_is_declared(services: Services, account: Account) -> None:
    [problem] = await problems_of(services, account, {"total": 5})
    assert (problem.pointer, problem.code) == ("/type", "unknown")
    assert "contact.created" in problem.message
    await declare_event_type(services, "invoice.paid")
    assert (await publish_invoice(services, account, {"anything": [1]})).event_id


async def test_a_new_schema_counts_at_once(services: Services, account: Account) -> None:
    await declare_event_type(services, "invoice.paid")
    await publish_invoice(services, account, {})
    await declare_event_type(services, "invoice.paid", schema=SCHEMA)
    assert await problems_of(services, account, {}) == (Problem("/data/total", "is required", "blank"),)
    assert await problems_of(services, account, {"total": "5"}) == (
        Problem("/data/total", 'is not of type "integer"'),
    )
    await publish_invoice(services, account, {"total": 5})


async def test_a_deleted_type_is_unknown_at_once(services: Services, account: Account) -> None:
    await declare_event_type(services, "invoice.paid")
    await publish_invoice(services, account, {})
    await delete_event_type(services, "invoice.paid")
    assert [problem.pointer for problem in await problems_of(services, account, {})] == ["/type"]
    with pytest.raises(NotFound):
        await delete_event_type(services, "invoice.paid")


@pytest.mark.parametrize("name", ["\0", "invoice.\0", "", "Invoice.Paid"])
async def test_a_type_of_a_name_that_none_can_have_is_not_there_to_be_deleted(services: Services, name: str) -> None:
    with pytest.raises(NotFound, match="of that name"):
        await delete_event_type(services, name)


async def test_what_another_process_declares_is_seen_within_a_second(
    services: Services, account: Account, clock: MovableClock
) -> None:
    intake = GroupCommit(services.store)
    other = services_on(services.store, clock, intake)
    assert await declared_types(services) == {}
    await declare_event_type(other, "invoice.paid")
    assert await declared_types(services) == {}
    clock.move(seconds=1)
    assert list(await declared_types(services)) == ["invoice.paid"]
    await publish_invoice(services, account, {})
    await intake.close()


async def test_a_look_up_that_a_change_overtakes_is_not_remembered(services: Services) -> None:
    before = asyncio.create_task(declared_types(services))
    await asyncio.sleep(0)
    await declare_event_type(services, "invoice.paid")
    await before
    assert list(await declared_types(services)) == ["invoice.paid"]


@pytest.mark.parametrize("data", [None, [], 5, "text"])
async def test_the_data_of_a_declared_type_is_an_object(services: Services, account: Account, data: Any) -> None:
    await declare_event_type(services, "invoice.paid")
    assert [problem.pointer for problem in await problems_of(services, account, data)] == ["/data"]


async def test_in_a_batch_each_violation_has_its_place(services: Services, account: Account) -> None:
    await declare_event_type(services, "invoice.paid", schema=SCHEMA)
    bodies = [
        {"type": "invoice.paid", "account": account.id, "data": data} for data in ({"total": 1}, {}, {"total": 2.5})
    ]
    requests = [msgspec.json.decode(msgspec.json.encode(body), type=Publish) for body in bodies]
    with pytest.raises(Invalid) as refused:
        await publish(services, requests, "/events")
    pointers = [problem.pointer for problem in refused.value.problems]
    assert pointers == ["/events/1/data/total", "/events/2/data/total"]


async def test_a_declared_event_keeps_its_idempotency_key(services: Services, account: Account) -> None:
    await declare_event_type(services, "invoice.paid")
    first = await publish_invoice(services, account, {"a": 1}, idempotency_key="k")
    again = await publish_invoice(services, account, {"a": 1}, idempotency_key="k")
    assert (again.event_id, again.duplicate) == (first.event_id, True)


async def test_a_declaration_anew_keeps_the_time_of_the_first(services: Services, clock: MovableClock) -> None:
    first = await declare_event_type(services, "invoice.paid")
    clock.move(hours=1)
    second = await declare_event_type(services, "invoice.paid", "Paid in full")
    assert (first.is_new, second.is_new) == (True, False)
    assert (await declared_types(services))["invoice.paid"] == second.declared
    assert second.declared.created_at == first.declared.created_at < second.declared.updated_at


@pytest.mark.parametrize("name", ["contact.created", "delivery.dead"])
async def test_a_built_in_type_can_neither_be_declared_nor_deleted(services: Services, name: str) -> None:
    with pytest.raises(Conflict):
        await declare_event_type(services, name)
    with pytest.raises(Conflict):
        await delete_event_type(services, name)
