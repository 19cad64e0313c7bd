"""What can be published: Hookwright's own event types and the data that each carries.

The objects hold the union of what the dialects print. Only ids and the contact's email are required; a dialect
prints what its vendor prints for "absent". Fields that are not listed here are kept and delivered to Hookwright's
own endpoints as they came. Amounts are in minor units of their currency (cents for USD, yen for JPY).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Raw, Struct

from hookwright.core.errors import Invalid, Problem
from hookwright.core.misfits import misfits, problems_of

# What every database and every JSON client of ours can hold.
Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Data(Struct, frozen=True, kw_only=True):
    """The root of every data object; it decodes leniently, so that numeric ids may come as strings."""


class Customer(Data, frozen=True, kw_only=True):
    """The buyer's side of a contact, which Kajabi prints beside it. Without one its id is the contact's."""

    id: Integer
    avatar: str | None = None
    public_bio: str | None = None
    public_location: str | None = None
    public_website: str | None = None
    socials: dict[str, Any] | None = None
    net_revenue: str = "0.0"
    sign_in_count: Integer = 0
    last_request_at: datetime | None = None
    bounced_at: datetime | None = None
    offer_ids: tuple[Integer, ...] = ()
    product_ids: tuple[Integer, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Person(Data, frozen=True, kw_only=True):
    """How a person can be named and reached."""

    name: str | None = None
    address_line_1: str | None = None
    address_line_2: str | None = None
    address_city: str | None = None
    address_country: str | None = None
    address_state: str | None = None
    address_zip: str | None = None
    phone_number: str | None = None
    business_number: str | None = None
    mobile_phone_number: str | None = None


class Contact(Person, frozen=True, kw_only=True):
    """Somebody on the platform's list: Kajabi's contact, Kit's subscriber."""

    id: Integer
    email: str
    first_name: str | None = None
    last_name: str | None = None
    state: str = "active"
    subscribed: bool = False
    external_user_id: str | None = None
    fields: dict[str, str | None] = {}
    customer: Customer | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Tag(Data, frozen=True, kw_only=True):
    id: Integer
    name: str | None = None
    created_at: datetime | None = None


class Form(Data, frozen=True, kw_only=True):
    id: Integer
    name: str | None = None
    url: str | None = None
    type: str | None = None
    format: str | None = None
    uid: str | None = None
    archived: bool = False
    default: bool = False
    webhook_url: str | None = None
    field_ids: tuple[Integer, ...] = ()
    tag_ids: tuple[Integer, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Submission(Person, frozen=True, kw_only=True):
    """What somebody filled into a form."""

    id: Integer
    email: str | None = None


class Sequence(Data, frozen=True, kw_only=True):
    id: Integer
    name: str | None = None
    hold: bool = False
    repeat: bool = False
    active: bool = True
    email_template_id: Integer | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Link(Data, frozen=True, kw_only=True):
    """A link in an email; its URL is its identity."""

    url: str
    id: Integer | None = None


class CustomField(Data, frozen=True, kw_only=True):
    id: Integer
    name: str | None = None
    key: str | None = None
    label: str | None = None
    value: str | None = None


class Offer(Data, frozen=True, kw_only=True):
    id: Integer
    title: str | None = None
    description: str | None = None
    internal_title: str | None = None
    currency: str = "USD"
    price_in_cents: Integer = 0
    payment_type: str | None = None
    token: str | None = None
    image_url: str | None = None
    payment_method: str | None = None
    price_description: str | None = None
    checkout_url: str | None = None
    recurring_offer: bool = False
    subscription: bool = False
    one_time: bool = False
    single: bool = False
    free: bool = False
    product_ids: tuple[Integer, ...] = ()
    form_ids: tuple[Integer, ...] = ()


class Product(Data, frozen=True, kw_only=True):
    """A line of a purchase."""

    id: Integer
    name: str | None = None
    sku: str | None = None
    quantity: Integer = 1
    unit_price_in_cents: Integer = 0


class Purchase(Data, frozen=True, kw_only=True):
    id: Integer
    transaction_id: str | None = None
    status: str = "paid"
    currency: str = "USD"
    amount_in_cents: Integer | None = None
    subtotal_in_cents: Integer | None = None
    shipping_in_cents: Integer = 0
    discount_in_cents: Integer = 0
    tax_in_cents: Integer = 0
    total_in_cents: Integer | None = None
    transaction_time: datetime | None = None
    payment_type: str | None = None
    multipay_payments_made: Integer | None = None
    opt_in: bool = False
    raw_extra_contact_information: dict[str, Any] = {}
    effective_start_at: datetime | None = None
    cardholder_name: str | None = None
    billing_address_zip: str | None = None
    deactivated_at: datetime | None = None
    deactivation_reason: str | None = None
    coupon_code: str | None = None
    source: str | None = None
    referrer: str | None = None
    quantity: Integer | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Transaction(Data, frozen=True, kw_only=True):
    id: Integer
    action: str = "charge"
    state: str = "succeeded"
    payment_type: str | None = None
    amount_in_cents: Integer = 0
    sales_tax_in_cents: Integer = 0
    currency: str = "USD"
    currency_symbol: str | None = None
    formatted_amount: str | None = None
    created_at: datetime | None = None


class Order(Data, frozen=True, kw_only=True):
    id: Integer
    order_number: Integer | None = None
    currency: str = "USD"
    total_price_in_cents: Integer = 0
    subtotal_in_cents: Integer = 0
    sales_tax_amount_in_cents: Integer = 0
    discount_amount_in_cents: Integer = 0
    formatted_total_price: str | None = None
    formatted_subtotal: str | None = None
    currency_symbol: str | None = None
    fulfilled_at: datetime | None = None
    created_at: datetime | None = None


class OrderItem(Data, frozen=True, kw_only=True):
    id: Integer
    item_type: str = "Offer"
    item_id: Integer | None = None
    title: str | None = None
    quantity: Integer = 1
    currency: str = "USD"
    total_price_in_cents: Integer = 0
    subtotal_in_cents: Integer = 0
    sales_tax_amount_in_cents: Integer = 0
    discount_amount_in_cents: Integer = 0
    formatted_total_price: str | None = None
    formatted_subtotal: str | None = None
    currency_symbol: str | None = None
    fulfilled_at: datetime | None = None
    created_at: datetime | None = None


class Broadcast(Data, frozen=True, kw_only=True):
    id: Integer
    publication_id: Integer | None = None
    subject: str | None = None
    preview_text: str | None = None
    description: str | None = None
    public: bool = False
    status: str | None = None
    published_at: datetime | None = None
    send_at: datetime | None = None
    created_at: datetime | None = None


class Post(Data, frozen=True, kw_only=True):
    id: Integer
    publication_id: Integer | None = None
    title: str | None = None
    slug: str | None = None
    is_paid: bool | None = None
    public_url: str | None = None
    published_at: datetime | None = None


class ContactData(Data, frozen=True, kw_only=True):
    contact: Contact


class ContactTagData(ContactData, frozen=True, kw_only=True):
    tag: Tag


class ContactCustomFieldData(ContactData, frozen=True, kw_only=True):
    custom_field: CustomField


class FormSubmittedData(ContactData, frozen=True, kw_only=True):
    form: Form
    submission: Submission | None = None


class ContactSequenceData(ContactData, frozen=True, kw_only=True):
    sequence: Sequence


class LinkClickedData(ContactData, frozen=True, kw_only=True):
    link: Link


class PurchaseCreatedData(ContactData, frozen=True, kw_only=True):
    purchase: Purchase
    offer: Offer | None = None
    products: tuple[Product, ...] = ()


class PaymentSucceededData(ContactData, frozen=True, kw_only=True):
    transaction: Transaction
    offer: Offer | None = None


class OrderCreatedData(ContactData, frozen=True, kw_only=True):
    transaction: Transaction
    order: Order
    items: tuple[OrderItem, ...] = ()


class CustomFieldData(Data, frozen=True, kw_only=True):
    custom_field: CustomField


class TagData(Data, frozen=True, kw_only=True):
    tag: Tag


class SequenceData(Data, frozen=True, kw_only=True):
    sequence: Sequence


class BroadcastData(Data, frozen=True, kw_only=True):
    broadcast: Broadcast


class PostData(Data, frozen=True, kw_only=True):
    post: Post


EVENT_TYPES: dict[str, type[Data]] = {
    "contact.created": ContactData,
    "contact.activated": ContactData,
    "contact.unsubscribed": ContactData,
    "contact.bounced": ContactData,
    "contact.complained": ContactData,
    "contact.tag_added": ContactTagData,
    "contact.tag_removed": ContactTagData,
    "contact.custom_field_updated": ContactCustomFieldData,
    "form.submitted": FormSubmittedData,
    "sequence.subscribed": ContactSequenceData,
    "sequence.completed": ContactSequenceData,
    "link.clicked": LinkClickedData,
    "purchase.created": PurchaseCreatedData,
    "payment.succeeded": PaymentSucceededData,
    "order.created": OrderCreatedData,
    "custom_field.created": CustomFieldData,
    "custom_field.deleted": CustomFieldData,
    "tag.created": TagData,
    "tag.deleted": TagData,
    "sequence.created": SequenceData,
    "sequence.deleted": SequenceData,
    "sequence.published": SequenceData,
    "sequence.disabled": SequenceData,
    "broadcast.created": BroadcastData,
    "broadcast.sent": BroadcastData,
    "broadcast.deleted": BroadcastData,
    "post.published": PostData,
}

# Lenient, so that an id may be 123 or "123": the vendors' clients send both.
_decoders = {name: msgspec.json.Decoder(data, strict=False) for name, data in EVENT_TYPES.items()}


def decode_data(event_type: str, data: bytes) -> Data:
    """The typed data of an event of a known type. Raises Invalid with a pointer below `/data`."""
    try:
        decoded: Data = _decoders[event_type].decode(data)
    except msgspec.ValidationError as error:
        raise Invalid(*problems_of(error, data, EVENT_TYPES[event_type], "/data")) from None
    except UnicodeDecodeError:
        raise Invalid(Problem("/data", "is not UTF-8", "malformed")) from None
    except RecursionError:
        raise Invalid(Problem("/data", "is nested too deeply", "malformed")) from None
    return decoded


def data_misfits(event_type: str, data: Raw, root: str) -> Iterator[Problem]:
    """Where data does not fit its event type, as it is asked for; nothing for a type that is not built in."""
    return misfits(data, EVENT_TYPES[event_type], f"{root}/data") if event_type in EVENT_TYPES else iter(())


def typed_data(event_type: str, data: bytes) -> Data | None:
    """As `decode_data`; None for a type that is not built in, whose data has no type of ours."""
    return decode_data(event_type, data) if event_type in EVENT_TYPES else None
