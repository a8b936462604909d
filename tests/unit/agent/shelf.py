"""Rows in order, as any store in memory keeps them."""

from bisect import bisect_left
from collections.abc import Sequence

from agent.store import Key, Row, Stub
from wire.journal import Epoch

Place = tuple[int, int]
"""Epoch and seq."""


def place_of(key: Key) -> Place:
    """Return what rows are ordered by."""
    return (key.epoch, key.seq)


class Shelf:
    """Holds rows; `size` is the sum of theirs."""

    def __init__(self) -> None:
        self.size = 0
        self._rows: dict[Place, Row] = {}
        self._order: list[Place] = []
        self._stubs: list[Stub] = []
        """Beside `_order`."""

    def copy(self) -> "Shelf":
        """Return another one with the same rows."""
        other = Shelf()
        other.size, other._rows = self.size, dict(self._rows)
        other._order, other._stubs = list(self._order), list(self._stubs)
        return other

    @property
    def places(self) -> Sequence[Place]:
        """Return where rows are held, in order."""
        return self._order

    def held(self, keys: Sequence[Key]) -> list[Row]:
        """Return those rows of the keys that are there."""
        return [self._rows[place] for key in keys if (place := place_of(key)) in self._rows]

    def insert(self, row: Row) -> None:
        """Put a row in its place."""
        place = place_of(row.key)
        self._rows[place] = row
        stub = Stub(key=row.key, at=row.at, size=row.size)
        if not self._order or self._order[-1] < place:
            self._order.append(place)
            self._stubs.append(stub)
        else:
            at = bisect_left(self._order, place)
            self._order.insert(at, place)
            self._stubs.insert(at, stub)
        self.size += row.size

    def remove(self, row: Row) -> None:
        """Take a row away."""
        place = place_of(row.key)
        self.size -= self._rows.pop(place).size
        at = bisect_left(self._order, place)
        del self._order[at], self._stubs[at]

    def rows(self, epoch: Epoch, *, first: int, most: int) -> Sequence[Row]:
        """Return the epoch's rows from seq `first` on."""
        start = bisect_left(self._order, (epoch, first))
        places = self._order[start : start + most]
        return [self._rows[place] for place in places if place[0] == epoch]

    def oldest(
        self, *, before: Key | None = None, since: Key | None = None, money: bool | None, most: int
    ) -> Sequence[Stub]:
        """Return the oldest rows that the arguments leave."""
        start = bisect_left(self._order, place_of(since)) if since else 0
        end = bisect_left(self._order, place_of(before)) if before else len(self._order)
        if money is None:
            return self._stubs[start : min(end, start + most)]
        found: list[Stub] = []
        for at in range(start, end):
            if self._rows[self._order[at]].money is money:
                found.append(self._stubs[at])
                if len(found) == most:
                    break
        return found
