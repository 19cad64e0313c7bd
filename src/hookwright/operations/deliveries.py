"""Deliveries and events that were accepted: find them, replay them."""

from hookwright.core.errors import NotFound
from hookwright.core.model import Delivery, Event
from hookwright.operations.services import Services


async def require_event(services: Services, account_id: int | None, event_id: str) -> Event:
    """An event, of this account if one is given. Raises NotFound."""
    event = await services.store.event(event_id)
    if event is None or account_id not in (None, event.account_id):
        raise NotFound(f"event {event_id} does not exist")
    return event


async def require_delivery(services: Services, account_id: int | None, delivery_id: int) -> Delivery:
    """A delivery, of this account if one is given. Raises NotFound."""
    delivery = await services.store.delivery(delivery_id)
    if delivery is None or account_id not in (None, delivery.account_id):
        raise NotFound(f"delivery {delivery_id} does not exist")
    return delivery


async def replay_delivery(services: Services, account_id: int | None, delivery_id: int) -> Delivery:
    """Make a delivery due now, in a new round of its schedule.

    Raises NotFound, and Conflict while it is being sent, when its endpoint is deleted or its payload is gone.
    """
    await require_delivery(services, account_id, delivery_id)
    replayed = await services.store.replay(delivery_id, services.clock.now())
    if replayed is None:
        raise NotFound(f"delivery {delivery_id} does not exist")
    return replayed


async def cancel_delivery(services: Services, account_id: int | None, delivery_id: int) -> Delivery:
    """Give up a delivery that waits to be sent. Raises NotFound, and Conflict when it does not wait."""
    await require_delivery(services, account_id, delivery_id)
    cancelled = await services.store.cancel(delivery_id, services.clock.now())
    if cancelled is None:
        raise NotFound(f"delivery {delivery_id} does not exist")
    return cancelled
