"""`hookwright doctor`."""

from pathlib import Path

import msgspec

from cli.conftest import CommandLine


def test_a_database_in_use_is_well(command_line: CommandLine) -> None:
    command_line.json("accounts", "create", "Ada")
    found = command_line.json("doctor")
    assert found["well"] is True
    by_name = {check["name"]: check for check in found["checks"]}
    assert by_name["master key"]["found"] == "it is the one that all kept secrets name"
    assert by_name["egress"]["status"] == "skipped"


def test_a_lost_master_key_is_a_problem_with_its_cure_and_exit_code_1(sqlite: CommandLine, tmp_path: Path) -> None:
    sqlite.json("accounts", "create", "Ada")
    (tmp_path / "hookwright.key").unlink()
    result = sqlite.run("doctor")
    assert result.exit_code == 1
    assert "PROBLEM  master key" in result.stdout
    assert "→ put the file back" in result.stdout
    assert not (tmp_path / "hookwright.key").exists()


def test_another_master_key_is_a_problem(sqlite: CommandLine) -> None:
    sqlite.json("accounts", "create", "Ada")
    environ = {"HOOKWRIGHT_MASTER_KEY": "b" * 43 + "="}
    result = sqlite.run("doctor", "--json", environ=environ)
    assert result.exit_code == 1
    assert [
        check["name"] for check in msgspec.json.decode(result.stdout)["checks"] if check["status"] == "problem"
    ] == ["master key"]


def test_a_setting_that_cannot_be_used_is_one_line(sqlite: CommandLine) -> None:
    assert "port (HOOKWRIGHT_PORT)" in sqlite.refusal("doctor", environ={"HOOKWRIGHT_PORT": "x"})
