"""Names of event types and the families they belong to."""

import pytest

from hookwright.core.event_names import families_of, is_name, meant_by, members_of
from hookwright.core.vocabulary import EVENT_TYPES

NAMES = ["contact.created", "contact.tag_added", "contact_list.created"]


@pytest.mark.parametrize("name", [*EVENT_TYPES, "invoice.paid", "a.b", "x1_y.z_2"])
def test_a_name_is_a_noun_and_a_verb(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "invoice", "invoice.", ".paid", "Invoice.paid", "invoice.paid.twice", "1.paid", "invoice.*", "a b.c"),
        *("é.ü", "invoice.paid\n", "a." + "b" * 99),
    ],
)
def test_anything_else_is_no_name(name: str) -> None:
    assert not is_name(name)


def test_an_event_belongs_to_its_noun_and_to_everything() -> None:
    assert families_of("contact.tag_added") == ("contact.*", "*")


@pytest.mark.parametrize(
    ("event", "members"),
    [
        ("contact.created", ["contact.created"]),
        ("contact.*", ["contact.created", "contact.tag_added"]),
        ("*", NAMES),
        ("cont*", []),
        ("contact", []),
        ("*.created", []),
        ("", []),
    ],
)
def test_a_subscription_names_one_type_or_a_family(event: str, members: list[str]) -> None:
    assert members_of(event, NAMES) == members


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("contact.tag_aded", "contact.tag_added"),
        ("contacts.created", "contact.created"),
        ("tag.added", None),
        ("", None),
        ("contact.created" * 1_000, None),
    ],
)
def test_a_mistyped_name_is_the_nearest_if_one_is_near(name: str, meant: str | None) -> None:
    assert meant_by(name, ("contact.created", "contact.tag_added", "form.submitted")) == meant
