"""A worker whose connection is broken in any way connects again; it never ends by itself."""

import asyncio

import asyncpg
import pytest

from incidents.settings import IncidentsSettings
from incidents.worker import Doors, Worker

BROKEN = (
    asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
    asyncpg.InterfaceError("connection is closed"),
    # What asyncpg says where the end of a connection was read, but not yet understood: of a
    # process that was frozen while its database restarted.
    asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
    ConnectionResetError(),
    TimeoutError(),
)


class Line:
    """A connection on which everything fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def add_listener(self, *_: object) -> None:
        """Fail."""
        raise self._error

    async def fetch(self, *_: object) -> None:
        """Fail."""
        raise self._error

    async def close(self, **_: object) -> None:
        """End, or fail too."""
        raise self._error


@pytest.mark.parametrize("error", BROKEN, ids=lambda each: type(each).__name__)
def test_a_broken_connection_is_made_anew(error: Exception) -> None:
    """Whatever the driver calls it, the world is gone: wait and connect again."""
    connections = 0

    async def connect(_: str) -> Line:
        nonlocal connections
        connections += 1
        if connections > 4:
            worker.stop()
        return Line(error)

    worker = Worker(IncidentsSettings(dsn=""), doors=Doors(connect=connect))
    asyncio.run(asyncio.wait_for(worker.run(), 10))
    assert connections > 4
