"""The audit trail: operations note what they changed, on behalf of whom their services act."""

from hookwright.core.audit import Actor, Entry, Way
from hookwright.core.model import Key
from hookwright.operations.services import Services

MAX_NAME = 200


async def new_entry(services: Services, action: str, object_id: int | str, account_id: int | None) -> Entry:
    """What tells of a change, for the step that makes it to keep with it. Raises Unavailable."""
    actor = services.actor
    return Entry(
        id=await services.store.new_id(account_id or 0),
        at=services.clock.now(),
        account_id=account_id,
        way=actor.way,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name[:MAX_NAME],
        action=action,
        object_id=str(object_id),
    )


async def note(services: Services, action: str, object_id: int | str, account_id: int | None) -> None:
    """Keep that something is about to be shown or given that changes no row. Raises Unavailable."""
    await services.store.add_audit_entry(await new_entry(services, action, object_id, account_id))


def actor_with(key: Key, way: Way) -> Actor:
    """Whoever has this key."""
    return Actor(way=way, kind="key", id=key.id, name=key.name, key_digest=key.digest)
