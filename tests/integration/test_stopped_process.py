"""A process that is stopped inside of a transaction does not hold its locks for ever."""

import pytest

import collector.database
import incidents.worker

pytestmark = [pytest.mark.anyio, pytest.mark.service]


async def test_the_server_ends_what_a_stopped_process_left_open(database: str) -> None:
    """Both programs ask the server to end a transaction in which nothing happens."""
    for connection in (
        await collector.database.connect(database, "collector"),
        await incidents.worker.connect(database),
    ):
        timeout = await connection.fetchval("show idle_in_transaction_session_timeout")
        await connection.close()
        assert timeout == "30s"
