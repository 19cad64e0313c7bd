"""People, tags and forms as Kajabi's JSON:API resources.

Source of every shape, of its key order and of what stands for "absent": the examples of `GET /v1/hooks/*_sample` in
Kajabi's openapi.yaml 1.1.0. Where they differ from its schemas, the examples win: they are real output.
"""

from hookwright.core.vocabulary import Contact, Customer, Form, FormSubmittedData, Person, Tag
from hookwright.dialects.kajabi.documents import Document, identifier, iso_or_null, to_many, to_one

# The examples link to `https://www.kajabi.test/api/v1/…`, a host of Kajabi's own tests; this is its public one.
LINKS_BASE = "https://api.kajabi.com/api/v1"


def contact_resource(contact: Contact, site_id: int) -> Document:
    """A contact; without a customer its link is the empty string, as in Kajabi's example."""
    return {
        **identifier("contacts", contact.id),
        "attributes": {
            "name": _name(contact),
            "email": contact.email,
            **_address(contact),
            "subscribed": contact.subscribed,
            "external_user_id": contact.external_user_id,
            "created_at": iso_or_null(contact.created_at),
            "updated_at": iso_or_null(contact.updated_at),
        },
        "links": {"customer": f"{LINKS_BASE}/customers/{contact.customer.id}" if contact.customer else ""},
        "relationships": {"site": to_one("sites", site_id)},
    }


def contact_tag_resource(tag: Tag, site_id: int) -> Document:
    """A tag."""
    return {
        **identifier("contact_tags", tag.id),
        "attributes": {"name": tag.name},
        "relationships": {"site": to_one("sites", site_id)},
    }


def customer_resource(contact: Contact, site_id: int) -> Document:
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
            "created_at": iso_or_null(customer.created_at or contact.created_at),
            "updated_at": iso_or_null(customer.updated_at or contact.updated_at),
        },
        "links": {"contact": f"{LINKS_BASE}/contacts/{contact.id}"},
        "relationships": {
            "site": to_one("sites", site_id),
            "contact": to_one("contacts", contact.id),
            "offers": {
                **to_many("offers", customer.offer_ids),
                "links": {"self": f"{LINKS_BASE}/customers/{id}/relationships/offers"},
            },
            "products": to_many("products", customer.product_ids),
        },
    }


def submission_resource(data: FormSubmittedData, site_id: int, event_id: str) -> Document:
    """What was filled into a form; without a submission, what the contact says of itself."""
    submission = data.submission
    person = submission or data.contact
    return {
        **identifier("form_submissions", submission.id if submission else event_id),
        "attributes": {
            "name": person.name or _name(data.contact),
            "email": (submission.email if submission else None) or data.contact.email,
            **_address(person),
            "mobile_phone_number": person.mobile_phone_number,
        },
        "relationships": {"site": to_one("sites", site_id), "form": to_one("forms", data.form.id)},
    }


def form_resource(form: Form, site_id: int) -> Document:
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
            "site": to_one("sites", site_id),
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
