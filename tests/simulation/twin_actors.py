"""Actors who work on a model or a real PostgreSQL, one statement at a time when they are let.

An actor stops at a gate before each statement and each commit. Whoever plays them opens one gate
and waits until everybody stands at a gate again, is done, or is blocked by another's lock.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Final

import asyncpg

from incidents import store, watch
from incidents.store_ledger import CASES, OTHER_INCIDENTS
from tests.simulation.twin_work import Work

LOST: Final = (
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    OSError,
)


class Actor:
    """One who works on one connection after the other."""

    def __init__(
        self,
        number: int,
        connect: Callable[[], Awaitable[Any]],
        work: Callable[[int], Work | None],
    ) -> None:
        self.number = number
        self.connection: Any = None
        self.gate: asyncio.Future[None] | None = None
        self.label = ""
        self.is_done = False
        self.results: list[object] = []
        self.answers: list[object] = []
        """What each statement answered, in a form that does not depend on chance."""
        self._connect, self._work = connect, work

    async def live(self) -> None:
        """Do all the work."""
        while (work := self._work(self.number)) is not None:
            if self.connection is None or self.connection.is_closed():
                self.connection = await self._connect()
            try:
                self.results.append(await work.run(Gated(self.connection, self)))
            except LOST:
                self.results.append("lost")
            except asyncpg.PostgresError as error:
                self.results.append(type(error).__name__)
        self.is_done = True

    async def at_gate(self, label: str) -> None:
        """Wait until we are let on."""
        self.label = label
        self.gate = asyncio.get_running_loop().create_future()
        await self.gate

    def let(self) -> None:
        """Open our gate."""
        assert self.gate is not None
        gate, self.gate = self.gate, None
        gate.set_result(None)

    @property
    def place(self) -> str:
        """Where we stand, seen from outside."""
        if self.is_done:
            return "done"
        return "blocked" if self.gate is None else self.label


class Gated:
    """A connection with a gate before each statement."""

    def __init__(self, connection: Any, actor: Actor) -> None:
        self._connection, self._actor = connection, actor

    async def fetch(self, sql: str, *arguments: Any) -> Any:
        """Return all rows."""
        await self._actor.at_gate(_label(sql))
        rows = await self._connection.fetch(sql, *arguments)
        self._actor.answers.append(_comparable(sql, rows))
        return rows

    async def fetchrow(self, sql: str, *arguments: Any) -> Any:
        """Return the first row."""
        await self._actor.at_gate(_label(sql))
        return await self._connection.fetchrow(sql, *arguments)

    async def execute(self, sql: str, *arguments: Any) -> None:
        """Run a statement."""
        await self._actor.at_gate(_label(sql))
        await self._connection.execute(sql, *arguments)

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement with each row of arguments."""
        await self._actor.at_gate(_label(sql))
        await self._connection.executemany(sql, rows)

    async def copy_records_to_table(self, table: str, **how: Any) -> None:
        """Append rows."""
        await self._actor.at_gate(f"copy {table}")
        await self._connection.copy_records_to_table(table, **how)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Commit what is done inside."""
        async with self._connection.transaction():
            yield
            await self._actor.at_gate("commit")


_IN_ORDER: Final = (store.TAKE, store.POSITIONS, OTHER_INCIDENTS, CASES)


def _comparable(sql: str, rows: Sequence[Any]) -> list[str]:
    found = []
    for row in rows:
        values = dict(row.items())
        if "pulse" in values or "body" in values:  # jsonb: the order of names is PostgreSQL's
            for name in values.keys() & {"pulse", "body"}:
                values[name] = values[name] and json.loads(values[name], parse_float=Decimal)
                values[name] = json.dumps(values[name], default=str, sort_keys=True)
        if sql == watch.BEHIND:
            del values["since"]  # now()
        found.append(repr(values))
    return found if sql in _IN_ORDER else sorted(found)


def _label(sql: str) -> str:
    return " ".join(sql.split()[:6])
