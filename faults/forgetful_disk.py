"""A disk beneath SQLite that keeps, at a power cut, no more than what it was asked to sync.

SQLite's own file system does the work; this one stands before it and remembers, for each file, what has been synced
and every change since. At the cut a manner is drawn in which the changes since are dropped, kept, torn or swapped, as
https://www.sqlite.org/atomiccommit.html#_hardware_assumptions and file systems without a journal of data allow.
"""

from __future__ import annotations

import os
import random
import threading
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import apsw

SECTOR = 512
JOURNALS = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL


class Manner(Enum):
    """What becomes of the changes that were not synced."""

    DROPPED = "nothing of them is there"
    KEPT = "all of them are there"
    CUT_SHORT = "the first of them are there, the last of those in part"
    SWAPPED = "any of them is there, without those before it"
    TORN = "any sector of any of them is there"
    HOLLOW = "files have grown, and hold zeros there"
    SCRAMBLED = "sectors that were being written hold anything at all"


class Write(NamedTuple):
    """Bytes that were written and not synced."""

    offset: int
    data: bytes


class Resize(NamedTuple):
    """A file that was cut to a size, not synced."""

    size: int


Change = Write | Resize


@dataclass(slots=True)
class Remembered:
    """What would be left of one file."""

    synced: bytes = b""
    changes: list[Change] = field(default_factory=list)
    is_named: bool = False  # its name is in the folder on disk
    is_deleted: bool = False  # and the folder was not synced since: it may come back
    predecessor: bytes | None = None  # what has this name on disk: a file that was deleted, as far as memory goes

    def sync(self) -> None:
        """Everything that was changed is on disk."""
        content = bytearray(self.synced)
        for change in self.changes:
            apply(change, content)
        self.synced, self.changes = bytes(content), []


class ForgetfulDisk(apsw.VFS):
    """One machine's disk, under a name that a connection asks for.

    It does `cut_at` changes and syncs. Whatever is asked of it after that is refused, as by a machine that is off.
    """

    def __init__(self, name: str, folder: Path, cut_at: int) -> None:
        self.name = name
        self.calls_left = cut_at
        self.is_off = False
        self._files = {
            path: Remembered(path.read_bytes(), is_named=True) for path in folder.iterdir() if path.is_file()
        }
        self._lock = threading.Lock()
        super().__init__(name, "")

    def xOpen(  # noqa: N802 - APSW's name
        self, name: str | apsw.URIFilename | None, flags: list[int]
    ) -> apsw.VFSFile:
        if isinstance(name, apsw.URIFilename):
            name = name.filename()
        if name is None:  # a temporary file: nobody looks for it after a cut
            return apsw.VFSFile("", None, flags)
        with self._lock:
            path = Path(os.path.normpath(name))
            remembered = self._files.get(path)
            if remembered is None or remembered.is_deleted:
                predecessor = remembered.synced if remembered and remembered.is_named else None
                self._files[path] = remembered = Remembered(predecessor=predecessor)
            return _WatchedFile(self, name, flags, remembered)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - APSW's name
        with self._lock:
            self.turn()
            super().xDelete(filename, False)
            if (remembered := self._files.get(Path(os.path.normpath(filename)))) is not None:
                remembered.is_deleted = True
            if syncdir:
                self._sync_names()

    def turn(self) -> None:
        """Count one more change or sync; refuse it when this is the moment of the cut, or after it."""
        self.calls_left -= 1
        if self.is_off or self.calls_left < 0:
            self.is_off = True
            raise apsw.IOError("the power is off")

    def sync(self, remembered: Remembered, *, with_names: bool) -> None:
        with self._lock:
            self.turn()
            remembered.sync()
            if with_names:
                self._sync_names()

    def _sync_names(self) -> None:
        """The folder is on disk as it is."""
        self._files = {path: each for path, each in self._files.items() if not each.is_deleted}
        for each in self._files.values():
            each.is_named, each.predecessor = True, None

    def change(self, remembered: Remembered, change: Change) -> None:
        with self._lock:
            self.turn()
            remembered.changes.append(change)

    def cut(self, manner: Manner, dice: random.Random) -> dict[str, bytes]:
        """Turn it off, and answer what is found in the folder afterwards: the content of each file by its name."""
        with self._lock:
            self.is_off = True
            found = {path.name: survivor(each, manner, dice) for path, each in self._files.items()}
        return {name: content for name, content in found.items() if content is not None}


class _WatchedFile(apsw.VFSFile):
    """A file of SQLite's own, whose changes are remembered. Its locks and shared memory are SQLite's as they are.

    SQLite syncs the folder with the first sync of a journal or log (UNIXFILE_DIRSYNC in its os_unix.c).
    """

    def __init__(self, disk: ForgetfulDisk, name: str, flags: list[int], remembered: Remembered) -> None:
        self._disk = disk
        self._remembered = remembered
        self._syncs_names = bool(flags[0] & JOURNALS)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - APSW's name
        self._disk.change(self._remembered, Write(offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - APSW's name
        self._disk.change(self._remembered, Resize(newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - APSW's name
        # The real disk need not be asked: it will not lose its power.
        self._disk.sync(self._remembered, with_names=self._syncs_names)
        self._syncs_names = False


def survivor(remembered: Remembered, manner: Manner, dice: random.Random) -> bytes | None:
    """What is left of a file after a cut; None when not even its name is."""
    if not remembered.is_named and (manner is Manner.DROPPED or dice.random() < 0.5):
        return remembered.predecessor
    if remembered.is_deleted and (manner is Manner.KEPT or dice.random() < 0.5):
        return None
    content = bytearray(remembered.synced)
    for change in surviving(remembered.changes, manner, dice):
        apply(change, content)
    return bytes(content)


def surviving(changes: list[Change], manner: Manner, dice: random.Random) -> list[Change]:
    """What was done of the changes that nobody synced."""
    match manner:
        case Manner.DROPPED:
            return []
        case Manner.KEPT:
            return changes
        case Manner.CUT_SHORT:
            first = changes[: dice.randint(0, len(changes))]
            return [*first[:-1], *(piece for last in first[-1:] for piece in _torn(last, dice))]
        case Manner.SWAPPED:
            return [change for change in changes if dice.random() < 0.5]
        case Manner.TORN:
            return [piece for change in changes for piece in _torn(change, dice)]
        case Manner.HOLLOW:
            return [_hollow(change) for change in changes if dice.random() < 0.5]
        case Manner.SCRAMBLED:
            return [piece for change in changes for piece in _scrambled(change, dice)]


def apply(change: Change, content: bytearray) -> None:
    """Do to a file's content what the change did."""
    size = change.size if isinstance(change, Resize) else change.offset
    if isinstance(change, Resize):
        del content[size:]
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if isinstance(change, Write):
        content[change.offset : change.offset + len(change.data)] = change.data


def _torn(change: Change, dice: random.Random) -> list[Change]:
    return [piece for piece in _by_sector(change) if dice.random() < 0.5]


def _scrambled(change: Change, dice: random.Random) -> list[Change]:
    """Some sectors as they were, some as they were to be, some neither. Bytes beside the written ones are safe.

    SQLite relies on that last word: https://www.sqlite.org/psow.html.
    """
    return [
        piece._replace(data=dice.randbytes(len(piece.data)))
        if isinstance(piece, Write) and dice.random() < 0.3
        else piece
        for piece in _torn(change, dice)
    ]


def _hollow(change: Change) -> Change:
    """The size that a write gave to a file, and nothing of its bytes."""
    return Write(change.offset + len(change.data), b"") if isinstance(change, Write) else change


def _by_sector(change: Change) -> list[Change]:
    """A write in pieces, none of them over the border of a sector."""
    if isinstance(change, Resize):
        return [change]
    pieces: list[Change] = []
    start = 0
    while start < len(change.data):
        end = start + SECTOR - (change.offset + start) % SECTOR
        pieces.append(Write(change.offset + start, change.data[start:end]))
        start = end
    return pieces
