"""Which lanes a worker holds: every living worker has about the same number, and none has two owners."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

from hookwright.core.model import Instant


class LaneLease(Struct, frozen=True):
    """Whose a lane is and until when; nobody's without an owner, or once that instant has come."""

    lane_index: int
    owner: str | None = None
    leased_until: Instant | None = None

    def is_held(self, now: Instant) -> bool:
        return self.owner is not None and self.leased_until is not None and self.leased_until > now


class LaneTurn(Struct, frozen=True):
    """What a worker does next: lanes that it keeps or takes, to be leased from now on, and those that it gives up."""

    lease: tuple[int, ...]
    give_up: tuple[int, ...]


def next_turn(leases: Sequence[LaneLease], workers: Collection[str], me: str, now: Instant) -> LaneTurn:
    """Keep what is ours up to our share, give up the rest; take what is free while we have less than our share.

    Nothing is taken from a worker whose lease runs: it gives up by itself what it has too much, at its own next turn.
    """
    living = sorted({*workers, me})
    share = _share_of(living.index(me), len(living), len(leases))
    mine = [each.lane_index for each in leases if each.owner == me]
    free = [each.lane_index for each in leases if each.owner != me and not each.is_held(now)]
    room = max(0, share - len(mine))
    # Workers that look at the same free lanes begin at different places, so that they do not all reach for the same.
    begin = living.index(me) * len(free) // len(living)
    return LaneTurn(
        lease=(*mine[:share], *[*free[begin:], *free[:begin]][:room]),
        give_up=tuple(mine[share:]),
    )


def _share_of(rank: int, workers: int, lanes: int) -> int:
    """Of lanes that do not divide evenly, the first workers have one more: together they are all the lanes."""
    return lanes // workers + (rank < lanes % workers)
