"""Which deliveries of an endpoint go out together in one request, as a function of values."""

from collections.abc import Sequence

from msgspec import Struct

MAX_BATCH_BYTES = 512 * 1024


class Queued(Struct, frozen=True):
    """A due delivery of an endpoint that takes several events in one request. `size` is its payload's, in bytes."""

    id: int
    event: str
    size: int
    batch_id: int | None


def batches_of(queued: Sequence[Queued], limit: int, max_bytes: int = MAX_BATCH_BYTES) -> list[list[int]]:
    """The deliveries in the order given, put together: at most `limit` of one event name, and of so many bytes.

    One that is larger than `max_bytes` goes alone. What went out together before goes out together again, under the
    same batch id and with the same bytes, and nothing joins it.
    """
    batches: list[list[int]] = []
    known: dict[int, list[int]] = {}
    growing: dict[str, tuple[list[int], int]] = {}
    for delivery in queued:
        if delivery.batch_id is not None:
            if delivery.batch_id not in known:
                batches.append(known.setdefault(delivery.batch_id, []))
            known[delivery.batch_id].append(delivery.id)
            continue
        batch, size = growing.get(delivery.event, ([], 0))
        if not batch or len(batch) >= limit or size + delivery.size > max_bytes:
            batch, size = [], 0
            batches.append(batch)
        batch.append(delivery.id)
        growing[delivery.event] = (batch, size + delivery.size)
    return batches
