"""Fixtures: the console on a real store, people who are signed in, endpoints and deliveries to look at; a browser."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import async_playwright
from starlette.types import ASGIApp

from console.stage import PATIENCE_MILLIS, Site, Stage, started_browser
from hookwright.app import FORMS
from hookwright.console import ConsoleSettings, build_console
from hookwright.core.model import Account, Endpoint, Subscription
from hookwright.core.retry import STANDARD_SCHEDULE
from hookwright.operations.accounts import create_account
from hookwright.operations.endpoints import create_endpoint
from hookwright.operations.keys import create_key
from hookwright.operations.services import Services
from hookwright.testing.process import running_dev
from hookwright.testing.receiver import Receiver

BASE_URL = "https://hookwright.test"
TARGET = "https://receiver.example.com/tags"


class Person:
    """Somebody with a browser: cookies are kept, forms are sent with the token of the page they stand on."""

    def __init__(self, client: httpx.AsyncClient, secret: str = "") -> None:
        self.client = client
        self.secret = secret  # the key that they signed in with

    async def get(self, path: str, status: int = 200, **parameters: Any) -> str:
        """The text of a page."""
        response = await self.client.get(path, params=parameters or None)
        assert response.status_code == status, response.text
        return response.text

    async def send(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form with the token that the person's pages carry."""
        token = form_token_in(await self.get("/console"))
        return await self.client.post(path, data={"form_token": token, **fields})


PersonWith = Callable[..., Awaitable[Person]]


def form_token_in(page: str) -> str:
    """The token in the first form of a page."""
    return page.partition('name="form_token" value="')[2].partition('"')[0]


def console_on(services: Services, **settings: Any) -> ASGIApp:
    return build_console(services, ConsoleSettings(forms=FORMS, retry_schedule=STANDARD_SCHEDULE, **settings))


def browser(app: ASGIApp, base_url: str = BASE_URL, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=base_url, headers=headers)


@pytest.fixture
def app(services: Services) -> ASGIApp:
    return console_on(services)


@pytest.fixture
async def anyone(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which nobody is signed in."""
    async with browser(app) as client:
        yield client


@pytest.fixture
async def person_with(services: Services, app: ASGIApp) -> AsyncIterator[PersonWith]:
    """Makes people: each signs in with a new key with the given scopes, of one account or of the platform."""
    async with AsyncExitStack() as stack:

        async def person(*scopes: str, of: Account | None = None) -> Person:
            new = await create_key(services, "hookwright", of.id if of else None, "Grace", scopes)
            client = await stack.enter_async_context(browser(app))
            response = await client.post("/console/sign-in", data={"key": new.secret})
            assert response.status_code == 303, response.text
            return Person(client, new.secret)

        yield person


@pytest.fixture
async def admin(person_with: PersonWith) -> Person:
    """An administrator."""
    return await person_with("admin")


@pytest.fixture
async def other_account(services: Services) -> Account:
    return (await create_account(services, "Blaise's courses")).account


@pytest.fixture
async def endpoint(services: Services, account: Account) -> Endpoint:
    """A Kit webhook for every tag that is added."""
    return await create_endpoint(services, account.id, "kit", TARGET, [Subscription("subscriber.tag_add")])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with running_dev() as dev, async_playwright() as playwright:
        browser = await started_browser(playwright)
        headers = {"Authorization": f"Bearer {dev['admin_key']}"}
        async with httpx.AsyncClient(base_url=dev["url"], headers=headers, timeout=20) as platform:
            yield Stage(dev["url"], platform, browser)
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def site(stage: Stage) -> AsyncIterator[Site]:
    account = (await stage.platform.post("/api/v1/accounts", json={"name": "Ada's courses"})).json()
    async with Receiver() as receiver:
        site = Site(stage, account["id"], receiver)
        await site.add_endpoint()
        yield site


@pytest_asyncio.fixture(loop_scope="module")
async def failed(site: Site) -> str:
    """The path of a delivery that failed, after three that succeeded."""
    for type in ("contact.created", "contact.tag_added", "contact.unsubscribed"):
        await site.publish(type)
    await site.receiver.wait_for(3, PATIENCE_MILLIS / 1000)
    site.receiver.answer(302, headers={"location": "https://new.example.com/hooks"})
    await site.publish()
    await site.receiver.wait_for(4, PATIENCE_MILLIS / 1000)
    async with site.page("/console/deliveries?q=status:failed") as page:
        path = await page.locator("#rows a").first.get_attribute("href")
    assert path is not None
    return path
