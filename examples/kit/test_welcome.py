import pytest
from welcome import Refused, Welcome

from hookwright.testing.stand_in import StandIn


@pytest.fixture
def mails() -> list[str]:
    return []


@pytest.fixture
def welcome(hookwright: StandIn, mails: list[str]) -> Welcome:
    """The integration, subscribed at a Kit that is Hookwright; its requests go to the fixture's receiver."""
    welcome = Welcome(hookwright.kit.base_url, hookwright.kit.api_key, mails.append)
    welcome.subscribe(f"{hookwright.receiver.url}/kit")
    return welcome


def test_a_new_subscriber_is_welcomed(hookwright: StandIn, welcome: Welcome, mails: list[str]) -> None:
    hookwright.publish("contact.created", contact={"email": "ada@example.com"})
    request = hookwright.receiver.wait_for("subscriber.created")
    welcome.receive(request.headers["x-kit-signature"], request.body)
    assert mails == ["ada@example.com"]


def test_a_retry_is_signed_anew_and_welcomes_nobody_twice(
    hookwright: StandIn, welcome: Welcome, mails: list[str]
) -> None:
    hookwright.receiver.fail_next(1, status=503)
    hookwright.publish("contact.created", contact={"email": "ada@example.com"})
    hookwright.travel(seconds=30)  # Kit's first retry
    first, second = (hookwright.receiver.wait_for("subscriber.created") for _ in range(2))
    assert (first.attempt, second.attempt) == (1, 2)
    for request in (first, second):
        welcome.receive(request.headers["x-kit-signature"], request.body)
    assert mails == ["ada@example.com"]


def test_what_kit_did_not_sign_is_refused(hookwright: StandIn, welcome: Welcome, mails: list[str]) -> None:
    hookwright.publish("contact.created")
    request = hookwright.receiver.wait_for("subscriber.created")
    with pytest.raises(Refused):
        welcome.receive(request.headers["x-kit-signature"], request.body + b" ")
    assert mails == []


def test_after_eight_attempts_kit_gives_up(hookwright: StandIn, welcome: Welcome) -> None:
    hookwright.receiver.answer(500)
    hookwright.publish("contact.created")
    hookwright.travel(days=2)
    [delivery] = hookwright.deliveries
    assert (delivery.status, delivery.attempts, delivery.last_status_code) == ("dead", 8, 500)
