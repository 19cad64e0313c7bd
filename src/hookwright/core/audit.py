"""The audit trail: who changed what, when, and by which way. Never a secret, and never what was changed to what."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from hookwright.core.model import Instant

# The ways in which something can be changed.
Way = Literal["api", "kajabi", "kit", "console", "portal", "cli", "hookwright"]
ActorKind = Literal["key", "app", "link", "cli", "machine", "hookwright"]

WAYS: tuple[Way, ...] = ("api", "kajabi", "kit", "console", "portal", "cli", "hookwright")


class Actor(Struct, frozen=True, kw_only=True):
    """Who acts, and by which way they came. `id` is that of the key, app or portal link.

    Whoever has signed in to the console is known by the key that they did it with. `key_digest` is that of the
    secret that a key had when it was shown: what is given to its bearer ends when the key has another one.
    """

    way: Way
    kind: ActorKind
    id: int | None = None
    name: str = ""
    key_digest: bytes | None = None


HOOKWRIGHT = Actor(way="hookwright", kind="hookwright", name="Hookwright itself")
COMMAND_LINE = Actor(way="cli", kind="cli", name="the command line")


class Entry(Struct, frozen=True, kw_only=True):
    """One change. `account_id` is None for what belongs to the platform.

    `action` is a noun and a verb (`key.rotated`); the noun is the kind of the object. `object_id` is text,
    since event types are known by their names.
    """

    id: int
    at: Instant
    account_id: int | None
    way: Way
    actor_kind: ActorKind
    actor_id: int | None
    actor_name: str
    action: str
    object_id: str


# Every action that there is, by the operation that it notes.
ACTIONS = (
    "account.created",
    "account.deleted",
    "site.created",
    "site.deleted",
    "signing_secret.rotated",
    "signing_secret.revealed",
    "signing_secret.revoked",
    "key.created",
    "key.rotated",
    "key.deleted",
    "app.created",
    "app.deleted",
    "app.let_in",
    "endpoint.created",
    "endpoint.changed",
    "endpoint.activated",
    "endpoint.paused",
    "endpoint.disabled",
    "endpoint.deleted",
    "event_type.declared",
    "event_type.deleted",
    "replay.begun",
    "replay.cancelled",
    "portal_link.created",
)
