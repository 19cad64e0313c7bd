"""`hookwright secrets`: which master key encrypts what, and encrypting everything with the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hookwright.cli.options import AsJson, Config, Database
from hookwright.cli.printing import print_record, print_records
from hookwright.cli.running import fail, with_services

if TYPE_CHECKING:
    from hookwright.operations.master_keys import KeyUse, Reencryption

PROGRESS_EVERY = 1_000

commands = typer.Typer(help="What is encrypted, and with which master key.")


@commands.command("status")
def status(database: Database = None, config: Config = None, as_json: AsJson = False) -> None:
    """Show how many signing secrets and custom headers each master key encrypts."""
    from hookwright.operations.master_keys import master_key_uses

    uses = with_services(database, config, master_key_uses)
    columns = ("key_id", "role", "signing_secrets", "custom_headers")
    print_records([_record(use) for use in uses], columns, as_json)


@commands.command("reencrypt")
def reencrypt(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Decrypt and count, but change nothing.", show_default=False)
    ] = False,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Encrypt with the first master key whatever another one has encrypted; servers may run meanwhile.

    It may be stopped at any time and run again: what is done stays done.
    """
    from hookwright.operations.master_keys import reencrypt

    progress = Progress()
    done = with_services(
        database, config, lambda services: reencrypt(services, dry_run=dry_run, on_progress=progress.tell)
    )
    print_record({"dry_run": dry_run, **done._asdict()}, as_json)
    if done.unopened:
        fail(f"{done.unopened} could not be decrypted with the configured master keys and stay as they are")
    if done.left:
        fail(f"{done.left} were being changed all the time; run it once more")


class Progress:
    """Says on standard error how far it is, every thousand values or so."""

    def __init__(self) -> None:
        self._told = 0

    def tell(self, done: Reencryption) -> None:
        if done.resealed - self._told >= PROGRESS_EVERY:
            self._told = done.resealed
            typer.echo(f"{done.resealed} encrypted anew …", err=True)


def _record(use: KeyUse) -> dict[str, Any]:
    return {
        "key_id": use.key_id,
        "role": _role(use),
        "signing_secrets": use.counts.get("signing secret", 0),
        "custom_headers": use.counts.get("headers", 0),
    }


def _role(use: KeyUse) -> str:
    if use.seals:
        return "encrypts"
    if use.configured:
        return "decrypts"
    return "any" if use.key_id is None else "missing"
