"""Stylesheet, script and icon: under a name that changes with their content, so that browsers may keep them."""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import sha256
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from hookwright.console.surface import PREFIX
from hookwright.core.errors import NotFound

MEDIA_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
KEPT_FOR_A_YEAR = "public, max-age=31536000, immutable"


def asset_path(name: str) -> str:
    """Where a file is served, by what it holds."""
    return f"{PREFIX}/static/{_digest(name)}/{name}"


async def show_asset(request: Request) -> Response:
    """A file of the console. An old name of it, from a page of an older version, is not there any more."""
    name = request.path_params["name"]
    if name not in _names() or request.path_params["digest"] != _digest(name):
        raise NotFound("There is nothing here.")
    headers = {"Cache-Control": KEPT_FOR_A_YEAR, "Vary": "Accept-Encoding"}
    content = _content(name)
    # Pages themselves are not compressed: from the length of one that repeats what somebody asked beside the token of
    # its forms, that token can be guessed (https://breachattack.com).
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["Content-Encoding"] = _compressed(name), "gzip"
    return Response(content, media_type=MEDIA_TYPES[name.rpartition(".")[2]], headers=headers)


@cache
def _names() -> frozenset[str]:
    return frozenset(file.name for file in _folder().iterdir() if file.name.rpartition(".")[2] in MEDIA_TYPES)


@cache
def _content(name: str) -> bytes:
    return _folder().joinpath(name).read_bytes()


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress(_content(name))


@cache
def _digest(name: str) -> str:
    return sha256(_content(name)).hexdigest()[:16]


_folder = cache(lambda: files(__package__).joinpath("static"))
