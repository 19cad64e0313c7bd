"""JSON:API documents: the response class, and what every resource is made of."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from starlette.responses import JSONResponse

from hookwright.core.model import Instant
from hookwright.core.times import from_datetime, iso_millis

MEDIA_TYPE = "application/vnd.api+json"

Document = dict[str, Any]

# Where the resources of deliveries link to: Kajabi's public host, with the paths of its examples.
PUBLIC_LINKS = "https://api.kajabi.com/api/v1"


class Occasion(NamedTuple):
    """What a resource may need to know of its event: its site, its id, its time, and where links lead."""

    site_id: int
    event_id: str
    occurred_at: Instant
    links: str = PUBLIC_LINKS

    def iso(self, *known: datetime | None) -> str:
        """The first of these times that is known, or that of the event: Kajabi prints one always."""
        return next((_iso(moment) for moment in known if moment is not None), iso_millis(self.occurred_at))


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
    return None if moment is None else _iso(moment)


def _iso(moment: datetime) -> str:
    return iso_millis(from_datetime(moment))
