"""The server's side of one connection: statements run here, and go on while their client is frozen.

Laws. A statement runs at once and whole, but where it must wait for the end of another's commit. A
session ends with its connection: what it had open is rolled back, what it had committed stays.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import asyncpg

from tests.simulation.pending import Pending, Place, Waits
from tests.simulation.tables import Key, Row

if TYPE_CHECKING:
    from tests.simulation.database import Database

Answer: TypeAlias = Callable[[Any, Exception | None], None]
"""Takes what a statement returned, or why it failed."""
Work: TypeAlias = Callable[[Pending], Any]
"""What a statement does: returns its answer, or is a generator that waits."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What one commit has changed, for checkers."""

    node: str
    connection: str
    at: datetime
    rows: Mapping[str, Mapping[Key, Row | None]]
    """By table and key, as they are now; None: deleted."""
    before: Mapping[str, Mapping[Key, Row | None]]
    """The same keys, as they were."""


class Client(Protocol):
    """The other end."""

    def lost(self) -> None:
        """Learn that the server has closed the connection."""

    def told(self, channel: str, payload: str) -> None:
        """Take a notification."""


class Session:
    """The server's side of one connection."""

    def __init__(self, database: "Database", *, node: str, name: str, client: Client) -> None:
        self._database = database
        self._node, self._name = node, name
        self.client = client
        self.channels: dict[str, None] = {}
        self.is_open = True
        self._pending: Pending | None = None
        self._is_block = False
        self._running: Generator[Pending, None, Any] | None = None
        self._answer: Answer | None = None
        self._idle_since = 0.0
        self._is_watched = False
        self._arrives_at = 0.0

    def send(self, arrive: Callable[[], None]) -> None:
        """Have something arrive at the client, after all that was sent before."""
        database = self._database
        self._arrives_at = max(self._arrives_at, database.now + database.latency_s())
        database.at(self._arrives_at, arrive)

    @property
    def is_waiting(self) -> bool:
        """Whether the statement under way waits for somebody's commit."""
        return self._running is not None

    @property
    def waits(self) -> tuple[Pending | None, Place | None]:
        """Whose commit the statement under way waits for, and for which row."""
        pending = self._pending
        return (None, None) if pending is None else (pending.waits_for, pending.waits_at)

    def begin(self) -> None:
        """Open a commit."""
        assert self._pending is None, "commits are not nested"
        self._pending, self._is_block = Pending(self._database.heap, self._database.utc()), True
        self._idle()

    def run(self, work: Work, answer: Answer) -> None:
        """Run a statement, and answer when it is done."""
        pending = self._pending
        if pending is None:
            pending = self._pending = Pending(self._database.heap, self._database.utc())
            self._is_block = False
        elif pending.failed:
            answer(None, asyncpg.InFailedSQLTransactionError("commands ignored"))
            return
        self._answer = answer
        try:
            result = work(pending)
        except asyncpg.PostgresError as error:
            self._done(None, error)
            return
        if isinstance(result, Generator):
            self._running = result
            self._step()
        else:
            self._done(result, None)

    def commit(self) -> None:
        """Make the open commit seen by everybody; one that has failed is rolled back."""
        pending, self._pending = self._pending, None
        assert pending is not None
        assert self._running is None
        if pending.failed:
            self._database.ended(pending)
            return
        before = pending.apply()
        self._database.ended(pending)
        if pending.writes:
            now = self._database.utc()
            self._database.committed_by(Commit(self._node, self._name, now, pending.writes, before))
        for channel, payload in pending.notices:
            self._database.notify(channel, payload)

    def rollback(self) -> None:
        """Give up what is open, be it under way."""
        pending, self._pending = self._pending, None
        if self._running is not None:
            self._running.close()
            self._running = None
        if pending is not None:
            pending.waits_for = None
            self._database.ended(pending)

    def fail(self, error: Exception) -> None:
        """End the statement under way, as a cancelled or a failed one."""
        if self._running is not None:
            self._running.close()
            self._running = None
        self._done(None, error)

    def close(self) -> None:
        """End the session from the server's side."""
        if self.is_open:
            self.is_open = False
            self._answer = None
            self.rollback()
            self._database.gone(self)
            self.client.lost()

    # --- a statement

    def _step(self) -> None:
        running, pending = self._running, self._pending
        assert running is not None
        assert pending is not None
        pending.waits_for = None
        try:
            holder = next(running)
        except StopIteration as end:
            self._running = None
            self._done(end.value, None)
        except asyncpg.PostgresError as error:
            self._running = None
            self._done(None, error)
        else:
            pending.waits_for = holder
            holder.waiting.append(lambda: self._resumed(running))
            self._database.after(self._database.deadlock_s, lambda: self._look(running, holder))

    def _resumed(self, running: Waits[Any]) -> None:
        if self._running is running:
            self._step()

    def _look(self, running: Waits[Any], holder: Pending) -> None:
        """See if those who wait stand in a circle, as `deadlock_timeout` makes the server do."""
        pending = self._pending
        if self._running is not running or pending is None or pending.waits_for is not holder:
            return
        if pending.is_in_a_circle():
            self.fail(asyncpg.DeadlockDetectedError("deadlock detected"))

    def _done(self, value: Any, error: Exception | None) -> None:
        pending, answer, self._answer = self._pending, self._answer, None
        if pending is not None:
            pending.waits_for = None
            if error is not None:
                pending.failed = True
            if self._is_block:
                self._idle()
            else:
                self.commit()
        if answer is not None:
            answer(value, error)

    # --- idle in transaction

    def _idle(self) -> None:
        self._idle_since = self._database.now
        if not self._is_watched:
            self._is_watched = True
            self._database.after(self._database.idle_s_max, self._look_if_idle)

    def _look_if_idle(self) -> None:
        self._is_watched = False
        if self._pending is None or not self._is_block or self._running is not None:
            return  # the next `_idle` looks again
        left = self._idle_since + self._database.idle_s_max - self._database.now
        if left <= 0:
            self.close()
        else:
            self._is_watched = True
            self._database.after(left, self._look_if_idle)
