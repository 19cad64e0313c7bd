"""`hookwright tail`: the attempts of any server, as they are made."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from hookwright.cli.options import AccountOption, EndpointOption, Key, TypeOption, Url, server_to_ask
from hookwright.cli.printing import print_json, printable
from hookwright.cli.running import end_on_signals, refusals_in_one_line

if TYPE_CHECKING:
    from hookwright.cli.following import Following, Record

LOOK_SECONDS = 1.0


class Outcome(StrEnum):
    """Which attempts to tell."""

    delivered = "delivered"
    failed = "failed"
    dead = "dead"


def tail(
    status: Annotated[
        Outcome | None,
        typer.Option(help="delivered: answered 2xx; failed: not; dead: the last of them failed.", show_default=False),
    ] = None,
    endpoint: EndpointOption = None,
    event_type: TypeOption = None,
    account: AccountOption = None,
    url: Url = None,
    key: Key = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document in each line.")] = False,
) -> None:
    """Show attempts as they are made, until Ctrl-C, over HTTP from the server at --url; a read key is enough.

    It looks once a second, and follows a few hundred attempts a second at most.
    """
    end_on_signals()
    with refusals_in_one_line():
        from hookwright.ambient import AnchoredClock
        from hookwright.cli.following import Following, line_of

        following = Following(server_to_ask(url, key, account), AnchoredClock(), endpoint, event_type)
        following.begin()
        typer.echo("following; Ctrl-C ends it", err=True)
        while True:
            for record in _new(following):
                if not _is_wanted(record, status):
                    continue
                if as_json:
                    print_json(record)
                else:
                    typer.echo(printable(line_of(record)))


def _new(following: Following) -> list[Record]:
    """What is new, after a pause; nothing while the server is not there."""
    from threading import Event

    from hookwright.cli.server_calls import Refused, Unreachable

    Event().wait(LOOK_SECONDS)
    try:
        return following.look()
    except Unreachable as error:
        typer.echo(f"hookwright: {error}; trying again", err=True)
    except Refused as error:
        if not error.may_pass:
            raise
        typer.echo(f"hookwright: {error} Trying again.", err=True)
    return []


def _is_wanted(record: Record, status: Outcome | None) -> bool:
    from hookwright.cli.following import succeeded

    match status:
        case None:
            return True
        case Outcome.dead:
            return str(record["status"]) == "dead"
        case _:
            return succeeded(record) == (status is Outcome.delivered)
