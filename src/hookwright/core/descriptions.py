"""What each built-in event type says happened, in one sentence for people."""

DESCRIPTIONS: dict[str, str] = {
    "contact.created": "A contact was added.",
    "contact.activated": "A contact became active.",
    "contact.unsubscribed": "A contact unsubscribed.",
    "contact.bounced": "Email to a contact bounced.",
    "contact.complained": "A contact reported an email as spam.",
    "contact.tag_added": "A tag was added to a contact.",
    "contact.tag_removed": "A tag was removed from a contact.",
    "contact.custom_field_updated": "A contact's value of a custom field was set or changed.",
    "form.submitted": "A contact submitted a form.",
    "sequence.subscribed": "A contact was added to a sequence.",
    "sequence.completed": "A contact reached the end of a sequence.",
    "link.clicked": "A contact clicked a link in an email.",
    "purchase.created": "A contact bought something: one event for the whole purchase, with every product in it.",
    "payment.succeeded": "A contact's payment succeeded.",
    "order.created": "A contact placed an order.",
    "custom_field.created": "A custom field was created.",
    "custom_field.deleted": "A custom field was deleted.",
    "tag.created": "A tag was created.",
    "tag.deleted": "A tag was deleted.",
    "sequence.created": "A sequence was created.",
    "sequence.deleted": "A sequence was deleted.",
    "sequence.published": "A sequence was published.",
    "sequence.disabled": "A sequence was disabled.",
    "broadcast.created": "A broadcast was created.",
    "broadcast.sent": "A broadcast was sent.",
    "broadcast.deleted": "A broadcast was deleted.",
    "post.published": "A post was published.",
}

OPERATIONAL_DESCRIPTIONS: dict[str, str] = {
    "endpoint.warned": "An endpoint keeps failing and is half-way or further to being disabled.",
    "endpoint.disabled": "An endpoint was disabled: it answered 410, or it failed for days.",
    "endpoint.recovered": "An endpoint that was warned of succeeded again.",
    "delivery.dead": "A delivery gave up: its attempts are used up, or it was answered 410. Not if it expired.",
}
