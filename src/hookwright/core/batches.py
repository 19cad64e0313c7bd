"""Which deliveries of an endpoint go out together in one request, and which may again, as functions of values.

The same id always means the same bytes: a batch that was sent is sent again with all of its members, or not under its
id.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from hookwright.core.model import DeliveryStatus, Instant

MAX_BATCH_BYTES = 512 * 1024

# What may become of a batch that was sent before and of which something is due: it goes; it waits, since a member is
# on its way or another is about to die; it is put aside until something else makes it due; or it has lost a member
# for good, so that what is left is another batch.
Standing = Literal["goes", "waits", "aside", "broken"]


class Queued(Struct, frozen=True):
    """A due delivery that was never sent, of an endpoint that takes several events in one request.

    `size` is its payload's, in bytes.
    """

    id: int
    event: str
    size: int
    expires_at: Instant | None = None


class Member(Struct, frozen=True):
    """One delivery of those that went out together. `is_in_turn`: nothing is ahead of it in its line."""

    id: int
    status: DeliveryStatus
    has_payload: bool = True
    has_expired: bool = False
    is_in_turn: bool = True

    @property
    def can_be_sent(self) -> bool:
        return self.status == "pending" and self.has_payload


def batches_of(queued: Sequence[Queued], limit: int, max_bytes: int = MAX_BATCH_BYTES) -> list[list[int]]:
    """The deliveries in the order given, put together: at most `limit` of one event name, and of so many bytes.

    One that is larger than `max_bytes` goes alone. What expires shares a request only with what expires at the same
    instant, so that no retry has to do without one of its events.
    """
    batches: list[list[int]] = []
    growing: dict[tuple[str, Instant | None], tuple[list[int], int]] = {}
    for delivery in queued:
        kind = (delivery.event, delivery.expires_at)
        batch, size = growing.get(kind, ([], 0))
        if not batch or len(batch) >= limit or size + delivery.size > max_bytes:
            batch, size = [], 0
            batches.append(batch)
        batch.append(delivery.id)
        growing[kind] = (batch, size + delivery.size)
    return batches


def standing_of(members: Sequence[Member], size: int) -> Standing:
    """What may become of a batch that was sent with `size` members, by those that there still are."""
    if any(member.status == "in_flight" for member in members):
        return "waits"
    left = [member for member in members if member.can_be_sent]
    if left and all(member.has_expired for member in left):
        return "aside"
    if any(member.has_expired for member in left):
        return "waits"
    if len(left) < size:
        return "broken"
    return "goes" if all(member.is_in_turn for member in left) else "aside"


def why_not_again(asked: int, members: Sequence[Member], size: int) -> str | None:
    """Why what went out together with a delivery cannot go out once more as it was, for people; None if it can."""
    for member in members:
        named = f"delivery {member.id}" + ("" if member.id == asked else f", which goes out with delivery {asked},")
        if not member.has_payload:
            return f"the payload of {named} is not kept any more"
        if member.has_expired:
            return f"{named} has expired"
    if len(members) < size:
        return f"not everything that went out with delivery {asked} is kept any more"
    if any(member.status == "in_flight" for member in members):
        return f"delivery {asked} is being sent at this moment"
    return None
