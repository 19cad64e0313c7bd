"""What goes out to an endpoint: a delivery's request, made up again for people to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hookwright.core.errors import NotFound
from hookwright.core.model import Claim, Delivery, Endpoint, Event, Instant, Parcel, SigningKey, WireForm
from hookwright.core.signing import encode_secret
from hookwright.operations.endpoints import open_headers
from hookwright.operations.services import Services
from hookwright.operations.signing_secrets import live_secrets
from hookwright.store.base import DeliveryQuery

# How many deliveries may share a request; no dialect allows more.
MOST_IN_A_BATCH = 1_000


class SentRequest(NamedTuple):
    """A request: its headers (custom ones without their values, which may be credentials), its body, what signed it.

    `custom` are the names of the headers that the endpoint's owner asked for.
    """

    url: str
    headers: Mapping[str, str]
    custom: Sequence[str]
    body: bytes
    keys: Sequence[SigningKey]


async def request_of(
    services: Services,
    forms: Mapping[str, WireForm],
    delivery: Delivery,
    endpoint: Endpoint,
    event: Event,
    at: Instant,
) -> SentRequest | None:
    """The request of a delivery as it is made at an instant, signed with the secrets that are live now.

    None when the payload, or one that went out with it, is not kept any more. Raises NotFound for a dialect that is
    not there any more.
    """
    form = forms.get(delivery.dialect)
    if form is None:
        raise NotFound(f"there is no dialect {delivery.dialect}")
    claims = await _claims(services, delivery, endpoint, event)
    if claims is None:
        return None
    keys = await _keys(services, delivery, form)
    parcel = Parcel(claims=claims, body=form.envelope(claims) if form.envelope else claims[0].body)
    custom = sorted(open_headers(services, endpoint))
    return SentRequest(endpoint.url, form.headers(parcel, keys, at), custom, parcel.body, keys)


async def _keys(services: Services, delivery: Delivery, form: WireForm) -> tuple[SigningKey, ...]:
    secrets = await live_secrets(services, delivery.account_id, delivery.endpoint_id if form.own_secret else None)
    opened = [services.vault.open(secret.binding, secret.sealed) for secret in secrets]
    return tuple(SigningKey(encode_secret(key), key) for key in opened)


async def _claims(
    services: Services, delivery: Delivery, endpoint: Endpoint, event: Event
) -> tuple[Claim, ...] | None:
    """What goes out together with a delivery, itself included."""
    together = [delivery]
    if delivery.batch_id is not None:
        query = DeliveryQuery(batch_id=delivery.batch_id, ascending=True, limit=MOST_IN_A_BATCH)
        together = sorted(await services.store.deliveries(query), key=lambda each: each.id)
    payloads = await services.store.payloads_of(together)
    if len(together) < (delivery.batch_size or 1) or any(each.id not in payloads for each in together):
        return None
    events = {event.id: event}
    for each in together:
        if each.event_id not in events:
            mate = await services.store.event(each.event_id)
            events[each.event_id] = event if mate is None else mate
    return tuple(_claim(each, endpoint, events[each.event_id], payloads[each.id]) for each in together)


def _claim(delivery: Delivery, endpoint: Endpoint, event: Event, body: bytes) -> Claim:
    return Claim(
        delivery_id=delivery.id,
        fence=0,
        account_id=delivery.account_id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        occurred_at=event.occurred_at,
        created_at=delivery.created_at,
        endpoint_id=delivery.endpoint_id,
        dialect=delivery.dialect,
        dialect_event=delivery.dialect_event,
        ordinal=delivery.ordinal,
        url=endpoint.url,
        body=body,
        attempt=max(1, delivery.attempts),
        round_attempt=max(1, delivery.attempts - delivery.round_start),
        retry_schedule=endpoint.retry_schedule,
        signature=endpoint.signature,
        batch_id=delivery.batch_id,
    )
