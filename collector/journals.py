"""Journal messages wait here for the database, and their terminals for the answer.

Laws. A queue is bounded in bytes and per terminal; what comes above is dropped, and the terminal,
which hears nothing, sends again. An answer goes out only after the commit. While the database is
away, work waits; nothing is lost and nothing is acknowledged.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from collector import metrics
from collector.admission import Taken, ack
from collector.database import Connection, Database, Unstorable
from collector.known import Known
from collector.reading import Refused, read_batch
from collector.store import Arrival, Stored, store
from wire.codec import encode
from wire.journal import Refusal, digest
from wire.topics import TerminalId

log = logging.getLogger("collector.journals")

WAITING_PER_TERMINAL_MAX: Final = 8
"""A terminal has one batch in flight; a few more are its repetitions."""
FLUSH_BATCHES_MAX: Final = 500
FLUSH_BYTES_MAX: Final = 1024 * 1024
"""One commit; generous, so that commits grow with the load, and bounded, so that none is slow."""
FLUSH_EVERY_S: Final = 0.02
"""Commits of one queue do not begin faster than this: a commit costs as much as hundreds of events.
An answer after a quiet time waits for nothing."""
READ_BYTES_AT_ONCE: Final = 50_000
"""Bytes read before others get the processor: a large commit must not hold up an answer."""
MESSAGE_BYTES: Final = 300
"""What a waiting message costs beside its payload."""


@dataclass(frozen=True, slots=True)
class JournalMessage:
    """A `journal` payload as received."""

    terminal: TerminalId
    payload: bytes
    received_at: datetime
    instant: float


class Answers(Protocol):
    """Where answers and refusals go."""

    def answer(self, terminal: TerminalId, payload: bytes) -> None:
        """Publish a payload on the terminal's `ack`, or drop it where that cannot be."""

    def refused(
        self, terminal: TerminalId, channel: str, refused: Refused, *, size: int, at: datetime
    ) -> None:
        """Keep that a payload was refused."""

    def heard(self, terminal: TerminalId, at: datetime) -> None:
        """Keep that the terminal has spoken."""


class JournalQueue:
    """Stores the journals of a share of the terminals, one commit at a time."""

    def __init__(
        self,
        database: Database,
        answers: Answers,
        account_key: bytes,
        *,
        bytes_max: int,
        monotonic: Callable[[], float],
    ) -> None:
        self._database = database
        self._monotonic = monotonic
        self._answers = answers
        self._key = account_key
        self._known = Known()
        self._bytes_max = bytes_max
        self._bytes = 0
        self._waiting: deque[JournalMessage] = deque()
        self._count: Counter[str] = Counter()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def offer(self, message: JournalMessage) -> None:
        """Take a message, or drop it at a bound."""
        size = len(message.payload) + MESSAGE_BYTES
        if self._bytes + size > self._bytes_max:
            metrics.DROPPED.labels("queue_full").inc()
            return
        if self._count[message.terminal] >= WAITING_PER_TERMINAL_MAX:
            metrics.DROPPED.labels("terminal_too_fast").inc()
            return
        self._count[message.terminal] += 1
        self._bytes += size
        metrics.QUEUE_BYTES.inc(size)
        self._waiting.append(message)
        self._arrived.set()
        self._idle.clear()

    async def drained(self) -> None:
        """Return when nothing waits and nothing is under way."""
        await self._idle.wait()

    async def run(self) -> None:
        """Store what waits, for ever."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while taken := self._take():
                began = self._monotonic()
                arrivals, oldest = await self._read(taken), taken[0].instant
                if arrivals:
                    await self._store(arrivals)
                    metrics.WAIT_SECONDS.observe(self._monotonic() - oldest)
                await asyncio.sleep(max(0.0, FLUSH_EVERY_S - (self._monotonic() - began)))
            self._idle.set()

    def _take(self) -> list[JournalMessage]:
        """Return the next messages for one commit, at most one a terminal."""
        taken: list[JournalMessage] = []
        seen: set[str] = set()
        later: list[JournalMessage] = []
        size, before = 0, self._bytes
        while self._waiting and len(taken) < FLUSH_BATCHES_MAX and size < FLUSH_BYTES_MAX:
            message = self._waiting.popleft()
            if message.terminal in seen:
                later.append(message)
                continue
            seen.add(message.terminal)
            taken.append(message)
            size += len(message.payload)
            self._bytes -= len(message.payload) + MESSAGE_BYTES
            self._count[message.terminal] -= 1
            if not self._count[message.terminal]:
                del self._count[message.terminal]
        self._waiting.extendleft(reversed(later))
        metrics.QUEUE_BYTES.dec(before - self._bytes)
        return taken

    async def _read(self, messages: Sequence[JournalMessage]) -> list[Arrival]:
        arrivals = []
        size = 0
        for message in messages:
            read = read_batch(message.payload, message.received_at, self._key)
            self._answers.heard(message.terminal, message.received_at)
            if isinstance(read, Refused):
                self._refuse(message.terminal, read, len(message.payload), message.received_at)
            else:
                arrivals.append(
                    Arrival(message.terminal, message.received_at, read, message.payload)
                )
            size += len(message.payload)
            if size > READ_BYTES_AT_ONCE:
                size = 0
                await asyncio.sleep(0)
        return arrivals

    async def _store(self, arrivals: list[Arrival]) -> None:
        names = [each.terminal for each in arrivals]

        async def work(connection: Connection) -> Stored:
            number = self._database.connections
            strangers = self._known.strangers(names, connection=number)
            return await store(connection, arrivals, strangers)

        try:
            with metrics.FLUSH_SECONDS.time():
                stored = await self._database.commit(work)
        except Unstorable as error:
            await self._split(arrivals, str(error))
            return
        self._known.add(names)
        for arrival, outcome in zip(arrivals, stored.outcomes, strict=True):
            answer = ack(arrival.readable.batch.epoch, outcome.cursor)
            self._answers.answer(arrival.terminal, answer)
        _count(stored)

    async def _split(self, arrivals: list[Arrival], reason: str) -> None:
        """Find the batch that PostgreSQL cannot hold: the others must not suffer for it."""
        if len(arrivals) > 1:
            middle = len(arrivals) // 2
            await self._store(arrivals[:middle])
            await self._store(arrivals[middle:])
            return
        log.error("a batch of %s cannot be stored: %s", arrivals[0].terminal, reason)
        arrival = arrivals[0]
        refused = Refused("unstorable", digest(arrival.payload))
        self._refuse(arrival.terminal, refused, len(arrival.payload), arrival.received_at)

    def _refuse(self, terminal: TerminalId, refused: Refused, size: int, at: datetime) -> None:
        self._answers.refused(terminal, "journal", refused, size=size, at=at)
        self.answer_refusal(terminal, refused)

    def answer_refusal(self, terminal: TerminalId, refused: Refused) -> None:
        """Tell the terminal that a payload was refused."""
        answer = Refusal(refused=refused.reason, digest=refused.digest)
        self._answers.answer(terminal, encode(answer))


def _count(stored: Stored) -> None:
    outcomes = Counter(
        "taken" if isinstance(each, Taken) else each.why.value for each in stored.outcomes
    )
    for outcome, count in outcomes.items():
        metrics.BATCHES.labels(outcome).inc(count)
    metrics.EVENTS.inc(stored.events)
    metrics.QUARANTINED.inc(stored.quarantined)
