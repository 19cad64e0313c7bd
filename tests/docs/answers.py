"""Whether what a page shows is what came: loosely, since ids, times and secrets differ from run to run."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

ELLIPSIS = "…"

# `# 202 {"event_id": …}` below a command, and the lines that continue it.
_EXPECTATION = re.compile(r"^# (?:(?P<status>[1-5]\d\d) )?(?P<body>\{.*(?:\n#  .*)*)", re.MULTILINE)
_MEMBER = re.compile(r'"([^"]+)"\s*:')


class Expectation(NamedTuple):
    """What a page says of the answer to the request before."""

    status: int | None
    body: str
    is_whole: bool  # a block of its own, which has to fit in shape; a comment may leave out what it likes

    def unmet_by(self, status: int, body: str) -> str | None:
        """What is wrong with the answer, or None."""
        if self.status is not None and self.status != status:
            return f"the page says {self.status}, the answer was {status}: {body}"
        if self.status is None and status >= 400:
            return f"the answer was {status}: {body}"
        try:
            answer = json.loads(body)
        except ValueError:
            return f"the answer is not JSON: {body!r}"
        if self.is_whole:
            return misfit(json.loads(self.body), answer)
        missing = set(_MEMBER.findall(self.body)) - set(members_of(answer))
        return f"the answer lacks {sorted(missing)}: {body}" if missing else None


def expectations_in(script: str) -> list[Expectation]:
    return [_expectation(found) for found in _EXPECTATION.finditer(script)]


def with_marks(script: str, first: int) -> str:
    """The script, with a command in place of each expectation that notes which answer it is about."""
    numbers = iter(range(first, first + script.count("\n") + 1))
    return _EXPECTATION.sub(lambda found: f"expects {next(numbers)}", script)


def _expectation(found: re.Match[str]) -> Expectation:
    status = found["status"]
    return Expectation(None if status is None else int(status), found["body"], is_whole=False)


def misfit(example: Any, actual: Any, where: str = "") -> str | None:
    """Where an answer has not the shape of the example: members that it lacks, values of another type."""
    if isinstance(example, dict) and isinstance(actual, dict):
        for name, value in example.items():
            if name not in actual:
                return f"{where}/{name} is missing"
            if found := misfit(value, actual[name], f"{where}/{name}"):
                return found
        return None
    if isinstance(example, list) and isinstance(actual, list):
        for number, value in enumerate(example):
            if actual and all(misfit(value, each) for each in actual):
                return f"nothing in {where} is like its item {number}"
        return None
    if example is None or actual is None or type(example) is type(actual):
        return None
    return f"{where or 'it'} is {actual!r}, which is not like {example!r}"


def members_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(name for each in value.values() for name in members_of(each))]
    if isinstance(value, list):
        return [name for each in value for name in members_of(each)]
    return []


def missing_line(shown: str, printed: str) -> str | None:
    """The first line of a sample output that was not printed, in this order; `…` stands for anything."""
    rest = printed.splitlines()
    for line in filter(str.strip, shown.splitlines()):
        if line.strip() == ELLIPSIS:
            continue
        pattern = re.compile(".*".join(map(re.escape, line.strip().split(ELLIPSIS))))
        found = next((number for number, each in enumerate(rest) if pattern.fullmatch(each.strip())), None)
        if found is None:
            return line
        rest = rest[found + 1 :]
    return None
