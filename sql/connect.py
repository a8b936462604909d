"""The psycopg door: how migrations, roles and partition upkeep reach PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg

CONNECT_TIMEOUT_S: Final = 10

Connection = psycopg.Connection[tuple[Any, ...]]


class DatabaseUnreachable(Exception):  # noqa: N818 - says what is, like every error of ours
    """PostgreSQL did not answer; the message says where and what to do."""


@contextmanager
def connected(dsn: str) -> Iterator[Connection]:
    """Yield a connection that commits each statement by itself; `transaction()` joins several.

    Raises:
        DatabaseUnreachable: nothing answers at the address, or it refuses the user.
    """
    try:
        connection = psycopg.connect(dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(
            f"cannot connect to PostgreSQL: {_plain(error)}; is it running, and is the "
            "address in [database] dsn right?"
        ) from error
    with connection:
        yield connection


def _plain(error: psycopg.OperationalError) -> str:
    """Return what libpq says without its own advice, which comes on lines of its own."""
    return str(error).strip().splitlines()[0].removeprefix("connection is bad: ")
