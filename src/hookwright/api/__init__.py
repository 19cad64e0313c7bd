"""Hookwright's own API: publish events, see what became of them, run accounts and keys."""

from hookwright.api.app import build_api
from hookwright.api.health import build_health

__all__ = ["build_api", "build_health"]
