"""`hookwright db` and the options of `hookwright serve` that want a PostgreSQL."""

import pytest

from cli.conftest import CommandLine


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_postgresql_without_citus_is_not_distributed(command_line: CommandLine) -> None:
    assert "no Citus" in command_line.refusal("db", "distribute")


def test_sqlite_is_not_distributed(sqlite: CommandLine) -> None:
    assert "only a PostgreSQL" in sqlite.refusal("db", "distribute")


def test_sqlite_is_for_one_process(sqlite: CommandLine) -> None:
    assert "SQLite is for one process" in sqlite.refusal("serve", "--processes", "2")
