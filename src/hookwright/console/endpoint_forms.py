"""The form of an endpoint: as it is shown, and what was typed into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast, get_args

from msgspec.structs import replace

from hookwright.console.forms import Refusals
from hookwright.console.visits import Visit
from hookwright.core.addresses import MAX_URL_LENGTH
from hookwright.core.model import ANY_RESOURCE, Endpoint, EndpointChange, Ordering, SignatureScheme, Subscription
from hookwright.operations.accounts import MAX_NAME_LENGTH
from hookwright.operations.endpoints import Details
from hookwright.operations.event_types import MAX_DESCRIPTION_LENGTH
from hookwright.operations.own_endpoints import MAX_SUBSCRIPTIONS

FIELDS = (
    "url", "name", "description", "events", "headers", "ordering", "max_in_flight", "rate_per_second",
    "retry_schedule", "signature", "owner",
)  # fmt: skip
NEW_HEADERS = 3  # rows for more of them

ORDERINGS = (
    ("none", "no: whatever is due is sent"),
    ("endpoint", "one after another"),
    ("key", "one after another for each ordering key"),
)
SIGNATURES = (("v1", "v1: HMAC-SHA256, a secret that both sides know"), ("v1a", "v1a: Ed25519, a public key"))


class Typed(NamedTuple):
    """What stands in each field, as text."""

    url: str = ""
    name: str = ""
    description: str = ""
    events: str = ""
    ordering: str = "none"
    max_in_flight: str = ""
    rate_per_second: str = ""
    retry_schedule: str = ""
    signature: str = "v1"
    owner: str = ""
    kept_headers: tuple[str, ...] = ()
    new_headers: tuple[tuple[str, str], ...] = ()


def typed_in(visit: Visit) -> Typed:
    """What somebody sent. Browsers end the lines of a text by CR and LF."""
    names, values = visit.form.get("header_name", []), visit.form.get("header_value", [])
    return Typed(
        url=visit.field("url").strip(),
        name=visit.field("name").strip(),
        description=visit.field("description").strip(),
        events=visit.field("events").replace("\r\n", "\n").strip(),
        ordering=visit.field("ordering") or "none",
        max_in_flight=visit.field("max_in_flight"),
        rate_per_second=visit.field("rate_per_second"),
        retry_schedule=visit.field("retry_schedule"),
        signature=visit.field("signature") or "v1",
        owner=visit.field("owner"),
        kept_headers=tuple(visit.form.get("keep_header", [])),
        new_headers=tuple((n.strip(), v.strip()) for n, v in zip(names, values, strict=False) if n.strip()),
    )


def typed_of(endpoint: Endpoint, headers: Sequence[str]) -> Typed:
    """An endpoint as its form shows it; of custom headers the names alone."""
    return Typed(
        url=endpoint.url,
        name=endpoint.name,
        description=endpoint.description,
        events="\n".join(f"{each.event} {each.resource}".strip() for each in endpoint.subscriptions),
        ordering=endpoint.ordering,
        max_in_flight=str(endpoint.max_in_flight or ""),
        rate_per_second=str(endpoint.rate_per_second or ""),
        retry_schedule=" ".join(map(str, endpoint.retry_schedule or ())),
        signature=endpoint.signature,
        kept_headers=tuple(headers),
    )


def wanted_in(typed: Typed) -> tuple[list[Subscription], Details]:
    """What a new endpoint is to be. Raises Invalid with the name of the field as pointer."""
    refusals = Refusals()
    limits = _limits_in(typed, refusals)
    _check_words(typed, refusals)
    if typed.signature not in get_args(SignatureScheme):
        refusals.add("signature", "is none of the choices")
    subscriptions = _subscriptions_in(typed, refusals)
    refusals.raise_any()
    return subscriptions, Details(
        name=typed.name,
        description=typed.description,
        headers=dict(typed.new_headers),
        signature=cast("SignatureScheme", typed.signature),
        **limits._asdict(),
    )


def change_in(typed: Typed, *, is_ours: bool) -> EndpointChange:
    """What is to change; of a dialect's endpoint, only what its own API leaves to us.

    Raises Invalid with the name of the field as pointer.
    """
    refusals = Refusals()
    change = EndpointChange(**_limits_in(typed, refusals)._asdict())
    if is_ours:
        _check_words(typed, refusals)
        change = replace(
            change,
            url=typed.url,
            name=typed.name,
            description=typed.description,
            subscriptions=tuple(_subscriptions_in(typed, refusals)),
        )
    refusals.raise_any()
    return change


def headers_in(typed: Typed, present: Mapping[str, str]) -> dict[str, str]:
    """The custom headers as they are to be: those that stay, with the values that nobody was shown, and the new."""
    kept = {name: value for name, value in present.items() if name in typed.kept_headers}
    return kept | {name.lower(): value for name, value in typed.new_headers}


class _Limits(NamedTuple):
    """What of any dialect's endpoint is set here."""

    retry_schedule: tuple[int, ...] | None
    max_in_flight: int | None
    rate_per_second: int | None
    ordering: Ordering


def _limits_in(typed: Typed, refusals: Refusals) -> _Limits:
    if typed.ordering not in get_args(Ordering):
        refusals.add("ordering", "is none of the choices")
    return _Limits(
        retry_schedule=tuple(refusals.numbers("retry_schedule", typed.retry_schedule)) or None,
        max_in_flight=refusals.number("max_in_flight", typed.max_in_flight),
        rate_per_second=refusals.number("rate_per_second", typed.rate_per_second),
        ordering=cast("Ordering", typed.ordering),
    )


def _check_words(typed: Typed, refusals: Refusals) -> None:
    refusals.check("url", typed.url, MAX_URL_LENGTH, is_required=True)
    refusals.check("name", typed.name, MAX_NAME_LENGTH)
    refusals.check("description", typed.description, MAX_DESCRIPTION_LENGTH)
    # The form comes back without the values: nothing may then be sent by mistake.
    for name, value in typed.new_headers:
        if not value:
            refusals.add("headers", f"{name} needs a value")


def _subscriptions_in(typed: Typed, refusals: Refusals) -> list[Subscription]:
    """One for each line: an event type, `noun.*` or `*`; and behind it, after a space, a resource."""
    lines = [line.strip() for line in typed.events.splitlines() if line.strip()]
    if not 1 <= len(lines) <= MAX_SUBSCRIPTIONS:
        refusals.add("events", f"takes 1 to {MAX_SUBSCRIPTIONS} lines")
    found = []
    for line in lines:
        event, _, resource = line.partition(" ")
        found.append(Subscription(event, resource.strip() or ANY_RESOURCE))
    return found
