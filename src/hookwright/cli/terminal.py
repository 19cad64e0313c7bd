"""The terminal: whether there is one, its keys one at a time, and as it was before, whatever happens."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# What the keys send that are no letters, in the two ways that terminals have.
_NAMED = {
    "\x1b[A": "up",
    "\x1bOA": "up",
    "\x1b[B": "down",
    "\x1bOB": "down",
    "\x1b[5~": "page up",
    "\x1b[6~": "page down",
    "\x1b[H": "home",
    "\x1b[1~": "home",
    "\x1b[F": "end",
    "\x1b[4~": "end",
    "\x1b": "escape",
    "\r": "enter",
    "\n": "enter",
    "\x04": "q",  # Ctrl-D
}
END_OF_INPUT = "q"
_AT_MOST_BYTES = 256


def is_for_people() -> bool:
    """Whether somebody sits in front who can look and type, at a terminal that can be written all over."""
    try:
        import termios
    except ImportError:  # Windows
        return False
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        termios.tcgetattr(sys.stdin.fileno())
    except (termios.error, OSError):
        return False
    return True


def browse(url: str) -> str:
    """Open a page where there is a desktop to open it on. Answers what to tell of it."""
    import shutil
    import subprocess

    opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if opener is None:
        return url  # to be copied; a browser for terminals would take this one
    quiet = subprocess.DEVNULL
    subprocess.Popen([opener, url], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)  # noqa: S603 - no shell, and a URL that we made
    return f"opened {url}"


class Keys:
    """The keys of a terminal that hands them over at once."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal

    def pressed(self, seconds: float) -> list[str]:
        """What was pressed, waiting so long for the first; nothing if nothing was."""
        ready, _, _ = select.select([self._terminal], [], [], seconds)
        if not ready:
            return []
        data = os.read(self._terminal, _AT_MOST_BYTES)
        return keys_of(data.decode(errors="replace")) if data else [END_OF_INPUT]


@contextmanager
def keys_at_once() -> Iterator[Keys]:
    """Have keys handed over at once and not shown. Afterwards the terminal is as it was; Ctrl-C still interrupts."""
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        attributes = termios.tcgetattr(terminal)
        # A stopped program would leave the shell in our screen: Ctrl-Z does nothing.
        attributes[6][termios.VSUSP] = os.fpathconf(terminal, "PC_VDISABLE").to_bytes(1, "little")
        termios.tcsetattr(terminal, termios.TCSADRAIN, attributes)
        yield Keys(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


def keys_of(text: str) -> list[str]:
    """The names of keys in what a terminal sent."""
    keys: list[str] = []
    while text:
        name = max((each for each in _NAMED if text.startswith(each)), key=len, default=text[0])
        keys.append(_NAMED.get(name, name))
        text = text[len(name) :]
    return keys
