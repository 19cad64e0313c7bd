"""Every code block of every page is run, parsed, or in the list of those that are not, with its reason."""

from __future__ import annotations

import configparser
import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import asyncpg
import pytest
import yaml  # type: ignore[import-untyped]

from docs.answers import misfit, missing_line
from docs.blocks import PAGES, ROOT, Block, blocks_of
from docs.loopback import Stand
from docs.not_run import NOT_RUN
from docs.repository import wants_repository
from docs.scripts import Script, transcript
from docs.sessions import run_page
from docs.stands import stand_for
from docs.tried import PAGES_TO_RUN, RUN, blocks_to_try, is_left_out
from hookwright.config import CONFIG_FILE, load_settings
from hookwright.testing.postgres import fresh_database
from hookwright.testing.receiver import Receiver


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl: the pages' commands need it")
@pytest.mark.parametrize("page", [each for each in PAGES_TO_RUN if not wants_repository(blocks_to_try(each))])
async def test_the_blocks_of_a_page_do_what_it_says(page: str, tmp_path: Path) -> None:
    blocks = blocks_to_try(page)
    async with stand_for(page, blocks, tmp_path) as stand:
        await run_page(blocks, stand, tmp_path)


def test_every_block_is_run_or_parsed_or_left_out_with_a_reason() -> None:
    known = {*RUN, *PARSERS, "sql"}
    unknown = [each.place for page in PAGES for each in blocks_to_try(page) if each.language not in known]
    assert not unknown, (
        f"{unknown}: give the block one of the languages {sorted(known)},"
        " or put it into tests/docs/not_run.py with its reason"
    )


def test_what_is_left_out_is_still_there_and_has_a_reason() -> None:
    left_out = [block for page in PAGES for block in blocks_of(page) if is_left_out(block)]
    for page, start in NOT_RUN:
        assert any(block.page == page and block.first_line.startswith(start) for block in left_out), (page, start)
    assert all(len(reason) > 5 for reason in NOT_RUN.values())


def test_a_block_that_is_a_file_is_used_by_a_later_one() -> None:
    for page in PAGES:
        blocks = blocks_to_try(page)
        for number, block in enumerate(blocks):
            if block.file not in (None, CONFIG_FILE):  # the settings are used without being named
                name = block.file.removesuffix(".py")
                assert any(name in later.text for later in blocks[number + 1 :]), block.place


def parse_json(text: str, folder: Path) -> None:
    json.loads(text)


def load_as_settings(text: str, folder: Path) -> None:
    file = folder / "hookwright.toml"
    file.write_text(text)
    load_settings({}, str(file))


def parse_unit(text: str, folder: Path) -> None:
    """A systemd unit: sections of settings, some of which are there several times."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read_string(text)
    assert parser.sections()


def parse_yaml(text: str, folder: Path) -> None:
    """Compose files, Prometheus' rules; what is asked of our metrics has to be one that there is."""
    assert list(yaml.safe_load_all(text))
    for name in re.findall(r"\bhookwright_(\w+)", text):
        assert name.removesuffix("_total").removesuffix("_bucket") in METRICS, f"there is no metric {name}"


def compile_each(text: str, folder: Path) -> None:
    for line in text.splitlines():
        re.compile(line)


def parse_request(text: str, folder: Path) -> None:
    head, _, _ = text.partition("\n\n")
    request, *headers = head.splitlines()
    assert re.fullmatch(r"[A-Z]+ /\S* HTTP/1\.1", request)
    assert all(re.match(r"[A-Za-z-]+: .", header) for header in headers)


METRICS = re.findall(
    r'_(?:counter|gauge|histogram)\(\s*"(\w+)"', (ROOT / "src/hookwright/telemetry/metrics.py").read_text()
)
PARSERS: Mapping[str, Callable[[str, Path], None]] = {
    "json": parse_json,
    "toml": load_as_settings,
    "ini": parse_unit,
    "yaml": parse_yaml,
    "regex": compile_each,
    "http": parse_request,
}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(each.language in PARSERS for each in blocks_of(page))]
)
def test_what_is_no_command_can_be_parsed(page: str, tmp_path: Path) -> None:
    for block in blocks_to_try(page):
        if block.language in PARSERS:
            try:
                PARSERS[block.language](block.text, tmp_path)
            except (ValueError, AssertionError, configparser.Error, yaml.YAMLError, re.error) as error:
                raise AssertionError(f"{block.place}: {error}\n{block.text}") from error


async def test_statements_run_on_postgresql(postgres_url: str) -> None:
    async with fresh_database(postgres_url) as url:
        connection = await asyncpg.connect(url)
        try:
            for block in (block for page in PAGES for block in blocks_to_try(page) if block.language == "sql"):
                await connection.execute(block.text)
        finally:
            await connection.close()


def block(language: str, text: str) -> Block:
    return Block("a page", 1, language, text)


HERE = Stand({}, "http://127.0.0.1:1", None)


@pytest.mark.parametrize(
    ("blocks", "told"),
    [
        ([block("sh", "true\nfalse")], "ended with 1"),
        ([block("sh", 'echo "$NOBODY"')], "unbound variable"),
        ([block("sh", "curl http://127.0.0.1:9/")], "ended with 7"),
        ([block("sh", "curl https://elsewhere.invalid/")], "would go to"),
        ([block("sh", "hookwright migrate --database postgresql://me:secret@elsewhere/db")], "would go to"),
        ([block("python", "raise SystemExit(3)")], "ended with 3"),
        ([block("python", "def test_it():\n    assert False")], "1 failed"),
        ([block("console", "$ echo one\ntwo")], "'two' was not printed"),
        ([block("sh", "hookwright listen 3000 --key hw_wrong --url http://127.0.0.1:9")], "ended with 1"),
    ],
)
async def test_a_page_that_lies_is_found_out(blocks: list[Block], told: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=told):
        await run_page(blocks, HERE, tmp_path, patience_seconds=0)


async def test_an_answer_that_is_not_as_shown_is_found_out(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        receiver.answer(404, b'{"id": 1}')
        ask = f"curl {receiver.url}/"
        with pytest.raises(AssertionError, match="404"):
            await run_page([block("sh", ask)], HERE, tmp_path / "unexpected")
        with pytest.raises(AssertionError, match="says 202"):
            await run_page([block("sh", f'{ask}\n# 202 {{"id": 1}}')], HERE, tmp_path / "status")
        with pytest.raises(AssertionError, match="lacks"):
            await run_page([block("sh", f'{ask}\n# 404 {{"name": …}}')], HERE, tmp_path / "member")
        await run_page([block("sh", f'{ask}\n# 404 {{"id": 2, …}}')], HERE, tmp_path / "as-shown")


def test_shapes_are_compared_and_values_are_not() -> None:
    assert misfit({"a": [{"b": 1}], "c": None}, {"a": [{"b": 7, "d": 0}], "c": "x"}) is None
    assert misfit({"a": [{"b": 1}]}, {"a": [{"b": "7"}]}) == "nothing in /a is like its item 0"
    assert misfit({"a": 1}, {}) == "/a is missing"


def test_a_recording_has_commands_and_their_outputs() -> None:
    recorded = "$ one \\\n>   two\nout\n$ three\n"
    assert list(transcript(recorded)) == [("one \\\n  two", "out"), ("three", "")]
    assert missing_line("a … c\n…\nd", "x\na bb c\ny\nd\n") is None
    assert missing_line("d\na … c", "a bb c\nd\n") == "a … c"


def test_what_goes_on_at_the_beginning_of_a_line_has_a_terminal_of_its_own() -> None:
    served = Script(
        [block("sh", "hookwright serve --port 8080\nhookwright keys list\nhookwright dev & sleep 1")]
    ).lines
    assert served[0] == "end_what_goes_on"
    assert served[2].splitlines() == [
        """goes_on 'hookwright serve --port 8080' '"event":"ready"'""",
        "until_ready",
        "hookwright keys list",
        "hookwright dev & sleep 1",
    ]
    assert served[-1] == "end_what_goes_on"
