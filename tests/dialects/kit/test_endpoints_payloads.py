"""What webhook endpoints are sent: event objects, envelopes, signatures, headers; all as functions of values."""

import json
from typing import Any

import msgspec
import pytest

from hookwright.core.model import SECOND, Claim, Event, Parcel, SigningKey
from hookwright.core.vocabulary import EVENT_TYPES as OUR_EVENT_TYPES
from hookwright.core.vocabulary import typed_data
from hookwright.dialects.kit import KIT
from hookwright.dialects.kit.endpoint_events import EVENT_TYPES
from hookwright.dialects.kit.endpoint_payloads import translate_for_endpoints
from hookwright.dialects.kit.envelopes import endpoint_headers, envelope, kit_signature

from .clients import vendors

PUBLISHED = vendors("webhook_endpoints")
ENVELOPE = PUBLISHED["envelope_example"]
OBJECTS = PUBLISHED["objects"]
SUBSCRIBER = ENVELOPE["events"][0]["data"]["subscriber"]
SIGNATURES = PUBLISHED["signatures"]
OCCURRED_AT = 1_785_335_530 * SECOND  # 2026-07-29T14:32:10Z

# The contact of whom the published envelope speaks.
CONTACT = {
    "id": 987654,
    "email": "ada@example.com",
    "first_name": "Ada",
    "created_at": "2026-07-29T14:32:10Z",
    "fields": {"company": "Kit"},
}
WITH_CONTACT = {kits: ours for kits, ours in EVENT_TYPES.items() if kits.startswith("subscriber.")}
STATES = {"contact.unsubscribed": "cancelled", "contact.bounced": "bounced", "contact.complained": "complained"}


def event_of(type: str, data: dict[str, Any]) -> Event:
    return Event(
        id="9c2e1f3a-6b7d-4e8f-a1b2-c3d4e5f60718",
        account_id=64,
        site_id=None,
        type=type,
        occurred_at=OCCURRED_AT,
        accepted_at=OCCURRED_AT,
        data=msgspec.json.encode(data),
    )


def object_of(type: str, data: dict[str, Any]) -> dict[str, Any]:
    """The event object of the one notice that an event becomes."""
    event = event_of(type, data)
    (notice,) = translate_for_endpoints(event, typed_data(type, event.data))
    rendered: dict[str, Any] = json.loads(notice.render())
    return rendered


def object_named_in(event_type: str) -> str | None:
    """The object that an event of ours is about beside the contact."""
    fields = msgspec.structs.fields(OUR_EVENT_TYPES[event_type])
    names = [field.name for field in fields if field.name in OBJECTS]
    return names[0] if names else None


def claim_of(body: bytes, delivery_id: int, batch_id: int | None) -> Claim:
    return Claim(
        delivery_id=delivery_id,
        fence=1,
        account_id=64,
        event_id="9c2e1f3a-6b7d-4e8f-a1b2-c3d4e5f60718",
        event_type="contact.created",
        occurred_at=OCCURRED_AT,
        created_at=OCCURRED_AT,
        endpoint_id=1,
        dialect="kit_endpoints",
        dialect_event="subscriber.created",
        ordinal=1,
        url="https://example.com/",
        body=body,
        attempt=1,
        round_attempt=1,
        retry_schedule=None,
        batch_id=batch_id,
    )


@pytest.mark.parametrize(("name", "event_type"), EVENT_TYPES.items())
def test_each_of_the_23_events_prints_the_published_objects(name: str, event_type: str) -> None:
    about = object_named_in(event_type)
    given: dict[str, Any] = {"contact": CONTACT} if name in WITH_CONTACT else {}
    shown: dict[str, Any] = {}
    if name in WITH_CONTACT:
        shown["subscriber"] = {**SUBSCRIBER, "state": STATES.get(event_type, "active")}
    if about is not None:
        given[about], shown[about] = OBJECTS[about], dict(OBJECTS[about])
    if name == "subscriber.custom_field_value_updated":
        given["custom_field"] = {**given["custom_field"], "value": "Kit"}
        shown["custom_field"]["value"] = "Kit"
    rendered = object_of(event_type, given)
    assert rendered == {
        "id": "9c2e1f3a-6b7d-4e8f-a1b2-c3d4e5f60718",
        "type": name,
        "created": "2026-07-29T14:32:10Z",
        "data": shown,
    }
    assert list(rendered) == ["id", "type", "created", "data"]
    assert [list(each) for each in rendered["data"].values()] == [list(each) for each in shown.values()]


def test_a_value_that_was_taken_away_is_null() -> None:
    data = {"contact": CONTACT, "custom_field": OBJECTS["custom_field"]}
    assert object_of("contact.custom_field_updated", data)["data"]["custom_field"]["value"] is None


@pytest.mark.parametrize(
    "event_type", ["link.clicked", "purchase.created", "payment.succeeded", "order.created", "x.y"]
)
def test_kit_has_no_word_for_some_events(event_type: str) -> None:
    assert list(translate_for_endpoints(event_of(event_type, {}), None)) == []


@pytest.mark.parametrize(
    ("event_type", "about", "shown"),
    [
        (
            "form.submitted",
            "form",
            {"name": "", "type": "embed", "format": None, "archived": False, "uid": ""},
        ),
        (
            "sequence.created",
            "sequence",
            {
                "name": "",
                "hold": False,
                "repeat": False,
                "updated_at": "2026-07-29T14:32:10Z",
                "email_template_id": None,
                "active": True,
            },
        ),
        ("tag.deleted", "tag", {"name": ""}),
        (
            "broadcast.sent",
            "broadcast",
            {
                "publication_id": None,
                "subject": "",
                "preview_text": None,
                "description": None,
                "public": False,
                "published_at": None,
                "send_at": None,
                "status": None,
            },
        ),
    ],
)
def test_what_a_platform_leaves_out_is_empty_or_as_old_as_the_event(
    event_type: str, about: str, shown: dict[str, Any]
) -> None:
    data = {about: {"id": 1}, "contact": CONTACT}
    rendered = object_of(event_type, data)["data"][about]
    assert rendered == {"id": 1, "created_at": "2026-07-29T14:32:10Z", **shown}


def test_a_post_without_a_date_was_published_by_the_event() -> None:
    assert object_of("post.published", {"post": {"id": 1}})["data"]["post"] == {
        "id": 1,
        "publication_id": None,
        "title": "",
        "slug": "",
        "published_at": "2026-07-29T14:32:10Z",
        "is_paid": None,
        "public_url": "",
    }


def test_one_event_has_a_notice_for_each_kind_of_webhook() -> None:
    event = event_of("contact.tag_added", {"contact": CONTACT, "tag": OBJECTS["tag"]})
    data = typed_data(event.type, event.data)
    notices = [(notice.dialect, notice.event, notice.resources) for notice in KIT.translate(event, data)]
    assert notices == [
        ("kit", "subscriber.tag_add", ("42",)),
        ("kit_endpoints", "subscriber.tag_added", ()),
    ]


def test_the_published_envelope_is_printed_without_spaces() -> None:
    event = event_of("contact.created", {"contact": CONTACT})
    (notice,) = translate_for_endpoints(event, typed_data(event.type, event.data))
    body = envelope((claim_of(notice.render(), 123457, 123456),))
    assert body == json.dumps(ENVELOPE, separators=(",", ":")).encode()


def test_a_batch_has_the_id_of_its_first_delivery_and_every_event_in_order() -> None:
    claims = tuple(claim_of(b'{"id":"%d"}' % id, id, 7) for id in (7, 8, 9))
    assert envelope(claims) == b'{"delivery_id":7,"events":[{"id":"7"},{"id":"8"},{"id":"9"}]}'
    assert envelope((claim_of(b"{}", 12, None),)) == b'{"delivery_id":12,"events":[{}]}'


@pytest.mark.parametrize("vector", SIGNATURES["vectors"])
def test_the_published_signatures_are_ours(vector: dict[str, str]) -> None:
    signature = kit_signature([vector["secret"]], SIGNATURES["timestamp"], vector["body"].encode())
    assert signature == f"t={SIGNATURES['timestamp']},v1={vector['v1']}"


def test_while_a_secret_rotates_both_sign_the_newest_first() -> None:
    test, rotated, _ = SIGNATURES["vectors"]
    signature = kit_signature(["whsec_rotated", "whsec_test"], SIGNATURES["timestamp"], test["body"].encode())
    assert signature == f"t={SIGNATURES['timestamp']},v1={rotated['v1']},v1={test['v1']}"


def test_the_headers_are_kits() -> None:
    vector = SIGNATURES["vectors"][0]
    parcel = Parcel(claims=(claim_of(b"{}", 8, 7),), body=vector["body"].encode())
    now = SIGNATURES["timestamp"] * SECOND + 999_999
    assert endpoint_headers(parcel, (SigningKey("whsec_test", b"not used"),), now) == {
        "Content-Type": "application/json",
        "User-Agent": "Kit-Webhooks/2.0",
        "X-Kit-Delivery": "7",
        "X-Kit-Signature": f"t={SIGNATURES['timestamp']},v1={vector['v1']}",
    }
