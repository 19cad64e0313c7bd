"""Resources: what a subscription to our own events can be narrowed to."""

from typing import Any

import msgspec
import pytest

from hookwright.core.resources import about, has_resources, resources_of
from hookwright.core.samples import SAMPLES
from hookwright.core.vocabulary import EVENT_TYPES, decode_data


@pytest.mark.parametrize(
    ("type", "resources"),
    [
        ("contact.created", ()),
        ("contact.tag_added", ("41",)),
        ("contact.custom_field_updated", ("7",)),
        ("form.submitted", ("512",)),
        ("sequence.completed", ("63",)),
        ("link.clicked", ("https://courses.example.com/compilers",)),
        ("purchase.created", ("205", "310")),
        ("payment.succeeded", ("205",)),
        ("order.created", ("205",)),
        ("broadcast.sent", ("9910",)),
        ("post.published", ("1204",)),
    ],
)
def test_the_resources_of_a_sample(type: str, resources: tuple[str, ...]) -> None:
    assert resources_of(decode_data(type, msgspec.json.encode(SAMPLES[type]))) == resources


def test_only_types_that_can_have_resources_do() -> None:
    for type, sample in SAMPLES.items():
        found = resources_of(decode_data(type, msgspec.json.encode(sample)))
        assert has_resources(EVENT_TYPES[type]) == bool(found), type


def test_a_resource_that_is_there_twice_counts_once_and_an_empty_one_not_at_all() -> None:
    contact = {"id": 1, "email": "ada@example.com"}
    products = [{"id": 7}, {"id": 7}, {"id": 8}]
    purchase = {"contact": contact, "purchase": {"id": 5}, "products": products}
    assert resources_of(decode_data("purchase.created", msgspec.json.encode(purchase))) == ("7", "8")
    click = {"contact": contact, "link": {"url": ""}}
    assert resources_of(decode_data("link.clicked", msgspec.json.encode(click))) == ()


@pytest.mark.parametrize("type", [name for name, data in EVENT_TYPES.items() if has_resources(data)])
def test_a_sample_can_be_made_to_be_about_any_resource(type: str) -> None:
    resource = "https://example.com/99" if type == "link.clicked" else "99"
    variants = list(about(SAMPLES[type], resource))
    assert variants
    for data in variants:
        assert resource in resources_of(decode_data(type, msgspec.json.encode(data)))


def test_what_has_no_resources_is_about_none() -> None:
    assert list(about(SAMPLES["contact.created"], "99")) == []


@pytest.mark.parametrize("odd", [{"tag": "blue"}, {"items": []}, {"products": [None]}])
def test_what_has_only_the_name_of_a_resource_stays_as_it_is(odd: dict[str, Any]) -> None:
    assert list(about(odd, "99")) == [odd]
