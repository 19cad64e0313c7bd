"""The examples are run as their readers run them, and the documentation shows them as they are."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from hookwright.testing.stand_in import StandIn

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
TESTING_PAGE = ROOT / "docs" / "testing.md"


def test_the_examples_pass_with_no_other_plugin() -> None:
    # The plugin's entry point is only there once the package was installed with it: blocked here, and loaded by name.
    plugins = ["-p", "no:hookwright", "-p", "hookwright.testing.pytest_plugin", "-p", "no:schemathesis"]
    plugins += ["-p", "no:asyncio"]
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-c", "/dev/null", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, *plugins, f"--rootdir={EXAMPLES}", EXAMPLES],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "NO_PROXY": "*", "no_proxy": "*"},
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_page_shows_code_of_the_examples_as_it_is() -> None:
    sources = "\n".join(path.read_text() for path in sorted(EXAMPLES.rglob("*.py")))
    shown = re.findall(r"```python\n(.*?)```", TESTING_PAGE.read_text(), re.DOTALL)
    assert shown
    for block in shown:
        assert block in sources, f"docs/testing.md shows what no example has:\n{block}"


def test_the_readme_shows_a_test_that_passes(hookwright: StandIn) -> None:
    [shown] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(shown, names)
    names["test_a_retry_arrives"](hookwright)


def test_the_package_names_the_plugin_to_pytest() -> None:
    assert '[project.entry-points.pytest11]\nhookwright = "hookwright.testing.pytest_plugin"' in (
        ROOT / "pyproject.toml"
    ).read_text(encoding="utf-8")
