"""The pytest plugin: the fixture `hookwright`. See docs/testing.md.

pytest imports this in every run where Hookwright is installed, so it imports nothing of it until a test asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hookwright.testing.stand_in import StandIn, StandIns


@pytest.fixture
def hookwright_settings() -> Mapping[str, Any]:
    """Override it to have `hookwright` deliver otherwise: `return {"retry_schedule": (0, 60)}`."""
    return {}


@pytest.fixture(scope="session")
def hookwright_stand_ins() -> Iterator[StandIns]:
    """What runs the servers of the fixtures below, in a thread of its own."""
    from hookwright.testing.stand_in import StandIns

    stand_ins = StandIns()
    yield stand_ins
    stand_ins.close()


@pytest.fixture
def hookwright(hookwright_stand_ins: StandIns, hookwright_settings: Mapping[str, Any]) -> Iterator[StandIn]:
    """A running Hookwright with an account for this test alone: subscribe, publish, receive, travel in time."""
    with hookwright_stand_ins.stand_in(hookwright_settings) as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def hookwright_session(hookwright_stand_ins: StandIns) -> Iterator[StandIn]:
    """As `hookwright`, but one for all tests: nothing is reset between them."""
    with hookwright_stand_ins.stand_in({}, owner="session") as stand_in:
        yield stand_in
