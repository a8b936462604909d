"""The terminal's side of the journal protocol (contract, section 2): a machine without I/O.

Laws. One batch is in flight. What is sent is always read anew from the log, from the position that
the service last named, so nothing has to be remembered through a crash. The service's word moves
the position forward or back; only a mark that is not ours (a fork) is answered by a new epoch.
Silence is never a refusal: it only means to send again, ever more slowly.

**Unreadable events.** A refused event goes out alone as `{"kind": "unreadable", …}` between the
*unchanged* marks: the journal keeps the event, the copy gets a stand-in. A mark names a place in
the terminal's journal, and the service never computes one, so the copy goes on as if the event had
been taken. The two other ways were weighed. Rewriting the journal from that seq would change marks
that the service may hold from before a restore, and an append-only log that is rewritten proves
nothing. A new epoch would end an open transaction with the customer's money inside, and so open a
case that no fact supports. The stand-in is not remembered either: after a crash or a rewind the
event is offered again, refused again and replaced again, under the same marks.

**Older epochs.** A service restored to before a fork lacks the end of the epoch that the fork left,
and asks for it in vain if nobody speaks of that epoch any more. So once in a run, whenever the
service's position goes back, and at an epoch's first acknowledgement, every older epoch of which
events are held is offered before the present one: its first event alone, which brings the answer
where the copy stands, and then what is missing. Where nothing is, that costs one small batch; a
smaller epoch whose cursor does not move is no clash (rule 8).
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from agent.chunk import Chunk
from agent.devices.machine import Instant
from agent.journal import Journal, JournalFull
from wire.codec import PayloadRefused, encode, encode_batch, read
from wire.events import Unreadable
from wire.journal import Ack, Batch, Epoch, digest
from wire.limits import (
    BATCH_BYTES_MAX,
    BATCH_EVENTS_MAX,
    RETRY_FIRST_S,
    RETRY_MAX_S,
    RETRY_NO_PROGRESS_S,
)

_HEAD_BYTES_MOST: Final = 256
"""What stands around a batch's events, rounded up."""
_COMPRESS_FROM: Final = 512
"""A smaller payload gains nothing worth a kiosk's time."""
_JITTER: Final = 0.25
"""A wait is lengthened by up to this share, so that a fleet does not speak in chorus."""
_MARK_CHARACTERS_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish this payload on `journal`."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Forked:
    """The service holds another history under the old epoch; a new one has begun."""

    old: Epoch
    new: Epoch


Outcome = Publish | Forked


class _Reach(StrEnum):
    """How far the machine has come with the batch at hand."""

    IDLE = "idle"
    IN_FLIGHT = "in_flight"
    """Sent; waiting for an ack until the deadline."""
    PAUSED = "paused"
    """An ack brought nothing new; the next attempt is due at the deadline."""


@dataclass(frozen=True, slots=True)
class _Flight:
    """The batch last sent: `first` is the seq that was wanted, `start` that of its first event.

    Of an older epoch whose place is not known yet `first` is 0: any answer is progress.
    """

    epoch: Epoch
    first: int
    start: int
    digest: str
    events: int
    stand_in: bool


class Uplink:
    """Brings the log to the service."""

    def __init__(self, log: Journal, random: Random) -> None:
        """Begin, not connected."""
        self._log, self._random = log, random
        self._connected = False
        self._reach = _Reach.IDLE
        self._flight: _Flight | None = None
        self._deadline: Instant | None = None
        self._silences = 0
        self._events_most = BATCH_EVENTS_MAX
        self._stand_in_for: int | None = None
        self._older: Epoch | None = None
        """The older epoch that is offered now."""
        self._older_next: int | None = None
        """Where the service's copy of it stands, if it has said so."""
        self._older_due = True

    @property
    def settled(self) -> bool:
        """Whether the service has everything, older epochs included, as far as is known."""
        return not (self.unacked or self._older or self._older_due)

    @property
    def unacked(self) -> int:
        """How many seqs the service does not have."""
        return max(0, self._log.next - self._log.acked)

    def connected(self, now: Instant) -> Sequence[Outcome]:
        """Begin to send; acks are subscribed to."""
        self._connected, self._silences = True, 0
        return self._send(now)

    def disconnected(self) -> None:
        """Stop sending until connected again."""
        self._connected = False
        self._rest()

    def appended(self, now: Instant) -> Sequence[Outcome]:
        """Take note that the log has grown; it is sent unless a batch is under way."""
        return self._send(now) if self._reach is _Reach.IDLE else ()

    def deadline(self) -> Instant | None:
        """Return when `elapsed` must be called at the latest."""
        return self._deadline

    def elapsed(self, now: Instant) -> Sequence[Outcome]:
        """Send again if it is time."""
        if self._deadline is None or now < self._deadline:
            return ()
        if self._reach is _Reach.IN_FLIGHT:
            self._silences += 1
        return self._send(now)

    def received(self, payload: bytes, *, now: Instant, at: int) -> Sequence[Outcome]:
        """Take a message from `ack`; `at` (Unix ms) would name a new epoch.

        Anything that is no ack of the present epoch is ignored: the topic may be hostile.
        """
        message = read(payload)
        if isinstance(message, PayloadRefused):
            return ()
        if "refused" in message:
            return self._refused(message.get("digest"), now)
        ack = _read_ack(message)
        if ack is None:
            return ()
        if ack.epoch != self._log.epoch:
            return self._older_placed(ack, now) if ack.epoch == self._older else ()
        ours = self._log.mark(ack.next - 1) if ack.next <= self._log.next else None
        if ack.next > self._log.next or (ours is not None and ours != ack.mark):
            return self._fork(now=now, at=at)
        return self._placed(ack.next, now)

    def _placed(self, following: int, now: Instant) -> Sequence[Outcome]:
        """Go on from where the service stands."""
        flight = self._flight
        # Where nothing was acknowledged yet, a restore in between could not be seen.
        is_first = self._log.acked <= 1 < following
        self._older_due = self._older_due or is_first or following < self._log.acked
        self._log.acknowledged(following)
        if flight is None:
            return self._send(now) if self._reach is _Reach.IDLE else ()
        if flight.epoch != self._log.epoch:
            return ()
        if following <= flight.first:
            # Nothing new for the batch in flight, or an older position: not at once (rule 3). The
            # pause is not begun anew by more of the same, or they could hold it open for ever.
            if self._reach is _Reach.IN_FLIGHT:
                self._reach = _Reach.PAUSED
                self._deadline = Instant(now + RETRY_NO_PROGRESS_S)
            return ()
        self._silences, self._stand_in_for = 0, None
        self._events_most = min(BATCH_EVENTS_MAX, self._events_most * 2)
        return self._send(now)

    def _older_placed(self, ack: Ack, now: Instant) -> Sequence[Outcome]:
        """Go on with an older epoch from where the service stands in it."""
        flight = self._flight
        if flight is None or flight.epoch != ack.epoch:
            return ()
        ours = self._log.older_mark(flight.epoch, ack.next - 1)
        if ours is not None and ours != ack.mark:
            # Another history: a new epoch has begun because of it, and nothing more can be done.
            self._next_older()
        elif ack.next > flight.first:
            self._older_next = ack.next
            self._events_most = min(BATCH_EVENTS_MAX, self._events_most * 2)
        else:
            if self._reach is _Reach.IN_FLIGHT:
                self._reach = _Reach.PAUSED
                self._deadline = Instant(now + RETRY_NO_PROGRESS_S)
            return ()
        self._silences, self._stand_in_for = 0, None
        return self._send(now)

    def _next_older(self) -> None:
        self._older = self._log.older_epoch(self._older or 0)
        self._older_next = None

    def _refused(self, name: object, now: Instant) -> Sequence[Outcome]:
        """Halve the batch in flight; of a single event, send a stand-in instead."""
        flight = self._flight
        if flight is None or name != flight.digest:
            return ()
        if flight.stand_in or not flight.events:
            # Nothing smaller can be said: offered again, slowly, like any other silence.
            return ()
        if flight.events > 1:
            self._events_most = flight.events // 2
        else:
            self._stand_in_for = flight.start
        return self._send(now)

    def _fork(self, *, now: Instant, at: int) -> Sequence[Outcome]:
        old = self._log.epoch
        try:
            self._log.fork(at)
        except JournalFull:
            # The same ack will come again, when there may be room.
            return ()
        self._rest()
        self._silences, self._events_most, self._stand_in_for = 0, BATCH_EVENTS_MAX, None
        self._older = self._older_next = None
        return [Forked(old, self._log.epoch), *self._send(now)]

    def _send(self, now: Instant) -> Sequence[Outcome]:
        if not self._connected:
            return ()
        if self._older_due:
            self._older_due, self._older = False, None
            self._next_older()
        epoch, following, chunk = self._at_hand()
        if chunk is None:
            self._rest()
            return ()
        events, stand_in = chunk.events, False
        if self._stand_in_for == chunk.first and events:
            # Alone, with the mark of the event it stands for.
            alone = self._read(epoch, chunk.first, events_most=1)
            if alone is not None:
                chunk, events, stand_in = alone, [_stand_in(alone.events[0])], True
        batch = Batch(
            epoch=epoch,
            first=chunk.first,
            prev=chunk.prev,
            last=chunk.last,
            lost_from=following if 0 < following < chunk.first else None,
        )
        plain = encode_batch(batch, events)
        payload = zlib.compress(plain, 1) if len(plain) >= _COMPRESS_FROM else plain
        # `first` is what an ack must pass to be progress: of a loss, its beginning.
        self._flight = _Flight(
            epoch=epoch,
            first=following,
            start=chunk.first,
            digest=digest(payload),
            events=len(events),
            stand_in=stand_in,
        )
        self._reach = _Reach.IN_FLIGHT
        self._deadline = Instant(now + self._patience())
        return [Publish(payload)]

    def _at_hand(self) -> tuple[Epoch, int, Chunk | None]:
        """Return what is to be sent next: its epoch, the seq that is wanted, and the events."""
        while self._older is not None:
            if self._older_next is None:
                chunk = self._read(self._older, 1, events_most=1)
            else:
                chunk = self._read(self._older, self._older_next, events_most=self._events_most)
            if chunk is not None:
                return self._older, self._older_next or 0, chunk
            self._next_older()
        following = self._log.acked
        if following >= self._log.next:
            return self._log.epoch, following, None
        chunk = self._read(self._log.epoch, following, events_most=self._events_most)
        return self._log.epoch, following, chunk

    def _read(self, epoch: Epoch, first: int, *, events_most: int) -> Chunk | None:
        bytes_most = BATCH_BYTES_MAX - _HEAD_BYTES_MOST
        if epoch == self._log.epoch:
            return self._log.read(first, events_most=events_most, bytes_most=bytes_most)
        return self._log.read_older(epoch, first, events_most=events_most, bytes_most=bytes_most)

    def _patience(self) -> float:
        """Return how long to wait for an ack: 10 s, 20, 40, … to 300, each with jitter."""
        wait: float = min(RETRY_MAX_S, RETRY_FIRST_S * 2.0 ** min(self._silences, 10))
        return wait * (1 + _JITTER * self._random.random())

    def _rest(self) -> None:
        self._reach, self._flight, self._deadline = _Reach.IDLE, None, None


def _read_ack(message: Mapping[str, object]) -> Ack | None:
    epoch, following, mark = (message.get(name) for name in ("epoch", "next", "mark"))
    if type(epoch) is not int or type(following) is not int or following < 1:
        return None
    if not isinstance(mark, str) or not 0 < len(mark) <= _MARK_CHARACTERS_MAX:
        return None
    return Ack(epoch=epoch, next=following, mark=mark)


def _stand_in(event: bytes) -> bytes:
    at = json.loads(event).get("at", 0)
    return encode(Unreadable(at=at, size=len(event)))
