"""`/v1/version`, `/v1/me` and `/v1/sites`, over HTTP."""

import httpx
import pytest
from fastapi import FastAPI

from hookwright.core.model import Account, Site
from hookwright.operations.accounts import create_account, create_site
from hookwright.operations.keys import create_key
from hookwright.operations.services import Services

from .conftest import BASE_URL, CallerWith, credentials


async def test_the_version_needs_no_token(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/version")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/vnd.api+json"
    assert response.json()["meta"] == {"title": "Kajabi API V1", "version": "1.1.0"}
    assert list(response.json()["jsonapi"]) == ["version", "specficiation"]


@pytest.mark.parametrize(
    ("scopes", "role"), [(("owner",), "OWNER"), (("view:contacts",), "ADMINISTRATOR"), ((), "ADMINISTRATOR")]
)
async def test_a_key_without_a_user_acts_as_its_account(
    caller_with: CallerWith, account: Account, scopes: tuple[str, ...], role: str
) -> None:
    data = (await (await caller_with(*scopes)).get("/v1/me")).json()["data"]
    assert data["type"] == "users"
    assert data["attributes"] == {
        "initials": "AC",
        "name": "Ada's courses",
        "email": f"owner@account-{account.id}.example",
        "role_level": role,
    }


async def test_a_key_may_name_its_user(services: Services, account: Account, app: FastAPI) -> None:
    attributes = {"user_name": "John Doe", "user_email": "john@example.com", "role_level": "SUBOWNER"}
    new = await create_key(services, "kajabi", account.id, "Test", ["owner"], attributes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE_URL) as client:
        token = (await client.post("/v1/oauth/token", data=credentials(new))).json()["access_token"]
        me = (await client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})).json()
    assert me["data"] == {
        "id": str(new.key.id),
        "type": "users",
        "attributes": {
            "initials": "JD",
            "name": "John Doe",
            "email": "john@example.com",
            "role_level": "SUBOWNER",
        },
    }


async def test_sites_are_listed_and_shown(owner: httpx.AsyncClient, site: Site) -> None:
    shown = {
        "id": str(site.id),
        "type": "sites",
        "attributes": {
            "title": "Ada's site",
            "subdomain": "ada",
            "created_at": "2026-09-21T14:13:20.000Z",
            "updated_at": "2026-09-21T14:13:20.000Z",
        },
    }
    listed = (await owner.get("/v1/sites")).json()
    assert listed["data"] == [shown]
    assert listed["meta"] == {"total": 1, "total_count": 1, "total_pages": 1, "current_page": 1}
    assert (await owner.get(f"/v1/sites/{site.id}")).json() == {"data": shown}


async def test_sites_are_paged_filtered_and_sorted(
    owner: httpx.AsyncClient, services: Services, account: Account, site: Site
) -> None:
    await create_site(services, account.id, "Zoology", "animals")

    async def titles(query: str) -> list[str]:
        listed = (await owner.get(f"/v1/sites?{query}")).json()
        return [shown["attributes"]["title"] for shown in listed["data"]]

    assert await titles("") == ["Ada's site", "Zoology"]
    assert await titles("page[size]=1&page[number]=2") == ["Zoology"]
    assert await titles("sort=-title") == ["Zoology", "Ada's site"]
    assert await titles("sort=subdomain") == ["Ada's site", "Zoology"]
    assert await titles("filter[title_cont]=ZOO") == ["Zoology"]
    assert await titles("filter[subdomain_cont]=ad") == ["Ada's site"]


async def test_a_site_is_shown_with_the_fields_that_were_asked_for(owner: httpx.AsyncClient, site: Site) -> None:
    # As Kajabi openapi.yaml shows it for blog posts: "Response will only include requested fields".
    shown = {"id": str(site.id), "type": "sites", "attributes": {"title": "Ada's site"}}
    assert (await owner.get(f"/v1/sites/{site.id}?fields[sites]=title")).json() == {"data": shown}
    assert (await owner.get("/v1/sites", params={"fields[sites]": "title, other"})).json()["data"] == [shown]
    (whole,) = (await owner.get("/v1/sites?fields[sites]=&fields[hooks]=event")).json()["data"]
    assert len(whole["attributes"]) == 4


@pytest.mark.parametrize("id", ["0", "x", "9" * 400, "%00"])
async def test_a_site_that_is_not_there_is_not_found(owner: httpx.AsyncClient, site: Site, id: str) -> None:
    assert (await owner.get(f"/v1/sites/{id}")).status_code == 404


async def test_a_site_of_another_account_is_not_there(owner: httpx.AsyncClient, services: Services) -> None:
    stranger = (await create_account(services, "Grace")).account
    theirs = await create_site(services, stranger.id, "Grace's site")
    assert (await owner.get(f"/v1/sites/{theirs.id}")).status_code == 404
