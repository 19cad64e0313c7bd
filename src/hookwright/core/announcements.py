"""Operational events: what an account is told of its own endpoints and deliveries.

They are published like any event, to whichever of the account's endpoints subscribed to them. They never cause one
another: attempts to deliver them count neither for nor against an endpoint, and their own deaths are not announced.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from hookwright.core.health import Change, progress_percent
from hookwright.core.model import Claim, Delivery, Health, Instant, Settled
from hookwright.core.times import iso_micros


class EndpointConcerned(Struct, frozen=True, kw_only=True):
    """Which endpoint an operational event tells of."""

    id: int
    url: str
    dialect: str


class DeliveryConcerned(Struct, frozen=True, kw_only=True):
    """Which delivery an operational event tells of, and what its last attempt came to."""

    id: int
    event_id: str
    event_type: str
    attempts: int
    last_status_code: int | None
    last_error: str | None


class EndpointData(Struct, frozen=True, kw_only=True):
    """The data of `endpoint.*`: how the endpoint fares, and the attempt that showed it.

    `failing_since` is ISO 8601 in UTC; `progress_percent` is how much of the five days has passed after which
    it is disabled, if its dialect allows that.
    """

    endpoint: EndpointConcerned
    reason: str | None
    failing_since: str | None
    progress_percent: int
    last_status_code: int | None
    last_error: str | None


class DeliveryData(Struct, frozen=True, kw_only=True):
    """The data of `delivery.dead`: a delivery that gave up or expired."""

    delivery: DeliveryConcerned
    endpoint: EndpointConcerned


# What only Hookwright publishes, and the data that each carries.
OPERATIONAL_TYPES: dict[str, type[Struct]] = {
    "endpoint.warned": EndpointData,
    "endpoint.disabled": EndpointData,
    "endpoint.recovered": EndpointData,
    "delivery.dead": DeliveryData,
}


class Announcement(Struct, frozen=True, kw_only=True):
    """Something to be told: an operational event's type and data (a JSON text). `id` is given when it is kept."""

    id: int = 0
    account_id: int
    type: str
    data: str
    created_at: Instant


def is_operational(event_type: str) -> bool:
    """Whether an event tells of endpoints and deliveries, rather than of what a platform published."""
    return event_type in OPERATIONAL_TYPES


def of_endpoint(change: Change, settled: Settled, health: Health, reason: str | None, now: Instant) -> Announcement:
    """An endpoint was warned, disabled or has recovered; `settled` is the attempt that showed it."""
    data = EndpointData(
        endpoint=_endpoint(settled.claim),
        reason=reason,
        failing_since=None if health.failing_since is None else iso_micros(health.failing_since),
        progress_percent=progress_percent(health, now),
        last_status_code=settled.outcome.status_code,
        last_error=settled.outcome.error,
    )
    return _announcement(f"endpoint.{change}", settled.claim.account_id, data, now)


def of_death(settled: Settled, now: Instant) -> Announcement:
    """A delivery gave up."""
    claim = settled.claim
    delivery = DeliveryConcerned(
        id=claim.delivery_id,
        event_id=claim.event_id,
        event_type=claim.event_type,
        attempts=claim.attempt,
        last_status_code=settled.outcome.status_code,
        last_error=settled.outcome.error,
    )
    data = DeliveryData(delivery=delivery, endpoint=_endpoint(claim))
    return _announcement("delivery.dead", claim.account_id, data, now)


def of_expiry(dead: Delivery, url: str, now: Instant) -> Announcement:
    """A delivery expired; `url` is its endpoint's."""
    delivery = DeliveryConcerned(
        id=dead.id,
        event_id=dead.event_id,
        event_type=dead.event_type,
        attempts=dead.attempts,
        last_status_code=dead.last_status_code,
        last_error=dead.last_error,
    )
    endpoint = EndpointConcerned(id=dead.endpoint_id, url=url, dialect=dead.dialect)
    return _announcement("delivery.dead", dead.account_id, DeliveryData(delivery=delivery, endpoint=endpoint), now)


def _endpoint(claim: Claim) -> EndpointConcerned:
    return EndpointConcerned(id=claim.endpoint_id, url=claim.url, dialect=claim.dialect)


def _announcement(type: str, account_id: int, data: Struct, now: Instant) -> Announcement:
    text = msgspec.json.encode(data).decode()
    return Announcement(account_id=account_id, type=type, data=text, created_at=now)
