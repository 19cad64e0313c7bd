"""A person's own editor, for what is easier written there than on a command line."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hookwright.cli.running import fail


def edited_object(value: dict[str, Any]) -> dict[str, Any]:
    """What a person made of a JSON object in the editor that VISUAL or EDITOR names."""
    import json

    try:
        edited = json.loads(_edited(json.dumps(value, indent=2, ensure_ascii=False) + "\n"))
    except ValueError as error:
        fail(f"--edit: that is not JSON: {error}")
    if not isinstance(edited, dict):
        fail("--edit: the data must be a JSON object")
    return edited


def _edited(text: str) -> str:
    from hookwright.config import editor_command

    command = editor_command()
    with TemporaryDirectory(prefix="hookwright-edit-") as folder:
        file = Path(folder) / "data.json"
        file.write_text(text, encoding="utf-8")
        try:
            subprocess.run([*shlex.split(command), str(file)], check=True)  # noqa: S603 - the person's own command
        except (OSError, subprocess.CalledProcessError) as error:
            fail(f"--edit: {command} (set EDITOR): {error}")
        return file.read_text(encoding="utf-8")
