"""The live screen as a value: what is chosen, what is drawn, what keys do."""

import pytest

from hookwright.cli.screen import MOST_ENTRIES, Action, Entry, Errand, Looking, Tone, lines_of
from hookwright.cli.terminal import keys_of

HEAD = ["Hookwright", "account 64", "key hw_secret"]


def entry(number: int, tone: Tone = "good", note: str = "delivered") -> Entry:
    status = {"good": "200", "bad": "500", "waiting": "…"}[tone]
    details = [f"line {line} of {number}" for line in range(40)]
    return Entry(
        str(number), "12:34:56", status, tone, "contact.created", f"e{number}", "3 ms", note, lambda: details
    )


def looking(count: int = 0, **actions: Action | Errand) -> Looking:
    it = Looking(HEAD, actions, "Press t.")
    for number in range(count):
        it.put(entry(number))
    return it


def drawn(it: Looking, width: int = 100, height: int = 24) -> list[str]:
    lines = [line.text for line in lines_of(it, width, height)]
    assert len(lines) == height
    assert all(len(line) <= width for line in lines)
    return lines


def press(it: Looking, *keys: str) -> None:
    for key in keys:
        assert it.press(key, rows=10)


def test_before_the_first_entry_the_whole_head_is_shown_and_what_to_do() -> None:
    lines = drawn(looking())
    assert lines[:3] == HEAD
    assert "Press t." in lines


def test_the_head_folds_away_with_the_first_entry_and_opens_again() -> None:
    it = looking(1)
    assert drawn(it)[:2] == ["Hookwright", ""]
    press(it, "i")
    assert drawn(it)[:3] == HEAD
    press(it, "i")
    assert drawn(it)[:2] == ["Hookwright", ""]


def test_the_newest_entry_is_chosen_until_somebody_moves() -> None:
    it = looking(3)
    assert it.chosen is not None
    assert it.chosen.key == "2"
    press(it, "k")
    it.put(entry(3))
    assert it.chosen.key == "1"
    press(it, "G")
    it.put(entry(4))
    assert it.chosen.key == "4"


@pytest.mark.parametrize(
    ("keys", "chosen"), [("kkkkkk", "0"), ("g", "0"), ("gj", "1"), ("jjj", "4"), (["page up"], "0"), (["up"], "3")]
)
def test_keys_move_and_stay_in_the_list(keys: list[str], chosen: str) -> None:
    it = looking(5)
    press(it, *keys)
    assert it.chosen is not None
    assert it.chosen.key == chosen


@pytest.mark.parametrize("height", [8, 12, 24])
def test_the_chosen_entry_is_always_in_sight(height: int) -> None:
    it = looking(50)
    for _ in range(60):
        marked = [line for line in drawn(it, height=height) if line.startswith("›")]
        assert it.chosen is not None
        assert len(marked) == 1
        assert f" e{it.chosen.key} " in marked[0]
        press(it, "k")


def test_an_entry_in_full_takes_the_screen_and_scrolls_to_its_end() -> None:
    it = looking(2)
    press(it, "d")
    assert "line 0 of 1" in drawn(it)
    press(it, "G")
    assert "line 39 of 1" in drawn(it)
    press(it, "j")
    assert "line 39 of 1" in drawn(it)
    press(it, "k")
    assert "line 39 of 1" not in drawn(it)
    press(it, "escape")
    assert it.in_full is False


def test_keys_act_on_the_chosen_entry_or_on_their_own() -> None:
    replay, tried = Action("send again", lambda each: f"{each.key} again"), Errand("try", lambda: "tried")
    it = looking(r=replay, t=tried)
    press(it, "r")
    assert it.message == ""
    press(it, "t")
    assert it.message == "tried"
    it.put(entry(7))
    press(it, "r", "x")
    assert it.message == "7 again"
    assert drawn(it)[-2] == "7 again"
    assert not it.press("q", rows=10)


def test_an_entry_takes_the_place_of_the_one_with_its_key() -> None:
    it = looking(2)
    it.put(entry(0, "bad"))
    assert (it.count, it.failed) == (2, 1)
    it.put(entry(0, "good"))
    assert (it.count, it.failed, list(it.entries)) == (2, 0, ["0", "1"])


def test_so_many_entries_are_kept_and_the_chosen_one_is_one_of_them() -> None:
    it = looking(2)
    press(it, "g")
    for number in range(2, MOST_ENTRIES + 2):
        it.put(entry(number))
    assert (len(it.entries), it.count) == (MOST_ENTRIES, MOST_ENTRIES + 2)
    assert it.chosen is not None
    assert it.chosen.key == "2"


@pytest.mark.parametrize(("width", "height"), [(20, 5), (1, 3), (40, 6), (300, 80)])
def test_every_size_of_a_terminal_is_filled_exactly(width: int, height: int) -> None:
    for it in (looking(), looking(30)):
        drawn(it, width, height)
        press(it, "i")
        drawn(it, width, height)
        press(it, "d")
        drawn(it, width, height)


def test_what_comes_from_outside_moves_no_cursor() -> None:
    it = Looking(HEAD, {})
    it.put(entry(0, note="\x1b[2Jgone\r\n")._replace(details=lambda: ["\x1b]0;title\x07"]))
    assert "\x1b" not in "".join(drawn(it))
    press(it, "d")
    assert "\x1b" not in "".join(drawn(it))


def test_what_all_entries_leave_empty_has_no_column() -> None:
    it = looking(2)
    assert "ENDPOINT" in "".join(drawn(it))
    for number in range(2):
        it.put(entry(number)._replace(endpoint=""))
    assert "ENDPOINT" not in "".join(drawn(it))


def test_keys_are_known_by_what_a_terminal_sends() -> None:
    named = ["up", "down", "page up", "enter", "escape"]
    assert keys_of("jk\x1b[A\x1bOB\x1b[5~\r\x1bq\x04") == ["j", "k", *named, "q", "q"]


def test_a_long_line_of_an_entry_in_full_is_broken_not_cut() -> None:
    it = looking()
    it.put(entry(1)._replace(details=lambda: ["a" * 70, "", "b"]))
    press(it, "d")
    assert drawn(it, width=40)[2:6] == ["a" * 40, "a" * 30, "", "b"]


def test_no_credential_is_cut_however_narrow_the_terminal_is() -> None:
    secrets = [f"{'x' * length}{number}" for number, length in enumerate((78, 78, 81, 79, 85))]
    head = ["Hookwright listens", "The console", "A receiver", "", *(f"key number  {secret}" for secret in secrets)]
    looking = Looking([*head, *(f"name  {number}" for number in range(5))], {}, "Press t.")
    drawn = [line.text for line in lines_of(looking, 80, 24)]
    assert len(drawn) == 24
    assert max(map(len, drawn)) <= 80
    assert all(secret in "".join(drawn) for secret in secrets)
    assert "Press t." in drawn
    wide = [line.text for line in lines_of(looking, 120, 30)]
    assert wide[3] == ""
    assert f"key number  {secrets[-1]}" in wide
