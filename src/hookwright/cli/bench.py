"""`hookwright bench`: what this machine delivers, from the publish to a receiver, with every event accounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hookwright.cli.options import AsJson, Key
from hookwright.cli.printing import print_record
from hookwright.cli.running import MISUSED, end_on_signals, fail, refusals_in_one_line

if TYPE_CHECKING:
    from hookwright.cli.load import Taken

MOST_EVENTS = 100_000


def bench(
    events: Annotated[int, typer.Option(min=100, max=MOST_EVENTS, help="How many to publish for the rate.")] = 5_000,
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            metavar="URL",
            help="A PostgreSQL on which a database is made for this and dropped again; a SQLite file otherwise.",
            show_default=False,
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="A server that runs on this machine, in place of one that is started for this.",
            show_default=False,
        ),
    ] = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Measure what is delivered here in a second, and how long one delivery takes.

    Server, publisher and receiver share this machine. Data of yours is not touched: the server has a database of its
    own, or, with --url, an account of its own that is deleted at the end. If not every event arrived exactly once,
    there are no figures, and the exit code is 1.
    """
    import asyncio

    end_on_signals()
    with refusals_in_one_line():
        if url is not None and database is not None:
            fail("give --url or --database, not both", MISUSED)
        taken, measured = asyncio.run(_bench(events, database, url, key))
    if problem := taken.problem:
        fail(f"the figures do not count: {problem}")
    print_record({**taken.figures(), **measured}, as_json)


async def _bench(events: int, database: str | None, url: str | None, key: str | None) -> tuple[Taken, dict[str, Any]]:
    from hookwright.cli.load import take
    from hookwright.cli.options import server_to_ask
    from hookwright.cli.temporary_server import temporary_server

    if url is not None:
        server = server_to_ask(url, key, None)
        server.account_id = None  # an account is made for this, whatever the key of a `hookwright dev` is used for
        return await take(server, events), {"server": server.url, **_machine()}
    async with temporary_server(database) as server:
        return await take(server, events), {"server": "PostgreSQL" if database else "SQLite", **_machine()}


def _machine() -> dict[str, Any]:
    import os
    import platform

    from hookwright import __version__

    return {"hookwright": __version__, "python": platform.python_version(), "processors": os.cpu_count()}
