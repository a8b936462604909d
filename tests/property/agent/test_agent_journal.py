import json
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.devices.machine import Instant
from agent.journal import Journal, JournalFull, Limits
from agent.shape import Entry
from tests.unit.agent.store_memory import MemoryStore
from wire.journal import first_mark, mark_after

LIMITS = Limits(most_bytes=8_000, reserve_bytes=1_500, keep_bytes=3_000, keep_ms=10_000)


def made(number: int, *, money: bool, size: int) -> Entry:
    """Return an entry that no other equals."""
    body = json.dumps({"kind": "k", "at": number, "n": number, "pad": "x" * size}).encode()
    return Entry(at=number, money=money, event=body)


class JournalLife(RuleBasedStateMachine):
    """A journal through appends, acks, rewinds, forks, upkeep, a full disk and power cuts."""

    @initialize(capacity=st.sampled_from([None, 4_000, 7_000, 20_000]))
    def begin(self, capacity: int | None) -> None:
        """Begin on a disk of some size."""
        self.store = MemoryStore(capacity=capacity, reserve=600)
        self.clock = 1_000
        self.journal = Journal(self.store, at=self.clock, limits=LIMITS)
        self.written: dict[int, Entry] = {}
        self.epochs = [self.journal.epoch]
        self.safe = 1

    @rule(
        money=st.booleans(),
        count=st.integers(min_value=1, max_value=3),
        size=st.integers(min_value=0, max_value=900),
    )
    def append(self, money: bool, count: int, size: int) -> None:  # noqa: FBT001 - Hypothesis calls it
        """Append, which may find no room and then has written nothing."""
        self.clock += 1
        entries = [made(self.clock * 10 + i, money=money, size=size) for i in range(count)]
        before = self.journal.next
        try:
            first = self.journal.append(entries)
        except JournalFull:
            assert self.journal.next == before
            assert self.journal.short or not money
            return
        assert first == before
        self.written.update(enumerate(entries, first))

    @rule(share=st.floats(min_value=0, max_value=1))
    def acknowledge(self, share: float) -> None:
        """The service names a position, forward or back."""
        self.journal.acknowledged(1 + round(share * (self.journal.next - 1)))
        self.safe = max(self.safe, self.journal.acked)

    @rule(ahead=st.integers(min_value=0, max_value=20_000))
    def upkeep(self, ahead: int) -> None:
        """Time passes; what is old and acknowledged may go."""
        self.clock += ahead
        self.journal.upkeep(Instant(self.clock / 1000))

    @rule()
    def power_cut(self) -> None:
        """Nothing that `append` returned for is lost, whatever else is."""
        epoch, following = self.journal.epoch, self.journal.next
        self.store.lose_power()
        self.journal = Journal(self.store, at=self.clock, limits=LIMITS)
        assert (self.journal.epoch, self.journal.next) == (epoch, following)

    @rule()
    def fork(self) -> None:
        """A new epoch begins with what was not acknowledged, holes and all."""
        acked, following = self.journal.acked, self.journal.next
        held = self.held(acked)
        try:
            self.journal.fork(self.clock)
        except JournalFull:
            return
        self.epochs.append(self.journal.epoch)
        # What was once acknowledged may have gone, though the service has asked for it again.
        self.safe = max(1, self.safe - acked + 1)
        moved = {seq: entry for seq, entry in self.written.items() if seq >= acked}
        self.written = {seq - acked + 1: entry for seq, entry in moved.items()}
        assert self.journal.acked == 1
        assert self.journal.next == following - acked + 1
        assert self.held(1) == [seq - acked + 1 for seq in held]

    @precondition(lambda self: self.store.capacity is not None)
    @rule(capacity=st.sampled_from([3_000, 6_000, 30_000]))
    def disk(self, capacity: int) -> None:
        """Something else takes disk, or gives it back."""
        self.store.capacity = capacity

    def held(self, first: int) -> list[int]:
        """Return the seqs that can be read from `first` on, checking each event and mark."""
        found: list[int] = []
        while first < self.journal.next:
            chunk = self.journal.read(first, events_most=4, bytes_most=700)
            mark = chunk.prev
            assert self.journal.mark(chunk.first - 1) == mark
            for seq, event in enumerate(chunk.events, chunk.first):
                assert event == self.written[seq].event
                mark = mark_after(mark, event)
                assert self.journal.mark(seq) == mark
                found.append(seq)
            assert chunk.last == mark
            assert chunk.first >= first
            first = chunk.first + len(chunk.events)
        return found

    @invariant()
    def nothing_is_lost_silently(self) -> None:
        """Money that was never acknowledged is all there."""
        held = set(self.held(self.journal.acked))
        missing = {seq for seq in range(self.journal.acked, self.journal.next) if seq not in held}
        assert not any(self.written[seq].money for seq in missing if seq >= self.safe)

    @invariant()
    def marks_chain_and_epochs_grow(self) -> None:
        """The mark of seq 0 is the epoch's, and a new epoch is larger than any old one."""
        assert self.journal.mark(0) == first_mark(self.journal.epoch)
        assert all(old < new for old, new in pairwise(self.epochs))

    @invariant()
    def sizes_are_exact(self) -> None:
        """What the head counts is what the rows are, and stays within the limits."""
        head = self.store.head()
        assert head is not None
        rows = self.store.oldest(money=None, most=10_000)
        safe = [row for row in rows if (row.key.epoch, row.key.seq) < (head.epoch, head.acked)]
        assert self.journal.size == sum(row.size for row in rows)
        assert head.acked_size == sum(row.size for row in safe)
        assert self.journal.size <= LIMITS.most_bytes + LIMITS.reserve_bytes


TestJournalLife = JournalLife.TestCase
TestJournalLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
