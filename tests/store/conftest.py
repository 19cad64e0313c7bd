from collections.abc import AsyncIterator

import pytest

from hookwright.store.base import Store
from store.given import reopened


@pytest.fixture
async def second(store: Store) -> AsyncIterator[Store]:
    """A second store on the same database, as another node would have it."""
    other = reopened(store)
    yield other
    await other.close()
