"""`hookwright endpoints`: those of every dialect, and how each fares; Hookwright's own are made here."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hookwright.cli.completion import dialects, subscriptions
from hookwright.cli.options import (
    AsJson,
    Config,
    Database,
    OptionalAccount,
    WithoutAsking,
    account_and,
    account_and_id,
    after_account,
    id_after_account,
)
from hookwright.cli.printing import print_deed, print_record, print_records
from hookwright.cli.running import confirm, with_account

if TYPE_CHECKING:
    from hookwright.core.model import Endpoint, EndpointStatus, Instant, Subscription
    from hookwright.operations.endpoints import Details
    from hookwright.operations.services import Services

PAGE = 100
COLUMNS = ("id", "dialect", "status", "status_reason", "breaker", "failures", "events", "url")

commands = typer.Typer(help="List, show, create, pause, resume, disable and delete the endpoints of an account.")

AccountAndEndpoint = Annotated[list[str], id_after_account("ENDPOINT", "The endpoint's id.")]


class Signature(StrEnum):
    """How requests are signed."""

    V1 = "v1"
    V1A = "v1a"


@commands.command("list")
def list_all(
    account: OptionalAccount = None,
    dialect: Annotated[
        str | None, typer.Option(help="hookwright, kajabi, kit or kit_endpoints.", autocompletion=dialects)
    ] = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List an account's endpoints, oldest first."""
    records = with_account(account, database, config, lambda services, of: _listed(services, of, dialect))
    print_records(records, COLUMNS, as_json)


@commands.command("show")
def show(
    words: AccountAndEndpoint,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show an endpoint, how it fares, and how many deliveries wait to be sent to it."""
    account, endpoint = account_and_id(words)
    shown = with_account(account, database, config, lambda services, of: _described(services, of, endpoint))
    print_record(shown, as_json)


@commands.command("create")
def create(
    words: Annotated[list[str], after_account("URL", "Where to POST.")],
    event: Annotated[
        list[str],
        typer.Option(
            help="What it gets: an event type, noun.*, or '*'; with a resource as in form.submitted:512. May be"
            " repeated.",
            show_default=False,
            autocompletion=subscriptions,
        ),
    ],
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    description: Annotated[str, typer.Option(help="What people should know of it.")] = "",
    signature: Annotated[Signature, typer.Option(help="v1: a shared secret; v1a: a public key.")] = Signature.V1,
    max_in_flight: Annotated[int | None, typer.Option(help="Requests at once; any number otherwise.")] = None,
    rate: Annotated[int | None, typer.Option(help="Requests a second; any number otherwise.")] = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Create an endpoint of Hookwright's own; prints what its receiver verifies signatures with."""
    from hookwright.operations.endpoints import Details

    details = Details(
        name=name,
        description=description,
        signature=signature.value,
        max_in_flight=max_in_flight,
        rate_per_second=rate,
    )
    wanted = [_subscription(text) for text in event]
    account, url = account_and(words)
    created = with_account(
        account, database, config, lambda services, of: _create(services, of, url, wanted, details)
    )
    print_record(created, as_json)


@commands.command("pause")
def pause(
    words: AccountAndEndpoint,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Send nothing to an endpoint for a while; its events are kept for it."""
    account, endpoint = account_and_id(words)
    changed = with_account(
        account, database, config, lambda services, of: _set_status(services, of, endpoint, "paused")
    )
    print_record(changed, as_json)


@commands.command("resume")
def resume(
    words: AccountAndEndpoint,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Make a paused or disabled endpoint active again; what waited for it is due at once."""
    account, endpoint = account_and_id(words)
    changed = with_account(
        account, database, config, lambda services, of: _set_status(services, of, endpoint, "active")
    )
    print_record(changed, as_json)


@commands.command("disable")
def disable(
    words: AccountAndEndpoint,
    reason: Annotated[str, typer.Option(help="Shown as the reason of its status.")] = "operator",
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Disable an endpoint, as failing for days does; its events are kept for it."""
    account, endpoint = account_and_id(words)
    changed = with_account(
        account, database, config, lambda services, of: _set_status(services, of, endpoint, "disabled", reason)
    )
    print_record(changed, as_json)


@commands.command("delete")
def delete(
    words: AccountAndEndpoint,
    without_asking: WithoutAsking = False,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Delete an endpoint; what was still to be sent to it is cancelled."""
    from hookwright.operations.endpoints import delete_endpoint

    account, endpoint = account_and_id(words)
    confirm(f"delete endpoint {endpoint} and cancel what waits for it", without_asking)
    with_account(account, database, config, lambda services, of: delete_endpoint(services, of, endpoint, None))
    print_deed(f"endpoint {endpoint} is deleted", {"id": endpoint, "deleted": True}, as_json)


async def _listed(services: Services, account_id: int, dialect: str | None) -> list[dict[str, Any]]:
    from hookwright.operations.accounts import require_account
    from hookwright.store.base import EndpointQuery

    await require_account(services, account_id)
    dialects = None if dialect is None else (dialect,)
    endpoints: list[Endpoint] = []
    while page := await services.store.endpoints(
        EndpointQuery(
            account_id=account_id,
            dialects=dialects,
            above=endpoints[-1].id if endpoints else None,
            ascending=True,
            limit=PAGE,
        )
    ):
        endpoints += page
    return [_record(endpoint, services.clock.now()) for endpoint in endpoints]


async def _described(services: Services, account_id: int, endpoint_id: int) -> dict[str, Any]:
    from hookwright.operations.endpoints import require_endpoint
    from hookwright.store.base import MOST_COUNTED, DeliveryQuery

    endpoint = await require_endpoint(services, account_id, endpoint_id, None)
    waiting = DeliveryQuery(account_id=account_id, endpoint_id=endpoint_id, statuses=("pending",))
    counted = await services.store.count_deliveries(waiting, MOST_COUNTED)
    return {**_record(endpoint, services.clock.now()), "waiting_deliveries": counted}


async def _create(
    services: Services, account_id: int, url: str, wanted: list[Subscription], details: Details
) -> dict[str, Any]:
    from hookwright.operations.accounts import require_account
    from hookwright.operations.own_endpoints import create_own_endpoint

    await require_account(services, account_id)
    endpoint, key = await create_own_endpoint(services, account_id, url, wanted, details)
    return {**_record(endpoint, services.clock.now()), **key._asdict()}


async def _set_status(
    services: Services, account_id: int, endpoint_id: int, status: EndpointStatus, reason: str | None = None
) -> dict[str, Any]:
    from hookwright.operations.endpoints import set_status

    endpoint = await set_status(services, account_id, endpoint_id, status, reason)
    return _record(endpoint, services.clock.now())


def _subscription(text: str) -> Subscription:
    """`form.submitted:512`; without a colon, any resource. Names have no colon, links as resources do."""
    from hookwright.core.model import Subscription

    event, _, resource = text.partition(":")
    return Subscription(event, resource)


def _in_short(subscription: Subscription) -> str:
    return f"{subscription.event}:{subscription.resource}" if subscription.resource else subscription.event


def _record(endpoint: Endpoint, now: Instant) -> dict[str, Any]:
    from hookwright.core.health import breaker_of, progress_percent
    from hookwright.core.times import iso_micros, iso_or_none

    health = endpoint.health
    breaker = breaker_of(health, now)
    return {
        "id": endpoint.id,
        "account": endpoint.account_id,
        "site": endpoint.site_id,
        "dialect": endpoint.dialect,
        "url": endpoint.url,
        "events": [_in_short(each) for each in endpoint.subscriptions],
        "name": endpoint.name or None,
        "description": endpoint.description or None,
        "status": endpoint.status,
        "status_reason": endpoint.status_reason,
        "status_changed_at": iso_micros(endpoint.status_changed_at),
        "failing_since": iso_or_none(health.failing_since),
        "failures": health.failures,
        "progress_percent": progress_percent(health, now),
        "breaker": breaker,
        "breaker_open_until": iso_or_none(health.breaker_open_until) if breaker == "open" else None,
        "retry_schedule": endpoint.retry_schedule,
        "max_in_flight": endpoint.max_in_flight,
        "rate_per_second": endpoint.rate_per_second,
        "signature": endpoint.signature,
        "created_at": iso_micros(endpoint.created_at),
        "updated_at": iso_micros(endpoint.updated_at),
    }
