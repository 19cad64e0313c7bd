"""The six sample routes. They print made-up event data through the payload code that deliveries use.

The data is that of the examples in Kajabi's openapi.yaml 1.1.0, indentation and timestamps included, so that each
answer is Kajabi's example to the byte.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from hookwright.core.vocabulary import (
    Contact,
    ContactTagData,
    Customer,
    Form,
    FormSubmittedData,
    Offer,
    Order,
    OrderCreatedData,
    OrderItem,
    PaymentSucceededData,
    Purchase,
    PurchaseCreatedData,
    Submission,
    Tag,
    Transaction,
)
from hookwright.dialects.kajabi.callers import Authenticated, require_scopes
from hookwright.dialects.kajabi.documents import JsonApi, Occasion
from hookwright.dialects.kajabi.events import EVENTS
from hookwright.dialects.kajabi.payloads import (
    Payload,
    form_submission_payload,
    order_created_payload,
    payment_succeeded_payload,
    purchase_payload,
    tag_payload,
)
from hookwright.dialects.kajabi.schemas import SampleResource, refusals

# The links of Kajabi's examples lead to a host of its own tests.
OCCASION = Occasion(site_id=2, event_id="0", occurred_at=0, links="https://www.kajabi.test/api/v1")

router = APIRouter(tags=["Webhooks"], default_response_class=JsonApi)


def sample_payload(event: str) -> Payload:
    """The payload of one of Kajabi's events, with the data of Kajabi's own example."""
    return _SAMPLES[event]()


def _john(time: str) -> Contact:
    moment = datetime.fromisoformat(time)
    customer = Customer(id=0, created_at=moment, updated_at=moment)
    return Contact(id=0, email="john.doe@example.com", name="John Doe", customer=customer)


def _charge(time: str) -> Transaction:
    return Transaction(id=0, payment_type="charge", amount_in_cents=1000, created_at=datetime.fromisoformat(time))


def _purchase() -> Payload:
    moment = datetime.fromisoformat("2025-07-31T16:59:27.580Z")
    offer = Offer(
        id=0,
        title="Kajabi Test Offer",
        price_in_cents=1000,
        payment_type="single",
        token="n8NtoHUZ",  # noqa: S106 - an offer's public token, from Kajabi's example
        payment_method="stripe_and_paypal",
        price_description="$10.00 USD",
        checkout_url="https://bill-heaton.kajabi-products.test/offers/n8NtoHUZ",
        one_time=True,
        single=True,
    )
    purchase = Purchase(id=0, amount_in_cents=1000, quantity=1, created_at=moment, updated_at=moment)
    data = PurchaseCreatedData(contact=_john("2025-07-31T16:59:27.552Z"), purchase=purchase, offer=offer)
    return purchase_payload(data, OCCASION)


def _payment_succeeded() -> Payload:
    data = PaymentSucceededData(
        contact=_john("2025-07-31T17:10:19.243Z"), transaction=_charge("2025-07-31T17:10:19.285Z")
    )
    return payment_succeeded_payload(data, OCCASION)


def _order_created() -> Payload:
    order = Order(
        id=0,
        order_number=0,
        total_price_in_cents=1000,
        subtotal_in_cents=800,
        sales_tax_amount_in_cents=200,
        created_at=datetime.fromisoformat("2025-07-31T17:13:05.207Z"),
    )
    item = OrderItem(
        id=0,
        item_id=0,
        title="Kajabi Test Offer",
        total_price_in_cents=1000,
        subtotal_in_cents=800,
        sales_tax_amount_in_cents=200,
        created_at=datetime.fromisoformat("2025-07-31T17:13:05.229Z"),
    )
    contact = _john("2025-07-31T17:13:05.207Z")
    charge = _charge("2025-07-31T17:13:05.247Z")
    data = OrderCreatedData(contact=contact, transaction=charge, order=order, items=(item,))
    return order_created_payload(data, OCCASION)


def _form_submission() -> Payload:
    person = Contact(id=0, email="john.doe@example.com", name="John Doe")
    form = Form(id=0, name="Sample Form", url="https://bill-heaton.kajabi-products.test/forms/0")
    submission = Submission(id=0, name="John Doe", email="john.doe@example.com")
    return form_submission_payload(FormSubmittedData(contact=person, form=form, submission=submission), OCCASION)


def _tag() -> Payload:
    moment = datetime.fromisoformat("2025-07-31T16:51:04.010Z")
    contact = Contact(
        id=0,
        email="sample@example.com",
        name="Sample Recipient",
        address_line_1="123 Kajabi Ln",
        address_line_2="Kajabi Suite 4",
        address_city="Kajabiwood",
        address_country="United Sites of Kajabi",
        address_state="Kajabifornia",
        address_zip="99999",
        phone_number="5555555555",
        created_at=moment,
        updated_at=moment,
    )
    return tag_payload(ContactTagData(contact=contact, tag=Tag(id=0, name="Tag")), OCCASION)


_SAMPLES: dict[str, Callable[[], Payload]] = {
    "purchase": _purchase,
    "payment_succeeded": _payment_succeeded,
    "order_created": _order_created,
    "form_submission": _form_submission,
    "tag_added": _tag,
    "tag_removed": _tag,
}


def _show_sample(event: str) -> Callable[[Authenticated], Awaitable[Response]]:
    async def show_sample(caller: Authenticated) -> Response:
        require_scopes(caller, event)
        return Response(json.dumps(sample_payload(event), indent=2), media_type=JsonApi.media_type)

    return show_sample


for _event in EVENTS:
    router.add_api_route(
        f"/hooks/{_event}_sample",
        _show_sample(_event),
        name=f"{_event}_sample",
        summary=f"Sample of the payload of {_event}",
        response_model=list[SampleResource],
        responses=refusals(401, 403, 429, 503),
    )
