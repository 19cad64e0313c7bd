"""Samples on the way to an endpoint: an event with sample data, sent to this endpoint and to no other."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from hookwright.ambient import new_event_id
from hookwright.core.errors import Conflict, Invalid, Problem
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.matching import is_wanted
from hookwright.core.model import ANY_RESOURCE, Delivery, Draft, Endpoint, Event, Notice, Subscription
from hookwright.core.resources import about
from hookwright.core.samples import OPERATIONAL_SAMPLES, SAMPLES
from hookwright.core.vocabulary import typed_data
from hookwright.operations.endpoints import require_endpoint
from hookwright.operations.event_types import declared_types, require_known_type
from hookwright.operations.publish import notices_of
from hookwright.operations.services import Services
from hookwright.store.base import DeliveryQuery

Sample = Mapping[str, Any]

# The account and the site of an event that is only shown.
A_SITE = 1


class _Fitting(NamedTuple):
    """An event with sample data, and the notice of it that an endpoint wants."""

    event: Event
    notice: Notice


async def send_sample(services: Services, account_id: int, endpoint_id: int, type: str | None = None) -> Delivery:
    """Send a sample event of a type to one endpoint, or of the first type with a sample that it subscribes to.

    Where a subscription names a resource, its id stands in the sample in place of the sample's own. The event is
    kept like any other. Raises NotFound, and Invalid below `/type` when the endpoint wants nothing of it.
    """
    endpoint = await require_endpoint(services, account_id, endpoint_id, None)
    samples = await _samples(services)
    if type is not None:
        await require_known_type(services, type, "/type")
        if type not in samples:
            raise Invalid(Problem("/type", f"{type} was declared without a sample"))
        samples = {type: samples[type]}
    fitting = next(_fitting(services, endpoint, samples), None)
    if fitting is None:
        raise Invalid(_unwanted(endpoint, type))
    return await _deliver(services, endpoint, fitting)


async def sample_types(services: Services, endpoint: Endpoint) -> list[str]:
    """The types of which `send_sample` finds something for an endpoint, whatever its subscriptions' resources are."""
    events = dict.fromkeys(Subscription(each.event) for each in endpoint.subscriptions)
    wanting = replace(endpoint, subscriptions=tuple(events))
    samples = await _samples(services)
    return [type for type, sample in samples.items() if any(_fitting(services, wanting, {type: sample}))]


def notices_of_sample(services: Services, type: str, sample: Sample) -> tuple[Notice, ...]:
    """What an event with this data becomes in each dialect, for an account with a site."""
    return _notices(services, _event(services, A_SITE, A_SITE, type, sample))


async def _samples(services: Services) -> dict[str, Sample]:
    """A sample for each type that has one: the built-in types first."""
    declared = await declared_types(services)
    own = {name: msgspec.json.decode(each.sample) for name, each in declared.items() if each.sample is not None}
    return {**SAMPLES, **own, **OPERATIONAL_SAMPLES}


def _fitting(services: Services, endpoint: Endpoint, samples: Mapping[str, Sample]) -> Iterator[_Fitting]:
    for type, sample in samples.items():
        for data in _variants(sample, endpoint.subscriptions):
            event = _event(services, endpoint.account_id, endpoint.site_id, type, data)
            yield from (_Fitting(event, each) for each in _notices(services, event) if is_wanted(each, endpoint))


def _variants(sample: Sample, subscriptions: Iterable[Subscription]) -> Iterator[Sample]:
    """The sample as it is, and about each resource that is subscribed to."""
    yield sample
    for resource in dict.fromkeys(each.resource for each in subscriptions if each.resource != ANY_RESOURCE):
        yield from about(sample, resource)


def _event(services: Services, account_id: int, site_id: int | None, type: str, data: Sample) -> Event:
    now = services.clock.now()
    return Event(
        id=new_event_id(now, account_id % LANE_COUNT),
        account_id=account_id,
        site_id=site_id,
        type=type,
        occurred_at=now,
        accepted_at=now,
        data=msgspec.json.encode(data),
    )


def _notices(services: Services, event: Event) -> tuple[Notice, ...]:
    try:
        return notices_of(services.translations, event, typed_data(event.type, event.data))
    except Invalid:  # a resource that no object of the vocabulary can be
        return ()


def _unwanted(endpoint: Endpoint, type: str | None) -> Problem:
    wanted = ", ".join(sorted(map(_in_words, endpoint.subscriptions)))
    subject = "no sample becomes what" if type is None else f"{type} becomes nothing that"
    return Problem("/type", f"{subject} this {endpoint.dialect} endpoint wants: {wanted}", "unwanted")


def _in_words(subscription: Subscription) -> str:
    if subscription.resource == ANY_RESOURCE:
        return subscription.event
    return f"{subscription.event} of {subscription.resource}"


async def _deliver(services: Services, endpoint: Endpoint, fitting: _Fitting) -> Delivery:
    event, notice = fitting
    draft = Draft(event=event, fingerprint=b"", notices=(notice,), only_endpoint_id=endpoint.id)
    await services.intake.accept([draft])
    query = DeliveryQuery(account_id=endpoint.account_id, event_id=event.id, limit=1)
    for delivery in await services.store.deliveries(query):
        return delivery
    # The endpoint was deleted, or its subscriptions were changed, since it was read.
    await require_endpoint(services, endpoint.account_id, endpoint.id, None)
    raise Conflict(f"endpoint {endpoint.id} was changed at this moment")
