"""Accounts, their signing secrets and their sites."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from hookwright.api.bodies import documented_body, json_body
from hookwright.api.caching import keep_out_of_caches
from hookwright.api.callers import AdminCaller
from hookwright.api.cursors import cut, decode_cursor
from hookwright.api.document import refusals
from hookwright.api.requests import NewAccount, NewSite, Paging, PathId
from hookwright.api.views import (
    AccountPage,
    AccountView,
    AccountWithSecret,
    RotatedSigningSecret,
    SigningSecrets,
    SiteList,
    SiteView,
    account_view,
    site_view,
)
from hookwright.core.errors import Forbidden
from hookwright.operations import accounts

router = APIRouter(tags=["Accounts"], responses=refusals(404, 422))


SECRET = [Depends(keep_out_of_caches)]


@router.post(
    "/accounts",
    status_code=201,
    dependencies=SECRET,
    openapi_extra=documented_body(NewAccount),
    summary="Create an account",
)
async def create_account(
    caller: AdminCaller, asked: Annotated[NewAccount, Depends(json_body(NewAccount))]
) -> AccountWithSecret:
    """A new account with its first signing secret. Only a key that reaches every account may do this."""
    if caller.account_id is not None:
        raise Forbidden("only a key that reaches every account can create accounts")
    new = await accounts.create_account(caller.services, asked.name)
    return AccountWithSecret(**account_view(new.account).model_dump(), signing_secret=new.signing_secret)


@router.get("/accounts", summary="List accounts")
async def list_accounts(caller: AdminCaller, paging: Annotated[Paging, Query()]) -> AccountPage:
    """By id. A key with an account sees that one."""
    after = 0 if paging.cursor is None else decode_cursor(paging.cursor, 1)[0]
    if caller.account_id is not None:
        own = await accounts.require_account(caller.services, caller.account_id)
        return AccountPage(data=[account_view(own)], next_cursor=None)
    found = await caller.services.store.accounts(after, paging.limit + 1)
    page, next_cursor = cut(found, paging.limit, lambda account: (account.id,))
    return AccountPage(data=[account_view(account) for account in page], next_cursor=next_cursor)


@router.get("/accounts/{id}", summary="Get an account")
async def get_account(id: PathId, caller: AdminCaller) -> AccountView:
    caller.require_reach(id)
    return account_view(await accounts.require_account(caller.services, id))


@router.delete("/accounts/{id}", status_code=204, summary="Delete an account")
async def delete_account(id: PathId, caller: AdminCaller) -> None:
    """Its keys and tokens end at once, and its endpoints are deleted."""
    caller.require_reach(id)
    await accounts.delete_account(caller.services, id)


@router.get("/accounts/{id}/signing-secrets", dependencies=SECRET, summary="Reveal the signing secrets")
async def reveal_signing_secrets(id: PathId, caller: AdminCaller) -> SigningSecrets:
    """For the people who run receivers: what to verify signatures with."""
    caller.require_reach(id)
    return SigningSecrets(signing_secrets=await accounts.reveal_signing_secrets(caller.services, id))


@router.post(
    "/accounts/{id}/signing-secrets/rotate",
    responses=refusals(409),
    dependencies=SECRET,
    summary="Rotate the signing secret",
)
async def rotate_signing_secret(id: PathId, caller: AdminCaller) -> RotatedSigningSecret:
    """A new secret. The old one also signs for 24 hours, so that receivers can change over."""
    caller.require_reach(id)
    return RotatedSigningSecret(signing_secret=await accounts.rotate_signing_secret(caller.services, id))


@router.post("/accounts/{id}/sites", status_code=201, openapi_extra=documented_body(NewSite), summary="Create a site")
async def create_site(
    id: PathId, caller: AdminCaller, asked: Annotated[NewSite, Depends(json_body(NewSite))]
) -> SiteView:
    """A Kajabi site, which Kajabi hooks belong to. An event of an account with several sites has to name one."""
    caller.require_reach(id)
    return site_view(await accounts.create_site(caller.services, id, asked.title, asked.subdomain))


@router.get("/accounts/{id}/sites", summary="List sites")
async def list_sites(id: PathId, caller: AdminCaller) -> SiteList:
    """Oldest first."""
    caller.require_reach(id)
    await accounts.require_account(caller.services, id)
    return SiteList(data=[site_view(site) for site in await caller.services.store.sites(id)])


@router.delete("/accounts/{id}/sites/{site_id}", status_code=204, summary="Delete a site")
async def delete_site(id: PathId, site_id: PathId, caller: AdminCaller) -> None:
    """Deletes the endpoints that belong to it as well."""
    caller.require_reach(id)
    await accounts.delete_site(caller.services, id, site_id)
