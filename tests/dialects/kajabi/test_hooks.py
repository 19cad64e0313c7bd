"""`/v1/hooks` as Kajabi documents it, over HTTP."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from hookwright.core.model import Account, Site
from hookwright.operations.accounts import create_account, create_site
from hookwright.operations.services import Services

from .conftest import CallerWith, hook
from .schema_check import assert_matches

DATA = Path(__file__).parents[2] / "data"
SCHEMAS = json.loads((DATA / "kajabi_schemas" / "create_hook.json").read_text())
# The two example requests of Kajabi's "Create hook" page, as it prints them.
SEED = (DATA / "seeds" / "kajabi_create_hook.md").read_text()
EXAMPLES = [
    example for example in re.findall(r"^```json\n(.*?)^```", SEED, re.DOTALL | re.MULTILINE) if "data" in example
]
JSON_API = {"Content-Type": "application/vnd.api+json"}


def assert_is(schema: str, document: object) -> None:
    assert_matches(document, {"$ref": f"#/components/schemas/{schema}", **SCHEMAS})


def details(response: httpx.Response) -> list[tuple[str, str, str | None]]:
    return [(error["source"]["pointer"], error["detail"], error.get("code")) for error in response.json()["errors"]]


def test_the_page_has_two_examples() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize("example", EXAMPLES, ids=["for a tag", "wildcard"])
@pytest.mark.parametrize("path", ["/v1/hooks", "/api/v1/hooks"])
async def test_the_page_s_examples_create_hooks_as_its_schema_describes_them(
    owner: httpx.AsyncClient, site: Site, example: str, path: str
) -> None:
    content = example.replace('"456"', f'"{site.id}"')  # the site of the example, here under its own id
    response = await owner.post(path, content=content, headers=JSON_API)
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/vnd.api+json"
    assert_is("hooks_show_response", response.json())
    created = response.json()["data"]
    assert created == {
        "id": created["id"],
        "type": "hooks",
        "attributes": {
            "event": "tag_added",
            "target_url": "https://example.com/webhook",
            "created_at": "2026-09-21T14:13:20.000Z",
            "updated_at": "2026-09-21T14:13:20.000Z",
            "resource_id": 123 if "resource_id" in example else None,
        },
        "relationships": {"site": {"data": {"id": str(site.id), "type": "sites"}}},
    }
    assert (await owner.get(f"{path}/{created['id']}")).json() == response.json()


@pytest.mark.parametrize(
    ("given", "kept"),
    [(123, 123), ("123", 123), ("007", 7), (0, 0), (None, None), ("", None), (2**63 - 1, 2**63 - 1)],
)
async def test_a_resource_id_is_an_integer_or_its_digits(
    owner: httpx.AsyncClient, site: Site, given: object, kept: int | None
) -> None:
    response = await owner.post("/v1/hooks", json=hook(resource_id=given))
    assert response.json()["data"]["attributes"]["resource_id"] == kept


@pytest.mark.parametrize("given", ["abc", "1.5", 1.5, True, -1, "-1", [], {}, "²", "9" * 30])
async def test_a_resource_id_that_is_no_number_is_refused(
    owner: httpx.AsyncClient, site: Site, given: object
) -> None:
    response = await owner.post("/v1/hooks", json=hook(resource_id=given))
    assert response.status_code == 422
    assert details(response) == [("/data/attributes/resource_id", "Resource is invalid: must be a number", "invalid")]


async def test_a_resource_id_beyond_a_bigint_is_refused(owner: httpx.AsyncClient, site: Site) -> None:
    response = await owner.post("/v1/hooks", json=hook(resource_id=2**63))
    assert details(response)[0] == (
        "/data/attributes/resource_id",
        "Resource is invalid: must be at most 9223372036854775807",
        "invalid",
    )


@pytest.mark.parametrize("relationships", [None, {}, {"site": None}, {"site": {"data": None}}])
async def test_a_hook_without_a_site_takes_the_only_site(
    owner: httpx.AsyncClient, site: Site, relationships: object
) -> None:
    document: dict[str, Any] = hook()
    document["data"]["relationships"] = relationships
    response = await owner.post("/v1/hooks", json=document)
    assert response.json()["data"]["relationships"]["site"]["data"]["id"] == str(site.id)


async def test_a_hook_without_a_site_is_refused_when_the_account_has_none(owner: httpx.AsyncClient) -> None:
    response = await owner.post("/v1/hooks", json=hook())
    assert response.status_code == 422
    assert details(response) == [("/data/relationships/site", "Site must exist: the account has none", "blank")]


async def test_a_hook_without_a_site_is_refused_when_the_account_has_two(
    owner: httpx.AsyncClient, services: Services, account: Account, site: Site
) -> None:
    other = await create_site(services, account.id, "Second")
    refused = await owner.post("/v1/hooks", json=hook())
    assert refused.status_code == 422
    assert "the account has 2" in details(refused)[0][1]
    created = await owner.post("/v1/hooks", json=hook(site_id=other.id))
    assert created.json()["data"]["relationships"]["site"]["data"]["id"] == str(other.id)


async def test_a_site_of_another_account_does_not_exist(
    owner: httpx.AsyncClient, services: Services, site: Site
) -> None:
    stranger = (await create_account(services, "Grace")).account
    theirs = await create_site(services, stranger.id, "Grace's site")
    response = await owner.post("/v1/hooks", json=hook(site_id=theirs.id))
    assert details(response) == [("/data/relationships/site", "Site must exist", "blank")]


@pytest.mark.parametrize(
    "relationships", [[], "2", {"site": "2"}, {"site": {"data": []}}, {"site": {"data": {"id": "2", "type": "tags"}}}]
)
async def test_a_site_that_is_no_identifier_is_refused(
    owner: httpx.AsyncClient, site: Site, relationships: object
) -> None:
    document: dict[str, Any] = hook()
    document["data"]["relationships"] = relationships
    response = await owner.post("/v1/hooks", json=document)
    assert response.status_code == 422
    assert details(response)[0][0] == "/data/relationships/site"


async def test_every_problem_of_a_hook_is_an_error_of_its_own(owner: httpx.AsyncClient) -> None:
    document = {"data": {"type": "webhooks", "attributes": {"event": "tag_addded", "resource_id": "x"}}}
    response = await owner.post("/v1/hooks", json=document)
    assert response.status_code == 422
    assert_is("errors_unprocessable", response.json())
    assert details(response) == [
        ("/data/attributes/type", "Type is not included in the list", "inclusion"),
        ("/data/attributes/event", "Event is not included in the list", "inclusion"),
        ("/data/attributes/target_url", "Target url can't be blank", "blank"),
        ("/data/attributes/resource_id", "Resource is invalid: must be a number", "invalid"),
        ("/data/relationships/site", "Site must exist: the account has none", "blank"),
    ]
    assert list(response.json()["errors"][0]) == ["status", "source", "title", "detail", "code"]
    assert response.json()["errors"][0]["title"] == "Unprocessable Entity"


@pytest.mark.parametrize(
    ("document", "missing"),
    [
        ({}, "data"),
        ([], "data"),
        ("hook", "data"),
        ({"data": []}, "data"),
        ({"data": {"type": "hooks"}}, "attributes"),
    ],
)
async def test_a_document_without_its_parts_is_refused_as_a_whole(
    owner: httpx.AsyncClient, document: object, missing: str
) -> None:
    response = await owner.post("/v1/hooks", json=document)
    assert response.status_code == 422
    assert details(response) == [("", f"param is missing or the value is empty: {missing}", None)]
    # jsonapi.rb: only a model's errors have a code.
    assert list(response.json()["errors"][0]) == ["status", "source", "title", "detail"]


async def test_a_missing_type_is_missed_where_jsonapi_rb_points(owner: httpx.AsyncClient, site: Site) -> None:
    document: dict[str, Any] = hook()
    del document["data"]["type"]
    response = await owner.post("/v1/hooks", json=document)
    assert response.status_code == 422
    assert details(response) == [("/data/attributes/type", "param is missing or the value is empty: type", None)]


@pytest.mark.parametrize(
    ("target_url", "detail"),
    [
        ("", "Target url can't be blank"),
        (None, "Target url can't be blank"),
        (7, "Target url is invalid: must be a string"),
        ("https://example.com/\0", "Target url is invalid: "),
        ("ftp://example.com/", "Target url is invalid: "),
        ("not a url", "Target url is invalid: "),
    ],
)
async def test_a_target_url_that_is_none_is_refused_with_the_reason(
    owner: httpx.AsyncClient, site: Site, target_url: object, detail: str
) -> None:
    response = await owner.post("/v1/hooks", json=hook(target_url=target_url))
    assert response.status_code == 422
    pointer, given, _ = details(response)[0]
    assert pointer == "/data/attributes/target_url"
    assert given.startswith(detail)


@pytest.mark.parametrize("event", ["", None, "tag_added\0", 7, ["tag_added"], "purchase.created"])
async def test_an_event_that_kajabi_does_not_have_is_refused(
    owner: httpx.AsyncClient, site: Site, event: object
) -> None:
    response = await owner.post("/v1/hooks", json=hook(event=event))
    assert response.status_code == 422
    assert details(response)[0][0] == "/data/attributes/event"


@pytest.mark.parametrize(
    ("event", "scopes"),
    [
        ("purchase", ["view:purchases"]),
        ("payment_succeeded", ["view:transactions"]),
        ("order_created", ["view:transactions", "view:orders"]),
        ("form_submission", ["view:form_submissions"]),
        ("tag_added", ["view:contacts"]),
        ("tag_removed", ["view:contacts"]),
    ],
)
async def test_an_event_needs_its_scopes(caller_with: CallerWith, site: Site, event: str, scopes: list[str]) -> None:
    allowed = await caller_with(*scopes)
    assert (await allowed.post("/v1/hooks", json=hook(event))).status_code == 201
    forbidden = await (await caller_with(*scopes[1:], "view:sites")).post("/v1/hooks", json=hook(event))
    assert forbidden.status_code == 403
    assert_is("errors_forbidden", forbidden.json())
    assert forbidden.json()["errors"] == [
        {
            "status": "403",
            "source": None,
            "title": "Forbidden",
            "detail": f"The API key lacks {scopes[0]}, which {event} hooks require",
        }
    ]


@pytest.mark.parametrize(
    "content_type",
    [
        *("application/vnd.api+json", "application/json", "application/json; charset=utf-8", None),
        # curl's own, and what it sends for `-F`, which this is not
        *("application/x-www-form-urlencoded", "multipart/form-data", "text/plain", "application/octet-stream"),
    ],
)
async def test_a_hook_is_read_whatever_type_its_body_has(
    owner: httpx.AsyncClient, site: Site, content_type: str | None
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    response = await owner.post("/v1/hooks", content=json.dumps(hook()), headers=headers)
    assert response.status_code == 201


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "application/xml"])
async def test_a_body_of_another_type_is_a_request_without_data(owner: httpx.AsyncClient, content_type: str) -> None:
    response = await owner.post("/v1/hooks", content=b"event=tag_added", headers={"Content-Type": content_type})
    assert response.status_code == 422
    assert details(response) == [("", "param is missing or the value is empty: data", None)]


@pytest.mark.parametrize("content", [b"{", b'{"data": ', b"\xff", b"[" * 100_000])
async def test_what_is_not_json_is_a_bad_request(owner: httpx.AsyncClient, content: bytes) -> None:
    response = await owner.post("/v1/hooks", content=content, headers=JSON_API)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/vnd.api+json"
    assert response.json()["errors"][0]["title"] == "Bad Request"


@pytest.mark.parametrize("content", [b"", b" \n", b"{}"])
async def test_no_body_is_a_body_without_data(owner: httpx.AsyncClient, content: bytes) -> None:
    # Kajabi openapi.yaml: 422 is what "invalid parameters" answer with; 400 is not among the answers of this route.
    response = await owner.post("/v1/hooks", content=content, headers=JSON_API)
    assert response.status_code == 422
    assert response.json()["errors"][0]["source"] == {"pointer": ""}


async def test_a_body_that_is_too_large_is_refused(owner: httpx.AsyncClient) -> None:
    response = await owner.post("/v1/hooks", content=b" " * 300_000, headers=JSON_API)
    assert response.status_code == 413
    assert response.json()["errors"][0]["title"] == "Payload Too Large"


async def test_two_hooks_may_be_the_same(owner: httpx.AsyncClient, site: Site) -> None:
    first, second = [await owner.post("/v1/hooks", json=hook()) for _ in range(2)]
    assert first.json()["data"]["id"] != second.json()["data"]["id"]


async def test_a_deleted_hook_is_gone(owner: httpx.AsyncClient, site: Site) -> None:
    path = f"/v1/hooks/{(await owner.post('/v1/hooks', json=hook())).json()['data']['id']}"
    deleted = await owner.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    for response in (await owner.get(path), await owner.delete(path)):
        assert response.status_code == 404
        assert response.json()["errors"] == [
            {"status": "404", "source": None, "title": "Not Found", "detail": "The resource does not exist."}
        ]


async def test_a_hook_of_another_account_is_not_there(
    owner: httpx.AsyncClient, caller_with: CallerWith, services: Services, site: Site
) -> None:
    stranger = await caller_with("owner", of=(await create_account(services, "Grace")).account)
    path = f"/v1/hooks/{(await owner.post('/v1/hooks', json=hook())).json()['data']['id']}"
    assert (await stranger.get(path)).status_code == 404
    assert (await stranger.delete(path)).status_code == 404
    assert (await stranger.get("/v1/hooks")).json()["data"] == []
    assert (await owner.get(path)).status_code == 200


@pytest.mark.parametrize("id", ["abc", "0", "-1", "1.5", "9" * 400, "²", "%00", "1%00", str(2**53)])
async def test_an_id_that_cannot_be_one_is_not_there(owner: httpx.AsyncClient, id: str) -> None:
    assert (await owner.get(f"/v1/hooks/{id}")).status_code == 404
    assert (await owner.delete(f"/v1/hooks/{id}")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/v1/hooks/1"),
        ("PUT", "/v1/hooks"),
        ("OPTIONS", "/api/v1/hooks"),
        ("GET", "/v1/nothing"),
        ("GET", "/v1/hooks/1/2"),
        ("GET", "/v1/oauth/nothing"),
        ("GET", "/v1/oauth/token"),
    ],
)
async def test_what_no_route_answers_is_not_found_in_the_shape_of_its_surface(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    response = await client.request(method, path)
    assert response.status_code == 404
    if "oauth" in path:
        assert list(response.json()) == ["error"]
    else:
        assert response.json()["errors"][0]["status"] == "404"
        assert response.json()["errors"][0]["title"] == "Not Found"
    assert "allow" not in response.headers


async def test_head_is_get_without_the_content(owner: httpx.AsyncClient, site: Site) -> None:
    for path in ("/v1/hooks", "/v1/version", "/v1/hooks/0"):
        full, head = await owner.get(path), await owner.head(path)
        assert (head.status_code, head.headers, head.content) == (full.status_code, full.headers, b"")


# ---- lists ------------------------------------------------------------------------------------------------------


async def test_a_list_is_paged_with_kajabi_s_links_and_meta(owner: httpx.AsyncClient, site: Site) -> None:
    ids = [(await owner.post("/v1/hooks", json=hook())).json()["data"]["id"] for _ in range(5)]
    listed = (await owner.get("/v1/hooks?page[number]=2&page[size]=2")).json()
    assert [shown["id"] for shown in listed["data"]] == ids[2:4]
    base = "https://api.kajabi.test/v1/hooks?page[number]="
    assert listed["links"] == {
        "self": f"{base}2&page[size]=2",
        "current": f"{base}2&page[size]=2",
        "first": f"{base}1&page[size]=2",
        "prev": f"{base}1&page[size]=2",
        "next": f"{base}3&page[size]=2",
        "last": f"{base}3&page[size]=2",
    }
    assert listed["meta"] == {"total": 5, "total_count": 5, "total_pages": 3, "current_page": 2}


async def test_links_that_lead_nowhere_are_left_out(owner: httpx.AsyncClient, site: Site) -> None:
    await owner.post("/v1/hooks", json=hook())
    listed = (await owner.get("/v1/hooks")).json()
    assert listed["links"] == {
        "self": "https://api.kajabi.test/v1/hooks",
        "current": "https://api.kajabi.test/v1/hooks?page[number]=1",
    }
    beyond = (await owner.get("/v1/hooks?page[number]=9")).json()
    assert beyond["data"] == []
    assert set(beyond["links"]) == {"self", "current", "first", "prev"}


async def test_links_have_brackets_and_the_scheme_that_a_proxy_was_asked_with(
    owner: httpx.AsyncClient, site: Site
) -> None:
    for _ in range(2):
        await owner.post("/v1/hooks", json=hook())
    # Most clients escape the brackets; Kajabi's links have them as they are.
    asked = "http://hooks.example.com/v1/hooks?page%5Bsize%5D=1&page%5bnumber%5d=1"
    listed = (await owner.get(asked, headers={"X-Forwarded-Proto": "https"})).json()
    assert listed["links"] == {
        "self": "https://hooks.example.com/v1/hooks?page[size]=1&page[number]=1",
        "current": "https://hooks.example.com/v1/hooks?page[number]=1&page[size]=1",
        "next": "https://hooks.example.com/v1/hooks?page[number]=2&page[size]=1",
        "last": "https://hooks.example.com/v1/hooks?page[number]=2&page[size]=1",
    }


@pytest.mark.parametrize("number", ["0", "-3", "x", "", "1.5", "%00"])
@pytest.mark.parametrize("size", ["0", "-3", "x", "", "9" * 5000])
async def test_a_page_that_is_no_number_is_the_first_of_the_default_or_largest_size(
    owner: httpx.AsyncClient, site: Site, number: str, size: str
) -> None:
    await owner.post("/v1/hooks", json=hook())
    listed = await owner.get(f"/v1/hooks?page[number]={number}&page[size]={size}")
    assert listed.status_code == 200
    assert len(listed.json()["data"]) == 1


async def test_pages_hold_thirty_hooks_and_at_most_a_hundred(owner: httpx.AsyncClient, site: Site) -> None:
    for _ in range(101):
        await owner.post("/v1/hooks", json=hook())
    assert len((await owner.get("/v1/hooks")).json()["data"]) == 30
    assert len((await owner.get("/v1/hooks?page[size]=500")).json()["data"]) == 100
    assert (await owner.get(f"/v1/hooks?page[number]={'9' * 40}")).json()["data"] == []


async def test_a_list_is_filtered_by_event_and_site(
    owner: httpx.AsyncClient, services: Services, account: Account, site: Site
) -> None:
    second = await create_site(services, account.id, "Second")
    tag = (await owner.post("/v1/hooks", json=hook("tag_added", site_id=site.id))).json()["data"]
    sale = (await owner.post("/v1/hooks", json=hook("purchase", site_id=second.id))).json()["data"]

    async def shown(query: str) -> list[object]:
        listed = (await owner.get(f"/v1/hooks?{query}")).json()
        assert listed["meta"]["total"] == len(listed["data"])
        return list(listed["data"])

    assert await shown("filter[event_eq]=purchase") == [sale]
    assert await shown(f"filter[site_id]={site.id}") == [tag]
    assert await shown(f"filter[site_id]={site.id}&filter[event_eq]=purchase") == []
    assert await shown("filter[event_eq]=") == [tag, sale]
    for impossible in (
        "filter[event_eq]=nothing",
        "filter[event_eq]=%00",
        "filter[site_id]=x",
        "filter[site_id]=%00",
    ):
        assert await shown(impossible) == []


async def test_the_links_of_a_filtered_list_keep_its_filter(owner: httpx.AsyncClient, site: Site) -> None:
    for _ in range(2):
        await owner.post("/v1/hooks", json=hook())
    listed = (await owner.get("/v1/hooks?page[size]=1&filter[event_eq]=tag_added")).json()
    assert listed["links"]["next"].endswith("?filter[event_eq]=tag_added&page[number]=2&page[size]=1")
    assert (await owner.get(listed["links"]["next"])).json()["data"] != listed["data"]
