"""Make an endpoint of our own, or change one of any dialect."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.endpoint_forms import (
    FIELDS,
    NEW_HEADERS,
    ORDERINGS,
    SIGNATURES,
    Typed,
    change_in,
    headers_in,
    typed_in,
    typed_of,
    wanted_in,
)
from hookwright.console.endpoint_sheet import endpoint_in
from hookwright.console.forms import by_field
from hookwright.console.pages import with_query
from hookwright.console.surface import PREFIX
from hookwright.console.visits import Visit, for_those_who_change, see_other
from hookwright.core.errors import Invalid, NotFound, Problem
from hookwright.core.event_names import EVERYTHING, family_of
from hookwright.core.gates import MAX_IN_FLIGHT, MAX_RATE_PER_SECOND
from hookwright.core.lanes import id_in
from hookwright.core.model import OWN_DIALECT, Endpoint
from hookwright.operations.accounts import require_account
from hookwright.operations.endpoints import open_headers
from hookwright.operations.event_types import known_types
from hookwright.operations.own_endpoints import change_own_endpoint, create_own_endpoint

PATH = f"{PREFIX}/endpoints"
ONE = f"{PATH}/{{id}}"


async def ask_for_new(visit: Visit) -> Response:
    """An empty form."""
    return await _page(visit, Typed(events=visit.asked("events")), None)


async def create(visit: Visit) -> Response:
    """Make an endpoint and show it, or the form again with what does not fit."""
    typed = typed_in(visit)
    try:
        account_id = await _account_of(visit, typed)
        subscriptions, details = wanted_in(typed)
        new = await create_own_endpoint(visit.services, account_id, typed.url, subscriptions, details)
    except Invalid as refusal:
        return await _page(visit, typed, None, refusal.problems)
    told = "made; its receiver verifies with what is under Secrets"
    return see_other(with_query(f"{PATH}/{new.endpoint.id}", told=told))


async def ask_for_change(visit: Visit) -> Response:
    """A form with what an endpoint is."""
    endpoint = await endpoint_in(visit, visit.path_id())
    return await _page(visit, typed_of(endpoint, sorted(open_headers(visit.services, endpoint))), endpoint)


async def change(visit: Visit) -> Response:
    """Change an endpoint and show it, or the form again with what does not fit."""
    endpoint = await endpoint_in(visit, visit.path_id())
    typed, is_ours = typed_in(visit), endpoint.dialect == OWN_DIALECT
    headers = headers_in(typed, open_headers(visit.services, endpoint)) if is_ours else None
    try:
        wanted = change_in(typed, is_ours=is_ours)
        await change_own_endpoint(visit.services, endpoint.account_id, endpoint.id, wanted, headers)
    except Invalid as refusal:
        return await _page(visit, typed, endpoint, refusal.problems)
    return see_other(with_query(f"{PATH}/{endpoint.id}", told="changed"))


async def _account_of(visit: Visit, typed: Typed) -> int:
    """Whose endpoint it is to be: the account that is looked at, or the one that an administrator chose."""
    account_id = visit.viewer.account_id
    if account_id is None:
        account_id = id_in(typed.owner)
    if account_id is None:
        raise Invalid(Problem("/owner", "choose one"))
    visit.viewer.require_reach(account_id)
    try:
        return (await require_account(visit.services, account_id)).id
    except NotFound:
        raise Invalid(Problem("/owner", "does not exist")) from None


async def _page(visit: Visit, typed: Typed, endpoint: Endpoint | None, problems: Sequence[Problem] = ()) -> Response:
    present = [] if endpoint is None else sorted(open_headers(visit.services, endpoint))
    names = await known_types(visit.services)
    return await visit.page(
        "endpoint_form.html",
        status=422 if problems else 200,
        endpoint=endpoint,
        is_ours=endpoint is None or endpoint.dialect == OWN_DIALECT,
        typed=typed,
        told=by_field(problems, FIELDS),
        present_headers=present,
        new_headers=[*(name for name, _ in typed.new_headers), *[""] * (NEW_HEADERS - len(typed.new_headers))],
        names=[EVERYTHING, *dict.fromkeys(map(family_of, names)), *names],
        orderings=ORDERINGS,
        signatures=SIGNATURES,
        most_in_flight=MAX_IN_FLIGHT,
        most_a_second=MAX_RATE_PER_SECOND,
        schedule=visit.surface.settings.retry_schedule,
    )


ROUTES = (
    Route(f"{PATH}/new", for_those_who_change(ask_for_new), methods=["GET"]),
    Route(f"{PATH}/new", for_those_who_change(create), methods=["POST"]),
    Route(f"{ONE}/edit", for_those_who_change(ask_for_change), methods=["GET"]),
    Route(f"{ONE}/edit", for_those_who_change(change), methods=["POST"]),
)
