"""JSON:API documents: the response class and the few shapes that every resource is made of."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from starlette.responses import JSONResponse

from hookwright.core.times import from_datetime, iso_millis

MEDIA_TYPE = "application/vnd.api+json"

Document = dict[str, Any]


class JsonApi(JSONResponse):
    """A response in JSON:API's media type, which Kajabi declares for every body but those of OAuth."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """The document as compact JSON, its keys in the order they were written."""
        return msgspec.json.encode(content)


def identifier(type: str, id: int | str) -> Document:
    """`{"id": "456", "type": "sites"}`: Kajabi's ids are strings wherever they identify."""
    return {"id": str(id), "type": type}


def to_one(type: str, id: int | str | None) -> Document:
    """A relationship to one resource, or to none."""
    return {"data": None if id is None else identifier(type, id)}


def to_many(type: str, ids: Iterable[int]) -> Document:
    """A relationship to several resources."""
    return {"data": [identifier(type, id) for id in ids]}


def with_fields(resource: Document, params: Mapping[str, str]) -> Document:
    """A resource with the attributes that `fields[<its type>]` names, or with all of them."""
    names = params.get(f"fields[{resource['type']}]", "").replace(" ", "").split(",")
    if names == [""]:
        return resource
    attributes = {name: value for name, value in resource["attributes"].items() if name in names}
    return {**resource, "attributes": attributes}


def iso_or_null(moment: datetime | None) -> str | None:
    """`2026-01-31T23:59:59.123Z`, Kajabi's form of a time, or null."""
    return None if moment is None else iso_millis(from_datetime(moment))
