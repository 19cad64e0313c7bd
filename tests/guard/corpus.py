"""The URLs that the address guard is tested with, each with the trick that it tries and what has to come of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

FILE = Path(__file__).parent.parent / "data" / "addresses" / "urls.jsonl"

# What creating an endpoint refuses; what is refused when its name is resolved; what is once one and once the other;
# what has no address; what is reached and answers with a redirect; what is delivered.
Verdict = Literal["refused", "refused when dialled", "rebinds", "unresolved", "redirects", "allowed"]


class Entry(Struct, frozen=True):
    """A URL. `answers` are what the name server says of its name, in turn: each the addresses of one answer."""

    trick: str
    url: str
    verdict: Verdict
    answers: tuple[tuple[str, ...], ...] = ()
    alias: str | None = None

    def __str__(self) -> str:
        return f"{self.trick}: {ascii(self.url)[:100]}"


def read_corpus() -> Sequence[Entry]:
    # Not by msgspec at once: it refuses half a surrogate pair, which one of the URLs holds on purpose.
    return [msgspec.convert(json.loads(line), Entry) for line in FILE.read_text().splitlines()]


CORPUS = read_corpus()
