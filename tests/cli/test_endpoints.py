"""`hookwright endpoints`: in this process, on each database."""

import re

import pytest
from msgspec import Raw

from cli.conftest import CommandLine
from hookwright.core.signing import decode_secret
from hookwright.operations.endpoints import create_endpoint
from hookwright.operations.publish import Publish, publish
from hookwright.operations.services import Services
from hookwright.store.base import EndpointQuery

URL = "https://receiver.example.com/in"
CONTACT = Raw(b'{"contact": {"id": 1, "email": "ada@example.com"}}')


def account_id(command_line: CommandLine) -> str:
    return str(command_line.json("accounts", "create", "Ada")["id"])


def endpoint_id(command_line: CommandLine, account: str, *options: str) -> str:
    return str(command_line.json("endpoints", "create", account, URL, "--event", "contact.*", *options)["id"])


# -- each command, on each database ------------------------------------------------------------------------------


def test_an_endpoint_is_created_listed_shown_and_deleted(command_line: CommandLine) -> None:
    account = account_id(command_line)
    wanted = ("--event", "purchase.created", "--event", "form.submitted:512", "--event", "contact.*")
    made = command_line.json(
        "endpoints", "create", account, URL, *wanted, "--name", "Warehouse", "--max-in-flight", "2", "--rate", "7"
    )
    assert decode_secret(made.pop("signing_secret"))
    assert made.pop("verification_key") is None
    assert (made["name"], made["url"], made["dialect"]) == ("Warehouse", URL, "hookwright")
    assert (made["max_in_flight"], made["rate_per_second"], made["status"]) == (2, 7, "active")
    assert sorted(made["events"]) == ["contact.*", "form.submitted:512", "purchase.created"]
    [listed] = command_line.json("endpoints", "list", account)
    assert {**listed, "events": sorted(listed["events"])} == {**made, "events": sorted(made["events"])}
    shown = command_line.json("endpoints", "show", account, str(made["id"]))
    assert shown == {**listed, "waiting_deliveries": 0}
    assert command_line.text("endpoints", "delete", account, str(made["id"]), "--yes").endswith("is deleted\n")
    assert command_line.json("endpoints", "list", account) == []


def test_an_endpoint_is_paused_disabled_with_a_reason_and_resumed(command_line: CommandLine) -> None:
    account = account_id(command_line)
    endpoint = endpoint_id(command_line, account)
    paused = command_line.json("endpoints", "pause", account, endpoint)
    assert (paused["status"], paused["status_reason"]) == ("paused", None)
    disabled = command_line.json("endpoints", "disable", account, endpoint, "--reason", "abuse")
    assert (disabled["status"], disabled["status_reason"]) == ("disabled", "abuse")
    assert command_line.json("endpoints", "disable", account, endpoint)["status_reason"] == "operator"
    resumed = command_line.json("endpoints", "resume", account, endpoint)
    assert (resumed["status"], resumed["status_reason"]) == ("active", None)


def test_an_endpoint_shows_how_many_deliveries_wait_for_it(command_line: CommandLine) -> None:
    account = account_id(command_line)
    endpoint, other = endpoint_id(command_line, account), endpoint_id(command_line, account)

    async def publish_two(services: Services) -> None:
        await publish(services, [Publish(type="contact.created", account=int(account), data=CONTACT)] * 2)

    command_line.act(publish_two)
    command_line.text("endpoints", "delete", account, other, "--yes")
    assert command_line.json("endpoints", "show", account, endpoint)["waiting_deliveries"] == 2


# -- what is printed ---------------------------------------------------------------------------------------------


def test_people_get_a_table_of_what_matters_and_a_line_for_each_thing_that_is_there(sqlite: CommandLine) -> None:
    account = account_id(sqlite)
    endpoint = endpoint_id(sqlite, account)
    head, row = sqlite.text("endpoints", "list", account).splitlines()
    assert head.split() == ["ID", "DIALECT", "STATUS", "STATUS_REASON", "BREAKER", "FAILURES", "EVENTS", "URL"]
    assert row.split() == [endpoint, "hookwright", "active", "-", "closed", "0", "contact.*", URL]
    shown = sqlite.text("endpoints", "show", account, endpoint)
    assert re.search(r"^waiting_deliveries +0$", shown, re.MULTILINE)
    assert "description" not in shown


def test_an_endpoint_signed_with_a_public_key_prints_it_and_no_secret(sqlite: CommandLine) -> None:
    account = account_id(sqlite)
    made = sqlite.json("endpoints", "create", account, URL, "--event", "*", "--signature", "v1a")
    assert made["verification_key"].startswith("whpk_")
    assert made["signing_secret"] is None


def test_endpoints_of_every_dialect_are_listed_or_those_of_one(sqlite: CommandLine) -> None:
    account = account_id(sqlite)
    own = endpoint_id(sqlite, account)

    async def add_one_of_kit(services: Services) -> None:
        await create_endpoint(services, int(account), "kit", URL, [])

    sqlite.act(add_one_of_kit)
    listed = sqlite.json("endpoints", "list", account)
    assert [each["dialect"] for each in listed] == ["hookwright", "kit"]
    assert [str(each["id"]) for each in sqlite.json("endpoints", "list", account, "--dialect", "hookwright")] == [own]


def test_a_list_longer_than_a_page_is_whole(sqlite: CommandLine) -> None:
    account = account_id(sqlite)

    async def add_many(services: Services) -> None:
        for _ in range(101):
            await create_endpoint(services, int(account), "kit", URL, [])
        assert await services.store.count_endpoints(EndpointQuery(account_id=int(account))) == 101

    sqlite.act(add_many)
    assert len({each["id"] for each in sqlite.json("endpoints", "list", account)}) == 101


# -- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["show", "pause", "resume", "disable", "delete"])
def test_another_accounts_endpoint_does_not_exist(sqlite: CommandLine, command: str) -> None:
    endpoint = endpoint_id(sqlite, account_id(sqlite))
    sure = ["--yes"] if command == "delete" else []
    refusal = sqlite.refusal("endpoints", command, account_id(sqlite), endpoint, *sure)
    assert f"endpoint {endpoint} does not exist" in refusal


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["http://receiver.example.com/", "--event", "*"], "url: "),
        ([URL, "--event", "contact.creatd"], "--event: unknown event; did you mean contact.created?"),
        (
            [URL, "--event", "payment.succeeded", "--event", "contact.created:5"],
            "--event: contact.created has no resources",
        ),
        ([URL, "--event", "*", "--rate", "0"], "--rate: must be 1 to "),
    ],
)
def test_what_an_endpoint_cannot_be_is_named(sqlite: CommandLine, arguments: list[str], reason: str) -> None:
    assert reason in sqlite.refusal("endpoints", "create", account_id(sqlite), *arguments)


@pytest.mark.parametrize("command", [["list", "64"], ["create", "64", URL, "--event", "*"]])
def test_an_account_that_is_not_there_is_named(sqlite: CommandLine, command: list[str]) -> None:
    assert "account 64 does not exist" in sqlite.refusal("endpoints", *command)


def test_without_a_terminal_an_endpoint_is_only_deleted_with_yes(sqlite: CommandLine) -> None:
    assert "give --yes" in sqlite.refusal("endpoints", "delete", "64", "128", exit_code=2)
