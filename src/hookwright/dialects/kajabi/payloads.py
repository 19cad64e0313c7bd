"""Event data as the `payload` of a delivery: which resources, in which order.

Source: the examples of `GET /v1/hooks/*_sample` in Kajabi's openapi.yaml 1.1.0. Every function takes the data, the id
of the site and the id of the event.
"""

from hookwright.core.vocabulary import (
    ContactTagData,
    FormSubmittedData,
    OrderCreatedData,
    PaymentSucceededData,
    PurchaseCreatedData,
)
from hookwright.dialects.kajabi.documents import Document
from hookwright.dialects.kajabi.people import (
    contact_resource,
    contact_tag_resource,
    customer_id,
    customer_resource,
    form_resource,
    submission_resource,
)
from hookwright.dialects.kajabi.sales import (
    offer_resource,
    order_item_resource,
    order_resource,
    purchase_resource,
    transaction_resource,
)

Payload = list[Document]


def purchase_payload(data: PurchaseCreatedData, site_id: int, event_id: str) -> Payload:
    """`purchase`: the purchase, its offer if it is known, and the customer."""
    product_ids = [product.id for product in data.products]
    offers = [offer_resource(data.offer, site_id)] if data.offer else []
    purchase = purchase_resource(data.purchase, data.offer, product_ids, customer_id(data.contact))
    return [purchase, *offers, customer_resource(data.contact, site_id)]


def payment_succeeded_payload(data: PaymentSucceededData, site_id: int, event_id: str) -> Payload:
    """`payment_succeeded`: the transaction and the customer, then the offer if it is known.

    Kajabi's example has no offer, its schema allows one; it comes last, so that the positions of the example hold.
    """
    offers = [offer_resource(data.offer, site_id)] if data.offer else []
    transaction = transaction_resource(data.transaction, data.offer, customer_id(data.contact))
    return [transaction, customer_resource(data.contact, site_id), *offers]


def order_created_payload(data: OrderCreatedData, site_id: int, event_id: str) -> Payload:
    """`order_created`: the transaction, the customer, the order and its items."""
    return [
        transaction_resource(data.transaction, None, customer_id(data.contact)),
        customer_resource(data.contact, site_id),
        order_resource(data, site_id),
        *(order_item_resource(item, data.order.id) for item in data.items),
    ]


def form_submission_payload(data: FormSubmittedData, site_id: int, event_id: str) -> Payload:
    """`form_submission`: what was filled in, and the form. Without a submission it is what the contact says.

    A submission that the platform did not number is known by the id of its event, which is as unique.
    """
    return [submission_resource(data, site_id, event_id), form_resource(data.form, site_id)]


def tag_payload(data: ContactTagData, site_id: int, event_id: str) -> Payload:
    """`tag_added` and `tag_removed`: the contact and the tag."""
    return [contact_resource(data.contact, site_id), contact_tag_resource(data.tag, site_id)]
