"""The line that an attempt leaves in the log: every id, number and decision; never a payload, a secret or a URL.

A URL is a secret where its path or query holds a credential, as those of many automation products do; the endpoint's
id says as much to whoever may look it up.
"""

from __future__ import annotations

import structlog

from hookwright.core.model import Settled
from hookwright.core.traceparent import trace_id_of

log = structlog.get_logger("hookwright.worker")


def log_attempt(settled: Settled, recorded: bool, schedule_length: int) -> None:
    """Write the line. Instants are microseconds since 1970 UTC; `status` is the delivery's, after the attempt."""
    claim, outcome, settlement = settled.claim, settled.outcome, settled.settlement
    log.info(
        "attempt",
        delivery_id=claim.delivery_id,
        batch_id=claim.batch_id,
        event_id=claim.event_id,
        message_id=claim.message_id,
        trace_id=trace_id_of(claim.traceparent),
        event_type=claim.event_type,
        account_id=claim.account_id,
        endpoint_id=claim.endpoint_id,
        dialect=claim.dialect,
        dialect_event=claim.dialect_event,
        fence=claim.fence,
        attempt=claim.attempt,
        round_attempt=claim.round_attempt,
        schedule_length=schedule_length,
        accepted_at=claim.created_at,
        started_at=outcome.started_at,
        duration_ms=round(outcome.duration_us / 1000, 1),
        request_bytes=len(claim.body),
        status_code=outcome.status_code,
        error=outcome.error,
        retry_after_seconds=outcome.retry_after_seconds,
        status=settlement.status if recorded else "lease lost",
        next_attempt_at=settlement.due_at,
        disable_reason=settlement.disable_reason,
    )
