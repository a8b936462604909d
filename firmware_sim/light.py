"""A light terminal: the contract's terminal side with its journal in memory, and no I/O.

Written from docs/contract.md alone. It is given acks and time and says what to publish; who carries
its messages, and its whole fleet's, is `session`.
"""

import zlib
from dataclasses import dataclass, field
from random import Random
from typing import Final

from wire import limits
from wire.codec import PayloadRefused, encode, encode_batch, read
from wire.events import Event, Unreadable
from wire.journal import Batch, digest, first_mark, mark_after
from wire.pulse import DeviceNow, Presence, Pulse
from wire.topics import Channel
from wire.vocabulary import Device

_JITTER: Final = 0.2


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish this on a channel of the terminal."""

    channel: Channel
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(slots=True)
class MemoryJournal:
    """A journal that dies with the process: all events but those of lost ranges, all marks."""

    epoch: int
    events: list[bytes] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    lost: list[tuple[int, int]] = field(default_factory=list)
    """First and last seq of each range whose events are gone, in order."""

    def __post_init__(self) -> None:
        """Begin with the mark of seq 0."""
        self.marks.append(first_mark(self.epoch))

    @property
    def next(self) -> int:
        """The seq that the next event will get."""
        return len(self.marks)

    def append(self, event: bytes) -> None:
        """Write an event."""
        self.events.append(event)
        self.marks.append(mark_after(self.marks[-1], event))

    def held_from(self, seq: int) -> int:
        """Return the first seq from this one on whose event is not lost (or not yet written)."""
        for first, through in self.lost:
            if first <= seq <= through:
                seq = through + 1
        return seq

    def since(self, seq: int, count: int) -> list[bytes]:
        """Return at most so many events in a row from a seq on, within the bytes of a batch."""
        chosen, size = list[bytes](), 200
        ends = min([seq - 1 + count, *(first - 1 for first, _ in self.lost if first > seq)])
        for event in self.events[seq - 1 : ends]:
            size += len(event) + 1
            if size > limits.BATCH_BYTES_MAX:
                break
            chosen.append(event)
        return chosen

    def copy(self) -> "MemoryJournal":
        """Return a clone of the disk."""
        twin = MemoryJournal(self.epoch)
        twin.events, twin.marks = list(self.events), list(self.marks)
        twin.lost = list(self.lost)
        return twin


@dataclass(slots=True)
class _InFlight:
    through: int
    digest: str
    count: int
    again_at: float
    attempt: int = 0


class LightTerminal:
    """One terminal's uplink; every method that returns messages wants them published in order."""

    def __init__(
        self, journal: MemoryJournal, *, boot: str, chance: Random, pulse_interval_s: float = 60.0
    ) -> None:
        self.journal = journal
        self.boot = boot
        self.devices: dict[Device, DeviceNow] = {}
        self.pulsing = True
        self.forks = 0
        self._chance = chance
        self._pulse_interval_s = pulse_interval_s
        self._acked = 1
        self._count_max = limits.BATCH_EVENTS_MAX
        self._flight: _InFlight | None = None
        self._pulse_at = 0.0
        self._connected = False

    @property
    def unacked(self) -> int:
        """How many events the service has not said to hold."""
        return self.journal.next - self._acked

    @property
    def acked(self) -> int:
        """The service's `next`, as last known."""
        return self._acked

    @property
    def settled(self) -> bool:
        """Say that all is acked."""
        return self.unacked == 0

    def record(self, event: Event) -> None:
        """Write an event to the journal; `elapsed` sends it."""
        self.journal.append(encode(event))

    def record_raw(self, event: bytes) -> None:
        """Write bytes that need not be a contract event: a bad writer's journal."""
        self.journal.append(event)

    def adopt(self, other: "LightTerminal") -> None:
        """Believe of the service what another uplink knows: its position was on the copied disk."""
        self._acked = other.acked

    def connected(self, now: float, at: int) -> list[Publish]:
        """Say who we are, then send from the last known `next` (rule 5)."""
        self._connected, self._flight = True, None
        return [self._presence(online=True), *self._pulse(now, at), *self._send(now, 0)]

    def disconnected(self) -> None:
        """Take the loss of the line."""
        self._connected, self._flight = False, None

    def goodbye(self) -> list[Publish]:
        """Say what a polite disconnect says."""
        return [self._presence(online=False)]

    def elapsed(self, now: float, at: int) -> list[Publish]:
        """Take the time: pulse, send what is new, send again what was not answered."""
        if not self._connected:
            return []
        out = self._pulse(now, at) if self.pulsing and now >= self._pulse_at else []
        if self._flight is None:
            return out + self._send(now, 0)
        if now >= self._flight.again_at:
            return out + self._send(now, self._flight.attempt + 1)
        return out

    def pulse_soon(self) -> None:
        """Pulse at the next `elapsed`: a device changed."""
        self._pulse_at = 0.0

    def answered(self, payload: bytes, now: float, at: int) -> list[Publish]:
        """Take a message from `ack`."""
        message = read(payload)
        if isinstance(message, PayloadRefused):
            return []
        if "refused" in message:
            return self._refused(str(message.get("digest")), now, at)
        if message.get("epoch") != self.journal.epoch:
            return []
        following, mark = int(message["next"]), str(message["mark"])
        if following > self.journal.next or self.journal.marks[following - 1] != mark:
            return self._fork(now, at)
        rewound = following < self._acked
        self._acked = following
        flight = self._flight
        if flight is None or following > flight.through or rewound:
            self._flight, self._count_max = None, limits.BATCH_EVENTS_MAX
            return self._send(now, 0)
        flight.again_at = min(flight.again_at, now + limits.RETRY_NO_PROGRESS_S)
        return []

    def lose(self, count: int, *, since: int = 1) -> int:
        """Lose this many of the oldest unacknowledged events; returns how many were there.

        None before `since` is lost, nor any that is acknowledged: these stay for a restored
        service (section 2).
        """
        first = self.journal.held_from(max(self._acked, since))
        lost = max(0, min(count, self.journal.next - first))
        if lost:
            self.journal.lost.append((first, first + lost - 1))
        self._flight = None
        return lost

    def _send(self, now: float, attempt: int) -> list[Publish]:
        journal = self.journal
        first = journal.held_from(self._acked)
        lost = first > self._acked
        events = journal.since(first, self._count_max)
        if not events and not lost:
            self._flight = None
            return []
        through = first + len(events) - 1
        head = Batch(
            epoch=journal.epoch,
            first=first,
            prev=journal.marks[first - 1],
            last=journal.marks[through],
            lost_from=self._acked if lost else None,
        )
        payload = encode_batch(head, events)
        if self._chance.random() < 0.5:  # noqa: PLR2004 - both forms are legal, always
            payload = zlib.compress(payload, 1)
        wait = min(limits.RETRY_FIRST_S * 2**attempt, limits.RETRY_MAX_S)
        wait *= 1 + _JITTER * self._chance.random()
        self._flight = _InFlight(through, digest(payload), len(events), now + wait, attempt)
        return [Publish(Channel.JOURNAL, payload)]

    def _refused(self, name: str, now: float, at: int) -> list[Publish]:
        flight = self._flight
        if flight is None or flight.digest != name:
            return []
        if flight.count > 1:
            self._count_max = flight.count // 2
            return self._send(now, 0)
        # Not even alone: from here on the journal holds a stand-in, so later marks change too.
        bad, later = self.journal.events[self._acked - 1], self.journal.events[self._acked :]
        del self.journal.events[self._acked - 1 :]
        del self.journal.marks[self._acked :]
        self.record(Unreadable(at=at, size=len(bad)))
        for event in later:
            self.record_raw(event)
        return self._send(now, 0)

    def _fork(self, now: float, at: int) -> list[Publish]:
        """Begin a new epoch with every event not seen acknowledged (rule 7)."""
        old, self.forks = self.journal, self.forks + 1
        self.journal = MemoryJournal(max(at, old.epoch + 1))
        for seq in range(self._acked, old.next):
            if old.held_from(seq) == seq:
                self.journal.append(old.events[seq - 1])
        self._acked, self._flight = 1, None
        return self._send(now, 0)

    def _pulse(self, now: float, at: int) -> list[Publish]:
        self._pulse_at = now + self._pulse_interval_s
        pulse = Pulse(
            at=at,
            epoch=self.journal.epoch,
            next=self.journal.next,
            unacked=self.unacked,
            boot=self.boot,
            interval_s=max(1, round(self._pulse_interval_s)),
            devices=dict(self.devices) or None,
            agent="light/1",
        )
        return [Publish(Channel.PULSE, encode(pulse), qos=0)]

    def _presence(self, *, online: bool) -> Publish:
        presence = Presence(online=online, boot=self.boot)
        return Publish(Channel.PRESENCE, encode(presence), retain=True)
