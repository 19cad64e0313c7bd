"""`make audit`: asks for known weaknesses of every locked package, and does not take silence for a clean answer.

pip-audit ends with 0 and says that nothing is known when the advisory service knows none of the packages, as behind
a mirror of the registry that serves packages alone. Here a package that was not looked up fails the audit.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

LOCK = "requirements/runtime.lock"
COMMAND = ("pip_audit", "--requirement", LOCK, "--require-hashes", "--disable-pip", "--progress-spinner", "off")
PATIENCE_SECONDS = 300

Unreachable = Literal["fail", "pass"]
USAGE = "python -m hookwright.testing.audit [--unreachable=pass]"


class Advisory(Struct):
    """One known weakness of a package."""

    id: str
    fix_versions: list[str] = []


class Package(Struct):
    """What pip-audit says of one package: its weaknesses, or why it was not looked up."""

    name: str
    version: str = ""
    vulns: list[Advisory] = []
    skip_reason: str | None = None


class Report(Struct):
    """pip-audit's JSON."""

    dependencies: list[Package]


class Verdict(NamedTuple):
    """What an audit came to, for people and for `make`."""

    exit_code: int
    lines: list[str]


def verdict(report: Report | None, reason: str, unreachable: Unreachable) -> Verdict:
    """What a report comes to; None is no report, for this reason."""
    packages = report.dependencies if report is not None else []
    weak = [package for package in packages if package.vulns]
    unasked = [package for package in packages if package.skip_reason is not None]
    lines = [_told(package, advisory) for package in weak for advisory in package.vulns]
    if report is None or not packages or unasked:
        lines += _not_audited(packages, unasked, reason, unreachable)
    if weak:
        return Verdict(1, lines)
    if not lines:
        return Verdict(0, [f"{len(packages)} packages of {LOCK}: no weakness is known"])
    return Verdict(0 if unreachable == "pass" else 1, lines)


def main(arguments: Sequence[str]) -> int:
    """Audit the locked packages, and print what came of it."""
    if set(arguments) - {"--unreachable=pass", "--unreachable=fail"}:
        print(f"usage: {USAGE}", file=sys.stderr)
        return 2
    report, reason = _asked()
    exit_code, lines = verdict(report, reason, "pass" if "--unreachable=pass" in arguments else "fail")
    print("\n".join(lines), file=sys.stderr if exit_code else sys.stdout)
    return exit_code


def _asked() -> tuple[Report | None, str]:
    """pip-audit's report, or None and what it said instead."""
    command = [sys.executable, "-m", *COMMAND, "--format", "json"]
    try:
        ran = subprocess.run(  # noqa: S603 - fixed words alone
            command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return None, f"no answer within {PATIENCE_SECONDS} seconds"
    try:
        return msgspec.json.decode(ran.stdout, type=Report), ""
    except msgspec.DecodeError:
        return None, " ".join(ran.stderr.split()[-40:])


def _told(package: Package, advisory: Advisory) -> str:
    fixed = f"fixed in {', '.join(advisory.fix_versions)}" if advisory.fix_versions else "not fixed yet"
    return f"{package.name} {package.version}: {advisory.id}, {fixed}"


def _not_audited(
    packages: Sequence[Package], unasked: Sequence[Package], reason: str, unreachable: Unreachable
) -> list[str]:
    if packages:
        reason = str(unasked[0].skip_reason) if unasked else reason
        what = f"{len(unasked)} of {len(packages)} packages of {LOCK} were not audited"
    else:
        what = f"nothing of {LOCK} was audited"
    cure = "passing all the same, as asked" if unreachable == "pass" else "run this where the service can be reached"
    return [f"{what}: the advisory service did not answer for them ({reason or 'no packages'}); {cure}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
