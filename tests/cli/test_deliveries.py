"""`hookwright deliveries`: listed, shown and sent again, on each database."""

from typing import Any

from cli.conftest import CommandLine
from hookwright.core.answer_headers import AnswerHeader, AnswerHeaders
from hookwright.core.model import MINUTE, Outcome, Settled, Settlement, Subscription
from hookwright.operations.endpoints import Details
from hookwright.operations.own_endpoints import create_own_endpoint
from hookwright.operations.samples import send_sample
from hookwright.operations.services import Services

HEADERS = AnswerHeaders((AnswerHeader("server", r"ng\x9b"), AnswerHeader("set-cookie", None)), left_out=2)
URL = "https://receiver.example.com/events"


def given_dead(command_line: CommandLine) -> tuple[str, str]:
    """An account and its one delivery, which died of a 500."""
    account = command_line.json("accounts", "create", "Ada")["id"]

    async def act(services: Services) -> None:
        subscriptions = [Subscription("contact.created")]
        made = await create_own_endpoint(services, account, URL, subscriptions, Details())
        await send_sample(services, account, made.endpoint.id)
        now = services.clock.now()
        (claim,) = await services.store.claim(10, now, now + MINUTE)
        outcome = Outcome(started_at=now, duration_us=1_500, status_code=500, body=b"oops", headers=HEADERS)
        end = Settlement(status="dead", due_at=None)
        await services.store.settle([Settled(claim=claim, outcome=outcome, settlement=end)], now)

    command_line.act(act)
    [delivery] = command_line.json("deliveries", "list", str(account))
    return str(account), str(delivery["id"])


def test_deliveries_are_listed_by_what_became_of_them(command_line: CommandLine) -> None:
    account, id = given_dead(command_line)
    listed = command_line.json("deliveries", "list", account, "--status", "dead", "--type", "contact.created")
    assert [(str(each["id"]), each["attempt_count"], each["last"]) for each in listed] == [(id, 1, 500)]
    assert command_line.json("deliveries", "list", account, "--status", "pending", "--status", "delivered") == []
    head, row = command_line.text("deliveries", "list", account).splitlines()
    assert head.split()[:3] == ["ID", "CREATED_AT", "STATUS"]
    assert row.split()[2:5] == ["dead", "1", "500"]


def test_a_delivery_is_shown_with_its_payload_and_every_attempt(command_line: CommandLine) -> None:
    account, id = given_dead(command_line)
    shown: dict[str, Any] = command_line.json("deliveries", "show", account, id)
    assert shown["url"] == URL
    assert '"type":"contact.created"' in shown["payload"]
    [attempt] = shown["attempts"]
    assert (attempt["attempt"], attempt["status_code"], attempt["response_body"]) == (1, 500, "oops")
    assert attempt["response_headers"][0] == {"name": "server", "value": r"ng\x9b", "cut_bytes": 0}
    assert (attempt["response_headers"][1]["value"], attempt["response_headers_left_out"]) == (None, 2)
    text = command_line.text("deliveries", "show", account, id)
    assert '  "type": "contact.created",' in text.splitlines()
    begin = text.splitlines().index("Headers of the answer to attempt 1:")
    assert text.splitlines()[begin + 1 : begin + 4] == [
        r"  server: ng\x9b",
        "  set-cookie: (not kept: it may be a credential)",
        "  (2 more not kept)",
    ]


def test_a_delivery_is_sent_again(command_line: CommandLine) -> None:
    account, id = given_dead(command_line)
    assert command_line.json("deliveries", "replay", account, id)["status"] == "pending"
    assert command_line.json("deliveries", "show", account, id)["attempt_count"] == 1


def test_what_is_another_accounts_is_not_there(command_line: CommandLine) -> None:
    _, id = given_dead(command_line)
    other = str(command_line.json("accounts", "create", "Blaise")["id"])
    for verb in ("show", "replay"):
        assert "does not exist" in command_line.refusal("deliveries", verb, other, id)
    assert command_line.json("deliveries", "list", other) == []


def test_a_status_that_is_none_is_refused(sqlite: CommandLine) -> None:
    account = str(sqlite.json("accounts", "create", "Ada")["id"])
    assert "failed is no status; use pending, " in sqlite.refusal("deliveries", "list", account, "--status", "failed")
