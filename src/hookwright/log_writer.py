"""Log lines to standard error, without making this process wait for whoever reads them.

A pipe that nobody empties is full after 64 KiB, and the next write to it would stop every delivery. So a line is
written at once where that cannot block. Otherwise it is held, and a thread writes what is held as fast as it is
read. Beyond `most_held` bytes new lines are lost; how many stands before the next that is not. A line that cannot be
written at all (standard error is closed, or its disk is full) is lost too, and nobody's delivery waits for it.
"""

from __future__ import annotations

import atexit
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TextIO

# POSIX: what is not longer goes into a pipe in one piece, and does not block when the pipe is ready to be written.
AT_ONCE = getattr(select, "PIPE_BUF", 512)
MOST_HELD = 32 * 1024 * 1024  # some 45,000 attempts
LAST_LINES_SECONDS = 1.0


class Piece(NamedTuple):
    """Whole lines, or what is left of them, and how many they are with those whose loss they tell."""

    data: bytes
    lines: int


class LineWriter:
    """Writes lines in the order they are given, from any thread. Never raises, never blocks."""

    def __init__(self, stream: TextIO | None, lost_line: Callable[[int], str], most_held: int = MOST_HELD) -> None:
        """`lost_line` words the line that says how many were lost."""
        self._stream = stream
        self._lost_line = lost_line
        self._most_held = most_held
        # Reentrant: the garbage collector may run in the middle of a write, and what it ends may log (asyncio does).
        self._lock = threading.RLock()
        self._held: deque[Piece] = deque()
        self._held_bytes = 0
        self._lost = 0
        self._emptying: threading.Thread | None = None
        self._file = _file_of(stream)
        if self._file is not None:
            self._ready = select.poll()
            self._ready.register(self._file, select.POLLOUT)
            atexit.register(self.close)

    def write(self, lines: str) -> None:
        """Write one line or several, without their last line break."""
        if self._file is None:
            self._write_to_stream(lines)
            return
        data = f"{lines}\n".encode(errors="backslashreplace")
        with self._lock:
            if self._held_bytes + len(data) > self._most_held:
                self._lost += data.count(b"\n")
            elif self._held:  # that goes first; of its first line a part may be written
                self._hold(self._after_losses(data))
            else:
                self._write_or_hold(self._file, self._after_losses(data))

    def close(self, seconds: float = LAST_LINES_SECONDS) -> None:
        """Give what is held a last while to be read."""
        atexit.unregister(self.close)
        emptying = self._emptying
        if emptying is not None:
            emptying.join(seconds)

    def _write_to_stream(self, lines: str) -> None:
        if self._stream is not None:
            with suppress(OSError, ValueError):  # it may be closed
                self._stream.write(lines + "\n")
                self._stream.flush()

    def _after_losses(self, data: bytes) -> Piece:
        """What to write of new lines: before them, how many are missing here."""
        lost, self._lost = self._lost, 0
        losses = f"{self._lost_line(lost)}\n".encode() if lost else b""
        return Piece(losses + data, lost + data.count(b"\n"))

    def _write_or_hold(self, file: int, piece: Piece) -> None:
        data, start = piece.data, 0
        while start < len(data) and self._ready.poll(0):
            try:
                start += os.write(file, data[start : _end_of_write(data, start)])
            except BlockingIOError:
                break
            except OSError:
                self._lost += piece.lines
                return
        if start < len(data):
            self._hold(Piece(data[start:], piece.lines))

    def _hold(self, piece: Piece) -> None:
        self._held.append(piece)
        self._held_bytes += len(piece.data)
        if self._emptying is None:
            emptying = threading.Thread(target=self._empty, name="hookwright-log", daemon=True)
            with suppress(RuntimeError):  # no thread to be had now, or none any more because the process ends
                emptying.start()
                self._emptying = emptying

    def _empty(self) -> None:
        """Write what is held, until nothing is. Blocks: this is the thread that may."""
        assert self._file is not None
        while (data := self._first_held()) is not None:
            written = _write_all(self._file, data)
            with self._lock:
                if written:
                    self._held_bytes -= len(self._held.popleft().data)
                else:
                    self._lose_held()

    def _first_held(self) -> bytes | None:
        """What to write next. It stays held while it is written, so that nothing overtakes it."""
        with self._lock:
            if self._held:
                return self._held[0].data
            self._emptying = None
            return None

    def _lose_held(self) -> None:
        held, self._held, self._held_bytes = self._held, deque(), 0
        self._lost += sum(piece.lines for piece in held)


def _file_of(stream: TextIO | None) -> int | None:
    """The descriptor to write to, or None where there is none, or no way to ask whether a write would block."""
    if stream is None or not hasattr(select, "poll"):
        return None
    try:
        stream.flush()
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _end_of_write(data: bytes, start: int) -> int:
    """After the last whole line that fits, so that the lines of several processes do not mix in one pipe."""
    return data.rfind(b"\n", start, start + AT_ONCE) + 1 or start + AT_ONCE


def _write_all(file: int, data: bytes) -> bool:
    """Write it, however long that takes. False when it cannot be written."""
    ready = select.poll()
    ready.register(file, select.POLLOUT)
    start = 0
    while start < len(data):
        try:
            start += os.write(file, data[start : _end_of_write(data, start)])
        except BlockingIOError:  # whoever shares the pipe with us has set it so
            ready.poll()
        except OSError:
            return False
    return True
