"""The model of PostgreSQL: a server that is stopped, started, backed up and restored.

How it works: `tables` hold what is committed, `pending` is an open commit with its locks,
`session` runs statements at the server, `connection` is asyncpg's surface on a node,
`statements_*` say in Python what each SQL constant means.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import Random
from typing import Any, Final

from tests.simulation.connection import Connection, Fate
from tests.simulation.loop import Node, World
from tests.simulation.pending import Heap, Pending
from tests.simulation.session import Commit, Session
from tests.simulation.statements_collector import COPIES
from tests.simulation.statements_collector import STATEMENTS as OF_COLLECTOR
from tests.simulation.statements_incidents import STATEMENTS as OF_INCIDENTS
from tests.simulation.tables import Key, Row, Table, empty

__all__ = ["Backup", "Commit", "Connection", "Database", "Fate"]

IDLE_S_MAX: Final = 30.0
"""`idle_in_transaction_session_timeout`."""
DEADLOCK_S: Final = 1.0
"""`deadlock_timeout`."""


@dataclass(frozen=True, slots=True)
class Backup:
    """Everything that was committed at one moment."""

    tables: Mapping[str, Table]
    sequences: Mapping[str, int]
    at: float


def _go(_node: Node, _name: str) -> Fate:
    return Fate.GO


class Database:
    """One server."""

    def __init__(
        self,
        world: World,
        *,
        latency_s: float = 0.002,
        random: Random,
        idle_s_max: float = IDLE_S_MAX,
        deadlock_s: float = DEADLOCK_S,
    ) -> None:
        self._world = world
        self._latency_s = latency_s
        self._random = random
        self.idle_s_max = idle_s_max
        self.deadlock_s = deadlock_s
        self.heap = Heap(empty(), {})
        self.statements: dict[str, Callable[..., Any]] = {**OF_COLLECTOR, **OF_INCIDENTS}
        """SQL → what it does here; a mutation may replace one."""
        self.copies: dict[str, Callable[..., Any]] = dict(COPIES)
        """Table → what a copy to it does."""
        self.is_running = True
        self.on_commit: list[Callable[[Commit], None]] = []
        self.on_statement: Callable[[Node, str], Fate] = _go
        """Asked before each statement; it is told the statement's name: MOVE_CURSORS, COMMIT."""
        self._sessions: dict[Session, None] = {}
        self._of_nodes: dict[Node, dict[Session, None]] = {}

    # --- what a simulation does with a server

    async def connect(self, node: Node, name: str) -> Connection:
        """Return a new connection.

        Raises:
            OSError: the server does not run.
        """
        if not node.dead:
            await self.later(node)
        if node.dead or not self.is_running:
            raise ConnectionRefusedError("the server does not run")
        connection = Connection(self, node, name)
        self._sessions[connection.session] = None
        if node not in self._of_nodes:
            self._of_nodes[node] = {}
            node.on_death(partial(self._died, node))
        self._of_nodes[node][connection.session] = None
        return connection

    def committed(self, table: str) -> Mapping[Key, Row]:
        """Return the committed rows of a table by key (of `event`: by its place in the heap)."""
        return self.heap.tables[table].rows

    def count(self, table: str) -> int:
        """Return how many rows of a table are committed."""
        return len(self.heap.tables[table].rows)

    def events(self, terminal: str, epoch: int) -> list[Row]:
        """Return the committed rows of a journal's copy by seq."""
        whole = Pending(self.heap, self.utc())
        return list(whole.events(terminal, epoch, 0, 1 << 63))

    def write(self, table: str, **values: Any) -> bool:
        """Commit a row at once, as some other program (an import, the desk) does.

        Columns that are not named keep what they are, or get their defaults; an `id` is given.
        False: somebody's open commit holds it, nothing was done.
        """
        whole = self.heap.tables[table]
        if "id" in whole.shape.columns and "id" not in values:
            values["id"] = self.heap.next_value(table)
        key = whole.shape.key(values)
        if (table, key) in self.heap.locks:
            return False
        known = whole.rows.get(key)
        if known is None and "changed_at" in whole.shape.columns:
            values.setdefault("changed_at", self.utc())
        row = whole.shape.row(values) if known is None else {**known, **values}
        before = whole.apply(key, row)
        self.committed_by(Commit("", "", self.utc(), {table: {key: row}}, {table: {key: before}}))
        return True

    def stop(self) -> None:
        """Crash: connections are lost, what is not committed never was."""
        self.is_running = False
        for session in list(self._sessions):
            session.close()

    def start(self) -> None:
        """Take connections again."""
        self.is_running = True

    def backup(self) -> Backup:
        """Return a copy of everything that is committed."""
        tables = {name: table.copy() for name, table in self.heap.tables.items()}
        return Backup(tables, dict(self.heap.sequences), self._world.now)

    def restore(self, backup: Backup) -> None:
        """Stop, be as at the backup, start; sequences too go back."""
        self.stop()
        tables = {name: table.copy() for name, table in backup.tables.items()}
        self.heap = Heap(tables, dict(backup.sequences))
        self.start()

    # --- what sessions and connections need

    @property
    def now(self) -> float:
        """The world's time."""
        return self._world.now

    def utc(self) -> datetime:
        """Return the true time of day."""
        return self._world.utc()

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do something so many seconds from now."""
        self._world.after(delay_s, action)

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do something at that time."""
        self._world.at(when, action)

    def latency_s(self) -> float:
        """Return how long the next answer takes."""
        return self._latency_s * (0.5 + self._random.random())

    async def later(self, node: Node) -> None:
        """Wait as long as an answer takes."""
        future = node.create_future()

        def done() -> None:
            if not future.done():
                future.set_result(None)

        self.after(self.latency_s(), done)
        await future

    def ended(self, pending: Pending) -> None:
        """Take the locks of an ended commit back, and let those who waited go on."""
        for resume in pending.end():
            self._world.after(0.0, resume)

    def committed_by(self, commit: Commit) -> None:
        """Show a commit to the checkers."""
        for look in self.on_commit:
            look(commit)

    def notify(self, channel: str, payload: str) -> None:
        """Tell all who listen."""
        for session in self._sessions:
            if channel in session.channels:
                session.send(partial(session.client.told, channel, payload))

    def gone(self, session: Session) -> None:
        """Forget a closed session."""
        self._sessions.pop(session, None)
        for sessions in self._of_nodes.values():
            sessions.pop(session, None)

    def _died(self, node: Node) -> None:
        for session in list(self._of_nodes.pop(node, {})):
            session.close()
