"""`hookwright trigger`: an event from the vocabulary's samples, published as a platform would."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hookwright.cli.completion import event_types
from hookwright.cli.options import AsJson, Config, Database, id_of
from hookwright.cli.printing import print_record
from hookwright.cli.running import MISUSED, database_in_use, fail, with_account_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookwright.cli.dev_servers import DevServer
    from hookwright.operations.named_samples import NamedSample
    from hookwright.operations.publish import Publish
    from hookwright.operations.services import Services

MOST_AT_ONCE = 100
STEPS_A_SECOND = 10

Id = Annotated[int | None, typer.Option(metavar="ID", help="The id of the object that it is about.")]


def trigger(
    event: Annotated[
        str,
        typer.Argument(
            help="An event type, or what a dialect calls it: kajabi:tag_added, kit:subscriber.tag_add.",
            autocompletion=event_types,
        ),
    ],
    account: Annotated[
        int | None,
        typer.Option(
            metavar="ID", parser=id_of, help="Whose event it is; the only account otherwise.", show_default=False
        ),
    ] = None,
    site: Annotated[
        int | None, typer.Option(metavar="ID", parser=id_of, help="Needed where there are several.")
    ] = None,
    tag: Id = None,
    form: Id = None,
    sequence: Id = None,
    offer: Id = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Change the sample: contact.email=ada@example.com, products.0.id=7. May be repeated.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where to have it sent too, by an endpoint that is made if there is none; /play/NAME for `dev`.",
            show_default=False,
        ),
    ] = None,
    edit: Annotated[bool, typer.Option("--edit", help="Change the data in your editor first.")] = False,
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many times.")] = 1,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="How many in a second; as fast as it goes otherwise.")
    ] = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Publish a realistic event. A server on the same database delivers it.

    Where no database is given or set, it is that of the `hookwright dev` that runs here, or hookwright.sqlite3.
    """
    import msgspec

    found = database_in_use(database, config)
    ids = {"tag": tag, "form": form, "sequence": sequence, "offer": offer}
    named = {name: id for name, id in ids.items() if id is not None}

    async def act(services: Services, account_id: int) -> dict[str, Any]:
        from hookwright.operations.named_samples import sample_named
        from hookwright.operations.publish import Publish

        sample = await sample_named(services, event)
        data = _data(sample, named, change or [], edit)
        if to is not None:
            await _have_it_sent(services, account_id, to, found.dev)
        request = Publish(
            type=sample.type,
            account=account_id,
            site=site,
            data=msgspec.Raw(msgspec.json.encode(data)),
        )
        nobody_watches = as_json or count == 1 or not sys.stderr.isatty()
        with typer.progressbar(length=count, label=sample.type, file=sys.stderr, hidden=nobody_watches) as bar:
            return await _publish_many(services, request, count, rate, bar.update)

    record = with_account_of(found, account, act, "--account")
    note = "" if record["deliveries"] else _nobody_wants_it(record["account"], is_dev=found.dev is not None)
    print_record(record, as_json, note)


async def _have_it_sent(services: Services, account_id: int, to: str, dev: DevServer | None) -> None:
    from hookwright.cli.trying import endpoint_for_tries
    from hookwright.core.errors import Invalid

    if to.startswith("/") and dev is None:
        fail(f"--to {to}: only the receiver of a running `hookwright dev` can be named so; give a whole URL", MISUSED)
    try:
        await endpoint_for_tries(services, account_id, f"{dev.url}{to}" if to.startswith("/") and dev else to)
    except Invalid as error:
        fail(f"--to {to}: {error.problems[0].message}")


def _nobody_wants_it(account_id: int, *, is_dev: bool) -> str:
    cure = "give --to /play/first" if is_dev else f"hookwright endpoints list {account_id}"
    return f"no endpoint wants it: {cure}"


def _data(sample: NamedSample, ids: dict[str, int], changes: list[str], edit: bool) -> dict[str, Any]:
    from hookwright.cli.editing import edited_object

    data = _changed(sample, ids, changes)
    return edited_object(data) if edit else data


async def _publish_many(
    services: Services, request: Publish, count: int, rate: float | None, on_progress: Callable[[int], None]
) -> dict[str, Any]:
    """Publish the same again and again, evenly spaced if there is a rate."""
    import asyncio

    from hookwright.ambient import monotonic_us
    from hookwright.core.errors import Conflict
    from hookwright.operations.publish import publish

    begun, first_id, deliveries, done = monotonic_us(), None, 0, 0
    while done < count:
        number = min(count - done, _at_once(rate))
        for accepted in await publish(services, [request] * number):
            assert not isinstance(accepted, Conflict)  # nothing here has an idempotency key
            first_id = first_id or accepted.event_id
            deliveries += accepted.deliveries
        done += number
        on_progress(number)
        if rate is not None and done < count:
            await asyncio.sleep(max(0, done / rate - (monotonic_us() - begun) / 1_000_000))
    return {
        "event_type": request.type,
        "account": request.account,
        "events": done,
        "event_id": first_id,
        "deliveries": deliveries,
    }


def _at_once(rate: float | None) -> int:
    return MOST_AT_ONCE if rate is None else max(1, min(MOST_AT_ONCE, int(rate / STEPS_A_SECOND)))


def _changed(sample: NamedSample, ids: dict[str, int], changes: list[str]) -> dict[str, Any]:
    from hookwright.core.changes import with_value_at

    data: dict[str, Any] = sample.data
    for name, id in ids.items():
        if name not in data:
            fail(f"--{name}: {sample.type} is about {', '.join(data)}")
        data = with_value_at(data, f"{name}.id", id)
    for change in changes:
        path, separator, text = change.partition("=")
        if not separator:
            fail(f"--set {change}: must be PATH=VALUE", MISUSED)
        try:
            data = with_value_at(data, path, _value_of(text))
        except ValueError as error:
            fail(f"--set {change}: {error}")
    return data


def _value_of(text: str) -> Any:
    """JSON where it is JSON (7, true, null, "7"), and text otherwise."""
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text
