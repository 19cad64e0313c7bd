"""Rotating the signing secret of a webhook endpoint, and revoking the one before."""

from typing import Any

import httpx
import pytest

from hookwright.ambient import MovableClock
from hookwright.core.model import Account
from hookwright.operations.services import Services
from hookwright.operations.signing_secrets import reveal_secrets

from .test_endpoints import PATH, PUBLISHED, created

AN_EXAMPLES_SECOND = 1_676_634_235  # 2023-02-17T11:43:55Z


async def rotate(client: httpx.AsyncClient, id: int, **body: object) -> httpx.Response:
    return (
        await client.post(f"{PATH}/{id}/rotate_secret", json=body)
        if body
        else await client.post(f"{PATH}/{id}/rotate_secret")
    )


async def rotated(client: httpx.AsyncClient, id: int, **body: object) -> dict[str, Any]:
    answer = await rotate(client, id, **body)
    assert answer.status_code == 200, answer.text
    endpoint: dict[str, Any] = answer.json()["webhook_endpoint"]
    return endpoint


async def expiry_of(client: httpx.AsyncClient, id: int) -> str | None:
    endpoint = (await client.get(f"{PATH}/{id}")).json()["webhook_endpoint"]
    assert "secret" not in endpoint
    expiry: str | None = endpoint["previous_secret_expires_at"]
    return expiry


async def test_after_a_rotation_both_secrets_sign_for_24_hours(
    kit: httpx.AsyncClient, services: Services, account: Account, clock: MovableClock
) -> None:
    clock.move(seconds=AN_EXAMPLES_SECOND - clock.now() // 1_000_000)
    first = await created(kit)
    second = await rotated(kit, first["id"])
    published = PUBLISHED["rotated_example"]
    assert {name: second[name] for name in published} == published
    assert second["secret"].startswith("whsec_")
    assert second["secret"] != first["secret"]
    assert await reveal_secrets(services, account.id, first["id"]) == [second["secret"], first["secret"]]
    assert await expiry_of(kit, first["id"]) == published["previous_secret_expires_at"]
    clock.move(hours=24)
    assert await reveal_secrets(services, account.id, first["id"]) == [second["secret"]]
    assert await expiry_of(kit, first["id"]) is None


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null"])
async def test_a_rotation_needs_no_body(kit: httpx.AsyncClient, body: bytes) -> None:
    # Kit/ConvertKitSDK-PHP sends parameters that are none as `[]`.
    path = f"{PATH}/{(await created(kit))['id']}/rotate_secret"
    assert (await kit.post(path, content=body)).status_code == 200


async def test_within_the_window_a_second_rotation_is_a_conflict(kit: httpx.AsyncClient, clock: MovableClock) -> None:
    id = (await created(kit))["id"]
    await rotated(kit, id)
    clock.move(hours=23.9)
    for body in ({}, {"force": False}, {"force": None}):
        answer = await rotate(kit, id, **body)
        assert (answer.status_code, answer.json()) == (409, PUBLISHED["conflict_example"])
    clock.move(hours=0.1)
    assert (await rotate(kit, id)).status_code == 200


async def test_a_forced_rotation_ends_the_oldest_secret_at_once(
    kit: httpx.AsyncClient, services: Services, account: Account
) -> None:
    id = (await created(kit))["id"]
    second, third = await rotated(kit, id), await rotated(kit, id, force=True)
    assert await reveal_secrets(services, account.id, id) == [third["secret"], second["secret"]]
    assert third["previous_secret_expires_at"] == second["previous_secret_expires_at"]


async def test_revoking_the_previous_secret_closes_the_window(
    kit: httpx.AsyncClient, services: Services, account: Account
) -> None:
    id = (await created(kit))["id"]
    for _ in range(2):  # the second time there is nothing to revoke
        second = await rotated(kit, id)
        for _ in range(2):
            answer = await kit.post(f"{PATH}/{id}/revoke_previous_secret")
            assert answer.status_code == 200
            shown = answer.json()["webhook_endpoint"]
            assert shown["previous_secret_expires_at"] is None
            assert "secret" not in shown
        assert await reveal_secrets(services, account.id, id) == [second["secret"]]


@pytest.mark.parametrize(("force", "status"), [("true", 200), ("1", 200), ("false", 409), ("0", 409), ("", 409)])
@pytest.mark.parametrize("as_parts", [False, True])
async def test_a_form_forces_a_rotation_as_its_texts_say(
    kit: httpx.AsyncClient, force: str, status: int, as_parts: bool
) -> None:
    path = f"{PATH}/{(await created(kit))['id']}/rotate_secret"
    await kit.post(path)
    parts = {"force": (None, force)}
    answer = await (kit.post(path, files=parts) if as_parts else kit.post(path, data={"force": force}))
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("force", ["yes", 1, []])
async def test_force_is_a_boolean(kit: httpx.AsyncClient, force: object) -> None:
    answer = await rotate(kit, (await created(kit))["id"], force=force)
    assert (answer.status_code, answer.json()) == (422, {"errors": ["`force` must be true or false"]})
