"""Which batches a journal's copy takes (contract, section 2, rules 1, 2, 6, 7).

Laws. This predicate and the conditional update in `collector/store.py` are the same one; the update
decides, this says why. A copy has no hole: what it takes begins exactly at its cursor. What it does
not take changes nothing. Whether a taken batch speaks for two journals under one number (rule 8) is
a question about other epochs: `store` asks the database.
"""

from dataclasses import dataclass
from enum import StrEnum

from wire.journal import Batch, first_mark


@dataclass(frozen=True, slots=True)
class Cursor:
    """The service's place in a journal: everything before `next` is stored, `mark` is the last."""

    next: int
    mark: str


class Why(StrEnum):
    """Why a readable batch is answered and not taken."""

    REPETITION = "repetition"
    """All of it is stored already, or stood before a loss that is."""
    OVERLAP = "overlap"
    """It begins before the cursor and ends after it."""
    HOLE = "hole"
    """It begins after the cursor."""
    FORK = "fork"
    """It begins at the cursor and continues another history."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The batch is stored whole and the cursor moves; `lost` is how far a declared loss goes."""

    cursor: Cursor
    lost_through: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """Nothing is stored; the terminal is told the cursor."""

    cursor: Cursor
    why: Why


def start(epoch: int) -> Cursor:
    """Return the cursor of a journal not known before."""
    return Cursor(1, first_mark(epoch))


def begins(batch: Batch) -> bool:
    """Return whether the batch is one that a journal not known before takes."""
    return isinstance(admit(None, batch, 0), Taken)


def place(batch: Batch) -> int:
    """Return where the cursor must stand for the batch to be taken."""
    return batch.first if batch.lost_from is None else batch.lost_from


def admit(cursor: Cursor | None, batch: Batch, count: int) -> Taken | Answered:
    """Decide about a readable batch of so many events, at this cursor (None: journal not known)."""
    now = cursor or start(batch.epoch)
    end = batch.first + count
    if place(batch) != now.next:
        return Answered(now, _why(now, batch, end))
    if batch.lost_from is not None:
        return Taken(Cursor(end, batch.last), batch.first - 1)
    if batch.prev != now.mark:
        return Answered(now, Why.FORK)
    return Taken(Cursor(end, batch.last))


def _why(now: Cursor, batch: Batch, end: int) -> Why:
    if place(batch) > now.next:
        return Why.HOLE
    return Why.REPETITION if end <= now.next else Why.OVERLAP


def ack(epoch: int, cursor: Cursor) -> bytes:
    """Return the payload that tells a terminal the cursor."""
    # Written by hand, for speed: a mark holds nothing that JSON would escape.
    return f'{{"epoch":{epoch},"next":{cursor.next},"mark":"{cursor.mark}"}}'.encode()
