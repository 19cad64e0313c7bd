"""The audit trail as administrators see it."""

import re
from typing import Any

from console.conftest import Person, PersonWith
from hookwright.ambient import MovableClock
from hookwright.core.model import Account
from hookwright.operations.accounts import create_site
from hookwright.operations.services import Services


async def test_what_somebody_changes_is_there_with_who_and_how(
    admin: Person, services: Services, account: Account
) -> None:
    await admin.send("/console/keys", name="Platform", kind="hookwright", scope="publish")
    page = await admin.get("/console/audit")
    assert "created a key" in page
    assert "Grace" in page
    assert '<span class="status">console</span>' in page
    assert "hw_" not in page


async def test_filters_leave_the_rest_out(
    person_with: PersonWith, services: Services, account: Account, clock: MovableClock
) -> None:
    site = await create_site(services, account.id, "Compilers")
    clock.move(hours=2)
    admin = await person_with("admin")
    await admin.send(f"/console/accounts/{account.id}/secrets/rotate", key=admin.secret)

    async def shown(**filters: Any) -> list[str]:
        page = await admin.get("/console/audit", **filters)
        return re.findall(r"<td>(\w+ an? [\w ]+)</td>", page)

    assert (await shown())[:2] == ["rotated a signing secret", "created a key"]
    assert await shown(action="site.*") == ["created a site"]
    assert await shown(object=site.id) == ["created a site"]
    assert await shown(way="console") == ["rotated a signing secret"]
    assert await shown(span="1h") == ["rotated a signing secret", "created a key"]
    assert await shown(account=64 * 999) == []
    assert len(await shown(action="nonsense", way="nonsense", span="x", who="x", before="x-y")) == 4


async def test_older_changes_are_a_page_further(admin: Person, services: Services, account: Account) -> None:
    for number in range(60):
        await create_site(services, account.id, f"Site {number}")
    page = await admin.get("/console/audit", action="site.created")
    assert page.count("created a site</td>") == 50
    older = re.search(r'href="(/console/audit\?[^"]+before=[^"]+)"', page)
    assert older is not None
    assert (await admin.get(older[1].replace("&amp;", "&"))).count("created a site</td>") == 10


async def test_an_accounts_administrator_sees_what_was_changed_there(
    person_with: PersonWith, services: Services, account: Account, other_account: Account
) -> None:
    await create_site(services, other_account.id, "Theirs")
    await create_site(services, account.id, "Ours")
    person = await person_with("admin", of=account)
    page = await person.get("/console/audit", account=other_account.id)
    assert page.count("created a site</td>") == 1
    assert str(other_account.id) not in re.findall(r'<td class="mono">(\d+)</td>', page)
