"""The line that each attempt leaves in the log: every id, number and decision; never a payload, a secret or a URL.

A URL is a secret where its path or query holds a credential, as those of many automation products do; the endpoint's
id says as much to whoever may look it up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import structlog

from hookwright.core.model import Claim, Settled
from hookwright.core.traceparent import trace_id_of

MOST_AT_ONCE = 500

log = structlog.get_logger("hookwright.worker")


def log_attempts(
    settled: Sequence[Settled], recorded: Container[int], schedule_of: Callable[[Claim], Sequence[int]]
) -> None:
    """Write the lines, many at once: what they share is made once. `recorded` holds the deliveries that were."""
    if not log.is_enabled_for(logging.INFO):
        return
    for start in range(0, len(settled), MOST_AT_ONCE):
        some = settled[start : start + MOST_AT_ONCE]
        log.info("attempt", each=[attempt_fields(one, recorded, len(schedule_of(one.claim))) for one in some])


def attempt_fields(settled: Settled, recorded: Container[int], schedule_length: int) -> Mapping[str, Any]:
    """What is told. Instants are microseconds since 1970 UTC; `status` is the delivery's, after the attempt."""
    claim, outcome, settlement = settled.claim, settled.outcome, settled.settlement
    return {
        "delivery_id": claim.delivery_id,
        "batch_id": claim.batch_id,
        "event_id": claim.event_id,
        "message_id": claim.message_id,
        "trace_id": trace_id_of(claim.traceparent),
        "event_type": claim.event_type,
        "account_id": claim.account_id,
        "endpoint_id": claim.endpoint_id,
        "dialect": claim.dialect,
        "dialect_event": claim.dialect_event,
        "fence": claim.fence,
        "attempt": claim.attempt,
        "round_attempt": claim.round_attempt,
        "schedule_length": schedule_length,
        "accepted_at": claim.created_at,
        "started_at": outcome.started_at,
        "duration_ms": round(outcome.duration_us / 1000, 1),
        "request_bytes": len(claim.body),
        "status_code": outcome.status_code,
        "error": outcome.error,
        "retry_after_seconds": outcome.retry_after_seconds,
        "status": settlement.status if claim.delivery_id in recorded else "lease lost",
        "next_attempt_at": settlement.due_at,
        "disable_reason": settlement.disable_reason,
    }
