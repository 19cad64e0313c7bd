"""What the engine and the operations tell a tracer. Without one, a producer's traceparent is kept and passed on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from hookwright.core.model import Claim, Outcome

TellOutcome = Callable[[Outcome], None]


class Traces(Protocol):
    """Spans for what Hookwright does in its producers' traces."""

    def publishing(self, traceparent: str | None, events: int) -> AbstractContextManager[str | None]:
        """Events are being accepted, for a request with this traceparent. Gives the one to keep with them."""
        ...

    def attempt(self, claims: Sequence[Claim]) -> AbstractContextManager[TellOutcome]:
        """One request is being sent for these claims. Gives whom to tell what it came to."""
        ...

    async def close(self) -> None:
        """Hand over what is not exported yet."""
        ...


class NoTraces:
    """No tracer: nothing is told, and what a producer sent stays as it is."""

    def publishing(self, traceparent: str | None, events: int) -> AbstractContextManager[str | None]:
        return nullcontext(traceparent)

    def attempt(self, claims: Sequence[Claim]) -> AbstractContextManager[TellOutcome]:
        return _UNTOLD

    async def close(self) -> None:
        return


def _tell_nobody(outcome: Outcome) -> None:
    return


_UNTOLD: AbstractContextManager[TellOutcome] = nullcontext(_tell_nobody)  # holds no state, so one serves all
