"""The asyncpg door: the desk's pool, and one connection for a command."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar, cast

import asyncpg

from desk.queries.database import Database

Answer = TypeVar("Answer")

STATEMENT_TIMEOUT_MS: Final = 15_000
"""A look-up that takes longer helps nobody and holds a connection."""
IDLE_TIMEOUT_MS: Final = 30_000
"""Nothing that a transaction waits for in its process takes so long."""
_TIMEOUT_S: Final = 20
_CONNECT_TIMEOUT_S: Final = 10

LOCKED_OUT: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""A wrong user, password or database in the settings."""
GONE: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.QueryCanceledError,
    *LOCKED_OUT,
)
"""What a database that is away, or too slow, looks like."""

AlreadyThere = asyncpg.UniqueViolationError
"""What a unique key says to a second row."""

_SETTINGS: Final = {
    "application_name": "kvitok desk",
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
    # A frozen process must not hold its locks for ever.
    "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT_MS),
    # Compiling a plan takes longer than any look-up here.
    "jit": "off",
    "timezone": "UTC",
}


async def in_time(work: Coroutine[Any, Any, Answer], most_s: float) -> Answer:
    """Return the answer of a look-up; `TimeoutError` when it takes longer than that.

    The look-up is left to its own time-outs: to cancel it would wait for the same dumb database.
    """
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=most_s)
    if not done:
        task.add_done_callback(lambda over: over.cancelled() or over.exception())
        raise TimeoutError
    return task.result()


@asynccontextmanager
async def pool(
    dsn: str, *, connections_max: int, name: str = "kvitok desk"
) -> AsyncIterator[Database]:
    """Yield a pool that connects when it is first asked: the desk starts before its database.

    `name` is what the database calls its connections.
    """
    opened = await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=connections_max,
        timeout=_CONNECT_TIMEOUT_S,
        command_timeout=_TIMEOUT_S,
        server_settings=_SETTINGS | {"application_name": name},
    )
    try:
        yield cast("Database", opened)
    finally:
        opened.terminate()


@asynccontextmanager
async def one_connection(database: Database) -> AsyncIterator[Any]:
    """Yield one connection of the pool, for what has to be one commit; or the one there is."""
    if isinstance(database, asyncpg.Connection):
        yield database
        return
    async with cast("asyncpg.Pool", database).acquire() as connection:
        yield connection


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Database]:
    """Yield one connection, for a command that looks something up and ends."""
    connection = await asyncpg.connect(
        dsn, timeout=_CONNECT_TIMEOUT_S, command_timeout=_TIMEOUT_S, server_settings=_SETTINGS
    )
    try:
        yield cast("Database", connection)
    finally:
        connection.terminate()
