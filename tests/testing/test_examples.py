"""The examples are run as their readers run them; that docs/testing.md shows them as they are, tests/docs checks."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import hookwright as hookwright_package

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def test_the_examples_pass_with_no_other_plugin() -> None:
    # The plugin's entry point is only there once the package was installed with it: blocked here, and loaded by name.
    run = run_pytest(EXAMPLES, "-p", "no:hookwright", "-p", "hookwright.testing.pytest_plugin", "-p", "no:asyncio")
    assert run.returncode == 0, run.stdout + run.stderr


def test_an_installed_package_brings_the_fixture_to_every_run(tmp_path: Path) -> None:
    # What an installation writes: the entry points of pyproject.toml. Ours may be older than they are.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = tmp_path / "site" / "installed-1.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: installed\nVersion: 1\n")
    lines = [f"{name} = {module}" for name, module in project["entry-points"]["pytest11"].items()]
    (installed / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines, ""]))
    (tmp_path / "test_it.py").write_text("def test_it(hookwright):\n    assert hookwright.deliveries == []\n")
    run = run_pytest(tmp_path, "-p", "no:asyncio", python_path=[str(tmp_path / "site")])
    assert run.returncode == 0, run.stdout + run.stderr


def run_pytest(folder: Path, *options: str, python_path: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """pytest on a folder, with nothing of this suite's configuration; warnings are errors there too."""
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-c", "/dev/null", "-p", "no:cacheprovider"]
    source = str(Path(hookwright_package.__file__).parents[1])
    return subprocess.run(
        [*command, "-p", "no:schemathesis", *options, f"--rootdir={folder}", folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "NO_PROXY": "*", "no_proxy": "*", "PYTHONPATH": os.pathsep.join([*python_path, source])},
    )
