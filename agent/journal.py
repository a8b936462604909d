"""The terminal's journal: what it holds, what it may drop, when it begins anew.

Laws. An event has its seq only with its commit, and the commit is durable before `append` returns.
Seqs are given without a hole; what is dropped later leaves a hole that the uplink declares
(rule 6). What is dropped for want of room goes in this order: what is acknowledged, then what is
unacknowledged and without money. Unacknowledged money is never dropped: the disk does leave a
choice (rule 6), to stop selling. A reserve takes what a transaction under way still brings; when
that is used up too, `append` refuses. Everything here is arithmetic over a `Store`; no file is
touched.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from agent.chunk import READ_ROWS, Chunk, epoch_after, held_mark, read_chunk
from agent.devices.machine import Instant
from agent.shape import Entry
from agent.store import ROW_OVERHEAD_BYTES, Change, Head, Key, Row, Store, StoreFull, Stub
from wire.journal import Epoch, Mark, first_mark, mark_after
from wire.limits import KEEP_ACKNOWLEDGED_BYTES, KEEP_ACKNOWLEDGED_DAYS

_DAY_MS: Final = 86_400_000
_DROP_ROWS_MAX: Final = 512
"""Rows dropped in one commit: it must itself fit the write-ahead log of a nearly full disk."""
_DROP_BYTES_LEAST: Final = 64 * 1024
_Tier = Callable[[], Sequence[Stub]]


class JournalFull(Exception):  # noqa: N818 - it names what is
    """The entries could not be written, whatever was dropped; none of them was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much the journal keeps; `reserve_bytes` more are for money when all else is used up."""

    most_bytes: int = 256 * 1024 * 1024
    reserve_bytes: int = 1024 * 1024
    keep_bytes: int = KEEP_ACKNOWLEDGED_BYTES
    keep_ms: int = KEEP_ACKNOWLEDGED_DAYS * _DAY_MS


class Journal:
    """An append-only log with marks, over a store."""

    def __init__(
        self, store: Store, *, at: int, limits: Limits | None = None, salvaged: Sequence[Row] = ()
    ) -> None:
        """Take up the store's journal, or begin one with `at` (Unix ms) as its epoch.

        It begins with the events salvaged from a damaged file, in one commit; those that find no
        room stay in that file.
        """
        self._store = store
        self._limits = limits or Limits()
        self.short = False
        """There is no room for more than the reserve: nothing may be sold."""
        self._tight = False
        """The disk is full and the reserve given up: what comes replaces what may go."""
        self._reserved = False  # Set aside by `upkeep`: writing it would delay the start.
        self._kept_at: Instant | None = None
        self._clock = at
        found = store.head()
        if found is None:
            epoch = Epoch(max(1, at))
            empty = Head(epoch=epoch, next=1, mark=first_mark(epoch), acked=1)
            found = self._begin(empty, _entries(salvaged))
        for last in store.rows(found.epoch, first=found.next - 1, most=1):
            self._clock = last.at
        self._head = found

    @property
    def epoch(self) -> Epoch:
        """The epoch that is written to."""
        return self._head.epoch

    @property
    def next(self) -> int:
        """The seq that the next event will get."""
        return self._head.next

    @property
    def acked(self) -> int:
        """The seq that the service wants next, as last heard; all before it is committed there."""
        return self._head.acked

    @property
    def size(self) -> int:
        """Bytes held, as they count against the limits."""
        return self._head.size

    def append(self, entries: Sequence[Entry]) -> int:
        """Write the entries durably and return the seq of the first.

        Raises:
            JournalFull: there is no room, and none could be made.
        """
        money = any(each.money for each in entries)
        need = sum(len(each.event) + ROW_OVERHEAD_BYTES for each in entries)
        self._make_room_in_limits(need, money=money)
        if self._tight:
            self._make_room_in_place(need, money=money)
        while True:
            # Built anew each time: what was dropped meanwhile has changed the head.
            change = _appended(self._head, entries, at=self._clock)
            try:
                self._store.write(change, durable=True)
            except StoreFull:
                if not self._make_room_on_disk(need, money=money):
                    raise JournalFull from None
            else:
                self._head = change.head
                return change.head.next - len(entries)

    def mark(self, seq: int) -> Mark | None:
        """Return the mark of a seq, None where it is no longer (or not yet) held."""
        if seq == self.next - 1:
            return self._head.mark
        if seq == 0:
            return first_mark(self.epoch)
        return held_mark(self._store, self.epoch, seq)

    def read(self, first: int, *, events_most: int, bytes_most: int) -> Chunk:
        """Return the events held from `first` on, up to the next hole or a limit.

        Its `first` is later than asked where events are gone. At least one event is returned if
        any is held; none if nothing is, and then `first` is `next`.
        """
        chunk = read_chunk(
            self._store, self.epoch, first, events_most=events_most, bytes_most=bytes_most
        )
        if chunk is None:
            return Chunk(first=self.next, prev=self._head.mark, last=self._head.mark, events=())
        return chunk

    def older_epoch(self, after: int = 0) -> Epoch | None:
        """Return the next epoch before the present one of which events are held; None: none."""
        return epoch_after(self._store, after, before=self.epoch)

    def older_mark(self, epoch: Epoch, seq: int) -> Mark | None:
        """Return the mark of a seq of an older epoch, None where it is not held."""
        return first_mark(epoch) if seq == 0 else held_mark(self._store, epoch, seq)

    def read_older(
        self, epoch: Epoch, first: int, *, events_most: int, bytes_most: int
    ) -> Chunk | None:
        """Return what is held of an older epoch from `first` on, as `read`; None: nothing."""
        return read_chunk(self._store, epoch, first, events_most=events_most, bytes_most=bytes_most)

    def since(self, first: int) -> Iterator[bytes]:
        """Yield the events held from `first` on, past what was dropped between them."""
        while page := self._store.rows(self.epoch, first=first, most=READ_ROWS):
            yield from (row.event for row in page)
            first = page[-1].key.seq + 1

    def acknowledged(self, following: int) -> None:
        """Take note that the service wants `following` next, be that later or earlier.

        Not durable by itself: a position forgotten in a power cut only means sending again.
        """
        head = self._head
        if following == head.acked:
            return
        moved = self._size_between(*sorted((head.acked, following)))
        signed = moved if following > head.acked else -moved
        self._head = replace(head, acked=following, acked_size=head.acked_size + signed)
        try:
            self._store.write(Change(head=self._head), durable=False)
        except StoreFull:
            self._make_room_on_disk(_DROP_BYTES_LEAST, money=False)

    def fork(self, at: int) -> None:
        """Begin a new epoch with every unacknowledged event first (rule 7).

        The acknowledged ones stay under their old epoch, as evidence, until their time is over.

        Raises:
            JournalFull: there was no room; the journal is as before.
        """
        old = self._head
        epoch = Epoch(max(at, old.epoch + 1))
        rows: list[Row] = []
        first = old.acked
        while page := self._store.rows(old.epoch, first=first, most=READ_ROWS):
            rows.extend(page)
            first = page[-1].key.seq + 1
        # Each keeps its distance from the others: what was dropped stays a range that is declared.
        put: list[Row] = []
        mark = first_mark(epoch)
        for row in rows:
            after = mark_after(mark, row.event)
            key = Key(epoch, row.key.seq - old.acked + 1)
            put.append(replace(row, key=key, prev=mark, mark=after))
            mark = after
        size = sum(row.size for row in put)
        head = replace(old, epoch=epoch, next=old.next - old.acked + 1, mark=mark, acked=1)
        change = Change(head=replace(head, size=old.acked_size + size), put=put)
        try:
            self._store.write(
                replace(change, drop=[row.key for row in rows]),
                durable=True,
            )
        except StoreFull:
            self._make_room_on_disk(_DROP_BYTES_LEAST, money=False)
            raise JournalFull from None
        self._head = change.head

    def upkeep(self, now: Instant) -> None:
        """Drop acknowledged events beyond their time and size, and see if room is back.

        Call it every few seconds. The time that events are kept is counted by the journal's own
        clock: it goes on with `now` (monotonic) and stands still while the agent does not run, so a
        wall clock that jumps years ahead drops nothing, and one of 1970 does not make all old.
        """
        head, limits = self._head, self._limits
        if not self._reserved:
            self._reserved = self._store.restore_reserve()
            self._tight = self._tight and not self._reserved
        try:
            if head.acked_size > limits.keep_bytes:
                self._drop(self._acknowledged(), excess=head.acked_size - limits.keep_bytes)
            else:
                # The clock as of the last call: nothing written since then is told too old.
                before = self._clock - limits.keep_ms
                old = [each for each in self._acknowledged() if each.at < before]
                self._drop(old, excess=limits.keep_bytes)
            if self.short and self._reserved and self._fits():
                self._try_room()
                self.short = False
        except StoreFull:
            self._release_reserve()
        if self._kept_at is not None:
            self._clock += max(0, int(1000 * (now - self._kept_at)))
        self._kept_at = now

    def _fits(self) -> bool:
        """Say if a good part of the reserve is free again, or could be at once."""
        droppable = self._head.acked_size
        return self._head.size - droppable <= self._limits.most_bytes - self._limits.reserve_bytes

    def _try_room(self) -> None:
        """See that a good part of a day could be written, or raise `StoreFull`."""
        if self._head.acked_size >= _DROP_BYTES_LEAST:
            return
        # As a row of an epoch that is over it is dropped like any other, should we die here.
        mark = first_mark(0)
        probe = Row(
            key=Key(Epoch(0), 1),
            at=0,
            money=False,
            prev=mark,
            mark=mark,
            event=bytes(_DROP_BYTES_LEAST),
        )
        stub = Stub(key=probe.key, at=0, size=probe.size)
        head = self._head
        with_probe = replace(
            head, size=head.size + probe.size, acked_size=head.acked_size + probe.size
        )
        self._store.write(Change(head=with_probe, put=[probe]), durable=True)
        self._head = with_probe
        self._drop([stub], excess=probe.size)

    def _make_room_in_limits(self, need: int, *, money: bool) -> None:
        limits = self._limits
        while self._head.size + need > limits.most_bytes:
            if self._drop_first(self._acknowledged, self._unacknowledged_plain, need=need):
                continue
            if not money:
                raise JournalFull
            self.short = True
            if self._head.size + need <= limits.most_bytes + limits.reserve_bytes:
                return
            raise JournalFull

    def _make_room_in_place(self, need: int, *, money: bool) -> None:
        """Free about what is to be written, so that the file need not grow into the reserve."""
        if self._drop_first(
            self._acknowledged, self._unacknowledged_plain, need=need, least=2 * need
        ):
            return
        if not money:
            raise JournalFull
        self.short = True

    def _make_room_on_disk(self, need: int, *, money: bool) -> bool:
        """Drop something, or give up the reserve; False when nothing is left to give."""
        if self._drop_first(self._acknowledged, self._unacknowledged_plain, need=need):
            return True
        if not money:
            return False
        self.short = True
        return self._release_reserve()

    def _drop_first(self, *tiers: _Tier, need: int, least: int = _DROP_BYTES_LEAST) -> bool:
        """Drop of the first tier that has anything; False if none has or the drop finds no room."""
        for tier in tiers:
            stubs = tier()
            if not stubs:
                continue
            try:
                self._drop(stubs, excess=max(need, least))
            except StoreFull:
                # Even dropping writes to the log: the reserve is what that takes.
                if not self._release_reserve():
                    return False
                return self._drop_first(*tiers, need=need, least=least)
            return True
        return False

    def _release_reserve(self) -> bool:
        self._reserved = False
        released = self._store.release_reserve()
        self._tight = self._tight or released
        return released

    def _drop(self, stubs: Sequence[Stub], *, excess: int) -> None:
        """Drop rows, oldest first, until `excess` bytes are free."""
        dropped: list[Stub] = []
        freed = 0
        for stub in stubs:
            if freed >= excess:
                break
            dropped.append(stub)
            freed += stub.size
        if not dropped:
            return
        head = self._head
        safe = sum(stub.size for stub in dropped if self._is_acknowledged(stub.key))
        head = replace(head, size=head.size - freed, acked_size=head.acked_size - safe)
        self._store.write(
            Change(head=head, drop=[stub.key for stub in dropped]),
            durable=False,
        )
        self._head = head

    def _is_acknowledged(self, key: Key) -> bool:
        return (key.epoch, key.seq) < (self.epoch, self.acked)

    def _acknowledged(self) -> Sequence[Stub]:
        before = Key(self.epoch, self.acked)
        return self._store.oldest(before=before, money=None, most=_DROP_ROWS_MAX)

    def _unacknowledged_plain(self) -> Sequence[Stub]:
        since = Key(self.epoch, self.acked)
        return self._store.oldest(since=since, money=False, most=_DROP_ROWS_MAX)

    def _size_between(self, first: int, until: int) -> int:
        size = 0
        before = Key(self.epoch, until)
        while page := self._store.oldest(
            since=Key(self.epoch, first), before=before, money=None, most=_DROP_ROWS_MAX
        ):
            size += sum(stub.size for stub in page)
            first = page[-1].key.seq + 1
        return size

    def _begin(self, empty: Head, entries: Sequence[Entry]) -> Head:
        while True:
            change = _appended(empty, entries, at=self._clock)
            try:
                self._store.write(change, durable=True)
            except StoreFull:
                if not self._release_reserve():
                    if not entries:
                        raise
                    entries = entries[: len(entries) // 2]
            else:
                return change.head


def _entries(rows: Sequence[Row]) -> Sequence[Entry]:
    return [Entry(at=row.at, money=row.money, event=row.event) for row in rows]


def _appended(head: Head, entries: Sequence[Entry], *, at: int) -> Change:
    """Return the change that puts the entries behind the head; `at` by the journal's clock."""
    rows: list[Row] = []
    mark, size = head.mark, head.size
    for seq, each in enumerate(entries, head.next):
        after = mark_after(mark, each.event)
        row = Row(
            key=Key(head.epoch, seq),
            at=at,
            money=each.money,
            prev=mark,
            mark=after,
            event=each.event,
        )
        rows.append(row)
        mark, size = after, size + row.size
    return Change(head=replace(head, next=head.next + len(rows), mark=mark, size=size), put=rows)
