"""A request as a command and as a test, to copy."""

from __future__ import annotations

import re
import shlex

from hookwright.operations.sent_requests import SentRequest

# Longer ones nobody pastes, and the page would grow with them.
MOST_COPIED = 6_000

CURL = "curl -i {url} \\\n{headers}\n  --data-binary {body}"

PYTEST = """import httpx

BODY = {body!r}
HEADERS = {{
{headers}
}}


def test_the_receiver_takes_{name}() -> None:
    # Its signature is from that time: let the receiver's clock tolerance be wide here, or sign BODY anew.
    response = httpx.post("http://127.0.0.1:8000{path}", content=BODY, headers=HEADERS)
    assert response.is_success, response.text
"""


def as_curl(sent: SentRequest) -> str | None:
    """A command that sends the same bytes and headers; None for a body that no command line holds."""
    try:
        body = sent.body.decode()
    except UnicodeDecodeError:
        return None
    if len(body) > MOST_COPIED or "\0" in body:
        return None
    headers = [f"  -H {shlex.quote(f'{name}: {value}')} \\" for name, value in _headers(sent).items()]
    # curl takes a body that begins with @ for the name of a file.
    flag = "--data-raw" if body.startswith("@") else "--data-binary"
    text = CURL.format(url=shlex.quote(sent.url), headers="\n".join(headers), body=shlex.quote(body))
    return text.replace("--data-binary", flag, 1)


def as_pytest(sent: SentRequest, event_type: str) -> str | None:
    """A test that sends the same bytes and headers to a receiver on this machine."""
    if len(sent.body) > MOST_COPIED:
        return None
    headers = "\n".join(f"    {name!r}: {value!r}," for name, value in _headers(sent).items())
    path = re.sub(r"^\w+://[^/]*", "", sent.url) or "/"
    return PYTEST.format(
        body=sent.body,
        headers=headers,
        name=re.sub(r"\W", "_", event_type),
        path=path.replace("\\", "\\\\").replace('"', '\\"'),
    )


def _headers(sent: SentRequest) -> dict[str, str]:
    """The headers; those whose values we do not show have a place to write them."""
    return {**dict.fromkeys(sent.custom, "…"), **sent.headers}
