"""Every route, by every method, with every credential of one account and everything that is another's.

What is another's is answered exactly as what never was: neither its content nor its existence can be learnt.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from hookwright.surfaces import Surfaces
from hookwright.testing.postgres import fresh_database
from tenancy.holdings import WITH_IDS, Holdings
from tenancy.operations import Operation, operations_of
from tenancy.rows import rows_of
from tenancy.running import Running, running_on
from tenancy.walk import (
    KAJABI,
    KIT,
    OWN_API,
    Credential,
    credentials_of,
    differences,
    exchange,
    namings,
    unrouted_methods,
)

# Words that stand nowhere else, not even in a sample.
ADA, EVE = "quokkada", "wombateve"
ONLY_THE_PLATFORM = (
    "POST /api/v1/accounts",
    "PUT /api/v1/event-types/{name}",
    "DELETE /api/v1/event-types/{name}",
)
SAFE = ("GET", "HEAD", "OPTIONS")


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_on(f"sqlite:{tmp_path / 'hookwright.sqlite3'}") as running:
        yield running


@pytest.fixture
async def running_on_postgres(postgres_url: str) -> AsyncIterator[Running]:
    async with fresh_database(postgres_url) as url, running_on(url) as running:
        yield running


async def two_accounts(running: Running) -> tuple[Holdings, Holdings]:
    ada = await Holdings.make(running, ADA, running.kit_apps[0], 10_000)
    running.clock.move(seconds=10)
    return ada, await Holdings.make(running, EVE, running.kit_apps[1], 20_000)


def operations(running: Running) -> list[Operation]:
    assert isinstance(running.hookwright.app, Surfaces)
    return operations_of(running.hookwright.app)


async def test_what_is_anothers_is_answered_as_what_never_was(running: Running) -> None:
    ada, eve = await two_accounts(running)
    await walk(running, ada, eve, await credentials_of(running, eve), WITH_IDS)


async def test_so_it_is_on_the_other_database(running_on_postgres: Running) -> None:
    """Its routes are the same: the credentials that get furthest are enough."""
    running = running_on_postgres
    ada, eve = await two_accounts(running)
    credentials = await credentials_of(running, eve)
    await walk(running, ada, eve, [each for each in credentials if each.strong or each.reaches_all])


async def walk(
    running: Running, ada: Holdings, eve: Holdings, credentials: list[Credential], kinds: Sequence[str] = ()
) -> None:
    """Fail for each answer that tells of what is Ada's, and if anything of hers is not as it was.

    A place in a path is filled with what belongs there and, by the strongest credential, with all these `kinds`.
    """
    before = await rows_of(running.store, ada.account_id)
    faults: list[str] = []
    for operation in operations(running):
        for credential in credentials:
            faults += [fault async for fault in _faults(running, operation, credential, ada, eve, kinds)]
    assert not faults, "\n".join(faults)
    assert await rows_of(running.store, ada.account_id) == before


async def _faults(
    running: Running,
    operation: Operation,
    credential: Credential,
    ada: Holdings,
    eve: Holdings,
    kinds: Sequence[str],
) -> AsyncIterator[str]:
    for naming in namings(operation, credential, kinds):
        real, never = [
            await exchange(
                running, operation, credential, eve, {slot: ada.twins[kind][twin] for slot, kind in naming.items()}
            )
            for twin in (0, 1)
        ]
        told = f"{operation.label} by the {credential.name} with {[(s.name, kind) for s, kind in naming.items()]}"
        for difference in differences(real, never, operation.method in SAFE):
            yield f"{told}: {difference}"
        if ada.word in real.text or ada.word in str(real.headers):
            yield f"{told}: {real}"
        if real.status >= 500:
            yield f"{told}: {real}"


async def test_what_a_caller_is_shown_without_naming_anything_is_its_own(running: Running) -> None:
    ada, eve = await two_accounts(running)
    before = await rows_of(running.store, ada.account_id)
    of_the_account = [each for each in await credentials_of(running, eve) if not each.reaches_all]
    for operation in operations(running):
        filters = {slot for slot in operation.slots if slot.where == "query"}
        if operation.method not in SAFE and operation.slots:
            continue  # it is about one thing, and with the caller's own it would use that up
        for credential in of_the_account:
            shown = await exchange(running, operation, credential, eve, {})
            assert ada.word not in shown.text + str(shown.headers), f"{operation.label} by the {credential.name}"
            assert shown.status < 400 or not filters or not _is_strong(credential, operation), shown
    assert await rows_of(running.store, ada.account_id) == before


async def test_a_method_that_a_path_does_not_answer_to_tells_nothing(running: Running) -> None:
    ada, eve = await two_accounts(running)
    credentials = [each for each in await credentials_of(running, eve) if each.strong]
    known = operations(running)
    before = await rows_of(running.store, ada.account_id)
    for operation in {each.path: each for each in known if "{" in each.path}.values():
        slots = [slot for slot in operation.slots if slot.where == "path"]
        for method in unrouted_methods(operation, known):
            for credential in (each for each in credentials if _is_strong(each, operation)):
                real, never = [
                    await exchange(
                        running, operation, credential, eve, {s: ada.twins[s.kind][twin] for s in slots}, method
                    )
                    for twin in (0, 1)
                ]
                assert real == never, f"{method} {operation.path}"
    assert await rows_of(running.store, ada.account_id) == before


async def test_the_requests_of_these_tests_do_what_they_ask_for_where_everything_is_the_callers(
    running: Running,
) -> None:
    """Otherwise the others would compare refusals that have nothing to do with whose things they name."""
    _, eve = await two_accounts(running)
    credentials = await credentials_of(running, eve)
    for operation in sorted(operations(running), key=_how_much_it_ends):
        if operation.label in ONLY_THE_PLATFORM:
            continue
        for slot in operation.slots:
            if slot.where == "path" and slot.kind != "account":
                await eve.renew(slot.kind)
        (credential,) = [each for each in credentials if _is_strong(each, operation)]
        answer = await exchange(running, operation, credential, eve, {})
        assert answer.status < 400, f"{operation.label}: {answer}"


def _is_strong(credential: Credential, operation: Operation) -> bool:
    """Whether it is the one that may do all that the API of an operation offers."""
    strong = {kind: operation.path.startswith(kind) for kind in (KAJABI, KIT, OWN_API)}
    return credential.strong == next(kind for kind, fits in strong.items() if fits)


def _how_much_it_ends(operation: Operation) -> tuple[bool, bool, bool]:
    """A site takes its endpoints along, and an account everything."""
    ends = operation.method == "DELETE"
    return ends and operation.path == "/api/v1/accounts/{id}", ends and "/sites/" in operation.path, ends
