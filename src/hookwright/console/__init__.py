"""The console: pages for people, rendered on the server; a little script only makes them quicker to use."""

from hookwright.console.app import build_console, build_portal
from hookwright.console.surface import ConsoleSettings

__all__ = ["ConsoleSettings", "build_console", "build_portal"]
