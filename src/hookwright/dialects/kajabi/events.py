"""Kajabi's six events and the scopes that decide who may subscribe to which.

Sources: Kajabi openapi.yaml 1.1.0, "Create hook", "Available Event Types"; the scopes beyond those are the ones that
Kajabi's key dialog shows.
"""

from collections.abc import Collection, Mapping

OWNER = "owner"  # the scope of an unrestricted key; it implies every other

# In the order of the enum `hooks_attributes.event`.
REQUIRED_SCOPES: Mapping[str, tuple[str, ...]] = {
    "purchase": ("view:purchases",),
    "form_submission": ("view:form_submissions",),
    "tag_added": ("view:contacts",),
    "tag_removed": ("view:contacts",),
    "payment_succeeded": ("view:transactions",),
    "order_created": ("view:transactions", "view:orders"),
}
EVENTS = tuple(REQUIRED_SCOPES)

KNOWN_SCOPES = frozenset(
    (
        OWNER,
        "view:blog_posts",
        *(f"{action}:contacts" for action in ("view", "create", "update", "delete")),
        *(f"{action}:contact_notes" for action in ("view", "create", "update", "delete")),
        "view:contact_tags",
        "view:courses",
        "view:custom_fields",
        *(f"{action}:customers" for action in ("view", "create", "update", "delete")),
        "view:forms",
        "submit:forms",
        "view:form_submissions",
        "view:landing_pages",
        "view:orders",
        "view:purchases",
        "cancel_subscription:purchases",
        "view:transactions",
    )
)


def missing_scopes(held: Collection[str], event: str) -> tuple[str, ...]:
    """The scopes that a subscription to an event still needs; empty when the holder may subscribe."""
    if OWNER in held:
        return ()
    return tuple(scope for scope in REQUIRED_SCOPES[event] if scope not in held)


def narrowed(held: Collection[str], requested: str) -> tuple[str, ...]:
    """What a token gets of its key's scopes when it asks for some (separated by spaces or commas).

    Kajabi declares the `scope` parameter and says nothing about it. Names that nobody knows are ignored, since OAuth
    client libraries send ones of their own; a request with no known name is a request for everything held.
    """
    known = [scope for scope in requested.replace(",", " ").split() if scope in KNOWN_SCOPES or scope in held]
    if not known or (OWNER in known and OWNER in held):
        return tuple(held)
    return tuple(dict.fromkeys(scope for scope in known if OWNER in held or scope in held))
