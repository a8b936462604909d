"""A desk over a fresh database, empty or with one day's story."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.desk_story import tell
from tests.integration.desk_world import World, desk_over


@pytest.fixture
def anyio_backend() -> str:
    """Run the async tests on asyncio, as the desk does."""
    return "asyncio"


@pytest.fixture
async def empty_world(database: str) -> AsyncIterator[World]:
    """Return a desk that knows nothing yet."""
    async with desk_over(database) as world:
        yield world


@pytest.fixture
async def world(empty_world: World) -> World:
    """Return a desk that knows the story."""
    await tell(empty_world)
    return empty_world
