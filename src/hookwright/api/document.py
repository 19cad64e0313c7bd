"""The OpenAPI document: what FastAPI cannot know about the publish routes, and the one shape of every error."""

from typing import Any

import msgspec
from fastapi import FastAPI

from hookwright.api.errors import MEDIA_TYPE
from hookwright.core.event_names import NAME_PATTERN
from hookwright.core.samples import SAMPLES
from hookwright.core.vocabulary import EVENT_TYPES
from hookwright.operations.publish import MAX_BATCH, MAX_KEY_LENGTH
from hookwright.web.openapi import drop_foreign_refusals

Schema = dict[str, Any]

_REF = "#/components/schemas/{name}"
_DATA_TYPES = tuple(dict.fromkeys(EVENT_TYPES.values()))
_LENIENT_ID: Schema = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+$"}]}


class DocumentedApi(FastAPI):
    """A FastAPI app whose document also has the vocabulary, the publish bodies and the errors."""

    def openapi(self) -> Schema:
        """The OpenAPI document, made once."""
        document = super().openapi()
        document["components"]["schemas"].update(_schemas())
        drop_foreign_refusals(document)
        return document


def _schemas() -> dict[str, Schema]:
    _, vocabulary = msgspec.json.schema_components(_DATA_TYPES, ref_template=_REF)
    return {
        **vocabulary,
        "Publish": _publish_schema(),
        "PublishBatch": _batch_schema(),
        "Accepted": _ACCEPTED,
        "BatchConflict": _BATCH_CONFLICT,
        "BatchResults": _BATCH_RESULTS,
        "ProblemDetails": _PROBLEM_DETAILS,
    }


def _ref(name: str) -> Schema:
    return {"$ref": _REF.format(name=name)}


def _publish_schema() -> Schema:
    return {
        "title": "Publish",
        "type": "object",
        "description": "One event. What `data` holds depends on `type`; members beyond the schema are kept.",
        "properties": {
            "type": {
                "type": "string",
                "pattern": NAME_PATTERN,
                "example": "contact.tag_added",
                "description": "One of `GET /event-types`.",
            },
            "account": {**_LENIENT_ID, "description": "Whose event it is."},
            "site": {
                "anyOf": [*_LENIENT_ID["anyOf"], {"type": "null"}],
                "description": "Needed only when the account has several sites.",
            },
            "occurred_at": {
                "anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}],
                "description": "When it happened; now, if it is left out.",
            },
            "expires_at": {
                "anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}],
                "description": "In the future. A delivery that was not made by then is dead, with `expired`.",
            },
            "idempotency_key": {
                "anyOf": [
                    {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
                    {"type": "null"},
                ],
                "description": "With the same key, the same event is accepted once.",
            },
            "ordering_key": {
                "anyOf": [{"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH}, {"type": "null"}],
                "description": "Endpoints with `ordering: key` get the events of one key one after another.",
            },
            "data": {"type": "object"},
        },
        "required": ["type", "account", "data"],
        "oneOf": [*(_variant(data_type) for data_type in _DATA_TYPES), _DECLARED],
    }


def _variant(data_type: type) -> Schema:
    """The event types that carry one type of data."""
    names = [name for name, each in EVENT_TYPES.items() if each is data_type]
    return {
        "title": data_type.__name__.removesuffix("Data"),
        "properties": {"type": {"enum": names}, "data": _ref(data_type.__name__)},
    }


_DECLARED: Schema = {
    "title": "Declared",
    "description": "A type that the platform declared; its data is as its schema says.",
    "properties": {"type": {"not": {"enum": list(EVENT_TYPES)}}, "data": {"type": "object"}},
}


def _batch_schema() -> Schema:
    return {
        "title": "PublishBatch",
        "type": "object",
        "properties": {
            "events": {"type": "array", "items": _ref("Publish"), "minItems": 1, "maxItems": MAX_BATCH},
        },
        "required": ["events"],
        "additionalProperties": False,
    }


def publish_example(event_type: str) -> Schema:
    """A publish request with realistic data."""
    return {
        "type": event_type,
        "account": 64,
        "occurred_at": "2026-01-31T18:20:00Z",
        "idempotency_key": f"{event_type}-88120",
        "data": SAMPLES[event_type],
    }


_ACCEPTED: Schema = {
    "title": "Accepted",
    "type": "object",
    "properties": {
        "event_id": {"type": "string", "format": "uuid"},
        "deliveries": {"type": "integer", "description": "How many endpoints it goes to."},
        "duplicate": {"type": "boolean", "description": "Whether the event was accepted earlier."},
    },
    "required": ["event_id", "deliveries", "duplicate"],
}
_BATCH_CONFLICT: Schema = {
    "title": "BatchConflict",
    "type": "object",
    "properties": {"status": {"const": 409}, "error": {"type": "string"}},
    "required": ["status", "error"],
}
_BATCH_RESULTS: Schema = {
    "title": "BatchResults",
    "type": "object",
    "properties": {
        "results": {"type": "array", "items": {"anyOf": [_ref("Accepted"), _ref("BatchConflict")]}},
    },
    "required": ["results"],
}
_PROBLEM_DETAILS: Schema = {
    "title": "ProblemDetails",
    "type": "object",
    "description": "RFC 9457. `errors` is empty where no field is to blame.",
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "A JSON pointer; `/name` also of a parameter."},
                    "message": {"type": "string"},
                    "code": {"type": "string"},
                },
                "required": ["pointer", "message", "code"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "errors"],
}

_REFUSALS = {
    400: "The body is not JSON.",
    401: "No key, or none that is valid.",
    403: "The key lacks a scope.",
    404: "It does not exist, or the key does not reach it.",
    409: "It contradicts what is already there.",
    413: "The body is too large.",
    422: "Something in the request is wrong; `errors` names each place.",
    429: "The key has made as many requests as a minute has room for; try again after `Retry-After` seconds.",
    503: "The store cannot answer at the moment; try again after `Retry-After` seconds.",
}


def refusals(*statuses: int) -> dict[int | str, Schema]:
    """The `responses` of a route or a router that may refuse with these statuses."""
    content = {MEDIA_TYPE: {"schema": _ref("ProblemDetails")}}
    return {status: {"description": _REFUSALS[status], "content": content} for status in statuses}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


_TRACEPARENT: Schema = {
    "name": "traceparent",
    "in": "header",
    "required": False,
    "description": "W3C Trace Context: the events continue this trace. One that the specification does not allow is"
    " ignored.",
    "schema": {"type": "string"},
    "example": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}

PUBLISH_EXTRA: Schema = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "The same as `idempotency_key` in the body; if both are there they must be equal.",
            "schema": {"type": "string", "maxLength": MAX_KEY_LENGTH},
        },
        _TRACEPARENT,
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": _ref("Publish"),
                "examples": {name: {"value": publish_example(name)} for name in EVENT_TYPES},
            }
        },
    },
    "responses": {"202": {"description": "The event is on disk.", "content": _json(_ref("Accepted"))}},
}
BATCH_EXTRA: Schema = {
    "parameters": [_TRACEPARENT],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": _ref("PublishBatch"),
                "example": {"events": [publish_example("contact.tag_added"), publish_example("form.submitted")]},
            }
        },
    },
    "responses": {"202": {"description": "Every event is on disk.", "content": _json(_ref("BatchResults"))}},
}
