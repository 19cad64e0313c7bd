"""Operational events: what is kept to be told becomes an event of the account, once."""

from typing import Any

import msgspec
import structlog

from hookwright.ambient import new_event_id
from hookwright.core.announcements import Announcement
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import Draft, Event
from hookwright.operations.publish import notices_of
from hookwright.operations.services import Services
from hookwright.store.base import Lanes

TOLD_AT_ONCE = 100

log = structlog.get_logger("hookwright.operations")


async def tell(services: Services, lanes: Lanes = None) -> int:
    """Publish what accounts of these lanes are to be told, oldest first. Answers how many."""
    announcements = await services.store.announcements(TOLD_AT_ONCE, lanes)
    for announcement in announcements:
        # A crash in between tells it again; the key makes that the same event.
        await services.intake.accept([draft_of(services, announcement)])
        await services.store.delete_announcement(announcement)
        log.info(announcement.type, account_id=announcement.account_id, **_in_a_line(announcement))
    return len(announcements)


def _in_a_line(announcement: Announcement) -> dict[str, Any]:
    """The data of an operational event for the log: every member but URLs, which may hold credentials."""
    data = msgspec.json.decode(announcement.data, type=dict[str, Any])
    flat: dict[str, Any] = {}
    for name, value in data.items():
        flat |= {f"{name}_{key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
    return {name: value for name, value in flat.items() if not name.endswith("url")}


def draft_of(services: Services, announcement: Announcement) -> Draft:
    """The event that an announcement becomes, always under the same idempotency key."""
    now = services.clock.now()
    event = Event(
        id=new_event_id(now, announcement.account_id % LANE_COUNT),
        account_id=announcement.account_id,
        site_id=None,
        type=announcement.type,
        occurred_at=announcement.created_at,
        accepted_at=now,
        data=announcement.data.encode(),
        idempotency_key=f"hookwright:announcement:{announcement.id}",
    )
    return Draft(event=event, fingerprint=b"", notices=notices_of(services.translations, event, None))
