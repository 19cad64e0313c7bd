"""Hookwright: publish an event once; every subscriber gets it in its own dialect, signed and retried."""

__version__ = "0.1.0"
