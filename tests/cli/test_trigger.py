"""`hookwright trigger`."""

from typing import Any

import msgspec
import pytest

from cli.conftest import CommandLine
from hookwright.operations.deliveries import require_event
from hookwright.operations.services import Services

URL = "https://receiver.example.com/in"


@pytest.fixture
def account(sqlite: CommandLine) -> str:
    return str(sqlite.json("accounts", "create", "Ada")["id"])


def data_of(command_line: CommandLine, event_id: str) -> dict[str, Any]:
    """What was published."""
    found: dict[str, Any] = {}

    async def read(services: Services) -> None:
        found.update(msgspec.json.decode((await require_event(services, None, event_id)).data))

    command_line.act(read)
    return found


def test_an_event_is_published_from_its_sample_on_each_database(command_line: CommandLine) -> None:
    account = str(command_line.json("accounts", "create", "Ada")["id"])
    command_line.json("endpoints", "create", account, URL, "--event", "contact.tag_added:123")
    triggered = command_line.json("trigger", "contact.tag_added", "--tag", "123", "--account", account)
    assert (triggered["events"], triggered["deliveries"]) == (1, 1)
    assert data_of(command_line, triggered["event_id"])["contact"]["email"] == "grace@example.com"


def test_the_sample_is_changed_in_places(sqlite: CommandLine, account: str) -> None:
    changes = ["contact.email=ada@example.com", "contact.subscribed=false", "tag.id=7", "contact.fields.size=XL"]
    options = [part for change in changes for part in ("--set", change)]
    data = data_of(sqlite, sqlite.json("trigger", "contact.tag_added", *options)["event_id"])
    assert (data["contact"]["email"], data["contact"]["subscribed"]) == ("ada@example.com", False)
    assert (data["tag"]["id"], data["contact"]["fields"]["size"]) == (7, "XL")


@pytest.mark.parametrize(
    ("name", "type"),
    [
        ("kajabi:tag_added", "contact.tag_added"),
        ("kit:subscriber.tag_add", "contact.tag_added"),
        ("kit_endpoints:subscriber.tag_added", "contact.tag_added"),
        ("kit:subscriber.product_purchase", "purchase.created"),
    ],
)
def test_a_vendors_name_will_do(sqlite: CommandLine, account: str, name: str, type: str) -> None:
    assert sqlite.json("trigger", name)["event_type"] == type


def test_many_are_published_and_only_people_see_the_progress(sqlite: CommandLine, account: str) -> None:
    sqlite.json("endpoints", "create", account, URL, "--event", "*")
    many = sqlite.json("trigger", "contact.created", "--count", "250")
    assert (many["events"], many["deliveries"]) == (250, 250)
    assert sqlite.json("trigger", "contact.created", "--count", "3", "--rate", "1000")["events"] == 3


def test_people_are_told_when_nobody_wants_it(sqlite: CommandLine, account: str) -> None:
    result = sqlite.run("trigger", "contact.created")
    assert "no endpoint wants it" in result.stderr


@pytest.mark.parametrize(("editor", "reason"), [("false", "set EDITOR"), ("sed -i s/{//", "not JSON")])
def test_an_editor_that_fails_is_one_line(sqlite: CommandLine, account: str, editor: str, reason: str) -> None:
    environ = {"EDITOR": editor, "VISUAL": ""}
    assert reason in sqlite.refusal("trigger", "contact.created", "--edit", environ=environ)


def test_an_editor_may_change_the_data(sqlite: CommandLine, account: str) -> None:
    editor = {"EDITOR": "sed -i s/grace@/edited@/", "VISUAL": ""}
    result = sqlite.run("trigger", "contact.created", "--edit", "--json", environ=editor)
    triggered = msgspec.json.decode(result.stdout)
    assert data_of(sqlite, triggered["event_id"])["contact"]["email"] == "edited@example.com"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["contact.eaten"], "unknown event type"),
        (["kajabi:eaten"], "kajabi:tag_added"),
        (["contact.created", "--tag", "1"], "--tag: contact.created is about contact"),
        (["contact.created", "--set", "contact.id.x=1"], "nothing below"),
        (["contact.created", "--set", "contact.id=x"], "contact.id: must be a whole number"),
        (["contact.created", "--account", "999"], "account 999 does not exist"),
    ],
)
def test_what_cannot_be_published_is_one_line(
    sqlite: CommandLine, account: str, arguments: list[str], reason: str
) -> None:
    assert reason in sqlite.refusal("trigger", *arguments)


def test_the_account_is_only_left_out_where_there_is_one(sqlite: CommandLine) -> None:
    assert "no account yet" in sqlite.refusal("trigger", "contact.created")
    for name in ("Ada", "Grace"):
        sqlite.json("accounts", "create", name)
    assert "give --account" in sqlite.refusal("trigger", "contact.created")


def test_a_change_that_is_no_change_is_wrong_usage(sqlite: CommandLine, account: str) -> None:
    assert "PATH=VALUE" in sqlite.refusal("trigger", "contact.created", "--set", "contact", exit_code=2)


def test_a_relative_target_needs_a_dev_server(sqlite: CommandLine, account: str) -> None:
    told = sqlite.refusal("trigger", "contact.created", "--to", "/play/first", exit_code=2)
    assert told.startswith("hookwright: --to /play/first: only the receiver of a running `hookwright dev`")
    assert "--to x: must be a whole URL" in sqlite.refusal("trigger", "contact.created", "--to", "x")
