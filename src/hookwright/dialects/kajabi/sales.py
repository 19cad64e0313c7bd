"""Purchases, offers, transactions and orders as Kajabi's JSON:API resources.

Source: as for `people.py`, the examples of `GET /v1/hooks/*_sample` in Kajabi's openapi.yaml 1.1.0.
"""

from hookwright.core.vocabulary import (
    Offer,
    Order,
    OrderCreatedData,
    OrderItem,
    Purchase,
    PurchaseCreatedData,
    Transaction,
)
from hookwright.dialects.kajabi.documents import Document, Occasion, identifier, iso_or_null, to_many, to_one
from hookwright.dialects.kajabi.money import currency_symbol, formatted_amount
from hookwright.dialects.kajabi.people import customer_id


def purchase_resource(data: PurchaseCreatedData, occasion: Occasion) -> Document:
    """A purchase of an offer, which may be unknown."""
    purchase, offer = data.purchase, data.offer
    return {
        **identifier("purchases", purchase.id),
        "attributes": {
            "amount_in_cents": _amount(purchase),
            "payment_type": purchase.payment_type or (offer.payment_type if offer else None),
            "multipay_payments_made": purchase.multipay_payments_made,
            "opt_in": purchase.opt_in,
            "raw_extra_contact_information": purchase.raw_extra_contact_information,
            "currency": purchase.currency,
            "effective_start_at": iso_or_null(purchase.effective_start_at),
            "cardholder_name": purchase.cardholder_name,
            "billing_address_zip": purchase.billing_address_zip,
            "deactivated_at": iso_or_null(purchase.deactivated_at),
            "deactivation_reason": purchase.deactivation_reason,
            "coupon_code": purchase.coupon_code,
            "source": purchase.source,
            "referrer": purchase.referrer,
            "quantity": purchase.quantity,
            "created_at": occasion.iso(purchase.created_at, purchase.transaction_time),
            "updated_at": occasion.iso(purchase.updated_at, purchase.created_at, purchase.transaction_time),
        },
        "relationships": {
            "customer": to_one("customers", customer_id(data.contact)),
            "offer": to_one("offers", offer.id if offer else None),
            "products": to_many("products", (product.id for product in data.products)),
        },
    }


def offer_resource(offer: Offer, occasion: Occasion) -> Document:
    """An offer."""
    return {
        **identifier("offers", offer.id),
        "attributes": {
            "title": offer.title,
            "description": offer.description,
            "internal_title": offer.internal_title,
            "currency": offer.currency,
            "price_in_cents": offer.price_in_cents,
            "payment_type": offer.payment_type,
            "token": offer.token,
            "image_url": offer.image_url,
            "payment_method": offer.payment_method,
            "price_description": offer.price_description,
            "checkout_url": offer.checkout_url,
            "recurring_offer": offer.recurring_offer,
            "subscription": offer.subscription,
            "one_time": offer.one_time,
            "single": offer.single,
            "free": offer.free,
        },
        "relationships": {
            "site": to_one("sites", occasion.site_id),
            "products": to_many("products", offer.product_ids),
            "forms": to_many("forms", offer.form_ids),
        },
    }


def transaction_resource(
    transaction: Transaction, offer: Offer | None, customer: int, occasion: Occasion
) -> Document:
    """A transaction; its formatted amount is derived where the platform published none."""
    symbol = transaction.currency_symbol or currency_symbol(transaction.currency)
    amount = transaction.amount_in_cents
    return {
        **identifier("transactions", transaction.id),
        "attributes": {
            "action": transaction.action,
            "state": transaction.state,
            "payment_type": transaction.payment_type,
            "amount_in_cents": amount,
            "sales_tax_in_cents": transaction.sales_tax_in_cents,
            "currency": transaction.currency,
            "currency_symbol": symbol,
            "formatted_amount": transaction.formatted_amount
            or formatted_amount(amount, transaction.currency, symbol),
            "created_at": occasion.iso(transaction.created_at),
        },
        "relationships": {
            "customer": to_one("customers", customer),
            "offer": to_one("offers", offer.id if offer else None),
        },
    }


def order_resource(data: OrderCreatedData, occasion: Occasion) -> Document:
    """An order with the identifiers of its items; one that the platform did not number has its id for a number."""
    order = data.order
    return {
        **identifier("orders", order.id),
        "attributes": {
            "order_number": order.id if order.order_number is None else order.order_number,
            "currency_code": order.currency,
            "fulfilled_at": iso_or_null(order.fulfilled_at),
            "created_at": occasion.iso(order.created_at),
            **_prices(order),
        },
        "relationships": {
            "site": to_one("sites", occasion.site_id),
            "customer": to_one("customers", customer_id(data.contact)),
            "order_items": to_many("order_items", (item.id for item in data.items)),
            # Empty in Kajabi's example although the same payload holds a transaction; nobody has shown another.
            "payment_transactions": {"data": []},
        },
    }


def order_item_resource(item: OrderItem, order: Order, occasion: Occasion) -> Document:
    """A line of an order."""
    return {
        **identifier("order_items", item.id),
        "attributes": {
            "quantity": item.quantity,
            "currency_code": item.currency,
            "item_type": item.item_type,
            "item_id": item.item_id,
            "title": item.title,
            "fulfilled_at": iso_or_null(item.fulfilled_at),
            "created_at": occasion.iso(item.created_at, order.created_at),
            **_prices(item),
        },
        "relationships": {"order": to_one("orders", order.id)},
    }


def _prices(priced: Order | OrderItem) -> Document:
    symbol = priced.currency_symbol or currency_symbol(priced.currency)
    total, subtotal = priced.total_price_in_cents, priced.subtotal_in_cents
    return {
        "total_price_in_cents": total,
        "subtotal_in_cents": subtotal,
        "sales_tax_amount_in_cents": priced.sales_tax_amount_in_cents,
        "discount_amount_in_cents": priced.discount_amount_in_cents,
        "formatted_total_price": priced.formatted_total_price or formatted_amount(total, priced.currency, symbol),
        "formatted_subtotal": priced.formatted_subtotal or formatted_amount(subtotal, priced.currency, symbol),
        "currency_symbol": symbol,
    }


def _amount(purchase: Purchase) -> int:
    known = (purchase.amount_in_cents, purchase.total_in_cents, purchase.subtotal_in_cents)
    return next((amount for amount in known if amount is not None), 0)
