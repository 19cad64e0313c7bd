"""docs/configuration.md says what the settings say."""

import re
from pathlib import Path

import pytest

from hookwright.config import Settings, load_settings
from hookwright.settings_page import settings_page

PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"


def row_of(setting: str) -> list[str]:
    """The cells of a setting's row, without the first, which names it."""
    [row] = [line for line in settings_page().splitlines() if line.startswith(f"| `{setting}`<br>")]
    return row.strip("| ").split(" | ")[1:]


def test_the_page_is_what_make_docs_writes() -> None:
    assert PAGE.read_text() == settings_page(), "run `make docs`"


@pytest.mark.parametrize("setting", Settings.__struct_fields__)
def test_every_setting_has_one_row_with_a_meaning(setting: str) -> None:
    assert f"`HOOKWRIGHT_{setting.upper()}`" in settings_page()
    assert len(row_of(setting)[2]) > 10


@pytest.mark.parametrize(
    ("setting", "value", "default"),
    [
        ("database_url", "text", "`sqlite:hookwright.sqlite3`"),
        ("port", "whole number, 0 to 65535", "`8080`"),
        ("timeout_seconds", "seconds, more than 0, 60 at most", "`15`"),
        ("payload_retention_days", "days, 0 or more", "as `retention_days`"),
        ("log_format", "`console`, `json`", "`json`"),
        ("rate_limits", "`true`, `false`", "`true`"),
    ],
)
def test_a_row_tells_what_may_be_given_and_what_is_taken_otherwise(setting: str, value: str, default: str) -> None:
    assert row_of(setting)[:2] == [value, default]


def test_the_example_is_a_file_that_can_be_used(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert example is not None
    file = tmp_path / "hookwright.toml"
    file.write_text(example[1])
    settings = load_settings({}, str(file))
    assert settings.sqlite_path() is None
    assert (settings.concurrency, len(settings.retry_schedule), settings.traces) == (512, 7, True)
