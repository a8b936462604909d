"""asyncpg's surface, as far as collector and incidents use it, over a session of the model.

Laws. What is sent is done at the server at once; the answer takes its time, in which the process
may freeze or die. On a connection that is closed, or of a process that is dead, nothing suspends:
a killed process's coroutines come to their end.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg

from tests.simulation.loop import Node
from tests.simulation.pending import Pending, Waits
from tests.simulation.session import Answer, Session, Work

if TYPE_CHECKING:
    from tests.simulation.database import Database

COMMAND_TIMEOUT_S: Final = 60.0
_PID: Final = 1

Listener: TypeAlias = Callable[[Any, int, str, object], None]


class Fate(Enum):
    """What becomes of a statement."""

    GO = auto()
    DIE_BEFORE = auto()
    """The process is killed; the server never hears of the statement."""
    DIE_AFTER = auto()
    """It is done (committed), but its process is killed before it hears."""
    FAIL = auto()
    """The connection is lost before it comes to the server."""
    LOSE_ANSWER = auto()
    """It is done (committed), and the connection is lost before the answer comes."""
    HANG = auto()
    """It is done, and no answer ever comes: the client gives up after its command timeout."""
    DISK_FULL = auto()
    """The server refuses it; the commit has failed."""


class Connection:
    """One connection of a node."""

    def __init__(self, database: "Database", node: Node, name: str) -> None:
        self._database = database
        self._node = node
        self.session = Session(database, node=node.name, name=name, client=self)
        self._answer: asyncio.Future[Any] | None = None
        self._listeners: dict[str, dict[Listener, None]] = {}

    # --- statements

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        """Return all rows."""
        function = self._meaning(sql)
        rows = await self._send(_name(function), lambda pending: function(pending, *arguments))
        return rows or []

    async def fetchrow(self, sql: str, *arguments: Any) -> Any:
        """Return the first row, or None."""
        rows = await self.fetch(sql, *arguments)
        return rows[0] if rows else None

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """Return the first value of the first row, or None."""
        rows = await self.fetch(sql, *arguments)
        return rows[0][0] if rows else None

    async def execute(self, sql: str, *arguments: Any) -> str:
        """Run a statement."""
        await self.fetch(sql, *arguments)
        return ""

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement with each row of arguments."""
        function, many = self._meaning(sql), list(rows)

        def work(pending: Pending) -> Waits[None]:
            for each in many:
                result = function(pending, *each)
                if result is not None:
                    yield from result

        await self._send(_name(function), work)

    async def copy_records_to_table(
        self, table: str, *, records: Iterable[Sequence[Any]], columns: Sequence[str]
    ) -> str:
        """Append rows."""
        function = self._database.copies[table]
        rows = list(records)
        await self._send(_name(function), lambda pending: function(pending, rows, columns))
        return f"COPY {len(rows)}"

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Commit what is done inside, or nothing of it."""
        self._check_open()
        self.session.begin()
        try:
            yield
        except GeneratorExit:  # nobody will ever go on with it
            self.session.rollback()
            raise
        except BaseException:
            if self._node.dead:
                raise
            self._check_open()
            self.session.rollback()
            await self._database.later(self._node)
            raise
        await self._send("COMMIT", None)

    async def add_listener(self, channel: str, listener: Listener) -> None:
        """Have a function called with each notification."""

        def listen(_pending: Pending) -> None:
            self.session.channels[channel] = None

        if channel not in self._listeners:
            await self._send("LISTEN", listen)
        self._listeners.setdefault(channel, {})[listener] = None

    def is_closed(self) -> bool:
        """Return whether it can no longer be used."""
        return not self.session.is_open

    def terminate(self) -> None:
        """Close it without a word."""
        self.session.close()

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncpg's
        """Close it."""
        del timeout
        self.session.close()

    # --- what the server says

    def lost(self) -> None:
        """Learn that the connection is closed."""
        self._listeners.clear()
        error = asyncpg.ConnectionDoesNotExistError(
            "connection was closed in the middle of operation"
        )
        if self._answer is not None:
            self._resolve(self._answer, None, error)

    def told(self, channel: str, payload: str) -> None:
        """Take a notification."""
        if self._node.dead:
            return
        for listener in self._listeners.get(channel, {}):
            self._node.within(partial(self._tell, listener, channel, payload))

    def _tell(self, listener: Listener, channel: str, payload: str) -> None:
        listener(self, _PID, channel, payload)

    # --- asking

    def _meaning(self, sql: str) -> Callable[..., Any]:
        function = self._database.statements.get(sql)
        assert function is not None, f"the model does not know this SQL: {sql}"
        return function

    def _check_open(self) -> None:
        if self._node.dead:
            raise asyncpg.ConnectionDoesNotExistError("the process is dead")
        if not self.session.is_open:
            raise asyncpg.InterfaceError("connection is closed")
        if self._answer is not None:
            raise asyncpg.InterfaceError("another operation is in progress")

    async def _send(self, name: str, work: Work | None) -> Any:
        """Send a statement (None: the commit) and wait for the answer."""
        self._check_open()
        fate = self._database.on_statement(self._node, name)
        future = self._answer = self._node.create_future()
        patience: asyncio.TimerHandle | None = None
        try:
            if fate is Fate.GO:
                self._do(work, partial(self._answered, future))
            else:
                self._suffer(fate, work, future)
            if fate is Fate.HANG or self.session.is_waiting:
                patience = self._node.call_later(COMMAND_TIMEOUT_S, self._too_long, future)
            return await future
        except asyncio.CancelledError:
            if self.session.is_waiting:
                self.session.fail(asyncpg.QueryCanceledError("canceled on user request"))
            raise
        finally:
            self._answer = None
            if patience is not None:
                patience.cancel()

    def _do(self, work: Work | None, answer: Answer) -> None:
        if work is None:
            self.session.commit()
            answer(None, None)
        else:
            self.session.run(work, answer)

    def _suffer(self, fate: Fate, work: Work | None, future: asyncio.Future[Any]) -> None:
        """Do what a bad fate wants."""
        after, kill, lose = self._database.after, self._node.kill, self.session.close
        match fate:
            case Fate.DIE_BEFORE:
                after(0.0, kill)
            case Fate.DIE_AFTER:
                self._do(work, lambda _value, _error: after(0.0, kill))
            case Fate.FAIL:
                after(0.0, lose)
            case Fate.LOSE_ANSWER:
                self._do(work, lambda _value, _error: after(0.0, lose))
            case Fate.HANG:
                self._do(work, lambda _value, _error: None)
            case Fate.DISK_FULL:
                self._refuse(work, future)
            case Fate.GO:
                raise AssertionError("nothing to suffer")

    def _refuse(self, work: Work | None, future: asyncio.Future[Any]) -> None:
        error = asyncpg.DiskFullError("No space left on device")
        if work is None:
            self.session.rollback()
            self._answered(future, None, error)
            return

        def refused(_pending: Pending) -> None:
            raise error

        self.session.run(refused, partial(self._answered, future))

    def _answered(
        self, future: asyncio.Future[Any], value: object, error: Exception | None
    ) -> None:
        self.session.send(partial(self._resolve, future, value, error))

    def _resolve(self, future: asyncio.Future[Any], value: object, error: Exception | None) -> None:
        if future.done() or self._node.dead:
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    def _too_long(self, future: asyncio.Future[Any]) -> None:
        if not future.done():
            if self.session.is_waiting:
                self.session.fail(asyncpg.QueryCanceledError("canceled on user request"))
            if not future.done():
                future.set_exception(TimeoutError())


def _name(function: Callable[..., Any]) -> str:
    return function.__name__.upper()
