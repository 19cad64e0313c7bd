"""Accounts, sites, keys and apps: what administrators see and change, and who is none."""

import re

import pytest

from console.conftest import Person, PersonWith
from hookwright.console.surface import CONFIRMATIONS_A_MINUTE
from hookwright.core.model import Account
from hookwright.core.signing import decode_secret
from hookwright.operations.accounts import create_account, create_site
from hookwright.operations.apps import create_app
from hookwright.operations.keys import authenticate_key, create_key
from hookwright.operations.services import Services

SECTIONS = ("/console/accounts", "/console/keys", "/console/apps", "/console/audit")
WHSEC = re.compile(r"whsec_[A-Za-z0-9+/=]+")
KEY = re.compile(r"hw_[0-9a-z]+_[0-9a-f]{72}")


async def test_an_account_is_created_and_its_secret_is_shown_once(admin: Person, services: Services) -> None:
    response = await admin.send("/console/accounts", name="Grace's courses")
    assert decode_secret(WHSEC.findall(response.text)[0])
    (account,) = await services.store.accounts()
    assert account.name == "Grace's courses"
    again = await admin.get(f"/console/accounts/{account.id}")
    assert "Grace&#39;s courses" in again
    assert not WHSEC.search(again)


async def test_an_account_without_a_name_is_refused_in_words(admin: Person) -> None:
    response = await admin.send("/console/accounts", name=" ")
    assert response.status_code == 422
    assert "Name can&#39;t be blank." in response.text


async def test_many_accounts_are_shown_in_pages(admin: Person, services: Services) -> None:
    for number in range(52):
        await create_account(services, f"Account {number}")
    page = await admin.get("/console/accounts")
    assert page.count('<td class="what">') == 50
    more = re.search(r'href="(/console/accounts\?after=\d+)"', page)
    assert more is not None
    assert (await admin.get(more[1])).count('<td class="what">') == 2


async def test_an_account_is_deleted_only_by_its_name(admin: Person, services: Services, account: Account) -> None:
    path = f"/console/accounts/{account.id}/delete"
    assert (await admin.send(path, name="Ada")).status_code == 422
    assert await services.store.account(account.id) is not None
    assert (await admin.send(path, name=account.name)).status_code == 303
    assert await services.store.account(account.id) is None


async def test_sites_are_created_and_deleted(admin: Person, services: Services, account: Account) -> None:
    await admin.send(f"/console/accounts/{account.id}/sites", title="Compilers")
    (site,) = await services.store.sites(account.id)
    assert "Compilers" in await admin.get(f"/console/accounts/{account.id}")
    await admin.send(f"/console/accounts/{account.id}/sites/{site.id}/delete")
    assert await services.store.sites(account.id) == []


@pytest.mark.parametrize("what", ["secrets", "secrets/rotate"])
async def test_signing_secrets_are_shown_and_rotated_only_to_who_gives_the_sessions_key_again(
    services: Services, account: Account, admin: Person, what: str
) -> None:
    other = (await create_key(services, "hookwright", None, "Other", ("admin",))).secret
    path = f"/console/accounts/{account.id}/{what}"
    for wrong in ("", "hw_nonsense", other):
        refused = await admin.send(path, key=wrong)
        assert (refused.status_code, WHSEC.search(refused.text)) == (403, None)
        assert "not the key that you signed in with" in refused.text
    assert WHSEC.search((await admin.send(path, key=admin.secret)).text)


async def test_the_key_that_is_asked_for_again_cannot_be_tried_for_ever(account: Account, admin: Person) -> None:
    path = f"/console/accounts/{account.id}/secrets"
    for _ in range(CONFIRMATIONS_A_MINUTE):
        await admin.send(path, key="hw_nonsense")
    refused = await admin.send(path, key=admin.secret)
    assert (refused.status_code, WHSEC.search(refused.text)) == (403, None)
    assert "Too many tries." in refused.text


async def test_a_signing_secret_is_rotated_no_more_often_than_may_be(admin: Person, account: Account) -> None:
    path = f"/console/accounts/{account.id}/secrets/rotate"
    for _ in range(9):
        assert WHSEC.search((await admin.send(path, key=admin.secret)).text)
    refused = await admin.send(path, key=admin.secret)
    assert refused.status_code == 409
    assert "are live already" in refused.text


async def test_a_key_is_created_rotated_and_deleted(admin: Person, services: Services, account: Account) -> None:
    made = await admin.send("/console/keys", name="Platform", kind="hookwright", scope=["publish", "read"], days="30")
    secret = KEY.findall(made.text)[0]
    key = await authenticate_key(services, "hookwright", secret)
    assert (key.scopes, key.account_id, key.expires_at is None) == (("publish", "read"), None, False)
    rotated = await admin.send(f"/console/keys/{key.id}/rotate")
    assert secret not in rotated.text
    assert await authenticate_key(services, "hookwright", KEY.findall(rotated.text)[0])
    await admin.send(f"/console/keys/{key.id}/delete")
    assert await services.store.key(key.id) is None


async def test_a_vendors_key_belongs_to_an_account(admin: Person, services: Services, account: Account) -> None:
    assert (await admin.send("/console/keys", name="Zapier", kind="kit")).status_code == 422
    made = await admin.send("/console/keys", name="Zapier", kind="kajabi", account=str(account.id))
    assert "kjsec_" in made.text
    (key,) = await services.store.keys(account.id)
    assert (key.kind, key.scopes) == ("kajabi", ("owner",))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "hookwright", "name": "A"}, "at least one scope"),
        ({"kind": "hookwright", "name": "A", "scope": "everything"}, "unknown scope everything"),
        ({"kind": "hookwright", "name": " ", "scope": "read"}, "be blank"),
        ({"kind": "nothing", "name": "A"}, "must be one of"),
        ({"kind": "kit", "name": "A", "account": "x"}, "no account x"),
        ({"kind": "kit", "name": "A", "account": "9999999"}, "does not exist"),
        ({"kind": "kit", "name": "A\0", "account": "64"}, "NUL"),
    ],
)
async def test_what_is_wrong_with_a_key_is_said(admin: Person, fields: dict[str, str], words: str) -> None:
    response = await admin.send("/console/keys", **fields)
    assert response.status_code == 422
    assert words in response.text


async def test_an_app_is_created_with_its_secret_and_deleted(admin: Person, services: Services) -> None:
    uris = "https://app.example.com/callback\r\nhttps://app.example.com/other"
    made = await admin.send("/console/apps", name="Zapier", redirect_uris=uris)
    assert "kitappsec_" in made.text
    (app,) = await services.store.apps()
    assert len(app.redirect_uris) == 2
    assert "kitappsec_" not in await admin.get("/console/apps")
    await admin.send(f"/console/apps/{app.id}/delete")
    assert await services.store.apps() == []


async def test_an_app_with_a_redirect_to_nowhere_is_refused(admin: Person) -> None:
    refused = await admin.send("/console/apps", name="Zapier", redirect_uris="javascript:alert(1)")
    assert refused.status_code == 422
    assert "Redirect uris 1. must be" in refused.text


@pytest.mark.parametrize("scope", ["read", "manage"])
async def test_who_does_not_administer_has_none_of_it(person_with: PersonWith, scope: str) -> None:
    person = await person_with(scope)
    home = await person.get("/console")
    for path in SECTIONS:
        assert f'href="{path}"' not in home
        await person.get(path, status=403)
    assert (await person.send("/console/keys", name="A", kind="hookwright", scope="admin")).status_code == 403


async def test_an_accounts_administrator_has_its_own_account_and_keys_and_no_apps(
    person_with: PersonWith, services: Services, account: Account, other_account: Account
) -> None:
    person = await person_with("admin", of=account)
    await create_key(services, "kit", other_account.id, "Theirs", ())
    await create_site(services, account.id, "Compilers")
    await create_app(services, "Zapier", ["https://app.example.com/"], confidential=True)
    accounts = await person.get("/console/accounts")
    assert "Ada&#39;s courses" in accounts
    assert "Blaise" not in accounts
    assert "Compilers" in await person.get(f"/console/accounts/{account.id}")
    assert "Theirs" not in await person.get("/console/keys")
    await person.get("/console/keys", status=404, account=other_account.id)
    await person.get("/console/apps", status=403)
    assert (await person.send("/console/accounts", name="Third")).status_code == 403
    assert (await person.send("/console/apps", name="A", redirect_uris="https://a.example.com/")).status_code == 403
    made = await person.send("/console/keys", name="A", kind="hookwright", scope="admin")
    assert (await authenticate_key(services, "hookwright", KEY.findall(made.text)[0])).account_id == account.id
    theirs = {"name": "A", "kind": "kit", "account": str(other_account.id)}
    assert (await person.send("/console/keys", **theirs)).status_code == 404


async def test_a_refused_form_keeps_what_was_typed_and_marks_what_is_wrong(admin: Person, account: Account) -> None:
    key = await admin.send("/console/keys", kind="kit", name="Zapier", account="9999999", days="90")
    assert 'value="Zapier"' in key.text
    assert "<option selected>kit</option>" in key.text
    assert '<option value="90" selected>' in key.text
    assert 'value="9999999"' in key.text
    assert key.text.count('aria-invalid="true" aria-describedby="problem"') == 1
    link = await admin.send(
        f"/console/accounts/{account.id}/portal-links", name="Ada", logo="http://x", lasts="86400", may_change="yes"
    )
    assert 'value="Ada"' in link.text
    assert 'value="http://x" aria-invalid="true"' in link.text
    assert '<option value="86400" selected>' in link.text
    assert 'name="may_change" value="yes" checked>' in link.text
    app = await admin.send("/console/apps", name="Courses", redirect_uris="nowhere")
    assert 'value="Courses"' in app.text
    assert 'aria-invalid="true" aria-describedby="problem">nowhere</textarea>' in app.text


async def test_a_refused_deletion_is_asked_for_again_where_it_was(admin: Person, account: Account) -> None:
    page = (await admin.send(f"/console/accounts/{account.id}/delete", name="another")).text
    asked = page.partition('<details class="confirm" open>')[2]
    assert asked.startswith('<summary class="button small danger">Delete account…')
    assert 'aria-invalid="true" aria-describedby="problem"' in asked.partition("</details>")[0]
