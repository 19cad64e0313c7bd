"""Keys: who may call which API. A secret is shown once, when it is made; only its digest is kept."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from hookwright.ambient import claimed_id, digest, matches, new_token, public_id, row_id, token_id
from hookwright.core.errors import Invalid, NotFound, Problem, Unauthorized
from hookwright.core.model import Instant, Key, KeyKind
from hookwright.operations.accounts import check_name, require_account
from hookwright.operations.audit import new_entry
from hookwright.operations.services import Services

# What the secret of each kind starts with, so that people and secret scanners can tell them apart.
SECRET_PREFIXES: Mapping[KeyKind, str] = {"hookwright": "hw", "kajabi": "kjsec", "kit": "kit"}
CLIENT_ID_PREFIX = "kj"

PUBLISH, READ, MANAGE, ADMIN = "publish", "read", "manage", "admin"
HOOKWRIGHT_SCOPES = (PUBLISH, READ, MANAGE, ADMIN)


class NewKey(NamedTuple):
    """A key and its secret, which nobody can see again."""

    key: Key
    secret: str


async def create_key(
    services: Services,
    kind: KeyKind,
    account_id: int | None,
    name: str,
    scopes: Sequence[str],
    attributes: Mapping[str, str] | None = None,
    expires_at: Instant | None = None,
) -> NewKey:
    """A new key. A vendor's key belongs to an account; ours may reach every account. Raises NotFound, Invalid."""
    check_name(name, "/name")
    now = services.clock.now()
    if expires_at is not None and expires_at <= now:
        raise Invalid(Problem("/expires_at", "must be in the future"))
    if kind == "hookwright" and (unknown := set(scopes) - set(HOOKWRIGHT_SCOPES)):
        raise Invalid(Problem("/scopes", f"unknown scope {min(unknown)}; use {', '.join(HOOKWRIGHT_SCOPES)}"))
    if account_id is None and kind != "hookwright":
        raise Invalid(Problem("/account", f"is required for a {kind} key", "blank"))
    if account_id is not None:
        await require_account(services, account_id)
    # A platform's own key lives in the first lane; others live with their account.
    key_id = await services.store.new_id(account_id or 0)
    secret = new_token(SECRET_PREFIXES[kind], key_id)
    key = Key(
        id=key_id,
        kind=kind,
        account_id=account_id,
        name=name,
        scopes=tuple(scopes),
        digest=digest(secret),
        attributes=dict(attributes or {}),
        created_at=now,
        expires_at=expires_at,
    )
    await services.store.add_key(key, await new_entry(services, "key.created", key_id, account_id))
    return NewKey(key, secret)


async def rotate_key(services: Services, key_id: int) -> NewKey:
    """A new secret for a key; the old one and every token granted with it end at once. Raises NotFound.

    In other processes the old one publishes for up to a second more: see `recall_key`.
    """
    key = await services.store.key(key_id)
    if key is None:
        raise NotFound(f"key {key_id} does not exist")
    secret, now = new_token(SECRET_PREFIXES[key.kind], key_id), services.clock.now()
    entry = await new_entry(services, "key.rotated", key_id, key.account_id)
    try:
        found = await services.store.rotate_key(key_id, digest(secret), now, entry)
    finally:  # a commit that lost its confirmation may have been done all the same
        services.recent_keys.forget(key_id)
    if not found:
        raise NotFound(f"key {key_id} does not exist")
    return NewKey(replace(key, digest=digest(secret), rotated_at=now), secret)


async def delete_key(services: Services, key_id: int) -> None:
    """Delete a key; it and every token granted with it end at once, as in `rotate_key`. Raises NotFound."""
    key = await services.store.key(key_id)
    if key is None:
        raise NotFound(f"key {key_id} does not exist")
    entry = await new_entry(services, "key.deleted", key_id, key.account_id)
    try:
        found = await services.store.delete_key(key_id, services.clock.now(), entry)
    finally:
        services.recent_keys.forget(key_id)
    if not found:
        raise NotFound(f"key {key_id} does not exist")


async def authenticate_key(services: Services, kind: KeyKind, secret: str) -> Key:
    """The key that a secret belongs to. Raises Unauthorized."""
    key_id = token_id(secret, SECRET_PREFIXES[kind])
    if key_id is None:
        raise Unauthorized(f"this is not a whole {kind} key: it may be cut off or mistyped")
    return await _authenticate(services, kind, key_id, secret)


def recall_key(services: Services, kind: KeyKind, secret: str) -> Key | None:
    """The key that a secret belonged to within the last second, if it is remembered. None refuses nobody."""
    key_id, now = claimed_id(secret, SECRET_PREFIXES[kind]), services.clock.now()
    key = services.recent_keys.recall(key_id, now) if key_id is not None else None
    if key is None or not _opens(key, kind, secret) or has_expired(key, now):
        return None
    services.key_uses.add(key.id)
    return key


async def authenticate_client(services: Services, client_id: str, client_secret: str) -> Key:
    """The Kajabi key with this `client_id` and `client_secret`. Raises Unauthorized."""
    key_id = row_id(client_id, CLIENT_ID_PREFIX)
    if key_id is None or token_id(client_secret, SECRET_PREFIXES["kajabi"]) != key_id:
        raise Unauthorized("unknown client id, or not its secret")
    return await _authenticate(services, "kajabi", key_id, client_secret)


def client_id_of(key: Key) -> str:
    """The `client_id` that a Kajabi key is known by; it survives the rotation of the secret."""
    return public_id(CLIENT_ID_PREFIX, key.id)


async def _authenticate(services: Services, kind: KeyKind, key_id: int, secret: str) -> Key:
    key = await _read_key(services, key_id)
    if key is None or not _opens(key, kind, secret):
        raise Unauthorized("unknown or deleted key")
    if has_expired(key, services.clock.now()):
        raise Unauthorized("the key has expired")
    services.key_uses.add(key.id)
    return key


async def _read_key(services: Services, key_id: int) -> Key | None:
    return await services.recent_keys.look_up(key_id, services.clock.now(), services.store.key(key_id))


def _opens(key: Key, kind: KeyKind, secret: str) -> bool:
    return key.kind == kind and matches(secret, key.digest)


def has_expired(key: Key, now: Instant) -> bool:
    """Whether a key's own end has come."""
    return key.expires_at is not None and key.expires_at <= now
