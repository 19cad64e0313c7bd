"""Samples: which types an endpoint can be sent, and what a sample becomes."""

import pytest

from hookwright.core.errors import Invalid
from hookwright.core.model import Account, Site, Subscription
from hookwright.core.samples import SAMPLES
from hookwright.operations.accounts import create_site
from hookwright.operations.endpoints import create_endpoint
from hookwright.operations.event_types import declare_event_type
from hookwright.operations.samples import notices_of_sample, sample_types, send_sample
from hookwright.operations.services import Services

TARGET = "https://receiver.example.com/hooks"


@pytest.fixture
async def site(services: Services, account: Account) -> Site:
    return await create_site(services, account.id, "Ada", "ada")


@pytest.mark.parametrize(
    ("dialect", "event", "resource", "types"),
    [
        ("hookwright", "contact.tag_added", "7001", ["contact.tag_added"]),
        ("hookwright", "invoice.*", "", ["invoice.paid"]),
        ("hookwright", "endpoint.*", "", ["endpoint.warned", "endpoint.disabled", "endpoint.recovered"]),
        ("kajabi", "purchase", "", ["purchase.created"]),
        ("kit", "subscriber.product_purchase", "9", ["purchase.created"]),
        ("kit_endpoints", "tag.created", "", ["tag.created"]),
        ("kit", "no.such", "", []),
    ],
)
async def test_the_types_that_are_offered_are_those_that_can_be_sent(
    services: Services, account: Account, site: Site, dialect: str, event: str, resource: str, types: list[str]
) -> None:
    await declare_event_type(services, "invoice.paid", sample={"invoice": {"id": 9001}})
    await declare_event_type(services, "invoice.sent")
    wanted = [Subscription(event, resource)]
    endpoint = await create_endpoint(services, account.id, dialect, TARGET, wanted, site_id=site.id)
    assert await sample_types(services, endpoint) == types
    for type in types:
        assert (await send_sample(services, account.id, endpoint.id, type)).event_type == type
    if not types:
        with pytest.raises(Invalid):
            await send_sample(services, account.id, endpoint.id)


def test_what_a_sample_becomes_can_be_printed_for_every_type_in_every_dialect(services: Services) -> None:
    for type, sample in SAMPLES.items():
        own, *foreign = notices_of_sample(services, type, sample)
        assert (own.dialect, own.event) == ("hookwright", type)
        assert all(notice.render().startswith(b"{") for notice in (own, *foreign))
