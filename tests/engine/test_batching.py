"""Group commit: batches grow with the load, answers reach their submitters, one bad item fails alone."""

import asyncio
from collections.abc import Sequence

import pytest

from hookwright.core.errors import Unavailable
from hookwright.engine.batching import Batcher


async def test_items_that_arrive_while_a_batch_is_written_become_the_next_batch() -> None:
    sizes: list[int] = []
    gate = asyncio.Event()

    async def write(items: Sequence[int]) -> Sequence[int]:
        sizes.append(len(items))
        await gate.wait()
        return [item * 10 for item in items]

    batcher: Batcher[int, int] = Batcher(write)
    first = asyncio.create_task(batcher.submit(0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rest = [asyncio.create_task(batcher.submit(number)) for number in range(1, 6)]
    await asyncio.sleep(0)
    gate.set()
    assert [await first, *[await task for task in rest]] == [0, 10, 20, 30, 40, 50]
    assert sizes == [1, 5]


async def test_a_batch_never_exceeds_its_size() -> None:
    sizes: list[int] = []

    async def write(items: Sequence[int]) -> Sequence[int]:
        sizes.append(len(items))
        return items

    batcher: Batcher[int, int] = Batcher(write, max_size=2)
    await asyncio.gather(*(batcher.submit(number) for number in range(5)))
    assert sizes == [2, 2, 1]


async def test_a_poisonous_item_fails_alone() -> None:
    async def write(items: Sequence[int]) -> Sequence[int]:
        if 3 in items:
            raise ValueError("three")
        return items

    batcher: Batcher[int, int] = Batcher(write)
    answers = await asyncio.gather(*(batcher.submit(number) for number in range(5)), return_exceptions=True)
    assert isinstance(answers.pop(3), ValueError)
    assert answers == [0, 1, 2, 4]


async def test_an_outage_fails_the_whole_batch_at_once() -> None:
    calls = 0

    async def write(items: Sequence[int]) -> Sequence[int]:
        nonlocal calls
        calls += 1
        raise Unavailable("down")

    batcher: Batcher[int, int] = Batcher(write, shared_failures=(Unavailable,))
    answers = await asyncio.gather(*(batcher.submit(number) for number in range(5)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unavailable}
    assert calls == 1


async def test_a_submitter_that_gives_up_does_not_disturb_the_others() -> None:
    gate = asyncio.Event()

    async def write(items: Sequence[int]) -> Sequence[int]:
        await gate.wait()
        return items

    batcher: Batcher[int, int] = Batcher(write)
    leaving = asyncio.create_task(batcher.submit(1))
    staying = asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    gate.set()
    assert await staying == 2


async def test_what_a_batch_leaves_is_first_in_the_next_one() -> None:
    batches: list[list[int]] = []

    async def write(items: Sequence[int]) -> Sequence[int]:
        batches.append(list(items))
        return items[:2]

    batcher: Batcher[int, int] = Batcher(write, max_size=3)
    assert await asyncio.gather(*(batcher.submit(number) for number in range(5))) == [0, 1, 2, 3, 4]
    assert batches == [[0, 1, 2], [2, 3, 4], [4]]


async def test_an_answer_that_is_an_exception_is_raised_for_its_item_alone_which_is_not_tried_again() -> None:
    calls = 0

    async def write(items: Sequence[int]) -> Sequence[int | Exception]:
        nonlocal calls
        calls += 1
        return [ValueError("three") if item == 3 else item for item in items]

    batcher: Batcher[int, int] = Batcher(write)
    answers = await asyncio.gather(*(batcher.submit(number) for number in range(5)), return_exceptions=True)
    assert isinstance(answers.pop(3), ValueError)
    assert (answers, calls) == ([0, 1, 2, 4], 1)


async def test_closing_waits_for_what_was_submitted() -> None:
    written: list[int] = []

    async def write(items: Sequence[int]) -> Sequence[int]:
        await asyncio.sleep(0)
        written.extend(items)
        return items

    batcher: Batcher[int, int] = Batcher(write)
    task = asyncio.create_task(batcher.submit(1))
    await asyncio.sleep(0)
    await batcher.close()
    assert written == [1]
    await task


async def test_answers_that_do_not_fit_their_items_are_a_failure_and_nobody_waits_for_ever() -> None:
    async def write(items: Sequence[int]) -> Sequence[int]:
        return []

    batcher: Batcher[int, int] = Batcher(write)
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*(batcher.submit(number) for number in range(3)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {ValueError}
