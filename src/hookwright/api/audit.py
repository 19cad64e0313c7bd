"""The audit trail: who changed what."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hookwright.api.callers import AdminCaller
from hookwright.api.cursors import cut, decode_cursor
from hookwright.api.document import refusals
from hookwright.api.requests import AuditFilters
from hookwright.core.audit import ActorKind, Entry, Way
from hookwright.core.model import Instant
from hookwright.core.times import instant_or_none, iso_micros
from hookwright.store.base import AuditQuery

router = APIRouter(tags=["Audit"], responses=refusals(404, 422))


class ActorView(BaseModel):
    kind: ActorKind
    id: int | None = Field(description="Of the key, app or portal link.")
    name: str


class AuditEntryView(BaseModel):
    id: int
    at: str
    account: int | None = Field(description="null: it belongs to the platform")
    action: str = Field(description="Such as `key.rotated`.")
    object: str = Field(description="The id of what was changed; an event type's name.")
    way: Way
    actor: ActorView


class AuditPage(BaseModel):
    data: list[AuditEntryView]
    next_cursor: str | None


@router.get("/audit", summary="See who changed what")
async def list_audit_entries(caller: AdminCaller, filters: Annotated[AuditFilters, Query()]) -> AuditPage:
    """Changes through every API, the console, the portal and the command line, newest first; never a secret.

    A key with an account sees what was changed in that one. Publishing and delivering are not among it.
    """
    if filters.account is not None:
        caller.require_reach(filters.account)
    query = AuditQuery(
        account_id=filters.account if caller.account_id is None else caller.account_id,
        action=filters.action,
        way=filters.way,
        actor_id=filters.actor,
        object_id=filters.object,
        since=instant_or_none(filters.since),
        until=instant_or_none(filters.until),
        before=None if filters.cursor is None else _place_in(filters.cursor),
        limit=filters.limit + 1,
    )
    found = await caller.services.store.audit_entries(query)
    page, next_cursor = cut(found, filters.limit, lambda entry: (entry.at, entry.id))
    return AuditPage(data=[_view(entry) for entry in page], next_cursor=next_cursor)


def _place_in(cursor: str) -> tuple[Instant, int]:
    at, id = decode_cursor(cursor, 2)
    return at, id


def _view(entry: Entry) -> AuditEntryView:
    return AuditEntryView(
        id=entry.id,
        at=iso_micros(entry.at),
        account=entry.account_id,
        action=entry.action,
        object=entry.object_id,
        way=entry.way,
        actor=ActorView(kind=entry.actor_kind, id=entry.actor_id, name=entry.actor_name),
    )
