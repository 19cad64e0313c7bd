"""OAuth 2 by an outside client: the consent page, codes, tokens, revocation."""

from collections.abc import AsyncIterator

import httpx
import pytest

from hookwright.ambient import MovableClock
from hookwright.core.model import Account
from hookwright.dialects.base import DialectSettings
from hookwright.dialects.kit import KIT
from hookwright.dialects.kit.tokens import verifies
from hookwright.operations.accounts import create_account
from hookwright.operations.apps import NewApp, create_app, delete_app
from hookwright.operations.services import Services

from .clients import (
    CHALLENGE,
    REDIRECT_URI,
    VERIFIER,
    Page,
    account_with,
    asking,
    challenge_of,
    client_of,
    consented_code,
    consented_tokens,
    naming,
    open_consent,
    press,
    redeem,
    redirected,
    refresh,
)

PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


@pytest.fixture
async def confidential(services: Services) -> NewApp:
    return await create_app(services, "Zap <b>&</b> Sons", [REDIRECT_URI], confidential=True)


@pytest.fixture
async def public(services: Services) -> NewApp:
    return await create_app(services, "WordPress plugin", [REDIRECT_URI], confidential=False)


@pytest.fixture
async def developer(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API as `hookwright dev` serves it: nobody signs in."""
    app = KIT.build_app(services, DialectSettings(sign_in_on_consent=False, access_token_seconds=60))
    async with client_of(app) as client:
        yield client


def error_of(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, body["error"]


# -- the consent page ------------------------------------------------------------------------------------------


async def test_a_confidential_client_goes_all_the_way(
    anyone: httpx.AsyncClient, confidential: NewApp, api_key: str, account: Account, clock: MovableClock
) -> None:
    page = await open_consent(anyone, asking(confidential, state="a b&c", tenant_name="my-blog.example"))
    assert "Zap <b>&</b> Sons" in page.text
    assert "my-blog.example" in page.text
    assert page.forms[0].types["api_key"] == "password"
    back = redirected(await press(anyone, page, "allow", {"api_key": api_key}))
    assert back["state"] == "a b&c"
    answer = await redeem(anyone, confidential, back["code"])
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    assert list(tokens) == ["access_token", "token_type", "expires_in", "refresh_token", "scope", "created_at"]
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 172_800, "public")
    assert tokens["created_at"] == clock.now() // 1_000_000
    assert (await account_with(anyone, tokens["access_token"])).json()["account"]["id"] == account.id


async def test_a_public_client_proves_itself_by_pkce(anyone: httpx.AsyncClient, public: NewApp, api_key: str) -> None:
    page = await open_consent(anyone, asking(public, **PKCE), "/oauth/authorize")
    assert page.forms[0].action == "/oauth/authorize"
    code = redirected(await press(anyone, page, "allow", {"api_key": api_key}))["code"]
    body = {
        "client_id": public.client_id,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    answer = await anyone.post("/oauth/token", data=body)
    assert answer.status_code == 200
    assert (await account_with(anyone, answer.json()["access_token"])).status_code == 200


async def test_the_page_has_no_script_and_cannot_be_framed(anyone: httpx.AsyncClient, confidential: NewApp) -> None:
    answer = await anyone.get("/v4/oauth/authorize", params=asking(confidential, state='"><script>alert(1)</script>'))
    page = Page(answer.text)
    assert not page.has_script
    assert page.forms[0].values["state"] == '"><script>alert(1)</script>'
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://app.example.com;" in policy
    assert answer.headers["cache-control"] == "no-store"
    # `no-referrer` would make browsers send `Origin: null` with the form.
    assert answer.headers["referrer-policy"] == "same-origin"


async def test_a_person_may_say_no_without_signing_in(anyone: httpx.AsyncClient, confidential: NewApp) -> None:
    page = await open_consent(anyone, asking(confidential, state="s"))
    back = redirected(await press(anyone, page, "deny"))
    assert (back["error"], back["state"], "code" in back) == ("access_denied", "s", False)


@pytest.mark.parametrize("typed", ["", "wrong", "kit_1_00"])
async def test_a_wrong_key_shows_the_page_again(anyone: httpx.AsyncClient, confidential: NewApp, typed: str) -> None:
    page = await open_consent(anyone, asking(confidential, state="s"))
    answer = await press(anyone, page, "allow", {"api_key": typed})
    assert answer.status_code == 401
    again = Page(answer.text)
    assert "no API key" in again.text
    assert again.forms[0].values == {**page.forms[0].values, "api_key": ""}


async def test_an_unknown_client_is_told_on_a_page(anyone: httpx.AsyncClient, confidential: NewApp) -> None:
    for client_id in ("", "kitapp_zzz", "nonsense", confidential.client_id + "x"):
        answer = await anyone.get("/v4/oauth/authorize", params={**asking(confidential), "client_id": client_id})
        assert answer.status_code == 400
        assert "not known here" in Page(answer.text).text


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "",
        "https://evil.example/",
        "https://app.example.com/oauth/callback",
        REDIRECT_URI + "&x=1",
        REDIRECT_URI.upper(),
    ],
)
async def test_a_redirect_uri_must_match_to_the_letter(
    anyone: httpx.AsyncClient, confidential: NewApp, api_key: str, redirect_uri: str
) -> None:
    asked = {**asking(confidential), "redirect_uri": redirect_uri}
    shown = await anyone.get("/v4/oauth/authorize", params=asked)
    posted = await anyone.post("/v4/oauth/authorize", data={**asked, "api_key": api_key})
    for answer in (shown, posted):
        assert (answer.status_code, "location" in answer.headers) == (400, False)
        assert "redirect_uri" in Page(answer.text).text


async def test_a_parameter_that_comes_twice_is_refused_on_a_page(
    anyone: httpx.AsyncClient, confidential: NewApp
) -> None:
    query = httpx.QueryParams(asking(confidential)).add("redirect_uri", "https://evil.example/")
    answer = await anyone.get("/v4/oauth/authorize", params=query)
    assert (answer.status_code, "location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "public everything"}, "invalid_scope"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
    ],
)
async def test_other_faults_go_back_to_the_app(
    anyone: httpx.AsyncClient, confidential: NewApp, api_key: str, change: dict[str, str], error: str
) -> None:
    asked = {**asking(confidential, state="s"), **change}
    shown = redirected(await anyone.get("/v4/oauth/authorize", params=asked))
    posted = redirected(await anyone.post("/v4/oauth/authorize", data={**asked, "api_key": api_key}))
    for back in (shown, posted):
        assert (back["error"], back["state"], "code" in back) == (error, "s", False)


async def test_a_public_client_must_use_pkce(anyone: httpx.AsyncClient, public: NewApp) -> None:
    back = redirected(await anyone.get("/v4/oauth/authorize", params=asking(public)))
    assert back["error"] == "invalid_request"


async def test_a_scope_that_is_asked_for_is_given(
    anyone: httpx.AsyncClient, confidential: NewApp, api_key: str
) -> None:
    code = await consented_code(anyone, confidential, api_key, scope="read write")
    assert (await redeem(anyone, confidential, code)).json()["scope"] == "read write"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
async def test_a_form_from_another_site_is_refused(
    developer: httpx.AsyncClient, confidential: NewApp, account: Account, headers: dict[str, str]
) -> None:
    page = await open_consent(developer, asking(confidential))
    answer = await press(developer, page, "allow", headers=headers)
    assert (answer.status_code, "location" in answer.headers) == (403, False)


async def test_in_development_nobody_signs_in_and_the_first_account_is_chosen(
    developer: httpx.AsyncClient, confidential: NewApp, account: Account, services: Services
) -> None:
    other = (await create_account(services, "Bob")).account
    page = await open_consent(developer, asking(confidential))
    form = page.forms[0]
    assert "api_key" not in form.values
    assert form.options["account"] == [str(account.id), str(other.id)]
    assert form.values["account"] == str(account.id)
    code = redirected(await press(developer, page, "allow", {"account": str(other.id)}))["code"]
    tokens = (await redeem(developer, confidential, code)).json()
    assert tokens["expires_in"] == 60
    assert (await account_with(developer, tokens["access_token"])).json()["account"]["id"] == other.id


async def test_in_development_every_account_is_offered_however_many_there_are(
    developer: httpx.AsyncClient, confidential: NewApp, account: Account, services: Services
) -> None:
    # One more than the store lists at a time.
    newest = [(await create_account(services, f"Test {number}")).account for number in range(100)][-1]
    page = await open_consent(developer, asking(confidential))
    assert len(page.forms[0].options["account"]) == 101
    assert "code" in redirected(await press(developer, page, "allow", {"account": str(newest.id)}))


@pytest.mark.parametrize("chosen", ["", "0", "999", "²", "9" * 5000])
async def test_in_development_an_account_must_be_one_of_those_offered(
    developer: httpx.AsyncClient, confidential: NewApp, account: Account, chosen: str
) -> None:
    page = await open_consent(developer, asking(confidential))
    assert (await press(developer, page, "allow", {"account": chosen})).status_code == 401


async def test_in_production_choosing_an_account_proves_nothing(
    anyone: httpx.AsyncClient, confidential: NewApp, account: Account
) -> None:
    page = await open_consent(anyone, asking(confidential))
    assert (await press(anyone, page, "allow", {"account": str(account.id)})).status_code == 401


# -- codes -----------------------------------------------------------------------------------------------------


def test_a_verifier_is_checked_as_the_rfc_shows() -> None:
    assert verifies(VERIFIER, CHALLENGE)
    assert not verifies(VERIFIER[:-1] + "A", CHALLENGE)
    for verifier in ("", "a" * 42, "a" * 129, "a" * 42 + "!", "a" * 43 + "\n"):
        assert not verifies(verifier, challenge_of(verifier))


async def test_a_code_is_good_once_and_its_second_use_ends_what_it_bought(
    anyone: httpx.AsyncClient, public: NewApp, api_key: str
) -> None:
    code = await consented_code(anyone, public, api_key, **PKCE)
    tokens = (await redeem(anyone, public, code, code_verifier=VERIFIER)).json()
    renewed = (await refresh(anyone, public, tokens["refresh_token"])).json()
    again = await redeem(anyone, public, code, code_verifier="not the verifier")
    assert error_of(again) == (400, "invalid_grant")
    for pair in (tokens, renewed):
        assert (await account_with(anyone, pair["access_token"])).json() == {
            "errors": ["The access token was revoked"]
        }
    assert error_of(await refresh(anyone, public, renewed["refresh_token"])) == (400, "invalid_grant")


async def test_a_code_lives_for_a_minute(
    anyone: httpx.AsyncClient, confidential: NewApp, api_key: str, clock: MovableClock
) -> None:
    code = await consented_code(anyone, confidential, api_key)
    clock.move(seconds=60)
    assert error_of(await redeem(anyone, confidential, code)) == (400, "invalid_grant")


@pytest.mark.parametrize("verifier", [None, "", "a" * 43, CHALLENGE])
async def test_a_code_with_a_challenge_needs_its_verifier(
    anyone: httpx.AsyncClient, confidential: NewApp, api_key: str, verifier: str | None
) -> None:
    code = await consented_code(anyone, confidential, api_key, **PKCE)
    more = {} if verifier is None else {"code_verifier": verifier}
    assert error_of(await redeem(anyone, confidential, code, **more)) == (400, "invalid_grant")
    assert (await redeem(anyone, confidential, code, code_verifier=VERIFIER)).status_code == 200


async def test_a_verifier_without_a_challenge_is_refused(
    anyone: httpx.AsyncClient, confidential: NewApp, api_key: str
) -> None:
    code = await consented_code(anyone, confidential, api_key)
    assert error_of(await redeem(anyone, confidential, code, code_verifier=VERIFIER)) == (400, "invalid_grant")


async def test_a_code_is_bound_to_its_app_and_redirect_uri(
    anyone: httpx.AsyncClient, confidential: NewApp, services: Services, api_key: str
) -> None:
    other = await create_app(services, "Other", [REDIRECT_URI], confidential=True)
    code = await consented_code(anyone, confidential, api_key)
    assert error_of(await redeem(anyone, other, code)) == (400, "invalid_grant")
    elsewhere = await redeem(anyone, confidential, code, redirect_uri="https://app.example.com/")
    assert error_of(elsewhere) == (400, "invalid_grant")
    assert (await redeem(anyone, confidential, code)).status_code == 200


async def test_a_code_of_an_account_that_is_gone_buys_nothing(
    anyone: httpx.AsyncClient,
    confidential: NewApp,
    api_key: str,
    account: Account,
    services: Services,
    clock: MovableClock,
) -> None:
    code = await consented_code(anyone, confidential, api_key)
    await services.store.delete_account(account.id, clock.now())
    assert error_of(await redeem(anyone, confidential, code)) == (400, "invalid_grant")


# -- tokens ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_confidential", [True, False])
async def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_family(
    anyone: httpx.AsyncClient, api_key: str, services: Services, is_confidential: bool
) -> None:
    app = await create_app(services, "Zap", [REDIRECT_URI], is_confidential)
    first = await consented_tokens(anyone, app, api_key)
    second = (await refresh(anyone, app, first["refresh_token"])).json()
    assert list(second) == list(first)
    assert second["refresh_token"] != first["refresh_token"]
    assert (await account_with(anyone, second["access_token"])).status_code == 200
    assert error_of(await refresh(anyone, app, first["refresh_token"])) == (400, "invalid_grant")
    assert (await account_with(anyone, second["access_token"])).status_code == 401
    assert error_of(await refresh(anyone, app, second["refresh_token"])) == (400, "invalid_grant")


async def test_another_apps_refresh_token_is_refused_and_stays_good(
    anyone: httpx.AsyncClient, confidential: NewApp, public: NewApp, api_key: str
) -> None:
    tokens = await consented_tokens(anyone, confidential, api_key)
    assert error_of(await refresh(anyone, public, tokens["refresh_token"])) == (400, "invalid_grant")
    assert (await refresh(anyone, confidential, tokens["refresh_token"])).status_code == 200


async def test_a_refresh_token_outlives_its_access_token_but_not_for_ever(
    anyone: httpx.AsyncClient, confidential: NewApp, api_key: str, clock: MovableClock
) -> None:
    tokens = await consented_tokens(anyone, confidential, api_key)
    clock.move(hours=48)
    assert (await account_with(anyone, tokens["access_token"])).json() == {"errors": ["The access token expired"]}
    renewed = (await refresh(anyone, confidential, tokens["refresh_token"])).json()
    clock.move(days=91)
    assert error_of(await refresh(anyone, confidential, renewed["refresh_token"])) == (400, "invalid_grant")


async def test_an_access_token_is_no_refresh_token(
    anyone: httpx.AsyncClient, confidential: NewApp, api_key: str
) -> None:
    tokens = await consented_tokens(anyone, confidential, api_key)
    assert error_of(await refresh(anyone, confidential, tokens["access_token"])) == (400, "invalid_grant")
    assert (await account_with(anyone, tokens["refresh_token"])).status_code == 401


async def test_a_confidential_client_may_use_basic_authentication(
    anyone: httpx.AsyncClient, confidential: NewApp, api_key: str
) -> None:
    code = await consented_code(anyone, confidential, api_key)
    assert confidential.client_secret
    basic = httpx.BasicAuth(confidential.client_id, confidential.client_secret)
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
    assert (await anyone.post("/v4/oauth/token", data=body, auth=basic)).status_code == 200


async def test_a_secret_that_a_public_client_sends_with_its_refresh_token_is_not_looked_at(
    anyone: httpx.AsyncClient, public: NewApp, api_key: str
) -> None:
    secret = {"client_id": public.client_id, "client_secret": "it has none"}
    token = (await consented_tokens(anyone, public, api_key))["refresh_token"]
    body = {"grant_type": "refresh_token", "refresh_token": token, "redirect_uri": REDIRECT_URI}
    assert (await anyone.post("/v4/oauth/token", json={**secret, **body})).status_code == 200
    code = {"grant_type": "authorization_code", "code": "x", "redirect_uri": REDIRECT_URI}
    assert error_of(await anyone.post("/v4/oauth/token", json={**secret, **code})) == (401, "invalid_client")


async def test_an_unknown_or_unproven_client_is_refused(anyone: httpx.AsyncClient, confidential: NewApp) -> None:
    body = {"grant_type": "refresh_token", "refresh_token": "x"}
    for proof in (
        {},
        {"client_id": "kitapp_zzz"},
        {"client_id": confidential.client_id},
        {"client_id": confidential.client_id, "client_secret": "wrong"},
    ):
        answer = await anyone.post("/v4/oauth/token", json={**body, **proof})
        assert error_of(answer) == (401, "invalid_client")
        assert "www-authenticate" not in answer.headers
    answer = await anyone.post("/oauth/token", data=body, auth=(confidential.client_id, "wrong"))
    assert error_of(answer) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")
    broken = await anyone.post("/oauth/token", data=body, headers={"Authorization": "Basic %%%"})
    assert error_of(broken) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI}, "invalid_request"),
        ({"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI, "code": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": 4}, "invalid_request"),
    ],
)
async def test_what_is_missing_or_wrong_has_the_codes_of_the_rfc(
    anyone: httpx.AsyncClient, confidential: NewApp, body: dict[str, str], error: str
) -> None:
    answer = await anyone.post("/v4/oauth/token", json={**naming(confidential), **body})
    assert error_of(answer) == (400, error)


@pytest.mark.parametrize("content", [b"{", b"[]", b'"x"'])
async def test_a_json_body_must_be_an_object(anyone: httpx.AsyncClient, content: bytes) -> None:
    answer = await anyone.post("/v4/oauth/token", content=content, headers={"Content-Type": "application/json"})
    assert error_of(answer) == (400, "invalid_request")


async def test_parameters_may_come_in_parts(anyone: httpx.AsyncClient, confidential: NewApp) -> None:
    # What PHP's curl makes of CURLOPT_POSTFIELDS with an array.
    parts = {"grant_type": (None, "client_credentials")} | {k: (None, v) for k, v in naming(confidential).items()}
    assert (await anyone.post("/v4/oauth/token", files=parts)).status_code == 200
    answer = await anyone.post("/v4/oauth/token", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert error_of(answer) == (400, "invalid_request")


async def test_a_form_parameter_must_not_come_twice(anyone: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await anyone.post("/v4/oauth/token", content=b"grant_type=a&grant_type=b", headers=headers)
    assert error_of(answer) == (400, "invalid_request")


async def test_an_apps_own_token_is_issued_and_opens_nothing(
    anyone: httpx.AsyncClient, confidential: NewApp, public: NewApp
) -> None:
    # As linyiru/kit-rb observed on the vendor's API
    body = {"grant_type": "client_credentials"}
    answer = await anyone.post("/v4/oauth/token", json={**naming(confidential), **body})
    assert list(answer.json()) == ["access_token", "token_type", "expires_in", "scope", "created_at"]
    assert (await account_with(anyone, answer.json()["access_token"])).status_code == 401
    refused = await anyone.post("/v4/oauth/token", json={**naming(public), **body})
    assert error_of(refused) == (400, "unauthorized_client")


async def test_a_deleted_apps_tokens_stop(
    anyone: httpx.AsyncClient, confidential: NewApp, services: Services, api_key: str
) -> None:
    tokens = await consented_tokens(anyone, confidential, api_key)
    await delete_app(services, confidential.app.id)
    assert (await account_with(anyone, tokens["access_token"])).status_code == 401
    assert error_of(await refresh(anyone, confidential, tokens["refresh_token"])) == (401, "invalid_client")


# -- revocation ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "nonsense"])
async def test_revoking_either_token_ends_both_whatever_the_hint(
    anyone: httpx.AsyncClient, confidential: NewApp, api_key: str, which: str, hint: str | None
) -> None:
    tokens = await consented_tokens(anyone, confidential, api_key)
    hinted = {"token_type_hint": hint} if hint else {}
    answer = await anyone.post("/v4/oauth/revoke", data={**naming(confidential), "token": tokens[which], **hinted})
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await account_with(anyone, tokens["access_token"])).json() == {"errors": ["The access token was revoked"]}
    assert error_of(await refresh(anyone, confidential, tokens["refresh_token"])) == (400, "invalid_grant")


async def test_a_public_client_revokes_without_a_secret(
    anyone: httpx.AsyncClient, public: NewApp, api_key: str
) -> None:
    tokens = await consented_tokens(anyone, public, api_key)
    # As Kit/convertkit-wordpress-libraries asks
    body = {"client_id": public.client_id, "token": tokens["access_token"]}
    assert (await anyone.post("/oauth/revoke", json=body)).status_code == 200
    assert (await account_with(anyone, tokens["access_token"])).status_code == 401


async def test_an_expired_access_token_still_ends_its_refresh_token(
    anyone: httpx.AsyncClient, public: NewApp, api_key: str, clock: MovableClock
) -> None:
    tokens = await consented_tokens(anyone, public, api_key)
    clock.move(hours=49)
    for _ in range(2):
        answer = await anyone.post("/oauth/revoke", data={**naming(public), "token": tokens["access_token"]})
        assert answer.status_code == 200
    assert error_of(await refresh(anyone, public, tokens["refresh_token"])) == (400, "invalid_grant")


async def test_unknown_tokens_are_revoked_already(anyone: httpx.AsyncClient, public: NewApp) -> None:
    for token in ("nonsense", "kitat_1_00", "kitrt_1_00"):
        answer = await anyone.post("/v4/oauth/revoke", data={**naming(public), "token": token})
        assert answer.status_code == 200


async def test_an_app_cannot_revoke_anothers_tokens(
    anyone: httpx.AsyncClient, confidential: NewApp, public: NewApp, api_key: str
) -> None:
    tokens = await consented_tokens(anyone, confidential, api_key)
    answer = await anyone.post("/v4/oauth/revoke", data={**naming(public), "token": tokens["access_token"]})
    assert answer.status_code == 200
    assert (await account_with(anyone, tokens["access_token"])).status_code == 200


async def test_revocation_needs_a_known_client_and_a_token(anyone: httpx.AsyncClient, public: NewApp) -> None:
    assert error_of(await anyone.post("/v4/oauth/revoke", data={"token": "x"})) == (401, "invalid_client")
    assert error_of(await anyone.post("/v4/oauth/revoke", data=naming(public))) == (400, "invalid_request")
