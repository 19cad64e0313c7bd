"""The table of exit codes in docs/command-line.md, for every command: 1 refused, 2 called wrongly, 3 not reached."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import MASTER_KEY, CommandLine, on_sqlite
from cli.test_start import EVERY
from hookwright.cli.running import MISUSED, REFUSED, UNREACHABLE

DONE = 0
NOBODY = "64000064"  # an id that nothing has
NOWHERE = "http://127.0.0.1:9"

# What each command cannot do without, with ids that nothing has.
NEEDED: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("listen",): ("3000",),
    ("trigger",): ("contact.created",),
    ("verify",): ("--secret", "whsec_x", "--header", "a: b"),
    ("portal-link",): (NOBODY,),
    ("accounts", "create"): ("Ada",),
    ("accounts", "show"): (NOBODY,),
    ("accounts", "delete"): (NOBODY, "--yes"),
    ("accounts", "rotate-secret"): (NOBODY,),
    ("sites", "create"): (NOBODY, "Compilers"),
    ("sites", "list"): (NOBODY,),
    ("sites", "delete"): (NOBODY, NOBODY, "--yes"),
    ("keys", "create"): ("--kind", "kit", "--name", "K", "--account", NOBODY),
    ("keys", "rotate"): (NOBODY,),
    ("keys", "delete"): (NOBODY, "--yes"),
    ("apps", "create"): ("A", "--redirect-uri", "https://app.example.com/"),
    ("apps", "delete"): (NOBODY, "--yes"),
    ("endpoints", "list"): (NOBODY,),
    ("endpoints", "show"): (NOBODY, NOBODY),
    ("endpoints", "create"): (NOBODY, "https://receiver.example.com/", "--event", "*"),
    ("endpoints", "pause"): (NOBODY, NOBODY),
    ("endpoints", "resume"): (NOBODY, NOBODY),
    ("endpoints", "disable"): (NOBODY, NOBODY),
    ("endpoints", "delete"): (NOBODY, NOBODY, "--yes"),
    ("deliveries", "list"): (NOBODY,),
    ("deliveries", "show"): (NOBODY, NOBODY),
    ("deliveries", "replay"): (NOBODY, NOBODY),
    ("replays", "create"): (NOBODY,),
    ("replays", "list"): (NOBODY,),
    ("replays", "show"): (NOBODY, NOBODY),
    ("replays", "cancel"): (NOBODY, NOBODY),
}
OVER_HTTP = (("listen",), ("tail",))  # in an order that every run has
WITHOUT_DATABASE = {("dev",), ("verify",), ("bench",), *OVER_HTTP}
# It looks at what it is to find wrong; a database that does not answer is that.
LOOKS_FOR_PROBLEMS = ("doctor",)
ABOUT_NOTHING_NAMED = {
    ("serve",),
    ("doctor",),
    ("migrate",),
    ("accounts", "create"),
    ("accounts", "list"),
    ("apps", "create"),
    ("apps", "list"),
    ("keys", "list"),
    ("secrets", "status"),
    ("secrets", "reencrypt"),
    ("db", "distribute"),
}


def line_of(words: tuple[str, ...]) -> list[str]:
    return [*words, *NEEDED.get(words, ())]


def is_in_one_line(told: str) -> bool:
    return told.startswith("hookwright: ") and told.count("\n") == 1


def options_of_values(words: tuple[str, ...]) -> list[str]:
    """The options that do not take any text."""
    return [
        parameter.opts[0]
        for parameter in EVERY[words].params
        if parameter.opts[0].startswith("-") and _is_choosy(parameter)
    ]


def _is_choosy(parameter: Any) -> bool:
    wanted = parameter.type_descriptor
    takes_a_number = re.search("int|float", str(wanted.annotation)) is not None
    return takes_a_number or wanted.is_choice or wanted.is_datetime


def test_each_command_that_needs_something_is_known_here() -> None:
    needing = {words for words, each in EVERY.items() if any(parameter.required for parameter in each.params)}
    assert needing <= NEEDED.keys()


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_what_is_unknown_missing_or_nonsense_is_called_wrongly(tmp_path: Path, words: tuple[str, ...]) -> None:
    command_line = on_sqlite(tmp_path)
    wrong = [[*line_of(words), "--nonsense"], [*line_of(words), "64", "64", "64", "64"]]
    wrong += [[*line_of(words), option, "nonsense"] for option in options_of_values(words)]
    for arguments in wrong:
        result = command_line.run(*arguments)
        assert (result.exit_code, result.stdout) == (MISUSED, ""), arguments
        assert result.stderr.startswith("Usage: ")
        assert "Error: " in result.stderr
        assert not re.search("pydantic|Input should|unable to parse|Value error|Traceback", result.stderr)


@pytest.mark.parametrize("words", [*NEEDED], ids=" ".join)
def test_what_is_needed_and_not_given_is_called_wrongly(tmp_path: Path, words: tuple[str, ...]) -> None:
    needs_something = any(parameter.required for parameter in EVERY[words].params)
    if needs_something and words != ("verify",):  # which asks for its secret
        assert on_sqlite(tmp_path).run(*words).exit_code == MISUSED


@pytest.mark.parametrize("words", [each for each in EVERY if each not in WITHOUT_DATABASE], ids=" ".join)
def test_a_database_that_does_not_answer_is_not_reached(sqlite: CommandLine, words: tuple[str, ...]) -> None:
    environ = {"HOOKWRIGHT_MASTER_KEY": MASTER_KEY, "HOOKWRIGHT_PORT": "0"}
    arguments = [*line_of(words), "--database", "postgresql://nobody@127.0.0.1:1/x"]
    result = sqlite.run(*arguments, environ=environ)
    assert result.exit_code == (REFUSED if words == LOOKS_FOR_PROBLEMS else UNREACHABLE), result.output
    assert words == LOOKS_FOR_PROBLEMS or is_in_one_line(result.stderr)


@pytest.mark.parametrize("words", [*OVER_HTTP, ("bench",)], ids=" ".join)
def test_a_server_that_does_not_answer_is_not_reached(sqlite: CommandLine, words: tuple[str, ...]) -> None:
    told = sqlite.refusal(*line_of(words), "--url", NOWHERE, "--key", "hw_1_x", exit_code=UNREACHABLE)
    assert f"{NOWHERE} does not answer" in told


@pytest.mark.parametrize("words", [*OVER_HTTP, ("bench",)], ids=" ".join)
def test_a_wrong_key_is_refused(dev_given: dict[str, Any], tmp_path: Path, words: tuple[str, ...]) -> None:
    told = on_sqlite(tmp_path).refusal(*line_of(words), "--url", dev_given["url"], "--key", "hw_1_x")
    assert "key" in told


@pytest.mark.parametrize(
    "words", [each for each in EVERY if each not in WITHOUT_DATABASE | ABOUT_NOTHING_NAMED], ids=" ".join
)
def test_what_does_not_exist_is_refused(sqlite: CommandLine, words: tuple[str, ...]) -> None:
    named = ["--account", NOBODY] if words == ("trigger",) else []
    told = sqlite.refusal(*line_of(words), *named)
    assert re.search(r"does not exist|has no site", told)


@pytest.mark.parametrize(
    "words", [("accounts", "list"), ("doctor",), ("migrate",), ("secrets", "status")], ids=" ".join
)
def test_what_is_done_is_0(sqlite: CommandLine, words: tuple[str, ...]) -> None:
    assert sqlite.run(*words).exit_code == DONE


@pytest.mark.parametrize("words", [each for each in EVERY if each != ("verify",)], ids=" ".join)
def test_a_setting_that_cannot_be_used_is_told_in_plain_words(sqlite: CommandLine, words: tuple[str, ...]) -> None:
    if "--config" not in {opt for parameter in EVERY[words].params for opt in parameter.opts}:
        return
    told = sqlite.refusal(*line_of(words), environ={"HOOKWRIGHT_CONNECTIONS": "many"})
    assert told == ("hookwright: connections (HOOKWRIGHT_CONNECTIONS): must be a whole number; 'many' is given\n")


def test_the_table_says_so() -> None:
    page = Path(__file__).parents[2] / "docs" / "command-line.md"
    codes = re.findall(r"^\| (\d+) \| (\w+)", page.read_text(), re.MULTILINE)
    assert codes == [
        (str(DONE), "done"),
        (str(REFUSED), "refused"),
        (str(MISUSED), "called"),
        (str(UNREACHABLE), "not"),
        ("130", "ended"),
    ]
