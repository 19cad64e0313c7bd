"""Attempts that fail, written straight to the store: these tests run no engine."""

from hookwright.ambient import MovableClock
from hookwright.core.answer_headers import AnswerHeader, AnswerHeaders
from hookwright.core.model import SECOND, Claim, Outcome, Settled, Settlement
from hookwright.operations.services import Services

HEADERS = AnswerHeaders((AnswerHeader("Server", "nginx", 12), AnswerHeader("set-cookie", None)), left_out=3)


async def claim_one(services: Services, clock: MovableClock) -> Claim:
    (claim,) = await services.store.claim(1, clock.now(), clock.now() + 60 * SECOND)
    return claim


async def fail_once(services: Services, clock: MovableClock, disable_reason: str | None = None) -> None:
    """An attempt that the receiver answers with a 500, after which the delivery is dead."""
    claim = await claim_one(services, clock)
    outcome = Outcome(started_at=clock.now(), duration_us=1500, status_code=500, body=b"no \xff", headers=HEADERS)
    settlement = Settlement(status="dead", due_at=None, disable_reason=disable_reason)
    await services.store.settle([Settled(claim=claim, outcome=outcome, settlement=settlement)], clock.now())
