"""What the routes of replays answer."""

from typing import Literal

from pydantic import BaseModel, Field

from hookwright.core.model import DeliveryStatus, Replay, ReplayStatus
from hookwright.core.times import iso_micros, iso_or_none
from hookwright.operations.replays import MAX_COUNTED


class ReplayView(BaseModel):
    id: int
    account: int
    endpoint: int | None = Field(description="null: every endpoint of the account.")
    event_type: str | None = Field(description="null: every type.")
    statuses: list[DeliveryStatus]
    created_from: str | None
    created_to: str = Field(description="Exclusive; at the latest when the replay began.")
    finished_from: str | None
    rate_per_second: int
    status: ReplayStatus
    total: int = Field(
        description=f"How many passed the filters when it began, counted no further than {MAX_COUNTED}."
    )
    replayed: int = Field(description="How many were made due so far.")
    created_at: str
    finished_at: str | None


class ReplayForecast(BaseModel):
    """What a replay would come to."""

    dry_run: Literal[True]
    deliveries: int = Field(description="How many pass the filters.")
    more: bool = Field(description=f"Whether the count stopped, at {MAX_COUNTED}.")


class ReplayPage(BaseModel):
    data: list[ReplayView]
    next_cursor: str | None


def replay_view(replay: Replay) -> ReplayView:
    return ReplayView(
        id=replay.id,
        account=replay.account_id,
        endpoint=replay.endpoint_id,
        event_type=replay.event_type,
        statuses=list(replay.statuses),
        created_from=iso_or_none(replay.created_from),
        created_to=iso_micros(replay.created_to),
        finished_from=iso_or_none(replay.finished_from),
        rate_per_second=replay.rate_per_second,
        status=replay.status,
        total=replay.total,
        replayed=replay.replayed,
        created_at=iso_micros(replay.created_at),
        finished_at=iso_or_none(replay.finished_at),
    )
