"""Replays of many deliveries: counted first, then done at a rate, watched and cancelled."""

from msgspec import Struct

from hookwright.core.errors import Invalid, NotFound, Problem
from hookwright.core.event_names import is_family
from hookwright.core.model import DeliveryStatus, Instant, Replay
from hookwright.operations.audit import new_entry
from hookwright.operations.endpoints import require_endpoint, set_status
from hookwright.operations.event_types import require_known_type
from hookwright.operations.services import Services
from hookwright.store.base import DeliveryQuery

FINISHED: tuple[DeliveryStatus, ...] = ("delivered", "dead", "cancelled")
DEFAULT_RATE_PER_SECOND = 50
MAX_RATE_PER_SECOND = 1_000

# A count in advance goes no further: it tells "many" from "few", and must not read a whole history.
MAX_COUNTED = 100_000


class ReplayRequest(Struct, frozen=True, kw_only=True):
    """Which finished deliveries of an account to send again. By default only those that gave up.

    `event_type` may be a family (`contact.*`).
    """

    endpoint_id: int | None = None
    event_type: str | None = None
    statuses: tuple[DeliveryStatus, ...] = ("dead",)
    created_from: Instant | None = None
    created_to: Instant | None = None
    finished_from: Instant | None = None
    rate_per_second: int = DEFAULT_RATE_PER_SECOND


async def count_replay(services: Services, account_id: int, request: ReplayRequest) -> int:
    """How many deliveries a replay would send, counted no further than MAX_COUNTED. Raises Invalid, NotFound."""
    await _check(services, account_id, request)
    return await services.store.count_deliveries(_query(account_id, request, services.clock.now()), MAX_COUNTED)


async def begin_replay(services: Services, account_id: int, request: ReplayRequest) -> Replay:
    """Begin to send them again, oldest first. Raises Invalid, NotFound."""
    total = await count_replay(services, account_id, request)
    now = services.clock.now()
    query = _query(account_id, request, now)
    assert query.created_to is not None
    replay = Replay(
        id=await services.store.new_id(account_id),
        account_id=account_id,
        endpoint_id=request.endpoint_id,
        event_type=request.event_type,
        statuses=request.statuses,
        created_from=request.created_from,
        created_to=query.created_to,
        finished_from=request.finished_from,
        rate_per_second=request.rate_per_second,
        total=total,
        created_at=now,
    )
    await services.store.add_replay(replay, await new_entry(services, "replay.begun", replay.id, account_id))
    return replay


async def recover_endpoint(
    services: Services, account_id: int, endpoint_id: int, since: Instant | None, rate_per_second: int
) -> Replay:
    """Everything that an endpoint missed: activate it and replay what died since it began to fail, or since `since`.

    What was put aside while it was disabled is due with the activation. An endpoint that was activated before, by
    itself, still gets what it missed. Raises NotFound, Invalid.
    """
    endpoint = await require_endpoint(services, account_id, endpoint_id, None)
    if since is None:
        since = endpoint.missed_since or endpoint.health.failing_since or endpoint.status_changed_at
    # Not by when they were created: what died first had been tried for long, or was what was answered 410.
    request = ReplayRequest(endpoint_id=endpoint_id, finished_from=since, rate_per_second=rate_per_second)
    await _check(services, account_id, request)
    if endpoint.status != "active":
        await set_status(services, account_id, endpoint_id, "active")
    return await begin_replay(services, account_id, request)


async def require_replay(services: Services, account_id: int, replay_id: int) -> Replay:
    """A replay and how far it is. Raises NotFound."""
    replay = await services.store.replay_of_many(account_id, replay_id)
    if replay is None:
        raise NotFound(f"replay {replay_id} does not exist")
    return replay


async def cancel_replay(services: Services, account_id: int, replay_id: int) -> Replay:
    """End a replay; what it has made due is sent all the same. Raises NotFound."""
    entry = await new_entry(services, "replay.cancelled", replay_id, account_id)
    replay = await services.store.cancel_replay(account_id, replay_id, services.clock.now(), entry)
    if replay is None:
        raise NotFound(f"replay {replay_id} does not exist")
    return replay


async def _check(services: Services, account_id: int, request: ReplayRequest) -> None:
    if not request.statuses or set(request.statuses) - set(FINISHED):
        raise Invalid(Problem("/statuses", f"must be some of {', '.join(FINISHED)}"))
    if not 1 <= request.rate_per_second <= MAX_RATE_PER_SECOND:
        raise Invalid(Problem("/rate_per_second", f"must be 1 to {MAX_RATE_PER_SECOND}"))
    if request.event_type is not None and not is_family(request.event_type):
        await require_known_type(services, request.event_type, "/event_type")
    if request.endpoint_id is not None:
        await require_endpoint(services, account_id, request.endpoint_id, None)


def _query(account_id: int, request: ReplayRequest, now: Instant) -> DeliveryQuery:
    # What comes after the replay began is none of its business: otherwise it could chase its own failures.
    created_to = now + 1 if request.created_to is None else min(request.created_to, now + 1)
    return DeliveryQuery(
        account_id=account_id,
        endpoint_id=request.endpoint_id,
        event_type=request.event_type,
        statuses=request.statuses,
        created_from=request.created_from,
        created_to=created_to,
        finished_from=request.finished_from,
        unexpired_at=now,
    )
