"""`hookwright secrets`: the master key is changed as docs/security.md says, on each database."""

from base64 import b64encode
from pathlib import Path

from cli.conftest import CommandLine

OLD, NEW = (b64encode(bytes([number] * 32)).decode() for number in (1, 2))


def with_keys(command_line: CommandLine, path: Path, *keys: str) -> None:
    """From now on these master keys are in the file that the settings name."""
    path.write_text("\n".join(keys) + "\n")
    command_line.set("HOOKWRIGHT_MASTER_KEY_FILE", str(path))
    command_line.unset("HOOKWRIGHT_MASTER_KEY")


def test_a_master_key_is_changed_step_by_step(command_line: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "master.keys"
    with_keys(command_line, file, OLD)
    account = command_line.json("accounts", "create", "Ada")
    [old] = command_line.json("secrets", "status")
    assert (old["role"], old["signing_secrets"], old["custom_headers"]) == ("encrypts", 1, 0)

    with_keys(command_line, file, OLD, NEW)
    assert [each["role"] for each in command_line.json("secrets", "status")] == ["encrypts", "decrypts"]

    with_keys(command_line, file, NEW, OLD)
    assert command_line.json("secrets", "reencrypt", "--dry-run") == {
        "dry_run": True,
        "resealed": 1,
        "unopened": 0,
        "left": 0,
    }
    assert command_line.json("secrets", "reencrypt")["resealed"] == 1
    new, left = command_line.json("secrets", "status")
    assert (new["role"], new["signing_secrets"]) == ("encrypts", 1)
    assert left == {"key_id": old["key_id"], "role": "decrypts", "signing_secrets": 0, "custom_headers": 0}

    with_keys(command_line, file, NEW)
    shown = command_line.json("accounts", "show", str(account["id"]), "--secrets")
    assert shown["signing_secrets"] == [account["signing_secret"]]
    with_keys(command_line, file, OLD)
    assert new["key_id"] in command_line.refusal("secrets", "status")
