"""`hookwright replays`: many deliveries sent again, by the server that runs on the same database."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hookwright.cli.completion import event_types, finished_statuses
from hookwright.cli.options import (
    AsJson,
    Config,
    Database,
    EndpointOption,
    OptionalAccount,
    account_and_id,
    id_after_account,
)
from hookwright.cli.printing import print_record, print_records
from hookwright.cli.running import with_account

if TYPE_CHECKING:
    from hookwright.core.model import Replay
    from hookwright.operations.replays import ReplayRequest
    from hookwright.operations.services import Services

PAGE = 100
COLUMNS = ("id", "status", "endpoint", "event_type", "statuses", "replayed", "total", "created_at")

commands = typer.Typer(help="Send many deliveries of an account again; watch and cancel that.")

AccountAndReplay = Annotated[list[str], id_after_account("REPLAY", "The replay's id.")]
_DELIVERED_OR_NOT = "delivered, dead or cancelled; may be given more than once."


@commands.command("create")
def create(
    account: OptionalAccount = None,
    endpoint: EndpointOption = None,
    event_type: Annotated[str | None, typer.Option(help="Only of this type.", autocompletion=event_types)] = None,
    status: Annotated[list[str], typer.Option(help=_DELIVERED_OR_NOT, autocompletion=finished_statuses)] = ["dead"],  # noqa: B006 - typer's way
    created_from: Annotated[datetime | None, typer.Option(help="In UTC, inclusive.")] = None,
    created_to: Annotated[datetime | None, typer.Option(help="In UTC, exclusive.")] = None,
    rate: Annotated[int | None, typer.Option(help="How many become due in a second; 50 otherwise.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Begin a replay, or count what it would send. A server on the same database sends."""
    from hookwright.operations.accounts import require_account
    from hookwright.operations.replays import begin_replay, count_replay

    request = _request(endpoint, event_type, status, created_from, created_to, rate)

    async def act(services: Services, account: int) -> dict[str, Any]:
        await require_account(services, account)
        if dry_run:
            return {"dry_run": True, "deliveries": await count_replay(services, account, request)}
        return _record(await begin_replay(services, account, request))

    print_record(with_account(account, database, config, act), as_json)


@commands.command("list")
def list_all(
    account: OptionalAccount = None, database: Database = None, config: Config = None, as_json: AsJson = False
) -> None:
    """List an account's replays, newest first, and how far each is."""
    replays = with_account(account, database, config, _replays_of)
    print_records([_record(replay) for replay in replays], COLUMNS, as_json)


@commands.command("show")
def show(
    words: AccountAndReplay,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show a replay and how far it is."""
    from hookwright.operations.replays import require_replay

    account, replay = account_and_id(words)
    found = with_account(account, database, config, lambda services, of: require_replay(services, of, replay))
    print_record(_record(found), as_json)


@commands.command("cancel")
def cancel(
    words: AccountAndReplay,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """End a replay. What it has made due is sent all the same."""
    from hookwright.operations.replays import cancel_replay

    account, replay = account_and_id(words)
    cancelled = with_account(account, database, config, lambda services, of: cancel_replay(services, of, replay))
    print_record(_record(cancelled), as_json)


async def _replays_of(services: Services, account_id: int) -> list[Replay]:
    from hookwright.operations.accounts import require_account

    await require_account(services, account_id)
    replays: list[Replay] = []
    while page := await services.store.replays(account_id, replays[-1].id if replays else None, PAGE):
        replays += page
    return replays


def _request(
    endpoint: int | None,
    event_type: str | None,
    statuses: list[str],
    created_from: datetime | None,
    created_to: datetime | None,
    rate: int | None,
) -> ReplayRequest:
    from hookwright.core.times import instant_or_none
    from hookwright.operations.replays import DEFAULT_RATE_PER_SECOND, ReplayRequest

    return ReplayRequest(
        endpoint_id=endpoint,
        event_type=event_type,
        statuses=tuple(dict.fromkeys(statuses)),  # type: ignore[arg-type]  # the operation refuses any other word
        created_from=instant_or_none(created_from),
        created_to=instant_or_none(created_to),
        rate_per_second=DEFAULT_RATE_PER_SECOND if rate is None else rate,
    )


def _record(replay: Replay) -> dict[str, Any]:
    from hookwright.core.times import iso_micros, iso_or_none

    return {
        "id": replay.id,
        "account": replay.account_id,
        "endpoint": replay.endpoint_id,
        "event_type": replay.event_type,
        "statuses": replay.statuses,
        "created_from": iso_or_none(replay.created_from),
        "created_to": iso_micros(replay.created_to),
        "finished_from": iso_or_none(replay.finished_from),
        "rate_per_second": replay.rate_per_second,
        "status": replay.status,
        "total": replay.total,
        "replayed": replay.replayed,
        "created_at": iso_micros(replay.created_at),
        "finished_at": iso_or_none(replay.finished_at),
    }
