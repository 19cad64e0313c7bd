"""Send again: one delivery, those that are selected, or all that match a search, counted first."""

from __future__ import annotations

from typing import cast

from msgspec.structs import replace
from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.pages import with_query
from hookwright.console.surface import PREFIX
from hookwright.console.visits import Visit, for_those_who_change, for_viewers, see_other
from hookwright.core.errors import Conflict, Invalid, NotFound, Problem
from hookwright.core.lanes import id_in
from hookwright.core.model import DeliveryStatus, Replay
from hookwright.core.search_language import Search, parse_search
from hookwright.operations.deliveries import cancel_delivery, replay_delivery
from hookwright.operations.replays import (
    DEFAULT_RATE_PER_SECOND,
    FINISHED,
    MAX_RATE_PER_SECOND,
    ReplayRequest,
    begin_replay,
    cancel_replay,
    require_replay,
)
from hookwright.operations.searches import delivery_search
from hookwright.store.base import SearchedStatus

REPLAY = f"{PREFIX}/accounts/{{account_id}}/replays/{{id}}"

MOST_SELECTED = 200
MOST_COUNTED = 10_000

# What of each searched status a replay of many can send again; the rest is on its way already.
REPLAYED: dict[str, tuple[DeliveryStatus, ...]] = {
    "failed": ("dead",),
    "dead": ("dead",),
    "delivered": ("delivered",),
    "cancelled": ("cancelled",),
}


async def replay_one(visit: Visit) -> Response:
    """Make a delivery due now, and show it."""
    delivery_id = visit.path_id()
    await replay_delivery(visit.services, visit.viewer.own_account_id, delivery_id)
    return see_other(_delivery_path(visit, delivery_id, told="replayed"))


async def cancel_one(visit: Visit) -> Response:
    """Do not send a delivery that waits, and show it."""
    delivery_id = visit.path_id()
    await cancel_delivery(visit.services, visit.viewer.own_account_id, delivery_id)
    return see_other(_delivery_path(visit, delivery_id, told="cancelled"))


async def replay_selected(visit: Visit) -> Response:
    """Make each of the selected deliveries due now; those that cannot be are counted."""
    ids = [id for text in visit.form.get("id", [])[:MOST_SELECTED] if (id := id_in(text)) is not None]
    replayed = 0
    for delivery_id in dict.fromkeys(ids):
        try:
            await replay_delivery(visit.services, visit.viewer.own_account_id, delivery_id)
        except (Conflict, NotFound):
            continue
        replayed += 1
    told = f"{replayed} replayed" + (f", {len(ids) - replayed} could not be" if replayed < len(ids) else "")
    return see_other(with_query(f"{PREFIX}/deliveries", q=visit.field("q"), told=told if ids else "nothing selected"))


async def ask_before_replay(visit: Visit) -> Response:
    """How many deliveries a search finds that could be replayed, before anything is sent."""
    query = visit.asked("q")
    account_id, request = await _request_of(visit, query)
    search = delivery_search(account_id, parse_search(query, visit.now), None, MOST_COUNTED + 1)
    assert search is not None
    count, back_to = await visit.store.count_matches(replace(search, statuses=_searched(request.statuses)))
    return await visit.page(
        "replay_ask.html",
        query=query,
        count=min(count, MOST_COUNTED),
        is_more=count > MOST_COUNTED or back_to is not None,
        back_to=back_to,
        replayed=request,
        rate=DEFAULT_RATE_PER_SECOND,
        most_a_second=MAX_RATE_PER_SECOND,
    )


async def replay_matching(visit: Visit) -> Response:
    """Begin to replay all that a search finds, and show how it goes."""
    account_id, request = await _request_of(visit, visit.field("q"), visit.field("rate"))
    replay = await begin_replay(visit.services, account_id, request)
    return see_other(_replay_path(replay))


async def show_replay(visit: Visit) -> Response:
    """How far a replay is."""
    replay = await _replay_in(visit)
    return await visit.page("replay.html", replay=replay)


async def end_replay(visit: Visit) -> Response:
    """Cancel what of a replay is not sent yet."""
    replay = await _replay_in(visit)
    return see_other(_replay_path(await cancel_replay(visit.services, replay.account_id, replay.id)))


async def _replay_in(visit: Visit) -> Replay:
    account_id = visit.path_id("account_id")
    visit.viewer.require_reach(account_id)
    return await require_replay(visit.services, account_id, visit.path_id())


async def _request_of(visit: Visit, query: str, rate: str = "") -> tuple[int, ReplayRequest]:
    """Whose deliveries, and which. Raises Invalid for a search that no replay can follow."""
    search = parse_search(query, visit.now)
    if search.problems or search.text is not None:
        raise Invalid(Problem("/q", "a replay of all that matches takes filters only, no text"))
    per_second = int(rate) if rate.isascii() and rate.isdigit() and len(rate) < 6 else DEFAULT_RATE_PER_SECOND
    return await _account_of(visit, search), ReplayRequest(
        endpoint_id=search.endpoint_id,
        event_type=search.event_type,
        statuses=_statuses_of(search),
        created_from=search.since,
        created_to=search.until,
        rate_per_second=per_second,
    )


async def _account_of(visit: Visit, search: Search) -> int:
    account_id = visit.viewer.account_id if visit.viewer.account_id is not None else search.account_id
    if account_id is None and search.endpoint_id is not None:
        endpoint = (await visit.store.endpoints_by_id([search.endpoint_id])).get(search.endpoint_id)
        account_id = endpoint.account_id if endpoint else None
    if account_id is None:
        raise Invalid(Problem("/q", "pick an account first: a replay belongs to one"))
    visit.viewer.require_reach(account_id)
    if search.account_id not in (None, account_id):
        raise Invalid(Problem("/q", "the search names another account than the one that you look at"))
    return account_id


def _statuses_of(search: Search) -> tuple[DeliveryStatus, ...]:
    if not search.statuses:
        return FINISHED
    found = tuple(dict.fromkeys(status for each in search.statuses for status in REPLAYED.get(each, ())))
    if not found:
        raise Invalid(Problem("/q", "what waits or is being sent is on its way already"))
    return found


def _searched(statuses: tuple[DeliveryStatus, ...]) -> tuple[SearchedStatus, ...]:
    # Of what is finished, both say the same.
    return cast("tuple[SearchedStatus, ...]", statuses)


def _delivery_path(visit: Visit, delivery_id: int, told: str) -> str:
    return with_query(f"{PREFIX}/deliveries/{delivery_id}", q=visit.field("q"), told=told)


def _replay_path(replay: Replay) -> str:
    return f"{PREFIX}/accounts/{replay.account_id}/replays/{replay.id}"


ROUTES = (
    Route(f"{PREFIX}/deliveries/replay", for_those_who_change(replay_selected), methods=["POST"]),
    Route(f"{PREFIX}/deliveries/{{id}}/replay", for_those_who_change(replay_one), methods=["POST"]),
    Route(f"{PREFIX}/deliveries/{{id}}/cancel", for_those_who_change(cancel_one), methods=["POST"]),
    Route(f"{PREFIX}/replays/new", for_those_who_change(ask_before_replay), methods=["GET"]),
    Route(f"{PREFIX}/replays/new", for_those_who_change(replay_matching), methods=["POST"]),
    Route(f"{PREFIX}/accounts/{{account_id}}/replays/{{id}}", for_viewers(show_replay), methods=["GET"]),
    Route(
        f"{PREFIX}/accounts/{{account_id}}/replays/{{id}}/cancel", for_those_who_change(end_replay), methods=["POST"]
    ),
)
