"""What a store promises is written down."""

import inspect

import pytest

from hookwright.store.base import Store

METHODS = [name for name, member in vars(Store).items() if inspect.iscoroutinefunction(member)]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_says_what_it_promises(name: str) -> None:
    assert getattr(Store, name).__doc__
