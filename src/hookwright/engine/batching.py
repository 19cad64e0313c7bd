"""Group commit: whatever arrives while one batch is being written becomes the next batch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batcher(Generic[Item, Answer]):
    """Hands items to `write` in batches, one batch at a time, and each item's answer to whoever submitted it.

    An idle batcher writes at once; a busy one lets items gather, so batches grow with the load and nobody waits
    for a timer. A batch ends with the item that fills it. `write` answers in the order of its items; those that it
    leaves are first in the next batch, and an answer that is an exception is raised for that item alone. If a batch
    fails for a reason that may be one item's, its items are tried one by one, so that a poisonous one fails alone.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        *,
        max_size: int = 500,
        size_of: Callable[[Item], int] = lambda _: 1,
        shared_failures: tuple[type[Exception], ...] = (),
    ) -> None:
        self._write = write
        self._max_size = max_size
        self._size_of = size_of
        self._shared_failures = shared_failures
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Answer:
        """The answer for one item, once its batch is written."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        return await future

    @property
    def is_writing(self) -> bool:
        """Whether anything that was submitted is not written yet."""
        return self._flushing is not None

    async def close(self) -> None:
        """Wait until everything that was submitted is written."""
        while self._flushing is not None:
            await self._flushing

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await self._write_batch(self._next_batch())
        finally:
            self._flushing = None

    def _next_batch(self) -> list[tuple[Item, asyncio.Future[Answer]]]:
        size = number = 0
        while number < len(self._waiting) and size < self._max_size:
            size += self._size_of(self._waiting[number][0])
            number += 1
        batch, self._waiting = self._waiting[:number], self._waiting[number:]
        return batch

    async def _write_batch(self, batch: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._write([item for item, _ in batch])
            if not 0 < len(answers) <= len(batch):
                raise ValueError(f"{len(answers)} answers for {len(batch)} items")
        except Exception as error:
            if len(batch) == 1 or isinstance(error, self._shared_failures):
                for _, future in batch:
                    _fail(future, error)
                return
            for each in batch:
                await self._write_batch([each])
            return
        self._waiting[:0] = batch[len(answers) :]
        for (_, future), answer in zip(batch, answers, strict=False):
            if isinstance(answer, Exception):
                _fail(future, answer)
            elif not future.done():  # its submitter may have given up
                future.set_result(answer)


def _fail(future: asyncio.Future[Answer], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
