"""People, tags and forms as Kajabi's JSON:API resources.

Source of every shape, of its key order and of what stands for "absent": the examples of `GET /v1/hooks/*_sample` in
Kajabi's openapi.yaml 1.1.0. Where they differ from its schemas, the examples win: they are real output. A time that
they always have and the platform left out is that of the event.
"""

from hookwright.core.vocabulary import Contact, Customer, Form, FormSubmittedData, Person, Tag
from hookwright.dialects.kajabi.documents import Document, Occasion, identifier, iso_or_null, to_many, to_one


def contact_resource(contact: Contact, occasion: Occasion) -> Document:
    """A contact; without a customer its link is the empty string, as in Kajabi's example."""
    return {
        **identifier("contacts", contact.id),
        "attributes": {
            "name": _name(contact),
            "email": contact.email,
            **_address(contact),
            "subscribed": contact.subscribed,
            "external_user_id": contact.external_user_id,
            "created_at": occasion.iso(contact.created_at),
            "updated_at": occasion.iso(contact.updated_at, contact.created_at),
        },
        "links": {"customer": f"{occasion.links}/customers/{contact.customer.id}" if contact.customer else ""},
        "relationships": {"site": to_one("sites", occasion.site_id)},
    }


def contact_tag_resource(tag: Tag, occasion: Occasion) -> Document:
    """A tag."""
    return {
        **identifier("contact_tags", tag.id),
        "attributes": {"name": tag.name},
        "relationships": {"site": to_one("sites", occasion.site_id)},
    }


def customer_resource(contact: Contact, occasion: Occasion) -> Document:
    """A contact's customer; one that the platform did not publish takes the contact's id and times."""
    id = customer_id(contact)
    customer = contact.customer or Customer(id=id)
    return {
        **identifier("customers", id),
        "attributes": {
            "name": _name(contact),
            "email": contact.email,
            "avatar": customer.avatar,
            "external_user_id": contact.external_user_id,
            "public_bio": customer.public_bio,
            "public_location": customer.public_location,
            "public_website": customer.public_website,
            "socials": customer.socials,
            "net_revenue": customer.net_revenue,
            "sign_in_count": customer.sign_in_count,
            "last_request_at": iso_or_null(customer.last_request_at),
            "bounced_at": iso_or_null(customer.bounced_at),
            "created_at": occasion.iso(customer.created_at, contact.created_at),
            "updated_at": occasion.iso(
                customer.updated_at, contact.updated_at, customer.created_at, contact.created_at
            ),
        },
        "links": {"contact": f"{occasion.links}/contacts/{contact.id}"},
        "relationships": {
            "site": to_one("sites", occasion.site_id),
            "contact": to_one("contacts", contact.id),
            "offers": {
                **to_many("offers", customer.offer_ids),
                "links": {"self": f"{occasion.links}/customers/{id}/relationships/offers"},
            },
            "products": to_many("products", customer.product_ids),
        },
    }


def submission_resource(data: FormSubmittedData, occasion: Occasion) -> Document:
    """What was filled into a form; without a submission, what the contact says of itself."""
    submission = data.submission
    person = submission or data.contact
    return {
        **identifier("form_submissions", submission.id if submission else occasion.event_id),
        "attributes": {
            "name": person.name or _name(data.contact),
            "email": (submission.email if submission else None) or data.contact.email,
            **_address(person),
            "mobile_phone_number": person.mobile_phone_number,
        },
        "relationships": {"site": to_one("sites", occasion.site_id), "form": to_one("forms", data.form.id)},
    }


def form_resource(form: Form, occasion: Occasion) -> Document:
    """A form."""
    return {
        **identifier("forms", form.id),
        "attributes": {
            "url": form.url,
            "title": form.name,
            "default": form.default,
            "webhook_url": form.webhook_url,
            "created_at": iso_or_null(form.created_at),
            "updated_at": iso_or_null(form.updated_at),
        },
        "relationships": {
            "site": to_one("sites", occasion.site_id),
            "fields": to_many("fields", form.field_ids),
            "contact_tags": to_many("contact_tags", form.tag_ids),
        },
    }


def customer_id(contact: Contact) -> int:
    """The id of a contact's customer; without one, the contact's own stands in for it."""
    return contact.customer.id if contact.customer else contact.id


def _address(person: Person) -> Document:
    return {
        "address_line_1": person.address_line_1,
        "address_line_2": person.address_line_2,
        "address_city": person.address_city,
        "address_country": person.address_country,
        "address_state": person.address_state,
        "address_zip": person.address_zip,
        "phone_number": person.phone_number,
        "business_number": person.business_number,
    }


def _name(contact: Contact) -> str | None:
    """Kajabi's people have one name; a platform that keeps two gets them joined."""
    return contact.name or " ".join(part for part in (contact.first_name, contact.last_name) if part) or None
