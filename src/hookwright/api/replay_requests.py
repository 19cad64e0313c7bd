"""What the routes of replays take."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictBool, StrictInt

from hookwright.api.requests import EventType, Moment, Paging, RequestModel, RowId
from hookwright.operations.replays import DEFAULT_RATE_PER_SECOND, MAX_RATE_PER_SECOND

ReplayRate = Annotated[
    StrictInt,
    Field(
        description="How many deliveries become due in a second.",
        json_schema_extra={"minimum": 1, "maximum": MAX_RATE_PER_SECOND},
    ),
]


class Recovery(RequestModel):
    """What an endpoint is to be sent again, and how fast."""

    model_config = ConfigDict(json_schema_extra={"example": {"rate_per_second": DEFAULT_RATE_PER_SECOND}})

    since: Moment | None = Field(
        default=None,
        description="ISO 8601; UTC without a zone. If it is left out: when the endpoint began to fail, or else when"
        " its status last changed.",
    )
    rate_per_second: ReplayRate = DEFAULT_RATE_PER_SECOND


class NewReplay(RequestModel):
    """Which finished deliveries of an account to send again, and how fast."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"account": 64, "endpoint": 128, "created_from": "2026-01-31T00:00:00Z"}}
    )

    account: RowId | None = Field(default=None, description="Required unless the key has an account.")
    endpoint: RowId | None = None
    event_type: EventType | None = None
    statuses: list[Literal["delivered", "dead", "cancelled"]] = Field(default=["dead"], min_length=1, max_length=3)
    created_from: Moment | None = Field(default=None, description="ISO 8601, inclusive; UTC without a zone.")
    created_to: Moment | None = Field(default=None, description="ISO 8601, exclusive; UTC without a zone.")
    finished_from: Moment | None = Field(
        default=None, description="ISO 8601, inclusive; when it was delivered, gave up or was cancelled."
    )
    rate_per_second: ReplayRate = DEFAULT_RATE_PER_SECOND
    dry_run: StrictBool = Field(default=False, description="Only count.")


class ReplayFilters(Paging):
    account: RowId | None = Field(default=None, description="Required unless the key has an account.")
