"""What every page has: headers, assets, errors."""

import re

import httpx

from console.conftest import Person, browser, console_on
from hookwright.operations.services import Services

EVERY_ADDRESS = re.compile(r'(?:href|src)="(/console/static/[^"]+)"')


async def test_every_answer_forbids_what_is_inline_or_from_elsewhere(admin: Person) -> None:
    for path in ("/console", "/console/sign-in", "/console/nowhere", "/console/static/0/console.css"):
        response = await admin.client.get(path)
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"


async def test_no_page_has_anything_inline(admin: Person) -> None:
    for path in ("/console", "/console/deliveries"):
        page = await admin.get(path)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! src=)|javascript:", page)


async def test_assets_are_kept_for_a_year_under_a_name_that_changes_with_them(admin: Person) -> None:
    paths = set(EVERY_ADDRESS.findall(await admin.get("/console")))
    assert len(paths) == 3
    for path in paths:
        response = await admin.client.get(path)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]
        assert (await admin.client.get(re.sub(r"static/\w+", "static/0123456789abcdef", path))).status_code == 404


async def test_assets_are_compressed_and_pages_are_not(admin: Person) -> None:
    home = await admin.client.get("/console", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in home.headers
    (script,) = (each for each in EVERY_ADDRESS.findall(home.text) if "js" in each)
    packed = await admin.client.get(script, headers={"accept-encoding": "br, gzip"})
    plain = await admin.client.get(script, headers={"accept-encoding": "identity"})
    assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content


async def test_assets_need_no_key_but_there_is_nothing_else_beside_them(anyone: httpx.AsyncClient) -> None:
    (css,) = (each for each in EVERY_ADDRESS.findall((await anyone.get("/console/sign-in")).text) if "css" in each)
    assert (await anyone.get(css)).status_code == 200
    assert (await anyone.get(css.replace("console.css", "__init__.py"))).status_code == 404


async def test_what_is_not_there_is_a_page(admin: Person) -> None:
    page = await admin.get("/console/nowhere", status=404)
    assert "<h1>Not found</h1>" in page
    assert "<title>Not found · Hookwright</title>" in page


async def test_a_fault_of_ours_is_a_page_with_the_same_headers(services: Services) -> None:
    await services.store.close()
    transport = httpx.ASGITransport(app=console_on(services, sign_in=False), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        response = await client.get("/console")
    assert response.status_code == 503
    assert "content-security-policy" in response.headers


async def test_a_script_is_told_that_its_session_has_ended(services: Services) -> None:
    async with browser(console_on(services), headers={"accept": "text/event-stream"}) as client:
        assert (await client.get("/console/deliveries")).status_code == 401
