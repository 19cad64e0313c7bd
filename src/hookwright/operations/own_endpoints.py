"""Hookwright's own endpoints: what they may subscribe to, their custom headers, their keys."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from hookwright.core.custom_headers import header_problems, lower_case
from hookwright.core.errors import Invalid, Problem
from hookwright.core.event_names import EVERYTHING, family_of, meant_by, members_of, one_of
from hookwright.core.model import ANY_RESOURCE, OWN_DIALECT, Endpoint, EndpointChange, SignatureScheme, Subscription
from hookwright.core.resources import has_resources
from hookwright.core.signing import decode_secret, encode_public_key
from hookwright.core.vocabulary import EVENT_TYPES
from hookwright.ed25519 import public_key_of
from hookwright.operations.endpoints import (
    Details,
    NewEndpoint,
    change_endpoint,
    create_signed_endpoint,
    require_endpoint,
    seal_headers,
)
from hookwright.operations.event_types import known_types
from hookwright.operations.services import Services
from hookwright.operations.signing_secrets import reveal_secrets, rotate_secret

MAX_SUBSCRIPTIONS = 100

# What PostgreSQL can index: an entry of a B-tree holds at most a third of an 8 kB page.
MAX_RESOURCE_BYTES = 2_000


class VerifyingKey(NamedTuple):
    """What a receiver verifies with: the shared secret of v1, or the public key of v1a. The other is None."""

    signing_secret: str | None
    verification_key: str | None


class OwnEndpoint(NamedTuple):
    """A new endpoint of ours, and what its receiver verifies with."""

    endpoint: Endpoint
    key: VerifyingKey


async def create_own_endpoint(
    services: Services, account_id: int, url: str | None, wanted: Sequence[Subscription], details: Details
) -> OwnEndpoint:
    """A new endpoint; without a URL it is a listener.

    Raises Invalid with the name of what is wrong as pointer, or with a place below it.
    """
    subscriptions = await _checked_subscriptions(services, wanted)
    details = replace(details, headers=_checked_headers(details.headers))
    new: NewEndpoint = await create_signed_endpoint(services, account_id, OWN_DIALECT, url, subscriptions, details)
    return OwnEndpoint(new.endpoint, verifying_key(new.endpoint.signature, new.signing_secret))


async def change_own_endpoint(
    services: Services,
    account_id: int,
    endpoint_id: int,
    change: EndpointChange,
    headers: Mapping[str, str] | None = None,
) -> Endpoint:
    """Change what is set, and replace the custom headers if some are given.

    Raises NotFound, and Invalid with the name of what is wrong as pointer, or with a place below it.
    """
    if isinstance(change.subscriptions, tuple):
        change = replace(change, subscriptions=await _checked_subscriptions(services, change.subscriptions))
    if headers is not None:
        sealed = seal_headers(services, account_id, endpoint_id, _checked_headers(headers))
        change = replace(change, sealed_headers=sealed)
    return await change_endpoint(services, account_id, endpoint_id, change)


async def reveal_verifying_keys(services: Services, account_id: int, endpoint_id: int) -> list[VerifyingKey]:
    """What a receiver may verify with now, newest first. Raises NotFound for an endpoint of another dialect."""
    endpoint = await require_endpoint(services, account_id, endpoint_id, OWN_DIALECT)
    secrets = await reveal_secrets(services, account_id, endpoint_id)
    return [verifying_key(endpoint.signature, secret) for secret in secrets]


async def rotate_verifying_key(services: Services, account_id: int, endpoint_id: int) -> VerifyingKey:
    """A new key; the older ones also sign for 24 hours. Raises NotFound, Conflict when too many are live."""
    endpoint = await require_endpoint(services, account_id, endpoint_id, OWN_DIALECT)
    secret = await rotate_secret(services, account_id, endpoint_id)
    return verifying_key(endpoint.signature, secret)


def verifying_key(signature: SignatureScheme, secret: str) -> VerifyingKey:
    """What may be shown of a secret. In v1a it is the seed of the private key, which nobody needs to see."""
    if signature == "v1a":
        return VerifyingKey(None, encode_public_key(public_key_of(decode_secret(secret))))
    return VerifyingKey(secret, None)


async def _checked_subscriptions(services: Services, wanted: Sequence[Subscription]) -> tuple[Subscription, ...]:
    """The subscriptions, each once. Raises Invalid below `/events`."""
    names = await known_types(services)
    problems: list[Problem] = []
    for place, each in enumerate(wanted):
        # To guess what was meant takes a while: once for a request is enough.
        problems += _problems_of(each, f"/events/{place}", names, may_guess=not problems)
    if problems:
        raise Invalid(*problems)
    return tuple(dict.fromkeys(wanted))


def _problems_of(subscription: Subscription, pointer: str, names: Sequence[str], *, may_guess: bool) -> list[Problem]:
    if not members_of(subscription.event, names):
        known = (*names, *dict.fromkeys(map(family_of, names)), EVERYTHING)
        meant = meant_by(subscription.event, known) if may_guess else None
        return [Problem(pointer, f"unknown event; {one_of(known, meant)}", "unknown")]
    if subscription.resource == ANY_RESOURCE:
        return []
    problem = _resource_problem(subscription, names)
    return [Problem(f"{pointer}/resource", problem)] if problem else []


def _resource_problem(subscription: Subscription, names: Sequence[str]) -> str | None:
    members = members_of(subscription.event, names)
    if not any(name in EVENT_TYPES and has_resources(EVENT_TYPES[name]) for name in members):
        return f"{subscription.event} has no resources to choose from"
    if "\0" in subscription.resource or len(subscription.resource.encode()) > MAX_RESOURCE_BYTES:
        return f"must be at most {MAX_RESOURCE_BYTES} bytes long and without NUL characters"
    return None


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as they are sent. Raises Invalid below `/headers`."""
    if problems := header_problems(headers):
        raise Invalid(*problems)
    return lower_case(headers)
