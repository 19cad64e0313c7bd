"""The shapes of requests and answers about webhook endpoints, for the OpenAPI document.

Source: Kit openapi v4.json, tag "Webhooks". Names that Kit does not publish are ours: `created_by_app`'s members,
and everything of a delivery but `id`, `status`, `event_type`, `attempt_count`, `completed_at` and `payload`.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hookwright.dialects.kit.endpoint_events import EVENT_TYPES
from hookwright.dialects.kit.schemas import Pagination

_EVENT: dict[str, Any] = {"enum": list(EVENT_TYPES)}
_EVENTS: dict[str, Any] = {"items": {"type": "string", **_EVENT}}


class NewEndpoint(BaseModel):
    """A request to create a webhook endpoint."""

    url: str = Field(description="A public server")
    events: list[str] = Field(min_length=1, json_schema_extra=_EVENTS)
    name: str = Field("", description="The host of `url` when it is absent")
    description: str = ""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "url": "https://hooks.example.com/incoming",
                "events": ["subscriber.created", "custom_field.created"],
                "name": "My webhook",
                "description": "A test webhook",
            }
        }
    )


class ChangedEndpoint(BaseModel):
    """What of a webhook endpoint is to change; what is absent stays."""

    url: str = ""
    events: list[str] = Field([], description="Replaces the whole set", json_schema_extra=_EVENTS)
    name: str = ""
    description: str = ""
    status: Literal["active", "disabled"] = "active"


class Rotation(BaseModel):
    """How to rotate a signing secret."""

    force: bool = Field(False, description="Also within 24 hours of the last rotation")


class CreatedByApp(BaseModel):
    id: int
    name: str


class WebhookEndpoint(BaseModel):
    id: int
    name: str
    url: str
    events: list[str] = Field(description="Sorted")
    status: Literal["active", "disabled"]
    source: Literal["creator", "app"]
    description: str
    created_by_app: CreatedByApp | None
    created_at: str
    previous_secret_expires_at: str | None


class SecretEndpoint(WebhookEndpoint):
    """A webhook endpoint with its signing secret, which is shown this once."""

    secret: str


class EndpointDetails(BaseModel):
    webhook_endpoint: WebhookEndpoint


class EndpointWithSecret(BaseModel):
    webhook_endpoint: SecretEndpoint


class EndpointList(BaseModel):
    webhook_endpoints: list[WebhookEndpoint]
    pagination: Pagination


class EndpointDelivery(BaseModel):
    """One request to a webhook endpoint, with all its retries."""

    id: int = Field(description="The `delivery_id` of the envelope and the `X-Kit-Delivery` header")
    status: Literal["pending", "retrying", "delivered", "failed"]
    event_type: str = Field(json_schema_extra=_EVENT)
    attempt_count: int
    created_at: str
    completed_at: str | None


class DeliveryAttempt(BaseModel):
    attempted_at: str
    response_status: int | None
    response_body: str | None = Field(description="The first part of it")
    duration_ms: int
    error: str | None = Field(description="Why there was no whole answer")


class DeliveredEvent(BaseModel):
    """One of the events of a request."""

    id: str
    type: str = Field(json_schema_extra=_EVENT)
    created: str
    data: dict[str, Any]


class Envelope(BaseModel):
    """The body that was sent."""

    delivery_id: int
    events: list[DeliveredEvent]


class DeliveryHistory(EndpointDelivery):
    """One request with every attempt and its events."""

    attempts: list[DeliveryAttempt]
    events: list[DeliveredEvent]
    payload: Envelope | None = Field(None, description="Only with `include_payload=true`")


class DeliveryDetails(BaseModel):
    delivery: DeliveryHistory


class DeliveryList(BaseModel):
    deliveries: list[EndpointDelivery]
    pagination: Pagination
