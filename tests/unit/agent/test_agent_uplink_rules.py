import json
import zlib
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from agent.devices.machine import Instant
from agent.journal import Journal, Limits
from agent.shape import Entry
from agent.uplink import Forked, Outcome, Publish, Uplink
from tests.unit.agent.store_memory import MemoryStore
from wire.journal import digest

EPOCH = 1_000


class Line:
    """An uplink over a journal of so many events, with its last batch at hand."""

    def __init__(self, events: int, *, size: int = 0, limits: Limits | None = None) -> None:
        """Begin connected at monotonic 0."""
        self.store = MemoryStore()
        self.journal = Journal(self.store, at=EPOCH, limits=limits)
        self.uplink = Uplink(self.journal, Random(1))
        self.payload = b""
        self.sent = 0
        if events:
            self.append(events, size=size)
        self.take(self.uplink.connected(Instant(0)))

    def append(self, count: int, *, size: int = 0) -> None:
        """Write events into the journal."""
        body = b'{"kind":"k","at":7' + b" " * size + b"}"
        self.journal.append([Entry(at=7, money=False, event=body)] * count)

    def take(self, outcomes: Sequence[Outcome]) -> None:
        """Keep what is published."""
        for outcome in outcomes:
            if isinstance(outcome, Publish):
                self.payload = outcome.payload
                self.sent += 1
            else:
                assert isinstance(outcome, Forked)

    @property
    def batch(self) -> dict[str, Any]:
        """The last batch."""
        plain = self.payload if self.payload[:1] == b"{" else zlib.decompress(self.payload)
        value = json.loads(plain)
        assert isinstance(value, dict)
        return value

    def ack(self, following: int, *, now: float, mark: str | None = None, epoch: int = 0) -> None:
        """Hear an ack, of the journal's own marks unless told otherwise."""
        value = {
            "epoch": epoch or self.journal.epoch,
            "next": following,
            "mark": mark or self.journal.mark(following - 1) or "0000000000000000",
        }
        self.hear(value, now=now)

    def hear(self, value: object, *, now: float) -> None:
        """Hear anything on `ack`."""
        payload = json.dumps(value).encode()
        self.take(self.uplink.received(payload, now=Instant(now), at=2_000))

    def wait(self) -> float:
        """Let the deadline pass; return when that was."""
        deadline = self.uplink.deadline()
        assert deadline is not None
        self.take(self.uplink.elapsed(Instant(deadline - 0.001)))
        sent = self.sent
        self.take(self.uplink.elapsed(deadline))
        assert self.sent == sent + 1
        return deadline


def test_a_batch_holds_at_most_500_events_and_256_kib() -> None:
    """Both limits of section 2, before compression."""
    assert len(Line(600).batch["events"]) == 500
    line = Line(100, size=20_000)
    assert 0 < len(line.batch["events"]) < 15
    assert len(zlib.decompress(line.payload)) <= 256 * 1024


def test_silence_is_answered_by_sending_again_ever_more_slowly() -> None:
    """10 s, 20, 40, … to 300, each lengthened by at most a quarter (rule 4)."""
    line, now = Line(3), 0.0
    first = line.payload
    for wait in (10, 20, 40, 80, 160, 300, 300):
        then = line.wait()
        assert wait <= then - now <= wait * 1.25
        assert line.payload == first
        now = then


def test_an_ack_without_progress_is_answered_after_a_second() -> None:
    """Rule 3: not at once, and more of the same do not put it off."""
    line = Line(3)
    line.ack(1, now=0.5)
    assert line.sent == 1
    line.ack(1, now=1.2)
    assert line.wait() == pytest.approx(1.5)


def test_one_batch_is_in_flight_and_progress_sends_the_next_at_once() -> None:
    """Rules 3 and 4; what was appended meanwhile goes along."""
    line = Line(2)
    line.append(3)
    assert line.uplink.appended(Instant(1)) == ()
    line.ack(3, now=2)
    assert (line.sent, line.batch["first"], len(line.batch["events"])) == (2, 3, 3)
    line.ack(6, now=3)
    assert line.sent == 2
    assert line.uplink.deadline() is None
    assert line.uplink.unacked == 0


def test_an_older_next_rewinds() -> None:
    """The service was restored: it is sent again from where it stands."""
    line = Line(5)
    line.ack(6, now=1)
    line.ack(2, now=2)
    assert (line.batch["first"], line.uplink.unacked) == (2, 4)
    assert line.batch["prev"] == line.journal.mark(1)


def test_what_the_journal_no_longer_holds_is_declared_lost() -> None:
    """Rule 6: lost_from beside a later first; with nothing left, no events and prev is last."""
    limits = Limits(keep_bytes=0, keep_ms=10**15)
    line = Line(4, limits=limits)
    line.ack(5, now=1)
    line.journal.upkeep(Instant(7))
    line.append(1)
    line.ack(2, now=2)
    batch = line.batch
    assert (batch["lost_from"], batch["first"], len(batch["events"])) == (2, 5, 1)
    line.ack(6, now=3)
    line.journal.upkeep(Instant(7))
    line.ack(3, now=4)
    batch = line.batch
    assert (batch["lost_from"], batch["first"], batch["events"]) == (3, 6, [])
    assert batch["prev"] == batch["last"] == line.journal.mark(5)


@pytest.mark.parametrize(
    ("following", "mark"), [(3, "ffffffffffffffff"), (9, "0123456789abcdef"), (1, "999")]
)
def test_another_history_is_a_fork(following: int, mark: str) -> None:
    """Rule 7: a new, larger epoch whose first events are those not seen acknowledged."""
    line = Line(4)
    line.ack(3, now=1)
    line.ack(following, now=2, mark=mark)
    batch = line.batch
    assert batch["epoch"] == line.journal.epoch == 2_000
    assert (batch["first"], batch["prev"], len(batch["events"])) == (1, "2000", 2)


def test_an_ack_of_another_epoch_or_no_ack_is_ignored() -> None:
    """Rule 3, and whatever else a broken sender puts on the topic."""
    line = Line(2)
    line.ack(2, now=1, epoch=5)
    values: tuple[object, ...] = (
        {}, {"epoch": EPOCH}, {"epoch": EPOCH, "next": "2", "mark": "x"},
        {"epoch": EPOCH, "next": True, "mark": "x"}, {"epoch": EPOCH, "next": 0, "mark": "x"},
        {"epoch": EPOCH, "next": 2, "mark": 5}, {"epoch": EPOCH, "next": 2, "mark": "x" * 99},
        {"refused": "x"}, {"refused": "x", "digest": "nobody's"}, [],
    )  # fmt: skip
    for value in values:
        line.hear(value, now=1)
    line.take(line.uplink.received(b"\xff", now=Instant(1), at=1))
    assert (line.sent, line.journal.epoch, line.journal.acked) == (1, EPOCH, 1)


def test_a_refused_batch_is_halved_down_to_a_stand_in_under_the_same_marks() -> None:
    """Four, two, one, then `unreadable` with size; a refusal of an older payload does nothing."""
    line = Line(4)
    sizes = [len(line.batch["events"])]
    older = line.payload
    for _ in range(2):
        line.hear({"refused": "bad", "digest": digest(line.payload)}, now=1)
        sizes.append(len(line.batch["events"]))
    line.hear({"refused": "bad", "digest": digest(older)}, now=1)
    assert sizes == [4, 2, 1]
    size = len(json.dumps(line.batch["events"][0], separators=(",", ":")))
    line.hear({"refused": "bad", "digest": digest(line.payload)}, now=1)
    assert line.batch["events"] == [{"kind": "unreadable", "at": 7, "size": size}]
    assert line.batch["last"] == line.journal.mark(1)
    line.hear({"refused": "bad", "digest": digest(line.payload)}, now=1)
    assert line.sent == 4
    line.ack(2, now=2)
    assert (line.batch["first"], line.batch["events"][0]["kind"]) == (2, "k")


def test_nothing_is_sent_while_there_is_no_line() -> None:
    """After a loss the machine rests; connected again it sends at once from its position."""
    line = Line(2)
    line.uplink.disconnected()
    assert line.uplink.deadline() is None
    line.append(1)
    assert line.uplink.appended(Instant(5)) == ()
    line.take(line.uplink.connected(Instant(6)))
    assert (line.sent, len(line.batch["events"])) == (2, 3)


def test_what_was_dropped_before_a_fork_is_declared_after_it() -> None:
    """A fork moves what is unacknowledged, and the holes in it: no loss is silent (rule 6)."""
    line = Line(2)
    line.ack(3, now=1)
    line.uplink.disconnected()
    line.append(1)
    full = Limits(most_bytes=line.journal.size + 150, reserve_bytes=10_000)
    store = line.store
    line.journal = Journal(store, at=EPOCH, limits=full)
    line.journal.append([Entry(at=8, money=True, event=b'{"kind":"k","at":8}')] * 4)
    line.uplink = Uplink(line.journal, Random(1))
    held = store.held()[EPOCH]
    assert held == [4, 5, 6, 7], "all that was acknowledged, and seq 3, had to make room"
    line.take(line.uplink.connected(Instant(2)))
    line.ack(9, now=3, mark="another history.")
    assert line.journal.epoch > EPOCH
    batch = line.batch
    assert (batch["lost_from"], batch["first"], len(batch["events"])) == (1, 2, 4)
    assert line.journal.next == 6
    line.ack(6, now=4)
    assert line.uplink.settled


def test_a_clock_that_jumps_makes_no_event_old() -> None:
    """What is acknowledged is kept its time by the journal's own clock, whatever the wall says."""
    line = Line(3, limits=Limits(keep_ms=60_000))
    line.journal.upkeep(Instant(0))
    line.journal.append([Entry(at=7 + 366 * 86_400_000, money=True, event=b'{"at":9}')])
    line.ack(5, now=1)
    line.journal.upkeep(Instant(10))
    line.journal.upkeep(Instant(59))
    assert line.store.held() == {EPOCH: [1, 2, 3, 4]}
    line.journal.upkeep(Instant(70))
    line.journal.upkeep(Instant(80))
    assert line.store.held() == {}
