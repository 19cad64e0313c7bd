"""Lanes: the 64 slices that every account's rows live in, so that the same schema can be distributed.

A row's lane never changes, nor does the number of lanes. An id is `counter × 64 + lane index`, so it names its
lane without a look-up and stays below 2^53, which JSON numbers in JavaScript clients need. SQLite uses only the
first lane; the ids have the same form.
"""

from uuid import UUID

LANE_COUNT = 64

# Citus hashes the lane again and 0…63 spread badly; each of these labels falls into another 1/64 of its hash space.
LANES: tuple[int, ...] = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19, 21, 22, 24, 27, 28, 31, 36, 37, 39, 41, 43, 44, 45,
    46, 48, 50, 52, 58, 59, 60, 62, 66, 70, 79, 80, 82, 83, 85, 88, 89, 92, 95, 96, 99, 101, 109, 112, 113, 136, 149,
    166, 168, 170, 172, 179, 351,
)  # fmt: skip

MAX_ID = 2**53 - 1
_MOST_DIGITS = len(str(MAX_ID))


def id_in(text: str) -> int | None:
    """The id that a text is the digits of, or None. No text is too long to be asked about."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        return None
    id = int(text)
    return id if id <= MAX_ID else None


def lane_of(id: int) -> int:
    """The lane label that an id names."""
    return LANES[id % LANE_COUNT]


def lane_of_event(event_id: str) -> int:
    """The lane label in the last six bits of an event id. Raises ValueError when it is no UUID."""
    return LANES[UUID(event_id).int % LANE_COUNT]
