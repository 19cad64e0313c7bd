"""Operational events: what is kept to be told becomes an event of the account, once."""

from hookwright.ambient import new_event_id
from hookwright.core.announcements import Announcement
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import Draft, Event
from hookwright.operations.publish import notices_of
from hookwright.operations.services import Services
from hookwright.store.base import Lanes

TOLD_AT_ONCE = 100


async def tell(services: Services, lanes: Lanes = None) -> int:
    """Publish what accounts of these lanes are to be told, oldest first. Answers how many."""
    announcements = await services.store.announcements(TOLD_AT_ONCE, lanes)
    for announcement in announcements:
        # A crash in between tells it again; the key makes that the same event.
        await services.intake.accept([draft_of(services, announcement)])
        await services.store.delete_announcement(announcement)
    return len(announcements)


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
