"""Keys of every kind: ours, and those that an account's integrations present to its dialects."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from hookwright.api.accounts import SECRET
from hookwright.api.bodies import documented_body, json_body
from hookwright.api.callers import AdminCaller, Caller
from hookwright.api.document import refusals
from hookwright.api.requests import KeyFilters, NewKey, PathId
from hookwright.api.views import KeyList, KeyView, KeyWithSecret, key_view, key_with_secret
from hookwright.core.errors import Invalid, NotFound, Problem
from hookwright.core.model import Key
from hookwright.core.times import instant_or_none
from hookwright.operations import keys

router = APIRouter(tags=["Keys"], responses=refusals(404, 422))


@router.post(
    "/keys", status_code=201, dependencies=SECRET, openapi_extra=documented_body(NewKey), summary="Create a key"
)
async def create_key(caller: AdminCaller, asked: Annotated[NewKey, Depends(json_body(NewKey))]) -> KeyWithSecret:
    """The secret is in this answer and nowhere else. A key that has an account can only make keys of that account."""
    account_id = _account_of_new_key(caller, asked)
    if asked.kind == "hookwright" and not asked.scopes:
        raise Invalid(Problem("/scopes", f"needs at least one of {', '.join(keys.HOOKWRIGHT_SCOPES)}", "blank"))
    expires_at = instant_or_none(asked.expires_at)
    try:
        new = await keys.create_key(
            caller.services, asked.kind, account_id, asked.name, asked.scopes, asked.attributes, expires_at
        )
    except NotFound as error:
        raise Invalid(Problem("/account", str(error), "unknown")) from None
    return key_with_secret(new)


@router.get("/keys", summary="List keys")
async def list_keys(caller: AdminCaller, filters: Annotated[KeyFilters, Query()]) -> KeyList:
    """Oldest first, without their secrets. An account's keys, or every key."""
    if filters.account is not None:
        caller.require_reach(filters.account)
    account_id = filters.account if caller.account_id is None else caller.account_id
    return KeyList(data=[key_view(key) for key in await caller.services.store.keys(account_id)])


@router.get("/keys/{id}", summary="Get a key")
async def get_key(id: PathId, caller: AdminCaller) -> KeyView:
    return key_view(await _require_key(caller, id))


@router.post("/keys/{id}/rotate", dependencies=SECRET, summary="Rotate a key")
async def rotate_key(id: PathId, caller: AdminCaller) -> KeyWithSecret:
    """A new secret; the old one and every token that was granted with it end at once.

    The publish routes of other processes take the old one for up to a second more.
    """
    await _require_key(caller, id)
    return key_with_secret(await keys.rotate_key(caller.services, id))


@router.delete("/keys/{id}", status_code=204, summary="Delete a key")
async def delete_key(id: PathId, caller: AdminCaller) -> None:
    """It and every token that was granted with it end at once.

    The publish routes of other processes take it for up to a second more.
    """
    await _require_key(caller, id)
    await keys.delete_key(caller.services, id)


def _account_of_new_key(caller: Caller, asked: NewKey) -> int | None:
    # A key of one account must not be able to make one that reaches further.
    if caller.account_id is None:
        return asked.account
    if asked.account not in (None, caller.account_id):
        raise Invalid(Problem("/account", f"account {asked.account} does not exist", "unknown"))
    return caller.account_id


async def _require_key(caller: Caller, id: int) -> Key:
    key = await caller.services.store.key(id)
    if key is None or not caller.reaches(key.account_id):
        raise NotFound(f"key {id} does not exist")
    return key
