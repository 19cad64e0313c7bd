"""Pages from templates. What they show is text: whatever a receiver or a publisher sent is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from hookwright.console import words
from hookwright.console.assets import asset_path
from hookwright.console.navigation import sections_for
from hookwright.console.surface import surface_of
from hookwright.core.portal import Look

THEME_COOKIE = "hookwright_theme"
THEMES = ("auto", "light", "dark")

_environment = Environment(
    loader=PackageLoader("hookwright.console", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def with_query(path: str, **parameters: object) -> str:
    """A path with those parameters that say something."""
    given = {name: value for name, value in parameters.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


_environment.globals.update(asset=asset_path, with_query=with_query, sections_for=sections_for, themes=THEMES)
_environment.filters.update(words.FILTERS)


def page(
    request: Request, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """A page from a template. Its theme is the one that the browser was told to remember."""
    look = getattr(request.state, "look", None)
    text = fragment(
        template, theme=theme_of(request), request=request, look=look, brand=_brand(request, look), **values
    )
    return HTMLResponse(text, status, headers)


def _brand(request: Request, look: Look | None) -> str:
    """Under whose name a page is shown. A portal that was given none has ours nowhere all the same."""
    if not surface_of(request).is_portal:
        return "Hookwright"
    return look.name if look is not None and look.name else "Webhooks"


def fragment(template: str, **values: Any) -> str:
    """A piece of a page as text."""
    return _environment.get_template(template).render(**values)


def theme_of(request: Request) -> str:
    """Light or dark if somebody chose, otherwise as the system says."""
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return theme if theme in THEMES else "auto"
