"""The 23 event types of Kit's webhook endpoints, those that Kit has only announced, and how a request names them.

Source: developers.kit.com "Event types" (webhooks); the same lists are in linyiru/kit-rb `lib/kit/webhooks/events.rb`
and anthonyhagi/kit-node-sdk `src/webhook-delivery.ts`.
"""

from collections.abc import Mapping

from hookwright.core.errors import Invalid, Problem
from hookwright.core.model import Subscription

# What endpoints and notices carry; the older webhooks, in lists of their own, carry `kit`.
ENDPOINT_DIALECT = "kit_endpoints"

# Kit's name of each event type, and ours.
EVENT_TYPES: Mapping[str, str] = {
    "subscriber.created": "contact.created",
    "subscriber.activated": "contact.activated",
    "subscriber.unsubscribed": "contact.unsubscribed",
    "subscriber.bounced": "contact.bounced",
    "subscriber.complained": "contact.complained",
    "subscriber.subscribed_to_form": "form.submitted",
    "subscriber.added_to_sequence": "sequence.subscribed",
    "subscriber.sequence_completed": "sequence.completed",
    "subscriber.tag_added": "contact.tag_added",
    "subscriber.tag_removed": "contact.tag_removed",
    "subscriber.custom_field_value_updated": "contact.custom_field_updated",
    "tag.created": "tag.created",
    "tag.deleted": "tag.deleted",
    "custom_field.created": "custom_field.created",
    "custom_field.deleted": "custom_field.deleted",
    "sequence.created": "sequence.created",
    "sequence.deleted": "sequence.deleted",
    "sequence.published": "sequence.published",
    "sequence.disabled": "sequence.disabled",
    "broadcast.created": "broadcast.created",
    "broadcast.sent": "broadcast.sent",
    "broadcast.deleted": "broadcast.deleted",
    "post.published": "post.published",
}

# Announced, but nobody can subscribe to them yet.
PLANNED = (
    "subscriber.product_purchased",
    "subscriber.link_clicked",
    "subscriber.email_opened",
    "landing_page.created",
    "landing_page.deleted",
)


def parse_events(events: object) -> tuple[Subscription, ...]:
    """The subscriptions that a request's `events` name, sorted, each once. Raises Invalid with the client's text."""
    if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
        raise _refused("`events` must be a list of event types")
    if not events:
        raise _refused("`events` must name at least one event type")
    wanted = sorted(set(events))
    if planned := [event for event in wanted if event in PLANNED]:
        raise _refused(f"`events` must not name event types that are not available yet: {', '.join(planned)}")
    if unknown := [event for event in wanted if event not in EVENT_TYPES]:
        raise _refused(f"`events` must not name unknown event types: {', '.join(unknown)}")
    return tuple(Subscription(event) for event in wanted)


def _refused(message: str) -> Invalid:
    return Invalid(Problem("/events", message))
