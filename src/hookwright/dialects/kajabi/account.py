"""What surrounds the hooks: `GET /v1/version`, `/v1/me`, `/v1/sites`, `/v1/sites/{id}`.

Source: Kajabi openapi.yaml 1.1.0. Clients use `me` to try a credential and `sites` to find the id for a hook.
"""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hookwright.core.errors import NotFound, Unauthorized
from hookwright.core.model import Account, Key, Site
from hookwright.core.times import iso_millis
from hookwright.dialects.kajabi.callers import Authenticated
from hookwright.dialects.kajabi.documents import Document, JsonApi, identifier, with_fields
from hookwright.dialects.kajabi.events import OWNER
from hookwright.dialects.kajabi.hooks import parse_id
from hookwright.dialects.kajabi.paging import page_document, page_of
from hookwright.dialects.kajabi.schemas import (
    PAGE_PARAMETERS,
    SiteDocument,
    SiteList,
    UserDocument,
    Version,
    query_parameter,
    refusals,
)
from hookwright.operations.accounts import require_account

TITLE = "Kajabi API V1"
VERSION = "1.1.0"  # of Kajabi's openapi.yaml that this follows

router = APIRouter(default_response_class=JsonApi)

_FIELDS = query_parameter("fields[sites]", "Only these attributes, separated by commas", {"type": "string"})


@router.get("/version", tags=["Version"], summary="Version", response_model=Version, responses=refusals(503))
async def show_version() -> Response:
    """The version of Kajabi's API that this serves. Needs no token."""
    return JsonApi(
        {
            "meta": {"title": TITLE, "version": VERSION},
            "links": {"documentation": "https://developers.kajabi.com"},
            # The last name is misspelt in Kajabi's schema, and so in its clients.
            "jsonapi": {"version": "v1.1", "specficiation": "https://jsonapi.org/format/1.1/"},
        }
    )


@router.get(
    "/me", tags=["Me"], summary="My user profile", response_model=UserDocument, responses=refusals(401, 403, 429, 503)
)
async def show_me(caller: Authenticated) -> Response:
    """The user that the key acts as; a key that names none acts as the account's owner."""
    key_id = caller.grant.key_id
    key = await caller.services.store.key(key_id) if key_id is not None else None
    if key is None:  # deleted since the token was checked
        raise Unauthorized("the key does not exist any more")
    account = await require_account(caller.services, caller.account_id)
    return JsonApi({"data": user_resource(key, account)})


@router.get(
    "/sites",
    tags=["Sites"],
    summary="List sites",
    response_model=SiteList,
    responses=refusals(401, 403, 429, 503),
    openapi_extra={
        "parameters": [
            query_parameter("sort", "title or subdomain; -title for descending order", {"type": "string"}),
            *PAGE_PARAMETERS,
            _FIELDS,
            query_parameter("filter[title_cont]", "Only sites whose title contains this", {"type": "string"}),
            query_parameter("filter[subdomain_cont]", "Only sites whose subdomain contains this", {"type": "string"}),
        ]
    },
)
async def list_sites(request: Request, caller: Authenticated) -> Response:
    """The account's sites, oldest first unless `sort` says otherwise."""
    sites = selected(await caller.services.store.sites(caller.account_id), request.query_params)
    page = page_of(request.query_params, len(sites))
    shown = sites[page.offset : page.offset + page.size]
    resources = [with_fields(site_resource(site), request.query_params) for site in shown]
    return JsonApi(page_document(request, page, resources))


@router.get(
    "/sites/{id}",
    tags=["Sites"],
    summary="Site details",
    response_model=SiteDocument,
    responses=refusals(401, 403, 404, 429, 503),
    openapi_extra={"parameters": [_FIELDS]},
)
async def show_site(id: str, request: Request, caller: Authenticated) -> Response:
    """One site of the account."""
    site = await caller.services.store.site(caller.account_id, parse_id(id))
    if site is None:
        raise NotFound(f"site {id} does not exist")
    return JsonApi({"data": with_fields(site_resource(site), request.query_params)})


def selected(sites: Sequence[Site], params: Mapping[str, str]) -> list[Site]:
    """The sites that pass Kajabi's two filters (which ignore case), in the order of `sort`."""
    title = params.get("filter[title_cont]", "").lower()
    subdomain = params.get("filter[subdomain_cont]", "").lower()
    passed = [site for site in sites if title in site.title.lower() and subdomain in site.subdomain.lower()]
    sort = params.get("sort", "")
    if sort.removeprefix("-") == "title":
        passed.sort(key=lambda site: site.title, reverse=sort.startswith("-"))
    if sort.removeprefix("-") == "subdomain":
        passed.sort(key=lambda site: site.subdomain, reverse=sort.startswith("-"))
    return passed


def site_resource(site: Site) -> Document:
    """A site."""
    return {
        **identifier("sites", site.id),
        "attributes": {
            "title": site.title,
            "subdomain": site.subdomain,
            "created_at": iso_millis(site.created_at),
            "updated_at": iso_millis(site.updated_at),
        },
    }


def user_resource(key: Key, account: Account) -> Document:
    """The user that a key acts as, from the key's attributes `user_name`, `user_email` and `role_level`."""
    name = key.attributes.get("user_name") or account.name
    role = "OWNER" if OWNER in key.scopes else "ADMINISTRATOR"
    return {
        **identifier("users", key.id),
        "attributes": {
            "initials": "".join(word[0] for word in name.split()[:2]).upper(),
            "name": name,
            "email": key.attributes.get("user_email") or f"owner@account-{account.id}.example",
            "role_level": key.attributes.get("role_level") or role,
        },
    }
