"""Replays of many deliveries: begun, watched and cancelled."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from hookwright.api.bodies import documented_body, json_body
from hookwright.api.callers import ManageCaller, ReadCaller
from hookwright.api.cursors import cut, decode_cursor
from hookwright.api.document import refusals
from hookwright.api.replay_requests import NewReplay, Recovery, ReplayFilters
from hookwright.api.replay_views import ReplayForecast, ReplayPage, ReplayView, replay_view
from hookwright.api.requests import NamedAccount, PathId
from hookwright.core.times import instant_or_none
from hookwright.operations import replays
from hookwright.operations.accounts import require_account

router = APIRouter(tags=["Replays"], responses=refusals(404, 422))


@router.post(
    "/replays",
    status_code=202,
    response_model=ReplayView,
    responses={200: {"model": ReplayForecast, "description": "A dry run: nothing is replayed."}},
    openapi_extra=documented_body(NewReplay),
    summary="Replay many deliveries",
)
async def begin_replay(
    caller: ManageCaller, asked: Annotated[NewReplay, Depends(json_body(NewReplay))]
) -> ReplayView | Response:
    """Send every finished delivery again that passes the filters, oldest first, so many a second.

    Each begins a new round of its retry schedule, with the same id and the same bytes. What is created after the
    replay began is left alone, and so is what has lost its payload or its endpoint. With `dry_run` nothing happens
    but a count.
    """
    account_id = caller.one_account(asked.account)
    await require_account(caller.services, account_id)
    request = _request(asked)
    if asked.dry_run:
        return _forecast(await replays.count_replay(caller.services, account_id, request))
    return replay_view(await replays.begin_replay(caller.services, account_id, request))


@router.get("/replays", summary="List replays")
async def list_replays(caller: ReadCaller, filters: Annotated[ReplayFilters, Query()]) -> ReplayPage:
    """The replays of one account, newest first."""
    account_id = caller.one_account(filters.account)
    below = None if filters.cursor is None else decode_cursor(filters.cursor, 1)[0]
    await require_account(caller.services, account_id)
    found = await caller.services.store.replays(account_id, below, filters.limit + 1)
    page, next_cursor = cut(found, filters.limit, lambda replay: (replay.id,))
    return ReplayPage(data=[replay_view(replay) for replay in page], next_cursor=next_cursor)


@router.get("/replays/{id}", summary="Get a replay")
async def get_replay(id: PathId, caller: ReadCaller, account: NamedAccount = None) -> ReplayView:
    """A replay and how far it is."""
    return replay_view(await replays.require_replay(caller.services, caller.one_account(account), id))


@router.post("/replays/{id}/cancel", summary="Cancel a replay")
async def cancel_replay(id: PathId, caller: ManageCaller, account: NamedAccount = None) -> ReplayView:
    """It goes no further; what it has made due is sent all the same. A replay that has ended stays as it is."""
    return replay_view(await replays.cancel_replay(caller.services, caller.one_account(account), id))


@router.post(
    "/endpoints/{id}/recover",
    status_code=202,
    openapi_extra=documented_body(Recovery, required=False),
    summary="Send an endpoint what it missed",
)
async def recover_endpoint(
    id: PathId,
    caller: ManageCaller,
    asked: Annotated[Recovery, Depends(json_body(Recovery, required=False))],
    account: NamedAccount = None,
) -> ReplayView:
    """Activate an endpoint and replay what died since it began to fail, or since `since`.

    What has waited because it was paused or disabled is due at once, and is no part of the replay.
    """
    account_id = caller.one_account(account)
    since = instant_or_none(asked.since)
    replay = await replays.recover_endpoint(caller.services, account_id, id, since, asked.rate_per_second)
    return replay_view(replay)


def _request(asked: NewReplay) -> replays.ReplayRequest:
    return replays.ReplayRequest(
        endpoint_id=asked.endpoint,
        event_type=asked.event_type,
        statuses=tuple(dict.fromkeys(asked.statuses)),
        created_from=instant_or_none(asked.created_from),
        created_to=instant_or_none(asked.created_to),
        finished_from=instant_or_none(asked.finished_from),
        rate_per_second=asked.rate_per_second,
    )


def _forecast(deliveries: int) -> Response:
    forecast = ReplayForecast(dry_run=True, deliveries=deliveries, more=deliveries >= replays.MAX_COUNTED)
    return Response(forecast.model_dump_json(), media_type="application/json")
