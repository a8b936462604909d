"""The asyncpg door: one connection that comes back, and which errors pass by themselves."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, TypeVar

import asyncpg

from collector import metrics

log = logging.getLogger("collector.database")

CONNECT_TIMEOUT_S: Final = 10.0
STATEMENT_TIMEOUT_S: Final = 60.0
"""A statement without an answer for so long counts as a lost connection."""
IDLE_IN_TRANSACTION: Final = "30s"
"""The server ends a transaction whose process was stopped in the midst of it: its locks would hold
up everybody else's journals of the same terminals."""
RETRY_FIRST_S: Final = 0.1
RETRY_MAX_S: Final = 5.0

UNSTORABLE_STATES: Final = ("21", "22", "23", "54")
"""SQLSTATE classes that speak of the data: to try again would fail again."""
PARTITION_MOVED: Final = "23514"
"""A row met a partition that was just made: to try again helps. Every other check of our tables is
made before by the reader."""

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Result = TypeVar("Result")


class Unstorable(Exception):  # noqa: N818 - says what is, like every error of ours
    """PostgreSQL cannot hold the rows; nothing was stored."""


class Unavailable(Exception):  # noqa: N818 - the same
    """The commit failed, or its answer was lost, for a reason that passes."""


async def connect(dsn: str, name: str) -> Connection:
    """Return a new connection, known to the server by this name."""
    return await asyncpg.connect(
        dsn,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=STATEMENT_TIMEOUT_S,
        # An ack is a promise: it must not rest on a role's laxer default.
        server_settings={
            "synchronous_commit": "on",
            "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION,
            "application_name": name,
            "timezone": "UTC",
        },
    )


class Database:
    """One connection; work on it is repeated until it commits."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]]) -> None:
        self._connect = connect
        self.connections = 0
        """How many there were so far: within a work, the number of the present one."""
        self._connection: Connection | None = None

    async def commit(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Return what the work returned in a transaction that is committed, however long it takes.

        The work may have committed before and be run once more, when only the answer to the commit
        was lost: it must find that out from the tables.

        Raises:
            Unstorable: the data is at fault, not the moment.
        """
        wait_s = RETRY_FIRST_S
        while True:
            try:
                return await self.once(work)
            except Unavailable as error:
                metrics.RETRIES.inc()
                log.warning("the database cannot commit (%s); again in %.1f s", error, wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RETRY_MAX_S)

    async def once(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Return what the work returned in a transaction that is committed.

        Raises:
            Unavailable: it did not commit, or the answer was lost.
            Unstorable: the data is at fault, not the moment.
        """
        try:
            connection = await self._connected()
            async with connection.transaction():
                return await work(connection)
        except asyncpg.PostgresError as error:
            state = error.sqlstate or ""
            if state.startswith(UNSTORABLE_STATES) and state != PARTITION_MOVED:
                raise Unstorable(type(error).__name__) from error
            raise Unavailable(_words(error)) from error
        except asyncpg.InterfaceError as error:
            if isinstance(error, ValueError):  # a value that its column's type cannot take
                raise Unstorable(type(error).__name__) from error
            raise Unavailable(_words(error)) from error
        except (asyncpg.InternalClientError, OSError, TimeoutError) as error:
            raise Unavailable(_words(error)) from error

    async def close(self) -> None:
        """Give the connection up."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
            self.connections += 1
        return self._connection


def _words(error: Exception) -> str:
    """Return an error for the log: its first line only, since a detail may quote a row."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
