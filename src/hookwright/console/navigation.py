"""The sections of the console, in the order in which they are shown."""

from __future__ import annotations

from typing import NamedTuple

from hookwright.console.surface import PREFIX
from hookwright.console.viewers import Viewer


class Section(NamedTuple):
    """A link of the navigation; `only_administrators` (of all accounts), `administers`: others have nothing there."""

    name: str
    path: str
    icon: str  # the id of a symbol in static/icons.svg
    only_administrators: bool = False
    administers: bool = False  # the scope admin, of one account or of all

    def is_here(self, path: str) -> bool:
        """Whether a page's path lies in this section."""
        return path == self.path or (self.path != PREFIX and path.startswith(self.path + "/"))


SECTIONS = (
    Section("Home", PREFIX, "home"),
    Section("Deliveries", f"{PREFIX}/deliveries", "deliveries"),
    Section("Endpoints", f"{PREFIX}/endpoints", "endpoints"),
    Section("Event types", f"{PREFIX}/event-types", "types"),
    Section("Accounts", f"{PREFIX}/accounts", "accounts", administers=True),
    Section("Keys", f"{PREFIX}/keys", "keys", administers=True),
    Section("Apps", f"{PREFIX}/apps", "apps", administers=True, only_administrators=True),
    Section("Audit", f"{PREFIX}/audit", "audit", administers=True),
)


def sections_for(viewer: Viewer) -> list[Section]:
    """Those that a viewer may use."""
    return [section for section in SECTIONS if _is_for(section, viewer)]


def _is_for(section: Section, viewer: Viewer) -> bool:
    if section.administers and not viewer.may_administer:
        return False
    return viewer.is_administrator or not section.only_administrators
