"""`hookwright dev`: one line for programs, instructions for people, nothing left behind."""

import json
import re
import signal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hookwright.testing.receiver import Receiver
from processes import Running, hookwright

CONTACT = {"id": 1, "email": "grace@example.com"}


async def given_by(dev: Running) -> dict[str, Any]:
    return dict(json.loads(await dev.line()))


async def instructions_of(dev: Running) -> list[str]:
    lines = [await dev.line()]
    while not lines[-1].startswith("Ctrl-C"):
        lines.append(await dev.line())
        assert lines[-1], "ended without instructions"
    return lines


def client_of(given: dict[str, Any]) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=given["url"], trust_env=False)


async def test_json_prints_exactly_one_line_with_everything_that_is_needed(tmp_path: Path) -> None:
    async with hookwright("dev", "--json", "--port", "0", environ={}, folder=tmp_path) as dev:
        given = await given_by(dev)
        dev.send(signal.SIGTERM)
        assert await dev.end() == (0, "")
        assert dev.errors == []
    assert set(given) == {"url", "account_id", "publish_key", "admin_key", "kajabi", "kit"}
    assert set(given["kajabi"]) == {"client_id", "client_secret", "site_id"}
    assert set(given["kit"]) == {"api_key", "oauth_client_id", "oauth_client_secret", "oauth_redirect_uri"}
    assert urlsplit(given["url"]).hostname == "127.0.0.1"


async def test_every_credential_works(tmp_path: Path) -> None:
    async with hookwright("dev", "--json", "--port", "0", environ={}, folder=tmp_path) as dev:
        given = await given_by(dev)
        async with client_of(given) as client:
            assert await kajabi_sites(client, given) == [given["kajabi"]["site_id"]]
            account = await client.get("/v4/account", headers={"X-Kit-Api-Key": given["kit"]["api_key"]})
            assert account.json()["account"]["id"] == given["account_id"]
            admin = {"Authorization": f"Bearer {given['admin_key']}"}
            assert (await client.get("/api/v1/keys", headers=admin)).status_code == 200
            assert await kit_token(client, given)


async def test_what_is_published_arrives_on_this_machine(tmp_path: Path) -> None:
    async with Receiver() as receiver, hookwright("dev", "--port", "0", environ={}, folder=tmp_path) as dev:
        commands = curl_commands(await instructions_of(dev))
        subscribe, publish = (re.sub(r"http://\S+/play/first", receiver.url, command) for command in commands)
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await as_request(client, subscribe)).status_code == 201
            assert (await as_request(client, publish)).json()["deliveries"] == 1
        [request] = await receiver.wait_for(1)
        assert request.json()["subscriber"]["email_address"] == "ada@example.com"
        assert await dev.stop() == 0
    [attempt] = [line for line in dev.errors if "subscriber.tag_add" in line]
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d  kit subscriber\.tag_add → endpoint \d+: 200 in [\d.]+ ms, delivered\n", attempt
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_and_its_temporary_folder(tmp_path: Path, number: signal.Signals) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environ = {"TMPDIR": str(temporary)}
    async with hookwright("dev", "--json", "--port", "0", environ=environ, folder=tmp_path) as dev:
        await dev.line()
        assert len(list(temporary.glob("hookwright-dev-*"))) == 1
        assert await dev.stop(number) == 0
    assert list(temporary.iterdir()) == []


async def test_a_second_start_on_a_folder_keeps_credentials_and_endpoints(tmp_path: Path) -> None:
    data = tmp_path / "data"
    arguments = ("dev", "--json", "--port", "0", "--data", str(data))
    async with hookwright(*arguments, environ={}, folder=tmp_path) as dev:
        first = await given_by(dev)
        async with client_of(first) as client:
            await subscribe_with_kit(client, first, "https://example.com/")
        assert await dev.stop() == 0
    assert (data / "dev.json").stat().st_mode & 0o777 == 0o600
    async with hookwright(*arguments, environ={}, folder=tmp_path) as dev:
        second = await given_by(dev)
        assert {**second, "url": ""} == {**first, "url": ""}
        async with client_of(second) as client:
            listed = await client.get("/v4/webhooks", headers={"X-Kit-Api-Key": second["kit"]["api_key"]})
            assert [each["target_url"] for each in listed.json()["webhooks"]] == ["https://example.com/"]


@pytest.mark.parametrize("damage", ['{"account_id": ', '{"account_id": 64}'])
async def test_damaged_credentials_are_made_anew(tmp_path: Path, damage: str) -> None:
    (tmp_path / "dev.json").write_text(damage)
    arguments = ("dev", "--json", "--port", "0", "--data", str(tmp_path))
    async with hookwright(*arguments, environ={}, folder=tmp_path) as dev:
        given = await given_by(dev)
        async with client_of(given) as client:
            assert await kajabi_sites(client, given) == [given["kajabi"]["site_id"]]


async def test_credentials_of_which_one_was_revoked_are_made_anew_for_the_same_account(tmp_path: Path) -> None:
    arguments = ("dev", "--json", "--port", "0", "--data", str(tmp_path))
    async with hookwright(*arguments, environ={}, folder=tmp_path) as dev:
        first = await given_by(dev)
        async with client_of(first) as client:
            admin = {"Authorization": f"Bearer {first['admin_key']}"}
            keys = (await client.get("/api/v1/keys", headers=admin)).json()["data"]
            [kit_key] = [key for key in keys if key["kind"] == "kit"]
            await client.post(f"/api/v1/keys/{kit_key['id']}/rotate", headers=admin)
        assert await dev.stop() == 0
    async with hookwright(*arguments, environ={}, folder=tmp_path) as dev:
        second = await given_by(dev)
    assert second["account_id"] == first["account_id"]
    assert second["kajabi"]["site_id"] == first["kajabi"]["site_id"]
    assert second["kit"]["api_key"] != first["kit"]["api_key"]


async def test_production_settings_in_the_environment_do_not_reach_it(tmp_path: Path) -> None:
    environ = {
        "HOOKWRIGHT_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x",
        "HOOKWRIGHT_HOST": "0.0.0.0",
        "HOOKWRIGHT_MASTER_KEY": "no key",
    }
    async with hookwright("dev", "--json", "--port", "0", environ=environ, folder=tmp_path) as dev:
        assert urlsplit((await given_by(dev))["url"]).hostname == "127.0.0.1"


async def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        port = str(receiver.port)
        async with hookwright("dev", "--json", "--port", port, environ={}, folder=tmp_path) as dev:
            assert await dev.end() == (1, "")
    [line] = dev.errors
    assert line.startswith(f"hookwright: cannot listen on 127.0.0.1:{port}: ")


async def kajabi_sites(client: httpx.AsyncClient, given: dict[str, Any]) -> list[str]:
    kajabi = given["kajabi"]
    form = {
        "grant_type": "client_credentials",
        "client_id": kajabi["client_id"],
        "client_secret": kajabi["client_secret"],
    }
    token = (await client.post("/v1/oauth/token", data=form)).json()["access_token"]
    sites = await client.get("/v1/sites", headers={"Authorization": f"Bearer {token}"})
    return [site["id"] for site in sites.json()["data"]]


async def subscribe_with_kit(client: httpx.AsyncClient, given: dict[str, Any], url: str) -> None:
    body = {"target_url": url, "event": {"name": "subscriber.subscriber_activate"}}
    answer = await client.post("/v4/webhooks", json=body, headers={"X-Kit-Api-Key": given["kit"]["api_key"]})
    assert answer.status_code == 201


def curl_commands(lines: list[str]) -> list[str]:
    text = "".join(lines).replace("\\\n", "")
    return [line.strip() for line in text.splitlines() if line.strip().startswith("curl ")]


async def as_request(client: httpx.AsyncClient, command: str) -> httpx.Response:
    """Do what a `curl URL -H … -d …` would."""
    url = command.split()[1]
    headers = dict(header.split(": ", 1) for header in re.findall(r"-H '([^']*)'", command))
    [body] = re.findall(r"-d '([^']*)'", command)
    return await client.post(url, headers=headers, content=body)


async def kit_token(client: httpx.AsyncClient, given: dict[str, Any]) -> str:
    """An access token, as a browser, a person and an app would fetch it."""
    kit = given["kit"]
    form = {
        "client_id": kit["oauth_client_id"],
        "redirect_uri": kit["oauth_redirect_uri"],
        "response_type": "code",
        "account": str(given["account_id"]),
        "decision": "allow",
    }
    back = urlsplit((await client.post("/v4/oauth/authorize", data=form)).headers["location"])
    assert back._replace(query="").geturl() == kit["oauth_redirect_uri"]
    [code] = parse_qs(back.query)["code"]
    exchange = {
        "client_id": kit["oauth_client_id"],
        "client_secret": kit["oauth_client_secret"],
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": kit["oauth_redirect_uri"],
    }
    return str((await client.post("/v4/oauth/token", json=exchange)).json()["access_token"])
