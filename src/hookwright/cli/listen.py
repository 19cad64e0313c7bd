"""`hookwright listen`: deliveries of any server, on a laptop without a public address."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from hookwright.cli.completion import subscriptions
from hookwright.cli.options import AccountOption, Key, Url, id_of, server_to_ask
from hookwright.cli.printing import print_json
from hookwright.cli.running import end_on_signals, refusals_in_one_line
from hookwright.cli.terminal import browse, is_for_people

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookwright.cli.listening import Exchange, Listener, Listening
    from hookwright.cli.screen import Screen
    from hookwright.cli.server_calls import Server


class Form(StrEnum):
    """In which form one may get deliveries: as Kajabi's hooks, Kit's webhooks, or Kit's webhook endpoints."""

    kajabi = "kajabi"
    kit = "kit"
    kit_endpoints = "kit_endpoints"


def listen(
    target: Annotated[str, typer.Argument(help="Where to forward to: 3000, 3000/path, or a URL.")],
    event: Annotated[
        list[str] | None,
        typer.Option(
            "--event",
            "-e",
            help="What to get: an event type or noun.*; may be repeated; '*' otherwise.",
            autocompletion=subscriptions,
        ),
    ] = None,
    dialect: Annotated[
        Form | None,
        typer.Option(
            "--as",
            help="Get them as this API sends them; --event then takes its words, such as tag_added:123.",
            show_default=False,
        ),
    ] = None,
    site: Annotated[
        int | None, typer.Option(metavar="ID", parser=id_of, help="With --as kajabi, where the account has several.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The listener's name; this machine's and the target otherwise.")
    ] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete the listener at the end; it is paused otherwise.")
    ] = False,
    account: AccountOption = None,
    url: Url = None,
    key: Key = None,
    compact: Annotated[bool, typer.Option("--compact", help="Plain lines in place of the live screen.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document in each line.")] = False,
) -> None:
    """Receive an account's deliveries here, without a public address, over HTTP from the server at --url.

    Each is forwarded to the target, and its answer goes back as the receiver's: signatures and retries are real.
    The secret to verify with is printed. After the end, events wait for the next time.
    """
    end_on_signals()
    with refusals_in_one_line():
        from hookwright.cli.forwarding import target_url
        from hookwright.cli.listening import open_listener

        forward_to = target_url(target)
        server = server_to_ask(url, key, account)
        listener = open_listener(server, name or _default_name(target), event or ["*"], dialect, site)
        try:
            if as_json:
                _listen_in_json(server, listener, forward_to)
            elif compact or not is_for_people():
                _listen_in_lines(server, listener, forward_to)
            else:
                _listen_on_screen(server, listener, forward_to)
        finally:
            _leave(server, listener, delete)


def _listen_in_json(server: Server, listener: Listener, target: str) -> None:
    from hookwright.cli.exchanges import record_of

    print_json(
        {
            "url": server.url,
            "target": target,
            "account": listener.account_id,
            "endpoint": listener.id,
            "signing_secret": listener.signing_secret,
        }
    )

    def show(exchange: Exchange) -> None:
        if exchange.response is not None:
            print_json(record_of(exchange))

    _run_until_ended(_listening(server, listener, target, show, _say_beside))


def _listen_in_lines(server: Server, listener: Listener, target: str) -> None:
    from hookwright.cli.exchanges import short_lines
    from hookwright.cli.printing import printable

    for line in _head(server, listener, target):
        typer.echo(line)
    _run_until_ended(
        _listening(server, listener, target, lambda each: typer.echo(printable(short_lines(each))), _say_beside)
    )


def _listen_on_screen(server: Server, listener: Listener, target: str) -> None:
    from hookwright.cli.exchanges import delivery_of, entry_of
    from hookwright.cli.screen import Action, Entry, Screen

    def replay(entry: Entry) -> str:
        from hookwright.cli import listening
        from hookwright.core.errors import HookwrightError

        try:
            listening.replay(server, delivery_of(entry))
        except HookwrightError as error:
            return str(error)
        return f"{entry.note} is sent again"

    actions = {
        "r": Action("send again", replay),
        "o": Action("open", lambda entry: browse(f"{server.url}/console/deliveries/{delivery_of(entry)}")),
    }
    screen = Screen(_head(server, listener, target), actions)
    listening = _listening(server, listener, target, lambda each: screen.put(entry_of(each)), screen.say)
    _run_beside(screen, listening)
    _fail_as(listening)


def _run_beside(screen: Screen, listening: Listening) -> None:
    from threading import Thread

    def end_together() -> None:
        listening.ended.wait()
        screen.end()

    Thread(target=end_together, daemon=True).start()
    listening.start()
    try:
        screen.run()
    finally:
        listening.ended.set()


def _run_until_ended(listening: Listening) -> None:
    listening.start()
    try:
        listening.ended.wait()
    finally:
        listening.ended.set()
    _fail_as(listening)


def _listening(
    server: Server,
    listener: Listener,
    target: str,
    on_exchange: Callable[[Exchange], None],
    on_trouble: Callable[[str], None],
) -> Listening:
    from hookwright.ambient import AnchoredClock
    from hookwright.cli.listening import Listening

    return Listening(server, listener, target, AnchoredClock(), on_exchange, on_trouble)


def _fail_as(listening: Listening) -> None:
    if listening.failure is not None:
        raise listening.failure


def _leave(server: Server, listener: Listener, delete: bool) -> None:
    """The listener is not here any more; if the server is not there either, attempts fail and are retried."""
    from hookwright.cli.listening import delete_listener, pause_listener
    from hookwright.cli.server_calls import Refused, Unreachable

    try:
        (delete_listener if delete else pause_listener)(server, listener)
    except (Refused, Unreachable) as error:
        _say_beside(f"the listener could not be {'deleted' if delete else 'paused'}: {error}")


def _head(server: Server, listener: Listener, target: str) -> list[str]:
    return [
        f"Listening for {server.url}, forwarding to {target}",
        f"account         {listener.account_id}",
        f"endpoint        {listener.id}",
        f"signing secret  {listener.signing_secret or 'that of the account, which an administrator sees'}",
    ]


def _say_beside(message: str) -> None:
    if message:
        typer.echo(f"hookwright: {message}", err=True)


def _default_name(target: str) -> str:
    import platform

    return f"{platform.node() or 'laptop'} {target}"
