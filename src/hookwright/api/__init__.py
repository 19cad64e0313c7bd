"""Hookwright's own API: publish events, see what became of them, run accounts and keys."""

from hookwright.api.app import build_api

__all__ = ["build_api"]
