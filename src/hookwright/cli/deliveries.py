"""`hookwright deliveries`: what became of events, and sending one of them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hookwright.cli.completion import delivery_statuses
from hookwright.cli.options import (
    AsJson,
    Config,
    Database,
    EndpointOption,
    OptionalAccount,
    TypeOption,
    account_and_id,
    id_after_account,
)
from hookwright.cli.printing import print_json, print_record, print_records, printable
from hookwright.cli.running import with_account

if TYPE_CHECKING:
    from hookwright.core.answer_headers import AnswerHeader
    from hookwright.core.model import Attempt, Delivery
    from hookwright.operations.services import Services

COLUMNS = ("id", "created_at", "status", "attempt_count", "last", "endpoint", "event_type", "message_id")
ATTEMPT_COLUMNS = ("attempt", "started_at", "result", "duration_ms", "next_attempt_at", "detail")
MOST = 1_000

commands = typer.Typer(help="List, show and replay the deliveries of an account.")

AccountAndDelivery = Annotated[list[str], id_after_account("DELIVERY", "The delivery's id.")]


@commands.command("list")
def list_some(
    account: OptionalAccount = None,
    endpoint: EndpointOption = None,
    event_type: TypeOption = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            help="pending, in_flight, delivered, dead or cancelled; may be repeated.",
            autocompletion=delivery_statuses,
        ),
    ] = None,
    event: Annotated[str | None, typer.Option(help="Only of the event with this id.")] = None,
    created_from: Annotated[datetime | None, typer.Option(help="In UTC, inclusive.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many at most.")] = 50,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List an account's deliveries, newest first."""

    async def act(services: Services, account: int) -> list[Delivery]:
        from hookwright.core.times import instant_or_none
        from hookwright.operations.accounts import require_account
        from hookwright.store.base import DeliveryQuery

        await require_account(services, account)
        query = DeliveryQuery(
            account_id=account,
            endpoint_id=endpoint,
            event_id=event,
            event_type=event_type,
            statuses=_checked(status),
            created_from=instant_or_none(created_from),
            limit=limit,
        )
        return await services.store.deliveries(query)

    print_records([_record(each) for each in with_account(account, database, config, act)], COLUMNS, as_json)


@commands.command("show")
def show(
    words: AccountAndDelivery,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show a delivery with what it sends and every attempt."""
    from hookwright.cli.bodies import body_lines

    account, delivery = account_and_id(words)
    described, headers = with_account(
        account, database, config, lambda services, of: _described(services, of, delivery)
    )
    if as_json:
        print_json(described)
        return
    attempts = described.pop("attempts")
    payload = described.pop("payload")
    print_record(described, as_json=False)
    typer.echo()
    print_records(attempts, ATTEMPT_COLUMNS, as_json=False)
    typer.echo()
    for line in headers:
        typer.echo(printable(line))
    for line in body_lines(payload or "its payload is not kept any more"):
        typer.echo(printable(line))


@commands.command("replay")
def replay(
    words: AccountAndDelivery,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Have a delivery sent again at once, by the server that runs on the same database."""
    from hookwright.operations.deliveries import replay_delivery

    account, delivery = account_and_id(words)
    replayed = with_account(account, database, config, lambda services, of: replay_delivery(services, of, delivery))
    print_record(_record(replayed), as_json)


async def _described(services: Services, account_id: int, delivery_id: int) -> tuple[dict[str, Any], list[str]]:
    """A delivery in full, and the headers that were answered last, for people."""
    from hookwright.operations.deliveries import require_delivery

    delivery = await require_delivery(services, account_id, delivery_id)
    endpoint = await services.store.endpoint(account_id, delivery.endpoint_id)
    payload = await services.store.payload(delivery_id)
    attempts = await services.store.attempts(delivery_id)
    described = {
        **_record(delivery),
        "url": None if endpoint is None else endpoint.url,
        "payload": None if payload is None else payload.decode(errors="replace"),
        "attempts": [_attempt(each) for each in attempts],
    }
    return described, _latest_headers(attempts)


def _checked(statuses: list[str] | None) -> Any:
    from typing import get_args

    from hookwright.core.errors import Invalid, Problem
    from hookwright.core.model import DeliveryStatus

    known = get_args(DeliveryStatus)
    for status in statuses or ():
        if status not in known:
            raise Invalid(Problem("/status", f"{status} is no status; use {', '.join(known)}"))
    return tuple(statuses) if statuses else None


def _record(delivery: Delivery) -> dict[str, Any]:
    from hookwright.core.times import iso_micros, iso_or_none

    return {
        "id": delivery.id,
        "account": delivery.account_id,
        "event": delivery.event_id,
        "event_type": delivery.event_type,
        "endpoint": delivery.endpoint_id,
        "dialect": delivery.dialect,
        "dialect_event": delivery.dialect_event,
        "message_id": delivery.message_id,
        "status": delivery.status,
        "attempt_count": delivery.attempts,
        "last": delivery.last_error or delivery.last_status_code,
        "next_attempt_at": iso_or_none(delivery.due_at),
        "created_at": iso_micros(delivery.created_at),
        "finished_at": iso_or_none(delivery.finished_at),
    }


def _attempt(attempt: Attempt) -> Mapping[str, Any]:
    from hookwright.core.times import iso_micros, iso_or_none

    headers = attempt.response_headers
    return {
        "attempt": attempt.number,
        "started_at": iso_micros(attempt.started_at),
        "duration_ms": attempt.duration_us / 1000,
        "result": attempt.error or attempt.status_code,
        "status_code": attempt.status_code,
        "error": attempt.error,
        "detail": attempt.detail,
        "response_body": attempt.response_body.decode(errors="replace"),
        "response_headers": None if headers is None else [_header(each) for each in headers.kept],
        "response_headers_left_out": 0 if headers is None else headers.left_out,
        "next_attempt_at": iso_or_none(attempt.next_attempt_at),
    }


def _header(header: AnswerHeader) -> Mapping[str, Any]:
    return {"name": header.name, "value": header.value, "cut_bytes": header.cut}


def _latest_headers(attempts: Sequence[Attempt]) -> list[str]:
    from hookwright.core.answer_headers import header_lines

    for attempt in reversed(attempts):
        if attempt.response_headers is not None:
            lines = header_lines(attempt.response_headers)
            return [f"Headers of the answer to attempt {attempt.number}:", *(f"  {line}" for line in lines), ""]
    return []
