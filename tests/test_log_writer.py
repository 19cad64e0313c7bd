"""Log lines never make the process wait, and what is lost is said."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from io import TextIOWrapper
from typing import NamedTuple

import pytest

from hookwright.log_writer import LineWriter

LINE = "x" * 699


class Pipe(NamedTuple):
    """Standard error as a collector holds it."""

    reading: int
    stream: TextIOWrapper

    def read_lines(self, count: int) -> list[str]:
        """The next lines, so many at least; waits for them."""
        data = b""
        while data.count(b"\n") < count:
            data += os.read(self.reading, 65_536)
        return data.decode().splitlines()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reading, writing = os.pipe()
    with open(writing, "w") as stream:
        yield Pipe(reading, stream)
        with suppress(OSError):  # a test may have closed it
            os.close(reading)


def writing_to(pipe: Pipe, most_held: int = 10_000_000) -> LineWriter:
    return LineWriter(pipe.stream, lambda lost: f"{lost} lost", most_held)


def test_a_line_that_can_be_written_is_written_at_once(pipe: Pipe) -> None:
    writer = writing_to(pipe)
    writer.write("one")
    writer.write("two\nthree")
    assert os.read(pipe.reading, 100) == b"one\ntwo\nthree\n"


def test_a_pipe_that_nobody_reads_stops_nobody_and_loses_nothing(pipe: Pipe) -> None:
    writer = writing_to(pipe)
    lines = [f"{number} {LINE}" for number in range(2_000)]
    for start in range(0, 2_000, 10):
        writer.write("\n".join(lines[start : start + 10]))
    assert pipe.read_lines(2_000) == lines


def test_lines_beyond_the_limit_are_lost_and_counted(pipe: Pipe) -> None:
    writer = writing_to(pipe, most_held=70_000)
    for number in range(1_000):
        writer.write(f"{number} {LINE}")
    lines = pipe.read_lines(150)  # at least what a pipe and the limit hold
    writer.close()
    writer.write("after")
    while lines[-1] != "after":
        lines += pipe.read_lines(1)
    number = 0
    for line in lines[:-1]:
        if line.endswith(" lost"):
            number += int(line.removesuffix(" lost"))
        else:
            assert line == f"{number} {LINE}"
            number += 1
    assert number == 1_000
    assert len(lines) < 1_000


def test_a_reader_that_has_gone_is_no_error(pipe: Pipe) -> None:
    writer = writing_to(pipe)
    os.close(pipe.reading)
    writer.write("one")
    writer.write("two")


def test_a_reader_that_goes_while_lines_are_held_is_no_error(pipe: Pipe) -> None:
    writer = writing_to(pipe)
    for _ in range(200):
        writer.write(LINE)
    os.close(pipe.reading)
    writer.close()
    writer.write("one")
    for thread in threading.enumerate():
        if thread.name == "hookwright-log":
            thread.join(5)
            assert not thread.is_alive(), "it would write to whatever gets the descriptor next"


def test_a_pipe_that_others_have_made_non_blocking_loses_nothing(pipe: Pipe) -> None:
    os.set_blocking(pipe.stream.fileno(), False)
    writer = writing_to(pipe)
    lines = [f"{number} {LINE}" for number in range(500)]
    for line in lines:
        writer.write(line)
    assert pipe.read_lines(500) == lines


def test_no_standard_error_at_all_is_no_error() -> None:
    LineWriter(None, str).write("one")
