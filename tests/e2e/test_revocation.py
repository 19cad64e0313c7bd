"""A key that is taken away: two servers on one PostgreSQL, and neither lets it in for more than a second."""

import time
from pathlib import Path

import httpx
import pytest

from e2e.conftest import Environ, publisher_for
from hookwright.app import open_services
from hookwright.config import load_settings
from hookwright.operations.keys import create_key
from hookwright.testing.receiver import Receiver
from processes import hookwright

# The promise: no request that is sent later than this is let in, however long a busy machine takes over it.
REVOKED_WITHIN_SECONDS = 1.0

CONTACT = {"id": 1, "email": "ada@example.com"}

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)


@pytest.mark.parametrize("way", ["delete", "rotate"])
async def test_a_key_that_is_taken_away_on_one_node_ends_on_the_other_within_a_second(
    environ: Environ, tmp_path: Path, way: str
) -> None:
    async with Receiver() as receiver:
        publisher = await publisher_for(environ, receiver.url)
        async with open_services(load_settings(environ)) as services:
            admin = await create_key(services, "hookwright", None, "Admin", ["admin"])
            [key] = [key for key in await services.store.keys() if key.scopes == ("publish",)]
        async with (
            hookwright("serve", environ=environ, folder=tmp_path) as one,
            hookwright("serve", environ=environ, folder=tmp_path) as other,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            here, there = [(await node.logged("ready"))["url"] for node in (one, other)]

            async def publish_there() -> tuple[float, int]:
                """When it was sent, and the status of its answer."""
                body = {"type": "contact.activated", "account": publisher.account_id, "data": {"contact": CONTACT}}
                headers = {"Authorization": f"Bearer {publisher.key}"}
                sent_at = time.monotonic()
                return sent_at, (await client.post(f"{there}/api/v1/events", json=body, headers=headers)).status_code

            assert (await publish_there())[1] == 202
            headers = {"Authorization": f"Bearer {admin.secret}"}
            path = f"{here}/api/v1/keys/{key.id}"
            method, path = ("DELETE", path) if way == "delete" else ("POST", f"{path}/rotate")
            assert (await client.request(method, path, headers=headers)).is_success
            answered_at = time.monotonic()
            while (sent := await publish_there())[1] != 401:
                assert sent[0] - answered_at < REVOKED_WITHIN_SECONDS
            assert (await client.get(f"{there}/api/v1/deliveries", headers=headers)).status_code == 200
            for node in (one, other):
                assert await node.stop() == 0
