"""A store in memory that can lose power and run full: for tests and simulation."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

from agent.store import Change, Head, Key, Row, StoreFull, Stub
from wire.journal import Epoch

_Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Undo:
    """How things were before a write that a power cut may take back."""

    head: Head | None
    put: Sequence[_Place]
    dropped: Sequence[Row]


class MemoryStore:
    """Keeps rows in order; what was not written durably goes at `lose_power`."""

    def __init__(self, *, capacity: int | None = None, reserve: int = 0) -> None:
        self.capacity = capacity
        self._reserve_size = self._reserve = reserve
        self._head: Head | None = None
        self._rows: dict[_Place, Row] = {}
        self._order: list[_Place] = []
        self._size = 0
        self._undo: list[_Undo] = []

    def copy(self) -> "MemoryStore":
        """Return an image of the disk."""
        image = MemoryStore(capacity=self.capacity, reserve=self._reserve_size)
        image._head, image._rows, image._order = self._head, dict(self._rows), list(self._order)
        image._size = self._size
        return image

    def lose_power(self) -> None:
        """Forget what was written since the last durable write."""
        for undo in reversed(self._undo):
            for place in undo.put:
                self._remove(place)
            for row in undo.dropped:
                self._insert(row)
            self._head = undo.head
        self._undo.clear()

    def held(self) -> dict[int, list[int]]:
        """Return the seqs held, by epoch."""
        found: dict[int, list[int]] = {}
        for epoch, seq in self._order:
            found.setdefault(epoch, []).append(seq)
        return found

    def head(self) -> Head | None:
        """Return the head last written."""
        return self._head

    def write(self, change: Change, *, durable: bool) -> None:
        """Make the change true, or raise `StoreFull`; a change that only drops always fits."""
        dropped = [self._rows[place] for key in change.drop if (place := _place(key)) in self._rows]
        size = self._size + sum(row.size for row in change.put) - sum(row.size for row in dropped)
        if self.capacity is not None and size + self._reserve > self.capacity and change.put:
            raise StoreFull
        put = [_place(row.key) for row in change.put]
        self._undo.append(_Undo(self._head, put, dropped))
        for row in dropped:
            self._remove(_place(row.key))
        for row in change.put:
            self._insert(row)
        self._head = change.head
        if durable:
            self._undo.clear()

    def rows(self, epoch: Epoch, *, first: int, most: int) -> Sequence[Row]:
        """Return the epoch's rows from seq `first` on."""
        start = bisect_left(self._order, (epoch, first))
        places = self._order[start : start + most]
        return [self._rows[place] for place in places if place[0] == epoch]

    def oldest(
        self, *, before: Key | None = None, since: Key | None = None, money: bool | None, most: int
    ) -> Sequence[Stub]:
        """Return the oldest rows that the arguments leave."""
        start = bisect_left(self._order, _place(since)) if since else 0
        end = bisect_left(self._order, _place(before)) if before else len(self._order)
        found: list[Stub] = []
        for place in self._order[start:end]:
            row = self._rows[place]
            if money is None or row.money is money:
                found.append(Stub(key=row.key, at=row.at, size=row.size))
                if len(found) == most:
                    break
        return found

    def release_reserve(self) -> bool:
        """Give the reserve's room to the rows."""
        released, self._reserve = self._reserve > 0, 0
        return released

    def restore_reserve(self) -> bool:
        """Set the reserve aside again where it fits."""
        if self.capacity is not None and self._size + self._reserve_size > self.capacity:
            return False
        self._reserve = self._reserve_size
        return True

    def _insert(self, row: Row) -> None:
        place = _place(row.key)
        self._rows[place] = row
        insort(self._order, place)
        self._size += row.size

    def _remove(self, place: _Place) -> None:
        self._size -= self._rows.pop(place).size
        del self._order[bisect_left(self._order, place)]


def _place(key: Key) -> _Place:
    return (key.epoch, key.seq)
