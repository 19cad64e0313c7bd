import pytest

from hookwright.core.errors import Invalid, NotFound, Unauthorized
from hookwright.operations.apps import authenticate_app, create_app, delete_app, find_app, redirect_uri_problem
from hookwright.operations.services import Services

REDIRECT_URI = "https://app.example.com/callback"


async def test_an_app_is_found_by_its_client_id(services: Services) -> None:
    app, client_id, secret = await create_app(services, "Zap", [REDIRECT_URI], confidential=True)
    assert client_id.startswith("kitapp_")
    assert secret is not None
    assert secret.startswith("kitappsec_")
    assert await find_app(services, client_id) == app
    for unknown in ("", "kitapp_", "kitapp_zzzz", client_id.upper(), f"{client_id}_x", f"x{client_id}"):
        assert await find_app(services, unknown) is None


async def test_a_confidential_app_proves_itself_by_its_secret(services: Services) -> None:
    app, client_id, secret = await create_app(services, "Zap", [REDIRECT_URI], confidential=True)
    assert await authenticate_app(services, client_id, secret) == app
    for wrong in (None, "", "wrong", f"{secret}x"):
        with pytest.raises(Unauthorized):
            await authenticate_app(services, client_id, wrong)


async def test_a_public_app_has_no_secret(services: Services) -> None:
    app, client_id, secret = await create_app(services, "Plugin", [REDIRECT_URI], confidential=False)
    assert secret is None
    assert await authenticate_app(services, client_id, None) == app
    with pytest.raises(Unauthorized):
        await authenticate_app(services, client_id, "anything")


async def test_a_deleted_app_is_gone(services: Services) -> None:
    app, client_id, _ = await create_app(services, "Zap", [REDIRECT_URI], confidential=True)
    await delete_app(services, app.id)
    assert await find_app(services, client_id) is None
    with pytest.raises(NotFound):
        await delete_app(services, app.id)


@pytest.mark.parametrize(
    "uri",
    [
        REDIRECT_URI,
        "https://app.example.com:8443/a?b=c",
        "http://localhost/callback",
        "http://127.0.0.1:3000/",
        "http://[::1]:3000/",
    ],
)
def test_https_and_loopback_can_be_redirected_to(uri: str) -> None:
    assert redirect_uri_problem(uri) is None


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/callback",
        "app.example.com/callback",
        "http://app.example.com/",
        "http://localhost.example.com/",
        "myapp://callback",
        "javascript:alert(1)",
        "https://",
        "https:///callback",
        "https://app.example.com/#",
        "https://app.example.com/#part",
        "https://user@app.example.com/",
        "https://app.example.com:port/",
        "https://app.example.com;script-src/",
        "https://app.example.com\\@evil.example/",
        "https://app.example.com/a b",
        "https://app.example.com/\r\nSet-Cookie: a=b",
        "https://[::1/",
        "https://bücher.example/",
        "https://app.example.com/" + "a" * 2000,
    ],
)
def test_anything_else_cannot_be_redirected_to(uri: str) -> None:
    assert redirect_uri_problem(uri)


async def test_what_is_wrong_with_an_app_is_named(services: Services) -> None:
    for name, redirect_uris, pointer in (
        (" ", [REDIRECT_URI], "/name"),
        ("a" * 201, [REDIRECT_URI], "/name"),
        ("Zap", [], "/redirect_uris"),
        ("Zap", [REDIRECT_URI, "ftp://example.com/"], "/redirect_uris/1"),
    ):
        with pytest.raises(Invalid) as refused:
            await create_app(services, name, redirect_uris, confidential=True)
        assert [problem.pointer for problem in refused.value.problems] == [pointer]
