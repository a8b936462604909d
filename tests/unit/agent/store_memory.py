"""A store in memory that can lose power and run full: for tests and simulation."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.store import Change, Head, Key, Row, StoreFull, Stub
from tests.unit.agent.shelf import Shelf
from wire.journal import Epoch


@dataclass(frozen=True, slots=True)
class _Undo:
    """How things were before a write that a power cut may take back."""

    head: Head | None
    put: Sequence[Row]
    dropped: Sequence[Row]


class MemoryStore:
    """Keeps rows in order; what was not written durably goes at `lose_power`."""

    def __init__(self, *, capacity: int | None = None, reserve: int = 0) -> None:
        self.capacity = capacity
        self._reserve_size = self._reserve = reserve
        self._head: Head | None = None
        self._shelf = Shelf()
        self._undo: list[_Undo] = []

    def copy(self) -> "MemoryStore":
        """Return an image of the disk."""
        image = MemoryStore(capacity=self.capacity, reserve=self._reserve_size)
        image._head, image._shelf = self._head, self._shelf.copy()
        return image

    def lose_power(self) -> None:
        """Forget what was written since the last durable write."""
        for undo in reversed(self._undo):
            for row in undo.put:
                self._shelf.remove(row)
            for row in undo.dropped:
                self._shelf.insert(row)
            self._head = undo.head
        self._undo.clear()

    def held(self) -> dict[int, list[int]]:
        """Return the seqs held, by epoch."""
        found: dict[int, list[int]] = {}
        for epoch, seq in self._shelf.places:
            found.setdefault(epoch, []).append(seq)
        return found

    def head(self) -> Head | None:
        """Return the head last written."""
        return self._head

    def write(self, change: Change, *, durable: bool) -> None:
        """Make the change true, or raise `StoreFull`; a change that only drops always fits."""
        shelf, dropped = self._shelf, self._shelf.held(change.drop)
        size = shelf.size + sum(row.size for row in change.put) - sum(row.size for row in dropped)
        if self.capacity is not None and size + self._reserve > self.capacity and change.put:
            raise StoreFull
        self._undo.append(_Undo(self._head, change.put, dropped))
        for row in dropped:
            shelf.remove(row)
        for row in change.put:
            shelf.insert(row)
        self._head = change.head
        if durable:
            self._undo.clear()

    def rows(self, epoch: Epoch, *, first: int, most: int) -> Sequence[Row]:
        """Return the epoch's rows from seq `first` on."""
        return self._shelf.rows(epoch, first=first, most=most)

    def oldest(
        self, *, before: Key | None = None, since: Key | None = None, money: bool | None, most: int
    ) -> Sequence[Stub]:
        """Return the oldest rows that the arguments leave."""
        return self._shelf.oldest(before=before, since=since, money=money, most=most)

    def release_reserve(self) -> bool:
        """Give the reserve's room to the rows."""
        released, self._reserve = self._reserve > 0, 0
        return released

    def restore_reserve(self) -> bool:
        """Set the reserve aside again where it fits."""
        if self.capacity is not None and self._shelf.size + self._reserve_size > self.capacity:
            return False
        self._reserve = self._reserve_size
        return True
