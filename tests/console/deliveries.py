"""Deliveries for the console's tests: published like any, and settled by hand, since no engine runs."""

from typing import Any

import msgspec

from hookwright.ambient import MovableClock
from hookwright.core.errors import Conflict
from hookwright.core.model import SECOND, Account, Delivery, DeliveryStatus, Outcome, Settled, Settlement
from hookwright.core.samples import SAMPLES
from hookwright.operations.publish import Publish, publish
from hookwright.operations.services import Services
from hookwright.store.base import DeliveryQuery


async def delivery_of(
    services: Services, account: Account, type: str = "contact.tag_added", data: object = None, **more: Any
) -> Delivery:
    """Publish an event that one endpoint wants, of a sample unless data is given; its delivery."""
    encoded = msgspec.json.encode(SAMPLES[type] if data is None else data)
    request = Publish(type=type, account=account.id, data=msgspec.Raw(encoded), **more)
    (accepted,) = await publish(services, [request])
    assert not isinstance(accepted, Conflict)
    (delivery,) = await services.store.deliveries(DeliveryQuery(event_id=accepted.event_id))
    return delivery


async def attempt(
    services: Services,
    clock: MovableClock,
    *,
    status: DeliveryStatus = "dead",
    status_code: int | None = 500,
    retry_in_seconds: int = 300,
    disable_reason: str | None = None,
    **outcome: Any,
) -> None:
    """Claim the one delivery that is due, and settle it with this outcome."""
    now = clock.now()
    (claim,) = await services.store.claim(1, now, now + 60 * SECOND)
    settlement = Settlement(
        status=status,
        due_at=now + retry_in_seconds * SECOND if status == "pending" else None,
        disable_reason=disable_reason,
    )
    came_to = {"duration_us": 120_000, "status_code": status_code, "body": b'{"error":"the <b>database</b> is down"}'}
    each = Settled(claim=claim, outcome=Outcome(started_at=now, **{**came_to, **outcome}), settlement=settlement)
    assert await services.store.settle([each], now) == {claim.delivery_id}
