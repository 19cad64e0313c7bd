"""Commands with what they name elsewhere put on loopback: nothing that a page does leaves this machine.

Hosts below example.com stand for the test's receiver, the usual ports for free ones, `db` for the test's PostgreSQL.
"""

from __future__ import annotations

import random
import re
import socket
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

_SERVICE_URL = "https://hookwright.example.com"
_EXAMPLE_URL = re.compile(r"https?://(?:[\w-]+\.)*example\.com")
_EXAMPLE_DATABASE = re.compile(r"postgresql://\S*@db/hookwright")
_EXAMPLE_PORT = re.compile(r"\b(?:3000|8080|8090|9000)\b")
_EVERY_ADDRESS = "--host 0.0.0.0"
# Below those that Linux gives to connections: a page may come to its port minutes after it was chosen.
NEVER_GIVEN_OUT = range(20_000, 32_000)
_URL_HOST = re.compile(r"\b[a-z]+://(?:[^@\s/]*@)?([^\s/:\"'\\)$]+)")
_OURS = ("127.0.0.1", "localhost", "[")


class Stand(NamedTuple):
    """What a page runs against: variables that it states, the receiver's URL, the port that 8080 and 8090 mean."""

    variables: Mapping[str, str]
    receiver_url: str
    port: int | None


class Ports:
    """Free ports in place of the usual ones that pages name, one for each; 3000 is the receiver's."""

    def __init__(self, stand: Stand) -> None:
        self._given = {"3000": urlsplit(stand.receiver_url).port or 0}
        if stand.port is not None:
            self._given |= {"8080": stand.port, "8090": stand.port}

    def __call__(self, found: re.Match[str]) -> str:
        return str(self._given.setdefault(found[0], 0) or self._take(found[0]))

    def _take(self, name: str) -> int:
        self._given[name] = next(port for port in random.sample(NEVER_GIVEN_OUT, 1_000) if _is_free(port))
        return self._given[name]


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def at_home(text: str, stand: Stand, ports: Ports) -> str:
    """The commands with what they name elsewhere put on loopback. Raises AssertionError over a host that remains."""
    text = text.replace(_SERVICE_URL, "$BASE").replace(_EVERY_ADDRESS, "--host 127.0.0.1")
    text = _EXAMPLE_DATABASE.sub("$TEST_DATABASE_URL", text)
    text = _EXAMPLE_PORT.sub(ports, _EXAMPLE_URL.sub(stand.receiver_url, text))
    elsewhere = [host for host in _URL_HOST.findall(text) if not host.startswith(_OURS)]
    assert not elsewhere, f"a block would go to {elsewhere}: use example.com, or put it in NOT_RUN with its reason"
    return text
