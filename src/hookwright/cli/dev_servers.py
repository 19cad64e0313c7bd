"""Which `hookwright dev` runs here: each says so in a file, so that the next command needs neither URL nor key.

The file is its user's own, in a folder that nobody else may write to: whoever writes it is published to. A server
that was killed leaves it behind, so a server is only taken for running when it knows its key.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from hookwright.cli.credentials import keep_private
from hookwright.cli.server_calls import Refused, Server, Unreachable
from hookwright.core.errors import HookwrightError

LOOK_SECONDS = 2.0
FOLDER = "hookwright-running"


class SeveralRun(HookwrightError):
    """More than one could be meant."""


class DevServer(Struct, frozen=True):
    """A `hookwright dev`: where it is, and what it needs to be asked with."""

    url: str
    database_url: str
    account_id: int
    admin_key: str


@contextmanager
def announced(server: DevServer) -> Iterator[None]:
    """Say that this server runs, as long as it does. Where that cannot be said, nobody finds it; that is all."""
    path = _folder() / f"{urlsplit(server.url).port}.json"
    with suppress(OSError):
        _folder().mkdir(mode=0o700, exist_ok=True)
        if _is_ours(_folder()):
            keep_private(path, server)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
            path.parent.rmdir()  # unless others run


def running_server(url: str | None = None) -> DevServer | None:
    """The `hookwright dev` of this user that runs, at this URL if one is given. Raises SeveralRun."""
    running = [each for each in _announced() if url in (None, each.url) and _answers(each)]
    if len(running) > 1:
        known = ", ".join(f"{each.url} (--database {each.database_url})" for each in running)
        raise SeveralRun(f"several `hookwright dev` run; say which by --url or --database: {known}")
    return running[0] if running else None


def _announced() -> list[DevServer]:
    try:
        paths = sorted(_folder().glob("*.json")) if _is_ours(_folder()) else []
        return [msgspec.json.decode(path.read_bytes(), type=DevServer) for path in paths]
    except (OSError, msgspec.DecodeError):
        return []


def _answers(server: DevServer) -> bool:
    try:
        Server(server.url, server.admin_key).send("GET", f"/accounts/{server.account_id}", seconds=LOOK_SECONDS)
    except (Unreachable, Refused):
        return False
    return True


def _folder() -> Path:
    return Path(tempfile.gettempdir()) / f"{FOLDER}-{_user_id()}"


def _is_ours(folder: Path) -> bool:
    """Whether nobody else can have written to a folder: that for temporary files is everybody's on many systems."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == _user_id() and not found.st_mode & 0o022


def _user_id() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0  # Windows: its folder is the user's own, and st_uid is 0
