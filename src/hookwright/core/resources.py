"""Resources: what a subscription to Hookwright's own events can be narrowed to.

They are the objects that exist before the event and that a subscriber may therefore name: a tag, a form, an offer.
What comes into being with the event (a submission, a purchase, an order) is none, and neither is the contact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from hookwright.core.vocabulary import Data, OrderItem, Product


def resources_of(data: Data) -> tuple[str, ...]:
    """The ids of the objects in an event's data, and the URL of a link, each once; as text."""
    found: dict[str, None] = {}
    for section, ids_of in _sections_of(type(data)):
        value = getattr(data, section)
        if value is not None:
            found |= dict.fromkeys(map(str, ids_of(value)))
    found.pop("", None)
    return tuple(found)


def has_resources(data_type: type[Data]) -> bool:
    """Whether events with this data can have resources."""
    return bool(_sections_of(data_type))


def about(data: Mapping[str, Any], resource: str) -> Iterator[dict[str, Any]]:
    """An event's data (as JSON) made to be about a resource: once for each object in it that the resource may be."""
    for section, member in _NAMING_MEMBERS.items():
        if section in data:
            yield {**data, section: _named(data[section], member, resource)}


@cache
def _sections_of(data_type: type[Data]) -> tuple[tuple[str, Callable[[Any], Iterable[object]]], ...]:
    """The objects in data of a type that are resources: by which name, and what their ids are."""
    return tuple((section, _RESOURCES[section]) for section in _RESOURCES if section in data_type.__struct_fields__)


def _named(value: Any, member: str, resource: str) -> Any:
    if isinstance(value, list):
        return [_named(each, member, resource) for each in value[:1]] + value[1:]
    if not isinstance(value, dict):  # a declared type's sample may call anything a tag
        return value
    return {**value, member: int(resource) if member != "url" and resource.isdecimal() else resource}


def _own_id(value: Any) -> Iterable[int]:
    return (value.id,)


def _product_ids(products: Iterable[Product]) -> Iterable[int]:
    return (product.id for product in products)


def _ordered_offers(items: Iterable[OrderItem]) -> Iterable[int]:
    return (item.item_id for item in items if item.item_type == "Offer" and item.item_id is not None)


# By the name that the object has in the data.
_RESOURCES: Mapping[str, Callable[[Any], Iterable[object]]] = {
    "tag": _own_id,
    "form": _own_id,
    "sequence": _own_id,
    "custom_field": _own_id,
    "offer": _own_id,
    "broadcast": _own_id,
    "post": _own_id,
    "link": lambda link: (link.url,),
    "products": _product_ids,
    "items": _ordered_offers,
}

# Which member of each of these objects a subscription names it by.
_NAMING_MEMBERS: Mapping[str, str] = {**dict.fromkeys(_RESOURCES, "id"), "link": "url", "items": "item_id"}
