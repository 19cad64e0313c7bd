"""`hookwright serve` as a real process: how it starts, drains, and what survives its sudden end."""

import asyncio
import re
import signal
from base64 import b64encode
from pathlib import Path

import httpx
import pytest

from e2e.conftest import Environ, HeldRequests, publisher_for
from hookwright.testing.receiver import Receiver
from processes import Running, hookwright

PATIENCE_SECONDS = 30


async def url_of(server: Running) -> str:
    return str((await server.logged("ready"))["url"])


async def test_a_request_in_flight_is_finished_and_no_other_begun_after_sigterm(
    environ: Environ, tmp_path: Path
) -> None:
    # One at a time, so that the second event is accepted and not yet claimed when the signal comes.
    one_at_a_time = {**environ, "HOOKWRIGHT_CONCURRENCY": "1"}
    async with Receiver() as receiver:
        publisher = await publisher_for(environ, receiver.url)
        held = HeldRequests()
        receiver.behave(held)
        async with hookwright("serve", environ=one_at_a_time, folder=tmp_path) as server:
            event_ids = await publisher.publish(await url_of(server), 2)
            await asyncio.wait_for(held.arrived.wait(), PATIENCE_SECONDS)
            server.send(signal.SIGTERM)
            await server.logged("draining")
            held.released.set()
            attempt = await server.logged("attempt")
            assert (attempt["status"], attempt["status_code"]) == ("delivered", 200)
            assert (await server.end())[0] == 0
        assert len(held.message_ids) == 1
        receiver.behave(None)
        async with hookwright("serve", environ=environ, folder=tmp_path) as server:
            [request] = await receiver.wait_for(1, PATIENCE_SECONDS)
            assert await server.stop() == 0
        assert sorted(event_of(id) for id in (*held.message_ids, request.headers["webhook-id"])) == sorted(event_ids)
        assert receiver.count == 1


async def test_before_it_drains_it_says_that_it_is_not_ready_and_goes_on_answering(
    environ: Environ, tmp_path: Path
) -> None:
    patient = {**environ, "HOOKWRIGHT_UNREADY_SECONDS": str(2 * PATIENCE_SECONDS)}
    async with Receiver() as receiver:
        publisher = await publisher_for(environ, receiver.url)
        async with (
            hookwright("serve", environ=patient, folder=tmp_path) as server,
            httpx.AsyncClient(base_url=await url_of(server), trust_env=False) as client,
        ):
            assert "connection" not in (await client.get("/readyz")).headers
            server.send(signal.SIGTERM)
            await server.logged("leaving")
            answer = await client.get("/readyz")
            assert (answer.status_code, answer.headers["connection"]) == (503, "close")
            assert await publisher.publish(str(client.base_url), 1)
            await receiver.wait_for(1, PATIENCE_SECONDS)
            assert await server.stop() == 0  # the second signal ends it at once


async def test_a_request_that_outlasts_the_drain_time_is_given_back_and_sent_at_the_next_start(
    environ: Environ, tmp_path: Path
) -> None:
    drain_seconds, margin = 1, 4
    async with Receiver() as receiver:
        publisher = await publisher_for(environ, receiver.url)
        held = HeldRequests()
        receiver.behave(held)
        impatient = {**environ, "HOOKWRIGHT_DRAIN_SECONDS": str(drain_seconds)}
        async with hookwright("serve", environ=impatient, folder=tmp_path) as server:
            await publisher.publish(await url_of(server), 1)
            await asyncio.wait_for(held.arrived.wait(), PATIENCE_SECONDS)
            async with asyncio.timeout(drain_seconds + margin):
                assert await server.stop() == 0
            assert any("deliveries given back" in line for line in server.errors)
        receiver.behave(None)
        # Given back, it is due at once: nobody has to wait for a lease to end.
        async with hookwright("serve", environ=environ, folder=tmp_path) as server:
            attempt = await server.logged("attempt")
            assert (attempt["attempt"], attempt["status"]) == (1, "delivered")
            assert await server.stop() == 0
        assert [request.headers["webhook-id"] for request in receiver.requests] == held.message_ids


async def test_what_was_accepted_is_delivered_after_the_process_was_killed(environ: Environ, tmp_path: Path) -> None:
    environ = {**environ, "HOOKWRIGHT_LEASE_SECONDS": "1"}
    async with Receiver() as receiver:
        publisher = await publisher_for(environ, receiver.url)
        held = HeldRequests()
        receiver.behave(held)
        async with hookwright("serve", environ=environ, folder=tmp_path) as server:
            event_ids = await publisher.publish(await url_of(server), 5)
            await asyncio.wait_for(held.arrived.wait(), PATIENCE_SECONDS)
            assert await server.stop(signal.SIGKILL) == -signal.SIGKILL
        receiver.behave(None)
        async with hookwright("serve", environ=environ, folder=tmp_path) as server:
            requests = await receiver.wait_for(len(event_ids), PATIENCE_SECONDS)
            assert await server.stop() == 0
        message_ids = [request.headers["webhook-id"] for request in requests]
        assert sorted(map(event_of, message_ids)) == sorted(event_ids)
        # What had been sent before is sent again under the same id.
        assert set(held.message_ids) <= set(message_ids)


async def test_a_key_that_is_rotated_beside_a_running_server_loses_its_tokens_at_once(
    environ: Environ, tmp_path: Path
) -> None:
    publisher = await publisher_for(environ, "http://127.0.0.1:1/")
    async with hookwright("serve", environ=environ, folder=tmp_path) as server:
        url = await url_of(server)
        create = ("keys", "create", "--kind", "kajabi", "--account", str(publisher.account_id), "--name", "Zap")
        key = await printed(*create, environ=environ, folder=tmp_path)
        form = {name: key[name] for name in ("client_id", "client_secret")}
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            answer = await client.post("/v1/oauth/token", data={"grant_type": "client_credentials", **form})
            bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            assert (await client.get("/v1/me", headers=bearer)).status_code == 200
            await printed("keys", "rotate", key["id"], environ=environ, folder=tmp_path)
            assert (await client.get("/v1/me", headers=bearer)).status_code == 401
        assert await server.stop() == 0


async def test_it_says_where_it_keeps_everything_and_answers_as_soon_as_it_is_ready(tmp_path: Path) -> None:
    async with hookwright("serve", "--port", "0", environ={}, folder=tmp_path) as server:
        ready = await server.logged("ready")
        assert ready["database"] == f"SQLite in {tmp_path / 'hookwright.sqlite3'}"
        async with httpx.AsyncClient(base_url=ready["url"], trust_env=False) as client:
            assert (await client.get("/readyz")).status_code == 200
            assert (await client.get("/healthz")).status_code == 200
        assert await server.stop(signal.SIGINT) == 0


async def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        port = str(receiver.port)
        async with hookwright("serve", "--port", port, environ={}, folder=tmp_path) as server:
            assert await server.end() == (1, "")
    assert len(server.errors) == 1
    assert f"cannot listen on 127.0.0.1:{port}" in server.errors[0]


async def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    environ = {
        "HOOKWRIGHT_DATABASE_URL": "postgresql://nobody:hunter2@127.0.0.1:1/x",
        "HOOKWRIGHT_MASTER_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    }
    async with hookwright("serve", "--port", "0", environ=environ, folder=tmp_path) as server:
        assert await server.end() == (3, "")
    [line] = server.errors
    assert line.startswith("hookwright: PostgreSQL")
    assert "hunter2" not in line


@pytest.mark.parametrize("key", ["another", "none"])
async def test_a_server_without_its_databases_master_key_ends_with_one_line_before_it_answers(
    environ: Environ, tmp_path: Path, key: str
) -> None:
    await publisher_for(environ, "http://127.0.0.1:1/")  # whose signing secret is sealed
    (tmp_path / "hookwright.key").unlink(missing_ok=True)
    without = {name: value for name, value in environ.items() if name != "HOOKWRIGHT_MASTER_KEY"}
    given = (
        without
        if key == "none"
        else {**without, "HOOKWRIGHT_MASTER_KEY": b64encode(b"another" * 4 + b"key.").decode()}
    )
    async with hookwright("serve", environ=given, folder=tmp_path) as server:
        assert await server.end() == (1, "")
    [line] = server.errors
    assert re.match("hookwright: .*master.key", line, re.IGNORECASE)


def event_of(message_id: str) -> str:
    """The event that a message came from: its id is the event's, perhaps with a number."""
    return message_id[:36]


async def printed(*arguments: str, environ: Environ, folder: Path) -> dict[str, str]:
    """The lines `name  value` that a command prints."""
    async with hookwright(*arguments, environ=environ, folder=folder) as command:
        exit_code, output = await command.end()
    assert exit_code == 0, command.errors
    return dict(line.split(maxsplit=1) for line in output.splitlines())
