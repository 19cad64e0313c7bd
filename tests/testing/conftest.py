"""The fixtures that the plugin brings, whether or not this virtualenv has its entry point."""

from hookwright.testing.pytest_plugin import (  # noqa: F401 - fixtures are found by their names
    hookwright,
    hookwright_session,
    hookwright_settings,
    hookwright_stand_ins,
)
