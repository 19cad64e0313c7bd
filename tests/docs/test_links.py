"""Links between pages, the navigation, and the commands that prose names: all of it leads somewhere."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from markdown_it import MarkdownIt
from markdown_it.token import Token
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

from docs.blocks import PAGES, ROOT, text_of
from hookwright.cli import app

LINKED = (*PAGES, "CHANGELOG.md")
COMMANDS = get_command(app)
ELSEWHERE = ("https://", "http://", "mailto:")


def inline_tokens(page: str) -> Iterator[Token]:
    for token in MarkdownIt().enable("table").parse(text_of(page)):
        yield from token.children or ()


def links_of(page: str) -> Iterator[str]:
    for token in inline_tokens(page):
        target = token.attrGet("href") or token.attrGet("src")
        if isinstance(target, str) and not target.startswith(ELSEWHERE):
            yield target


@cache
def anchors_of(page: str) -> frozenset[str]:
    """The anchors of a page's headings, as GitHub, MkDocs and Zensical make them of ours."""
    tokens = MarkdownIt().enable("table").parse(text_of(page))
    headings = (after.content for before, after in itertools.pairwise(tokens) if before.type == "heading_open")
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


@pytest.mark.parametrize("page", LINKED)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: str) -> None:
    for link in links_of(page):
        name, _, anchor = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        assert target.exists(), f"{page}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors_of(str(target.resolve().relative_to(ROOT))), f"{page}: {link}"


def test_the_pictures_are_small() -> None:
    for picture in (ROOT / "docs" / "images").iterdir():
        assert 10_000 < picture.stat().st_size < 200_000, picture


def test_every_page_is_in_the_navigation_once_and_every_entry_is_a_page() -> None:
    entries = list(entries_of(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    pages = [page.removeprefix("docs/") for page in PAGES if page.startswith("docs/")]
    assert sorted(entries) == sorted(pages), "add the page to mkdocs.yml"


def test_the_index_leads_to_every_page() -> None:
    linked = {link.partition("#")[0] for link in links_of("docs/index.md")}
    missing = {Path(page).name for page in PAGES if page.startswith("docs/")} - {"index.md"} - linked
    assert not missing, "add the page to docs/index.md"


def entries_of(navigation: object) -> Iterator[str]:
    if isinstance(navigation, str):
        yield navigation
    elif isinstance(navigation, dict):
        for each in navigation.values():
            yield from entries_of(each)
    elif isinstance(navigation, list):
        for each in navigation:
            yield from entries_of(each)


def code_in_prose(page: str) -> Iterator[str]:
    return (token.content for token in inline_tokens(page) if token.type == "code_inline")


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_prose_names_exists(page: str) -> None:
    for code in code_in_prose(page):
        words = code.split()
        if words[:1] == ["make"] and len(words) > 1:
            assert re.search(rf"^{re.escape(words[1])}:", (ROOT / "Makefile").read_text(), re.MULTILINE), code
        if words[:1] == ["hookwright"]:
            assert_is_command(words[1:], f"{page}: {code}")


def assert_is_command(words: list[str], where: str) -> None:
    command = COMMANDS
    for word in words:
        if not isinstance(command, TyperGroup) or not re.fullmatch(r"[a-z-]+", word) or word.startswith("-"):
            break
        found = command.get_command(Context(command), word)
        assert found is not None, where
        command = found
    options = {name for parameter in command.params for name in parameter.opts}
    for word in words:
        if re.fullmatch(r"--[a-z-]+", word) and word != "--help":
            assert word in options, f"{where}: {word}"
