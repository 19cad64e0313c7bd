"""What an audit comes to: a weakness fails it, and so does silence."""

import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from hookwright.testing.audit import LOCK, Advisory, Package, Report, Unreachable, verdict

ROOT = Path(__file__).parents[1]

CLEAN = Package("clean", "1.0")
WEAK = Package("weak", "1.0", [Advisory("CVE-1", ["1.1"]), Advisory("CVE-2")])
UNKNOWN = Package("unknown", skip_reason="Dependency not found")


@pytest.mark.parametrize(
    ("report", "unreachable", "exit_code", "told"),
    [
        (Report([CLEAN]), "fail", 0, "1 packages of .*: no weakness is known"),
        (Report([CLEAN, WEAK]), "fail", 1, "weak 1.0: CVE-1, fixed in 1.1\nweak 1.0: CVE-2, not fixed yet"),
        (Report([CLEAN, WEAK, UNKNOWN]), "pass", 1, "(?s)CVE-1.*1 of 3 packages"),
        (Report([CLEAN, UNKNOWN]), "fail", 1, "1 of 2 packages .* not audited: .*Dependency not found"),
        (Report([UNKNOWN]), "pass", 0, "1 of 1 packages .* not audited"),
        (Report([]), "fail", 1, "nothing of .* was audited"),
        (None, "fail", 1, r"nothing of .* was audited: .*\(no route\); run this where"),
        (None, "pass", 0, "passing all the same"),
    ],
)
def test_an_audit_passes_only_if_every_package_was_looked_up(
    report: Report | None, unreachable: Unreachable, exit_code: int, told: str
) -> None:
    found = verdict(report, "no route" if report is None else "", unreachable)
    assert found.exit_code == exit_code
    assert re.search(told, "\n".join(found.lines))


def test_the_report_is_read_as_pip_audit_writes_it() -> None:
    written = {
        "dependencies": [
            {
                "name": "a",
                "version": "1",
                "vulns": [{"id": "X", "fix_versions": [], "aliases": [], "description": ""}],
            },
            {"name": "b", "skip_reason": "why"},
        ],
        "fixes": [],
    }
    report = msgspec.json.decode(json.dumps(written), type=Report)
    assert (report.dependencies[0].vulns[0].id, report.dependencies[1].skip_reason) == ("X", "why")


def test_what_is_installed_is_listed_in_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("first.json", "second.json"):
        # `--old-file`: what is set up is not to be set up anew.
        command = ["make", "--old-file=setup", "sbom", f"SBOM={tmp_path / name}"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    first, second = ((tmp_path / name).read_bytes() for name in ("first.json", "second.json"))
    assert first == second
    listed = {(each["name"], each["version"]) for each in json.loads(first)["components"]}
    locked = set(re.findall(r"(?m)^([\w.-]+)==([^\s;]+)", (ROOT / LOCK).read_text()))
    assert listed == locked


def test_every_locked_package_has_a_hash() -> None:
    for lock in (LOCK, "requirements/dev.lock"):
        packages = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())
        assert len(packages) > 20
        assert [package for package in packages if "--hash=sha256:" not in package] == []


def test_the_bill_of_materials_names_every_locked_package_and_is_the_same_each_time(tmp_path: Path) -> None:
    written = []
    for name in ("first", "second"):
        file = tmp_path / name
        command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", LOCK]
        options = ["--pyproject", "pyproject.toml", "--output-reproducible", "--of", "JSON", "-o", str(file)]
        subprocess.run([*command, *options], cwd=ROOT, check=True, capture_output=True, timeout=60)
        written.append(file.read_bytes())
    assert written[0] == written[1]
    bill = json.loads(written[0])
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / LOCK).read_text(), re.MULTILINE))
    assert {component["name"] for component in bill["components"]} == locked
    assert bill["metadata"]["component"]["name"] == "hookwright"
