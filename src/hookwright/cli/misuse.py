"""A command line that cannot be meant, whatever the server or the database would say."""

from hookwright.core.errors import HookwrightError


class Misuse(HookwrightError):
    """The command was called wrongly; the message says what to write."""
