"""What keeps a journal: rows and a head, changed together or not at all.

The journal's decisions live in `agent.journal`; a store only obeys. One store is SQLite on disk
(`agent.store_sqlite`); the tests have one in memory that can lose power.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from wire.journal import Epoch, Mark

ROW_OVERHEAD_BYTES: Final = 96
"""What a row costs beside its event's bytes: keys, two marks, page slack (measured, rounded up)."""


class StoreFull(Exception):  # noqa: N818 - it names what is, not an error of ours
    """The change could not be written for want of room; nothing of it was."""


class StoreLost(Exception):  # noqa: N818 - the same
    """The medium is damaged or gone; what was written stays as it was, if it can be read."""


@dataclass(frozen=True, slots=True)
class Key:
    """Names a row."""

    epoch: Epoch
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An event as journaled, between the mark before it and its own.

    Both marks are kept so that any row can be dropped and its successor still says its `prev`.
    """

    key: Key
    at: int
    """When it was written, ms by the journal's own clock: only for how long to keep it."""
    money: bool
    prev: Mark
    mark: Mark
    event: bytes

    @property
    def size(self) -> int:
        """Bytes that the row counts for against the journal's limits."""
        return len(self.event) + ROW_OVERHEAD_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Stub:
    """A row without its event: enough to choose what to drop."""

    key: Key
    at: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where the journal stands: `mark` is that of seq `next - 1`; all before `acked` is safe.

    `size` and `acked_size` are the sums of the rows' sizes: of all, of those that are acknowledged
    (rows of older epochs are). Kept here because summing them up at each start would be slow.
    """

    epoch: Epoch
    next: int
    mark: Mark
    acked: int
    size: int = 0
    acked_size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes true at once: rows dropped, rows put, and the new head."""

    head: Head
    put: Sequence[Row] = ()
    drop: Sequence[Key] = ()


class Store(Protocol):
    """Keeps rows and a head through power cuts."""

    def head(self) -> Head | None:
        """Return the head last written, None in a new store."""
        ...

    def write(self, change: Change, *, durable: bool) -> None:
        """Make the change true; with `durable`, it survives a power cut from the return on.

        Raises:
            StoreFull: there is no room; nothing changed.
            StoreLost: the medium failed; nothing changed.
        """
        ...

    def rows(self, epoch: Epoch, *, first: int, most: int) -> Sequence[Row]:
        """Return the epoch's rows from seq `first` on, ascending, at most so many."""
        ...

    def oldest(
        self, *, before: Key | None = None, since: Key | None = None, money: bool | None, most: int
    ) -> Sequence[Stub]:
        """Return the oldest rows between the keys, with money or without, at most so many."""
        ...

    def release_reserve(self) -> bool:
        """Give the disk back what was set aside for a full disk; False if there is none left."""
        ...

    def restore_reserve(self) -> bool:
        """Set room aside again; False if the disk does not have it."""
        ...
