"""The asyncpg door of the command line: one connection, one question, closed again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from desk.queries.database import Database
from kvitok.settings import Settings

Answer = TypeVar("Answer")
CONNECT_TIMEOUT_S = 10.0


class DatabaseAway(Exception):  # noqa: N818 - says what is, like every error of ours
    """The database does not answer; the text says where and what to do."""


class NotFound(Exception):  # noqa: N818 - the same
    """What was asked for is not there."""


def ask(
    settings: Settings, dsn: str, question: Callable[[asyncpg.Connection], Awaitable[Answer]]
) -> Answer:
    """Connect, ask, and return the answer.

    Raises:
        DatabaseAway: nothing answers there.
    """
    return asyncio.run(_ask(settings, dsn, question))


async def _ask(
    settings: Settings, dsn: str, question: Callable[[asyncpg.Connection], Awaitable[Answer]]
) -> Answer:
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise DatabaseAway(
            f"the database of {settings.origin} does not answer ({error}): is the service "
            "running? Start it, or see `kvitok doctor`"
        ) from error
    try:
        return await question(connection)
    except asyncpg.UndefinedTableError as error:
        raise DatabaseAway(
            f"the database of {settings.origin} is not set up ({error}): run `kvitok db migrate`"
        ) from error
    finally:
        await connection.close()


__all__ = ["Database", "DatabaseAway", "NotFound", "ask"]
