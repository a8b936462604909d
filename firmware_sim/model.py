"""The service's side of docs/contract.md, section 2, from that page alone: to try terminals on."""

from dataclasses import dataclass, field
from typing import Any

from wire import limits
from wire.codec import PayloadRefused, encode, parse, unpack
from wire.journal import Ack, Refusal, digest, first_mark


@dataclass(slots=True)
class Copy:
    """The copy of one journal."""

    mark: str
    next: int = 1
    events: dict[int, Any] = field(default_factory=dict)


@dataclass(slots=True)
class ServiceModel:
    """Takes batches and pulses of many terminals and says what to answer on `ack`."""

    copies: dict[tuple[str, int], Copy] = field(default_factory=dict)
    clashes: set[str] = field(default_factory=set)
    refusals: int = 0
    _older: dict[str, int] = field(default_factory=dict)

    def journal(self, terminal: str, payload: bytes) -> bytes:
        """Take a message from `journal`; returns what `ack` says."""
        plain = unpack(payload)
        batch = plain if isinstance(plain, PayloadRefused) else parse(plain)
        if isinstance(batch, PayloadRefused):
            return self._refuse(batch.reason, payload)
        if isinstance(plain, bytes) and len(plain) > limits.BATCH_BYTES_MAX:
            return self._refuse("over_limits", payload)
        if not _readable(batch):
            return self._refuse("unreadable", payload)
        return self._admit(terminal, batch)

    def pulse(self, terminal: str, payload: bytes) -> bytes | None:
        """Take a pulse; one with something unacked, or that stands elsewhere, is answered."""
        plain = unpack(payload)
        pulse = plain if isinstance(plain, PayloadRefused) else parse(plain)
        if isinstance(pulse, PayloadRefused) or "epoch" not in pulse:
            return None
        epoch = pulse["epoch"]
        copy = self.copies.get((terminal, epoch), Copy(first_mark(epoch)))
        if not pulse.get("unacked") and pulse.get("next") == copy.next:
            return None
        return self._ack(epoch, copy)

    def _admit(self, terminal: str, batch: dict[str, Any]) -> bytes:
        epoch, first, events = batch["epoch"], batch["first"], batch["events"]
        copy = self.copies.setdefault((terminal, epoch), Copy(first_mark(epoch)))
        lost = batch.get("lost_from")
        if lost == copy.next:
            copy.events[lost] = {"kind": "journal_lost", "through": first - 1}
        elif lost is not None or first != copy.next:
            return self._ack(epoch, copy)
        elif batch["prev"] != copy.mark:
            self.clashes.add(terminal)
            return self._ack(epoch, copy)
        copy.events.update(enumerate(events, first))
        copy.next, copy.mark = first + len(events), batch["last"]
        newest = max(known for name, known in self.copies if name == terminal)
        if epoch < newest:
            self._older[terminal] = self._older.get(terminal, 0) + 1
            if self._older[terminal] > 1:
                self.clashes.add(terminal)
        return self._ack(epoch, copy)

    def _refuse(self, reason: str, payload: bytes) -> bytes:
        self.refusals += 1
        return encode(Refusal(refused=reason, digest=digest(payload)))

    def _ack(self, epoch: int, copy: Copy) -> bytes:
        return encode(Ack(epoch=epoch, next=copy.next, mark=copy.mark))


def _readable(batch: dict[str, Any]) -> bool:
    numbers = [batch.get("epoch"), batch.get("first")]
    events, lost = batch.get("events"), batch.get("lost_from")
    return (
        all(isinstance(each, int) and each > 0 for each in numbers)
        and isinstance(events, list)
        and len(events) <= limits.BATCH_EVENTS_MAX
        and (lost is None or (isinstance(lost, int) and 0 < lost < batch["first"]))
        and (bool(events) or lost is not None)
    )
