"""`hookwright dev`: the stand-in for integration developers, on a laptop or in a test suite."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hookwright.cli.options import AsJson
from hookwright.cli.printing import print_json
from hookwright.cli.running import collect_nothing_yet, end_on_signals, refusals_in_one_line, run_quickly
from hookwright.cli.terminal import is_for_people

if TYPE_CHECKING:
    from hookwright.cli.live import Live
    from hookwright.config import Settings
    from hookwright.testing.credentials import Credentials

LOOPBACK = "127.0.0.1"
DRAIN_SECONDS = 2.0  # whoever presses Ctrl-C does not want to wait for a receiver that hangs


def dev(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8090,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep everything here; otherwise nothing is kept.", show_default=False),
    ] = None,
    compact: Annotated[bool, typer.Option("--compact", help="Plain lines in place of the live screen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run Hookwright for one developer: no set-up, credentials ready, deliveries to this machine allowed.

    It listens on 127.0.0.1 only, and shows deliveries as they happen: on a live screen, or in plain lines where there
    is no terminal. With --json it prints exactly one line on standard output as soon as it is ready.
    """
    end_on_signals()
    collect_nothing_yet()
    with refusals_in_one_line(), _folder(data) as folder:
        settings = _settings(folder, port, quiet=as_json)
        live = None if as_json or compact or not is_for_people() else _live_screen()
        _configure_logs(settings, as_json, live)
        run_quickly(_dev(settings, folder, as_json, live))


def _live_screen() -> Live:
    from hookwright.cli.live import Live

    return Live()


def _configure_logs(settings: Settings, as_json: bool, live: Live | None) -> None:
    from hookwright.cli.attempts import render_line
    from hookwright.logs import configure_logs

    if live is not None:
        configure_logs(settings.log_level, settings.log_format, live.render, live)
    elif as_json:
        configure_logs(settings.log_level, settings.log_format)
    else:
        configure_logs(settings.log_level, settings.log_format, render_line)


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """The given folder, or one that is gone afterwards."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="hookwright-dev-") as temporary:
        yield Path(temporary)


def _settings(folder: Path, port: int, quiet: bool) -> Settings:
    """The environment may set how deliveries behave (retries, time limits), but not where we live or who gets in."""
    from msgspec.structs import replace

    from hookwright.config import load_settings

    return replace(
        load_settings().at_home_in(folder),
        host=LOOPBACK,
        port=port,
        role="all",
        metrics_port=None,
        console=True,
        drain_seconds=DRAIN_SECONDS,
        log_level="warning" if quiet else "info",
        log_format="console",
    )


async def _dev(settings: Settings, folder: Path, as_json: bool, live: Live | None) -> None:
    from hookwright.app import Hookwright
    from hookwright.cli.credentials import ready_credentials
    from hookwright.cli.dev_servers import DevServer, announced
    from hookwright.play import PREFIX, Play
    from hookwright.server import listen, serve, url_of
    from hookwright.surfaces import Surfaces

    with listen(settings.host, settings.port) as listening:
        hookwright = await Hookwright.open(settings)
        hookwright.app = Surfaces([(PREFIX, Play(hookwright.services.clock).app)], otherwise=hookwright.app)
        credentials = await ready_credentials(hookwright.services, folder)
        url = url_of(listening)
        itself = DevServer(url, settings.database_url, credentials.account_id, credentials.admin_key)

        def say_ready() -> None:
            if as_json:
                print_json(described(url, credentials))
            elif live is not None:
                live.start(hookwright.services, url, credentials.account_id, head(url, credentials))
            else:
                typer.echo("\n".join(instructions(url, credentials)))

        try:
            with announced(itself):
                await serve(hookwright, listening, say_ready)
        finally:
            if live is not None:
                live.end()


def described(url: str, credentials: Credentials) -> dict[str, Any]:
    """What a program needs to drive this Hookwright."""
    import msgspec

    return {"url": url, **msgspec.to_builtins(credentials)}


def head(url: str, credentials: Credentials) -> list[str]:
    """Where everything is, and the credentials."""
    kajabi, kit = credentials.kajabi, credentials.kit
    return [
        f"Hookwright listens on {url}",
        f"The console, for people: {url}/console",
        f"A receiver for tries, of any name: {url}/play/first",
        "",
        f"account               {credentials.account_id}",
        f"publish key           {credentials.publish_key}",
        f"admin key             {credentials.admin_key}",
        f"Kajabi client id      {kajabi.client_id}",
        f"Kajabi client secret  {kajabi.client_secret}",
        f"Kajabi site           {kajabi.site_id}",
        f"Kit API key           {kit.api_key}",
        f"Kit client id         {kit.oauth_client_id}",
        f"Kit client secret     {kit.oauth_client_secret}",
        f"Kit redirect URI      {kit.oauth_redirect_uri}",
    ]


def instructions(url: str, credentials: Credentials) -> list[str]:
    """What a person needs: where it is, the credentials, two commands to try, the documentation."""
    from hookwright.app import DIALECTS

    return [
        *head(url, credentials),
        "",
        "Subscribe, as one does with Kit:",
        "",
        *_curl(
            f"{url}/v4/webhooks",
            f"X-Kit-Api-Key: {credentials.kit.api_key}",
            f'{{"target_url": "{url}/play/first", "event": {{"name": "subscriber.tag_add", "tag_id": 123}}}}',
        ),
        "",
        "Publish an event that it waits for:",
        "",
        *_curl(
            f"{url}/api/v1/events",
            f"Authorization: Bearer {credentials.publish_key}",
            f'{{"type": "contact.tag_added", "account": {credentials.account_id}, "data":'
            ' {"contact": {"id": 1, "email": "ada@example.com"}, "tag": {"id": 123, "name": "VIP"}}}',
        ),
        "",
        "Documentation:",
        *(f"  {url}{prefix}/docs" for prefix in ("/api/v1", *(dialect.prefixes[0] for dialect in DIALECTS))),
        "",
        "Ctrl-C ends it. Deliveries are printed as they are sent:",
    ]


def _curl(url: str, credential: str, body: str) -> list[str]:
    return [
        f"  curl {url} \\",
        f"    -H '{credential}' -H 'Content-Type: application/json' \\",
        f"    -d '{body}'",
    ]
