"""`hookwright doctor`: what is wrong with this installation, and what to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hookwright.cli.options import AsJson, Config, Database
from hookwright.cli.printing import print_json
from hookwright.cli.running import refusals_in_one_line

if TYPE_CHECKING:
    from hookwright.checkup import Check
    from hookwright.config import Settings

MARKS = {"ok": "ok", "warning": "warning", "problem": "PROBLEM", "skipped": "-"}


def doctor(
    target: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Connect to this receiver, by the sender's rules; it is sent nothing.",
            show_default=False,
        ),
    ] = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Check settings, database, migrations, master key, clock and the way out, and say what to change.

    It changes nothing. The exit code is 1 if there is a problem; warnings leave it at 0.
    """
    import asyncio

    import msgspec

    from hookwright.config import load_settings
    from hookwright.logs import log_beside_output

    with refusals_in_one_line():
        settings = load_settings(config_file=config, database_url=database)
        log_beside_output("error")
        checks = asyncio.run(_checks(settings, target, quiet=as_json))
    is_well = all(check.status != "problem" for check in checks)
    if as_json:
        print_json({"well": is_well, "checks": msgspec.to_builtins(checks)})
    raise typer.Exit(0 if is_well else 1)


async def _checks(settings: Settings, target: str | None, quiet: bool) -> list[Check]:
    """Every check; a person sees each as soon as it is made."""
    from hookwright.checkup import check_up

    checks = []
    async for check in check_up(settings, target):
        checks.append(check)
        if not quiet:
            typer.echo("\n".join(_lines(check)))
    return checks


def _lines(check: Check) -> list[str]:
    line = f"{MARKS[check.status]:8} {check.name:14} {check.found}"
    return [line] if check.change is None else [line, f"{'':8} {'':14} → {check.change}"]
