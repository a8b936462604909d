"""A model of the service, from docs/contract.md, section 2, alone, and a bad network to it."""

import copy
import heapq
import json
import zlib
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from wire.journal import digest


@dataclass
class Copy:
    """The service's copy of one journal."""

    next: int
    mark: str
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass
class ServiceModel:
    """Takes batches and answers with acks; with the poison in it, a batch is refused."""

    journals: dict[int, Copy] = field(default_factory=dict)
    poison: str = "\0none"
    forks: int = 0
    took_twice: list[int] = field(default_factory=list)

    def take(self, payload: bytes) -> dict[str, Any]:
        """Handle one batch by rules 1, 2 and 6, and return the ack or refusal."""
        plain = payload if payload[:1] == b"{" else zlib.decompress(payload)
        batch = json.loads(plain)
        events, first = batch["events"], batch["first"]
        lost = batch.get("lost_from")
        if self.poison in plain.decode() or len(events) > 500 or len(plain) > 256 * 1024:
            return {"refused": "unreadable", "digest": digest(payload)}
        if not events and lost is None:
            return {"refused": "no_events", "digest": digest(payload)}
        if lost is not None and lost >= first:
            return {"refused": "lost_from", "digest": digest(payload)}
        epoch = batch["epoch"]
        journal = self.journals.get(epoch, Copy(1, str(epoch)))
        wanted = journal.next == (first if lost is None else lost)
        if wanted and (lost is not None or journal.mark == batch["prev"]):
            self.journals[epoch] = journal
            if lost is not None:
                journal.rows[lost] = {"kind": "journal_lost", "through": first - 1}
            for seq, event in enumerate(events, first):
                journal.rows[seq] = event
            journal.next, journal.mark = first + len(events), batch["last"]
        elif wanted:
            self.forks += 1
        return self.ack(epoch)

    def ack(self, epoch: int) -> dict[str, Any]:
        """Return where the copy of an epoch stands; a pulse creates no journal."""
        journal = self.journals.get(epoch, Copy(1, str(epoch)))
        return {"epoch": epoch, "next": journal.next, "mark": journal.mark}

    def backup(self) -> dict[int, Copy]:
        """Return a backup."""
        return copy.deepcopy(self.journals)

    def restore(self, backup: dict[int, Copy]) -> None:
        """Be as the backup was."""
        self.journals = copy.deepcopy(backup)

    def events(self) -> list[dict[str, Any]]:
        """Return every event stored, by epoch and seq."""
        return [
            self.journals[epoch].rows[seq]
            for epoch in sorted(self.journals)
            for seq in sorted(self.journals[epoch].rows)
        ]


class Network:
    """Delays, loses, duplicates and reorders messages; healed, it only delays a little."""

    def __init__(self, random: Random) -> None:
        """Begin bad."""
        self.random, self.healed = random, False
        self._queue: list[tuple[float, int, str, bytes]] = []
        self._numbers = count()

    def send(self, where: str, payload: bytes, now: float) -> None:
        """Put a message on its way."""
        copies = 1 if self.healed else self.random.choice([0, 1, 1, 1, 2])
        for _ in range(copies):
            delay = 0.05 if self.healed else self.random.choice([0.05, 0.1, 1.5, 15.0])
            heapq.heappush(self._queue, (now + delay, next(self._numbers), where, payload))

    def next_at(self) -> float | None:
        """Return when the next message arrives."""
        return self._queue[0][0] if self._queue else None

    def arrived(self, now: float) -> list[tuple[str, bytes]]:
        """Return what has arrived."""
        found = []
        while self._queue and self._queue[0][0] <= now:
            _, _, where, payload = heapq.heappop(self._queue)
            found.append((where, payload))
        return found
