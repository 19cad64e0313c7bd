"""What publishing remembers: for how long, how much, and what of it a change ends."""

import asyncio

import pytest

from hookwright.core.model import SECOND
from hookwright.operations.recent import Recent

NOW = 1_790_000_000 * SECOND


async def answer(thing: str | None) -> str | None:
    return thing


@pytest.mark.parametrize(
    ("later", "recalled"), [(0, "Ada"), (SECOND - 1, "Ada"), (SECOND, None), (-1, None), (-3600 * SECOND, None)]
)
async def test_a_thing_is_recalled_for_a_second_and_not_when_the_clock_was_set_back(
    later: int, recalled: str | None
) -> None:
    recent = Recent[str]()
    assert await recent.look_up(1, NOW, answer("Ada")) == "Ada"
    assert recent.recall(1, NOW + later) == recalled
    assert recent.recall(2, NOW) is None


async def test_what_is_not_there_is_not_remembered() -> None:
    recent = Recent[str]()
    await recent.look_up(1, NOW, answer("Ada"))
    assert await recent.look_up(1, NOW, answer(None)) is None
    assert recent.recall(1, NOW) is None


async def test_what_has_changed_is_forgotten() -> None:
    recent = Recent[str]()
    for id in (1, 2, 3):
        await recent.look_up(id, NOW, answer("Ada"))
    recent.forget(1)
    assert [recent.recall(id, NOW) for id in (1, 2, 3)] == [None, "Ada", "Ada"]
    recent.forget_all()
    assert [recent.recall(id, NOW) for id in (2, 3)] == [None, None]


async def test_what_was_being_read_during_a_change_is_answered_but_not_remembered() -> None:
    recent = Recent[str]()
    read: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
    looking = asyncio.create_task(recent.look_up(1, NOW, read))
    await asyncio.wait([looking], timeout=0)  # it has begun
    recent.forget(1)
    read.set_result("as it was before the change")
    assert await looking == "as it was before the change"
    assert recent.recall(1, NOW) is None


async def test_the_one_that_was_looked_up_first_makes_room_for_the_next() -> None:
    recent = Recent[str](limit=2)
    for id in (1, 2, 1, 3):
        await recent.look_up(id, NOW, answer("Ada"))
    assert [recent.recall(id, NOW) for id in (1, 2, 3)] == ["Ada", None, "Ada"]
