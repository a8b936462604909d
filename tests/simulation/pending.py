"""An open commit at the model of PostgreSQL: what it has changed, what it has locked.

Laws. Read committed: a statement reads all that it wants of its snapshot *before* it locks for the
first time, since between two of its waits others may commit; of what it has locked it then reads
the newest version, and judges its condition anew. A function that may have to wait is a generator:
it yields the commit whose end it waits for, and looks again when it is resumed.
"""

from collections.abc import Callable, Generator, Iterable
from datetime import datetime
from typing import Final, TypeAlias, TypeVar

import asyncpg

from tests.simulation.tables import Events, Key, Keyed, Row, Table

Result = TypeVar("Result")
Waits: TypeAlias = Generator["Pending", None, Result]
"""Something that may have to wait for the end of other commits."""
Place: TypeAlias = tuple[str, Key]
"""What is locked: a table or unique index, and the key in it."""

_PAYLOAD_BYTES_MAX: Final = 7999


class Heap:
    """What all connections share: tables, sequences, locks."""

    def __init__(self, tables: dict[str, Table], sequences: dict[str, int]) -> None:
        self.tables = tables
        self.sequences = sequences
        self.locks: dict[Place, Pending] = {}

    def next_value(self, sequence: str) -> int:
        """Return a number that is given once, whatever becomes of the commit."""
        number = self.sequences[sequence] = self.sequences.get(sequence, 0) + 1
        return number


class Pending:
    """One open commit."""

    __slots__ = (
        *("_heap", "failed", "locks", "notices", "now"),
        *("waiting", "waits_at", "waits_for", "writes"),
    )

    def __init__(self, heap: Heap, now: datetime) -> None:
        self._heap = heap
        self.now = now
        """What `now()` says: when it began."""
        self.writes: dict[str, dict[Key, Row | None]] = {}
        self.locks: list[Place] = []
        self.notices: dict[tuple[str, str], None] = {}
        self.waiting: list[Callable[[], None]] = []
        """Those who wait for our end, in their order."""
        self.waits_for: Pending | None = None
        self.waits_at: Place | None = None
        """The row we last waited for; None: for what becomes of an insert."""
        self.failed = False

    # --- reading

    def row(self, table: str, key: Key) -> Row | None:
        """Return the newest row under a key that we see: our own, or what is committed."""
        writes = self.writes.get(table)
        if writes is not None and key in writes:
            return writes[key]
        return self._heap.tables[table].rows.get(key)

    def all(self, table: str) -> Iterable[Row]:
        """Return the rows of a table."""
        rows = self._heap.tables[table].rows
        writes = self.writes.get(table)
        if not writes:
            return rows.values()
        return [row for row in {**rows, **writes}.values() if row is not None]

    def under(self, table: str, index: str, value: object) -> list[Row]:
        """Return the rows that an index has under a value."""
        whole = self._heap.tables[table]
        keys = whole.indexes[index].get(value, {})
        writes = self.writes.get(table)
        if not writes:
            return [whole.rows[key] for key in keys]
        of = whole.shape.indexes[index]
        found = (self.row(table, key) for key in {**keys, **dict.fromkeys(writes)})
        return [row for row in found if row is not None and of(row) == value]

    def events(self, terminal: str, epoch: int, first: int, until: int) -> Iterable[Row]:
        """Iterate over the committed rows of a journal with first <= seq < until, by seq."""
        assert "event" not in self.writes, "nobody reads what he has just copied"
        table = self._heap.tables["event"]
        assert isinstance(table, Events)
        return table.between(terminal, epoch, first, until)

    def next_value(self, sequence: str) -> int:
        """Return the next number of a sequence."""
        return self._heap.next_value(sequence)

    # --- locking

    def is_free(self, table: str, key: Key) -> bool:
        """Return whether no other open commit holds the row."""
        return self._heap.locks.get((table, key)) in (None, self)

    def lock(self, table: str, key: Key) -> Waits[Row | None]:
        """Lock what is under a key and return its newest version; None: there is none any more."""
        place = (table, key)
        locks = self._heap.locks
        while (holder := locks.get(place)) is not self:
            if holder is None:
                locks[place] = self
                self.locks.append(place)
                break
            self.waits_at = place
            yield holder
        return self.row(table, key) if table in self._heap.tables else None

    # --- writing

    def insert(self, table: str, row: Row, key: Key = None) -> Waits[bool]:
        """Insert a row unless there is one under its key; return whether there was none."""
        if key is None:
            key = self._heap.tables[table].shape.key(row)
        while True:
            holder = self._heap.locks.get((table, key))
            if holder is None or holder is self:
                if self.row(table, key) is not None:
                    return False
                yield from self.lock(table, key)
                yield from self.write(table, key, row)
                return True
            # What another has changed is decided at its end; what it has only locked is there.
            if key not in holder.writes.get(table, ()) and self.row(table, key) is not None:
                return False
            self.waits_at = None
            yield holder

    def insert_new(self, table: str, row: Row) -> Waits[None]:
        """Insert a row that must not exist."""
        if not (yield from self.insert(table, row)):
            raise asyncpg.UniqueViolationError(f'duplicate key value violates "{table}_pkey"')

    def upsert(
        self, table: str, rows: Iterable[Row], change: Callable[[Row, Row], Row | None]
    ) -> Waits[None]:
        """Insert rows, or make of the row that is there and ours the new one (None: leave it)."""
        of = self._heap.tables[table].shape.key
        done: set[Key] = set()
        for row in rows:
            key = of(row)
            if key in done:
                raise asyncpg.CardinalityViolationError("cannot affect row a second time")
            done.add(key)
            while not (yield from self.insert(table, row, key)):
                known = yield from self.lock(table, key)
                if known is not None:
                    changed = change(known, row)
                    if changed is not None:
                        yield from self.write(table, key, changed)
                    break

    def write(self, table: str, key: Key, row: Row | None) -> Waits[None]:
        """Put a row, or none, under a key that we have locked, if the constraints allow it."""
        shape = self._heap.tables[table].shape
        if row is not None and shape.check is not None and not shape.check(row):
            raise asyncpg.CheckViolationError(f'new row for "{table}" violates a check')
        before = self.row(table, key) if shape.unique else None
        for name, of in shape.unique.items():
            old = None if before is None else of(before)
            new = None if row is None else of(row)
            if old == new:
                continue
            for value in (old, new):
                if value is not None:
                    yield from self.lock(name, value)
            if new is not None and self._owner(table, name, of, new) not in (None, key):
                raise asyncpg.UniqueViolationError(f'duplicate key value violates "{name}"')
        self.writes.setdefault(table, {})[key] = row

    def _owner(self, table: str, name: str, of: Keyed, value: object) -> Key | None:
        """Return the key of the row that a unique index has under a value."""
        writes = self.writes.get(table, {})
        for key, row in writes.items():
            if row is not None and of(row) == value:
                return key
        owner = self._heap.tables[table].unique[name].get(value)
        return None if owner in writes else owner

    def notify(self, channel: str, payload: str) -> None:
        """Tell the listeners when it is committed; the same words once."""
        if len(payload.encode()) > _PAYLOAD_BYTES_MAX:
            raise asyncpg.InvalidParameterValueError("payload string too long")
        self.notices[channel, payload] = None

    # --- its end

    def apply(self) -> dict[str, dict[Key, Row | None]]:
        """Make everything seen by everybody; return what was there before."""
        tables = self._heap.tables
        return {
            table: {key: tables[table].apply(key, row) for key, row in rows.items()}
            for table, rows in self.writes.items()
        }

    def end(self) -> list[Callable[[], None]]:
        """Give the locks back; return who waited."""
        for place in self.locks:
            del self._heap.locks[place]
        self.locks.clear()
        waiting, self.waiting = self.waiting, []
        return waiting

    def is_in_a_circle(self) -> bool:
        """Return whether we wait, through others, for ourselves."""
        other = self.waits_for
        seen = {id(self)}
        while other is not None and id(other) not in seen:
            seen.add(id(other))
            other = other.waits_for
        return other is self
