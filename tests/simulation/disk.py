"""A terminal's disk in memory: it tears, runs full, is copied, and remembers what it ever held.

Laws. A durable write is there after a power cut, with everything written before it. What was
written since survives as some prefix. A torn write was never there. The chronicle is the truth: it
learns what became durable from the writes themselves, not from what the writer was told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, NamedTuple

from agent.store import Change, Head, Key, Row, StoreFull, Stub
from tests.unit.agent.shelf import Place, Shelf, place_of
from wire.journal import Epoch

LOG_BYTES: Final = 512
"""What a write takes of the disk for a moment, even one that only drops."""

Step = Literal["before", "after", "torn"]
"""Where at a write its process dies: before it, after it but unheard, or with the power in it."""


class Died(BaseException):
    """The process is no more; nobody in it can catch this."""

    def __init__(self, *, power: bool) -> None:
        super().__init__()
        self.power = power


class Written(NamedTuple):
    """An event that was durable once."""

    seq: int
    event: bytes
    mark: str
    money: bool
    at: int
    """By the terminal's clock."""
    written_at: float
    """By the world's."""


class Gone(NamedTuple):
    """An event that the journal dropped, and how it stood then."""

    acknowledged: bool
    money: bool
    dropped_at: float = 0.0
    """By the world's clock."""


class _Undo(NamedTuple):
    head: Head | None
    put: Sequence[Row]
    dropped: Sequence[Row]


@dataclass(slots=True)
class Fuse:
    """Dies at a write: at the first if it is 1."""

    at_write: int
    step: Step
    power: bool = False
    """The power goes too; at a torn write it always does."""


class Chronicle:
    """Everything that one disk ever held durably."""

    def __init__(self) -> None:
        self.epochs: dict[int, list[Written]] = {}
        """Each epoch's events by seq; only a fork leaves out what was dropped before it."""
        self.moved: dict[Place, int] = {}
        """What a fork carried into a new epoch, by its old place: that epoch."""
        self.forks: dict[int, Place] = {}
        """A new epoch, and the old place of its seq 1: what was dropped keeps its distance."""
        self.gone: dict[Place, Gone] = {}
        """What was dropped; moved rows are not among them.

        A power cut may bring a row back after its loss was declared: it stays in here.
        """
        self.taken_back = 0
        """Writes that a power cut undid: acks and drops, never an event."""

    def copy(self) -> "Chronicle":
        """Return what the image of the disk remembers."""
        other = Chronicle()
        other.epochs = {epoch: list(rows) for epoch, rows in self.epochs.items()}
        other.moved, other.gone = dict(self.moved), dict(self.gone)
        other.forks = dict(self.forks)
        return other


@dataclass(frozen=True, slots=True)
class History:
    """What one disk ever held durably."""

    disk: str
    present: bool
    """It is the terminal's disk now."""
    head: Head | None
    """Where its journal stands, or stood when the disk was taken away."""
    chronicle: Chronicle


class Disk:
    """An `agent.store.Store`; what kills its writer raises `Died`."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        capacity: int | None = None,
        reserve: int = 4096,
    ) -> None:
        self.capacity = capacity
        self.taken = 0
        """Bytes that other programs hold."""
        self.fuse: Fuse | None = None
        self.writes = 0
        self.chronicle = Chronicle()
        self.ran_in: int | None = None
        """The machine's boot in which the agent last ran on it, as its run file says."""
        self._clock = clock
        self._reserve_size = self._reserve = reserve
        self._head: Head | None = None
        self._shelf = Shelf()
        self._undo: list[_Undo] = []

    def copy(self) -> "Disk":
        """Return an image: of the rows, and of what the disk remembers."""
        image = Disk(clock=self._clock, capacity=self.capacity, reserve=self._reserve_size)
        image.chronicle, image.ran_in = self.chronicle.copy(), self.ran_in
        image._head, image._shelf = self._head, self._shelf.copy()
        image._reserve = self._reserve
        return image

    def lose_power(self, random: Random) -> None:
        """Take back what was written since the last durable write, but for some prefix of it."""
        survive = random.randint(0, len(self._undo))
        while len(self._undo) > survive:
            undo = self._undo.pop()
            self.chronicle.taken_back += 1
            for row in undo.put:
                self._shelf.remove(row)
            for row in undo.dropped:
                self._shelf.insert(row)
            self._head = undo.head
        self._undo.clear()

    # --- the Store

    def head(self) -> Head | None:
        """Return the head last written."""
        return self._head

    def write(self, change: Change, *, durable: bool) -> None:
        """Make the change true, or raise `StoreFull`, or die of the fuse."""
        burnt = self._burnt()
        if burnt is not None and burnt.step != "after":
            raise Died(power=burnt.power or burnt.step == "torn")
        dropped = self._shelf.held(change.drop)
        grown = sum(row.size for row in change.put) - sum(row.size for row in dropped)
        if self.capacity is not None:
            free = self.free()
            if free < LOG_BYTES or (change.put and grown > free):
                raise StoreFull
        assert durable or not change.put, "an event is always put durably"
        self._apply(change, dropped)
        self._undo.append(_Undo(self._head, change.put, dropped))
        self._head = change.head
        if durable:
            self._undo.clear()
        if burnt is not None:
            raise Died(power=burnt.power)

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
        if not self._reserve and self.capacity is not None and self.free() < self._reserve_size:
            return False
        self._reserve = self._reserve_size
        return True

    def free(self) -> int:
        """Return how many bytes are left; a disk without a capacity has plenty."""
        if self.capacity is None:
            return 2**40
        return self.capacity - self.taken - self._shelf.size - self._reserve

    @property
    def size(self) -> int:
        """Bytes that the rows take, and the reserve."""
        return self._shelf.size + self._reserve

    # --- inside

    def _burnt(self) -> Fuse | None:
        self.writes += 1
        fuse = self.fuse
        if fuse is None:
            return None
        fuse.at_write -= 1
        if fuse.at_write > 0:
            return None
        self.fuse = None
        return fuse

    def _apply(self, change: Change, dropped: Sequence[Row]) -> None:
        """Put and drop, and tell the chronicle."""
        chronicle, old, head = self.chronicle, self._head, change.head
        now = self._clock()
        forks = old is not None and head.epoch != old.epoch
        if forks and old is not None:
            chronicle.forks[head.epoch] = (old.epoch, old.next - head.next + 1)
        for row in dropped:
            self._shelf.remove(row)
            key = row.key
            if forks:
                chronicle.moved[place_of(key)] = head.epoch
            elif key.epoch:
                # By the head that comes with it: a full disk may not have taken the ack by itself.
                safe = (key.epoch, key.seq) < (head.epoch, head.acked)
                chronicle.gone[place_of(key)] = Gone(safe, row.money, now)
        for row in change.put:
            self._shelf.insert(row)
            epoch, seq = row.key.epoch, row.key.seq
            if epoch:  # 0 is the journal's probe for room
                rows = chronicle.epochs.setdefault(epoch, [])
                last = rows[-1].seq if rows else 0
                # A fork keeps the holes of what was dropped, one at its end too.
                leaves_out = forks or (old is not None and seq == old.next)
                assert seq == last + 1 or (leaves_out and seq > last), "a seq is given once"
                rows.append(Written(seq, row.event, row.mark, row.money, row.at, now))
