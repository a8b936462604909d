"""A store in memory that can lose power and run full: for tests and simulation."""

from collections.abc import Sequence

from agent.store import Change, Head, Key, Row, StoreFull, Stub
from wire.journal import Epoch


class MemoryStore:
    """Keeps rows in a dictionary; what was not written durably goes at `lose_power`."""

    def __init__(self, *, capacity: int | None = None, reserve: int = 0) -> None:
        self.capacity = capacity
        self._reserve_size = self._reserve = reserve
        self._head: Head | None = None
        self._rows: dict[Key, Row] = {}
        self._durable: tuple[Head | None, dict[Key, Row]] = (None, {})

    def lose_power(self) -> None:
        """Forget what was written since the last durable write."""
        self._head, rows = self._durable
        self._rows = dict(rows)

    def head(self) -> Head | None:
        """Return the head last written."""
        return self._head

    def size(self) -> int:
        """Return the sum of all rows' sizes."""
        return sum(row.size for row in self._rows.values())

    def write(self, change: Change, *, durable: bool) -> None:
        """Make the change true, or raise `StoreFull`; a change that frees room always fits."""
        rows = {key: row for key, row in self._rows.items() if key not in set(change.drop)}
        rows.update((row.key, row) for row in change.put)
        size = sum(row.size for row in rows.values())
        if self.capacity is not None and size + self._reserve > self.capacity and change.put:
            raise StoreFull
        self._rows, self._head = rows, change.head
        if durable:
            self._durable = (self._head, dict(rows))

    def rows(self, epoch: Epoch, *, first: int, most: int) -> Sequence[Row]:
        """Return the epoch's rows from seq `first` on."""
        found = sorted(
            (row for key, row in self._rows.items() if key.epoch == epoch and key.seq >= first),
            key=lambda row: row.key.seq,
        )
        return found[:most]

    def oldest(
        self, *, before: Key | None = None, since: Key | None = None, money: bool | None, most: int
    ) -> Sequence[Stub]:
        """Return the oldest rows that the arguments leave."""

        def wanted(row: Row) -> bool:
            place = (row.key.epoch, row.key.seq)
            return (
                (before is None or place < (before.epoch, before.seq))
                and (since is None or place >= (since.epoch, since.seq))
                and (money is None or row.money is money)
            )

        found = sorted(
            (row for row in self._rows.values() if wanted(row)),
            key=lambda row: (row.key.epoch, row.key.seq),
        )
        return [Stub(key=row.key, at=row.at, size=row.size) for row in found[:most]]

    def release_reserve(self) -> bool:
        """Give the reserve's room to the rows."""
        released, self._reserve = self._reserve > 0, 0
        return released

    def restore_reserve(self) -> bool:
        """Set the reserve aside again where it fits."""
        if self.capacity is not None and self.size() + self._reserve_size > self.capacity:
            return False
        self._reserve = self._reserve_size
        return True
