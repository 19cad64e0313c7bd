"""Event data as the `payload` of a delivery: which resources, in which order.

Source: the examples of `GET /v1/hooks/*_sample` in Kajabi's openapi.yaml 1.1.0. Every function takes the data
and the occasion.
"""

from hookwright.core.vocabulary import (
    ContactTagData,
    FormSubmittedData,
    OrderCreatedData,
    PaymentSucceededData,
    PurchaseCreatedData,
)
from hookwright.dialects.kajabi.documents import Document, Occasion
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


def purchase_payload(data: PurchaseCreatedData, occasion: Occasion) -> Payload:
    """`purchase`: the purchase, its offer if it is known, and the customer."""
    offers = [offer_resource(data.offer, occasion)] if data.offer else []
    return [purchase_resource(data, occasion), *offers, customer_resource(data.contact, occasion)]


def payment_succeeded_payload(data: PaymentSucceededData, occasion: Occasion) -> Payload:
    """`payment_succeeded`: the transaction and the customer, then the offer if it is known.

    Kajabi's example has no offer, its schema allows one; it comes last, so that the positions of the example hold.
    """
    offers = [offer_resource(data.offer, occasion)] if data.offer else []
    transaction = transaction_resource(data.transaction, data.offer, customer_id(data.contact), occasion)
    return [transaction, customer_resource(data.contact, occasion), *offers]


def order_created_payload(data: OrderCreatedData, occasion: Occasion) -> Payload:
    """`order_created`: the transaction, the customer, the order and its items."""
    return [
        transaction_resource(data.transaction, None, customer_id(data.contact), occasion),
        customer_resource(data.contact, occasion),
        order_resource(data, occasion),
        *(order_item_resource(item, data.order, occasion) for item in data.items),
    ]


def form_submission_payload(data: FormSubmittedData, occasion: Occasion) -> Payload:
    """`form_submission`: what was filled in, and the form. Without a submission it is what the contact says.

    A submission that the platform did not number is known by the id of its event, which is as unique.
    """
    return [submission_resource(data, occasion), form_resource(data.form, occasion)]


def tag_payload(data: ContactTagData, occasion: Occasion) -> Payload:
    """`tag_added` and `tag_removed`: the contact and the tag."""
    return [contact_resource(data.contact, occasion), contact_tag_resource(data.tag, occasion)]
