"""The live screen of `dev` and `listen`: a head, a list that grows, one entry in full, a line of keys.

What is shown is a function of what is there (`Looking`, `lines_of`); `Screen` reads keys and draws.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event
from typing import TYPE_CHECKING, Literal, NamedTuple

from hookwright.cli.printing import printable
from hookwright.cli.terminal import keys_at_once

if TYPE_CHECKING:
    from rich.text import Text

MOST_ENTRIES = 1_000
LOOK_SECONDS = 0.1
FEWEST_ROWS = 2  # of the list, whatever the head would like to have
COMFORTABLE_ROWS = 4

Tone = Literal["good", "bad", "waiting"]
STYLES: Mapping[Tone, str] = {"good": "green", "bad": "red", "waiting": "yellow"}


class Entry(NamedTuple):
    """A line of the list. An entry with the key of another takes its place. What all leave empty has no column."""

    key: str
    time: str
    status: str
    tone: Tone
    event: str
    endpoint: str
    took: str
    note: str
    details: Callable[[], Sequence[str]]


class Line(NamedTuple):
    """A line of the screen, and how it looks."""

    text: str
    style: str = ""
    status_at: tuple[int, int] = (0, 0)  # which part of it has the style of the tone
    tone_style: str = ""


class Action(NamedTuple):
    """What a key does with the chosen entry; what it answers is shown."""

    label: str
    act: Callable[[Entry], str]


class Errand(NamedTuple):
    """What a key does whatever is chosen."""

    label: str
    act: Callable[[], str]


Actions = Mapping[str, Action | Errand]


class Looking:
    """What is there, and what somebody looks at: one entry is chosen, the newest as long as nobody moves."""

    def __init__(self, head: Sequence[str], actions: Actions, invitation: str = "") -> None:
        """`invitation` is shown as long as there is nothing else."""
        self.head = head
        self.actions = actions
        self.invitation = invitation
        self.entries: OrderedDict[str, Entry] = OrderedDict()
        self.count = 0
        self.failed = 0
        self.message = ""
        self.head_is_open: bool | None = None  # None: until the first entry
        self.in_full = False
        self.offset = 0  # of the first line that is shown of an entry in full
        self._chosen: str | None = None  # None: the newest

    def put(self, entry: Entry) -> None:
        """Add an entry, or put it in the place of the one with its key."""
        before = self.entries.get(entry.key)
        self.count += before is None
        self.failed += (entry.tone == "bad") - (before is not None and before.tone == "bad")
        self.entries[entry.key] = entry
        while len(self.entries) > MOST_ENTRIES:
            gone, _ = self.entries.popitem(last=False)
            if gone == self._chosen:
                self._chosen = next(iter(self.entries))

    @property
    def chosen(self) -> Entry | None:
        """The entry that keys are about."""
        if not self.entries:
            return None
        return self.entries[self._chosen if self._chosen is not None else next(reversed(self.entries))]

    @property
    def shows_head(self) -> bool:
        return not self.entries if self.head_is_open is None else self.head_is_open

    def press(self, key: str, rows: int) -> bool:
        """Take a key; `rows` is how many a page has. False when it is the one that ends."""
        if key == "q":
            return False
        if self.in_full and key in _MOVES:
            self.offset = max(0, self.offset + _steps(key, rows))
        elif key in _MOVES:
            self._move(_steps(key, rows))
        elif key in ("d", "enter") or (key == "escape" and self.in_full):
            self.in_full, self.offset = not self.in_full and self.chosen is not None, 0
        elif key == "i":
            self.head_is_open = not self.shows_head
        elif key in self.actions:
            self._do(self.actions[key])
        return True

    def _do(self, action: Action | Errand) -> None:
        if isinstance(action, Errand):
            self.message = action.act()
        elif self.chosen is not None:
            self.message = action.act(self.chosen)

    def _move(self, steps: int) -> None:
        if self.chosen is None:
            return
        keys = list(self.entries)
        place = min(max(keys.index(self.chosen.key) + steps, 0), len(keys) - 1)
        self._chosen = None if place == len(keys) - 1 else keys[place]


_MOVES = ("j", "down", "k", "up", "page down", "page up", "home", "g", "end", "G")


def _steps(key: str, rows: int) -> int:
    match key:
        case "j" | "down":
            return 1
        case "k" | "up":
            return -1
        case "page down":
            return rows
        case "page up":
            return -rows
        case "home" | "g":
            return -MOST_ENTRIES
        case _:
            return MOST_ENTRIES


def lines_of(looking: Looking, width: int, height: int) -> list[Line]:
    """The whole screen, exactly as high as it is, no line longer than it is wide."""
    chosen = looking.chosen
    foot = _foot(looking, width)
    room = height - len(foot)
    if looking.in_full and chosen is not None:
        body = _in_full(looking, chosen, width, room)
    else:
        head = _head(looking, width, room)
        body = [*head, *_list(looking, width, room - len(head))]
    body = [line._replace(text=line.text[:width]) for line in body[:room]]
    return [*body, *[Line("")] * (room - len(body)), *foot]


def page_of(height: int) -> int:
    """How many entries a page has, about."""
    return max(1, height - 6)


def _head(looking: Looking, width: int, room: int) -> list[Line]:
    head = looking.head if looking.shows_head else looking.head[:1]
    shown = [*(part for text in head for part in _whole(text, width)), ""]
    if len(shown) > room - COMFORTABLE_ROWS:
        shown = [text for text in shown if text]
    shown = shown[: max(1, room - FEWEST_ROWS)]
    return [Line(text, "bold" if place == 0 else "") for place, text in enumerate(shown)]


def _whole(text: str, width: int) -> list[str]:
    """A line; if it is too long, its value below its name: a credential of which a part is cut off is none."""
    if len(text) <= width or not width:
        return [text]
    name, _, value = text.rpartition("  ")
    return [*([name.rstrip()] if name else []), *_broken(value, width)]


def _broken(text: str, width: int) -> list[str]:
    """A text in pieces that are not too long."""
    return [text[place : place + width] for place in range(0, len(text), max(1, width))] or [""]


def _list(looking: Looking, width: int, room: int) -> list[Line]:
    entries = list(looking.entries.values())
    if not entries:
        return [Line("Nothing was delivered yet.", "dim"), Line(looking.invitation, "dim")]
    chosen = looking.chosen
    rows = max(1, room - 1)
    place = entries.index(chosen) if chosen is not None else len(entries) - 1
    # The newest at the end, as long as the chosen one is among them.
    last = max(min(len(entries), place + 1 + (rows // 2)), min(rows, len(entries)))
    shown = entries[max(0, last - rows) : last]
    columns = [name for name in _COLUMNS if any(getattr(entry, name) for entry in shown)]
    widths = {name: max([len(name), *(len(getattr(entry, name)) for entry in shown)]) for name in columns}
    names = "  ".join(("" if name == "note" else name.upper()).ljust(size) for name, size in widths.items())
    return [Line(f"  {names}", "dim"), *(_row(entry, widths, entry is chosen, width) for entry in shown)]


_COLUMNS = ("time", "status", "event", "endpoint", "took", "note")


def _row(entry: Entry, widths: Mapping[str, int], is_chosen: bool, width: int) -> Line:
    cells = [printable(getattr(entry, name)).ljust(size) for name, size in widths.items()]
    text = f"{'›' if is_chosen else ' '} {'  '.join(cells)}"
    begin = 2 + widths["time"] + 2
    if is_chosen:
        text = text.ljust(width)
    return Line(text, "reverse" if is_chosen else "", (begin, begin + len(entry.status)), STYLES[entry.tone])


def _in_full(looking: Looking, entry: Entry, width: int, room: int) -> list[Line]:
    lines = [part for line in entry.details() for part in _broken(printable(line), width)]
    looking.offset = min(looking.offset, max(0, len(lines) - (room - 2)))
    title = "  ".join(printable(each) for each in (entry.time, entry.status, entry.event, entry.took, entry.note))
    return [
        Line(title, "bold"),
        Line(""),
        *(Line(line) for line in lines[looking.offset : looking.offset + room - 2]),
    ]


def _foot(looking: Looking, width: int) -> list[Line]:
    labels = [f"{key} {action.label}" for key, action in looking.actions.items()]
    close = "d back" if looking.in_full else "d details"
    keys = " · ".join(["j k move", close, *labels, "i secrets" if len(looking.head) > 1 else "", "q quit"])
    keys = keys.replace(" ·  · ", " · ")
    counted = f"{looking.count} {'attempt' if looking.count == 1 else 'attempts'}, {looking.failed} failed"
    gap = width - len(keys) - len(counted) - 1
    text = f"{keys}{' ' * gap}{counted}" if gap > 0 else keys
    return [Line(printable(looking.message)[:width], "yellow"), Line(text[:width], "dim")]


class Screen:
    """Draws what is there and takes keys until it is quit. Any thread may put entries; one runs it."""

    def __init__(self, head: Sequence[str], actions: Actions, invitation: str = "") -> None:
        self._looking = Looking(head, actions, invitation)
        # What other threads bring. No lock: the one who runs may be waiting for one of them, in an action.
        self._brought: SimpleQueue[Entry | str] = SimpleQueue()
        self._ended = Event()

    def put(self, entry: Entry) -> None:
        """Show an entry, or show it anew."""
        self._brought.put(entry)

    def say(self, message: str) -> None:
        """Show a message in the place of the one before; an empty one clears it."""
        self._brought.put(message)

    def end(self) -> None:
        """Have `run` return soon."""
        self._ended.set()

    def run(self) -> None:
        """Show the screen until it is quit or ended. However it ends, the terminal is as it was."""
        from rich.console import Console
        from rich.live import Live

        console = Console()
        live = Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        with keys_at_once() as keys, live:
            drawn = None
            while not self._ended.is_set():
                has_changed = self._take_brought()
                if has_changed or drawn != console.size:
                    drawn = console.size
                    live.update(text_of(lines_of(self._looking, *drawn)), refresh=True)
                pressed = keys.pressed(LOOK_SECONDS)
                if not all(self._looking.press(key, page_of(console.size.height)) for key in pressed):
                    return
                if pressed:
                    drawn = None

    def _take_brought(self) -> bool:
        """Take in what was brought; whether that was anything."""
        has_changed = False
        with suppress(Empty):
            while True:
                brought = self._brought.get_nowait()
                has_changed = True
                if isinstance(brought, str):
                    self._looking.message = brought
                else:
                    self._looking.put(brought)
        return has_changed


def text_of(lines: Sequence[Line]) -> Text:
    """Lines with their looks, as rich takes them."""
    from rich.text import Text

    whole = Text(no_wrap=True, overflow="crop", end="")
    for number, line in enumerate(lines):
        styled = Text(line.text, style=line.style)
        if line.tone_style:
            styled.stylize(line.tone_style, *line.status_at)
        whole.append_text(styled)
        if number < len(lines) - 1:
            whole.append("\n")
    return whole
