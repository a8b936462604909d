"""Events in a row out of a store, as a batch takes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agent.store import Key, Row, Store
from wire.journal import Epoch, Mark

READ_ROWS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Events in a row; `prev` is the mark before `first`, `last` that of the last event."""

    first: int
    prev: Mark
    last: Mark
    events: Sequence[bytes]


def read_chunk(
    store: Store, epoch: Epoch, first: int, *, events_most: int, bytes_most: int
) -> Chunk | None:
    """Return the events held from `first` on, up to the next hole or a limit; None: none is.

    Its `first` is later than asked where events are gone. At least one event is returned.
    """
    taken: list[Row] = []
    size, at_seq = 0, first
    while len(taken) < events_most:
        rows = store.rows(epoch, first=at_seq, most=min(READ_ROWS, events_most - len(taken)))
        for row in rows:
            size += len(row.event) + 1
            if taken and (row.key.seq != at_seq or size > bytes_most):
                return _chunk(taken)
            taken.append(row)
            at_seq = row.key.seq + 1
        if not rows:
            break
    return _chunk(taken) if taken else None


def held_mark(store: Store, epoch: Epoch, seq: int) -> Mark | None:
    """Return the mark of a seq, None where neither it nor its successor is held."""
    for row in store.rows(epoch, first=max(seq, 1), most=1):
        if row.key.seq == seq:
            return row.mark
        if row.key.seq == seq + 1:
            return row.prev
    return None


def epoch_after(store: Store, epoch: int, *, before: Epoch) -> Epoch | None:
    """Return the next epoch of which events are held, between the two; None: there is none."""
    stubs = store.oldest(since=Key(Epoch(epoch + 1), 0), before=Key(before, 0), money=None, most=1)
    return stubs[0].key.epoch if stubs else None


def _chunk(rows: Sequence[Row]) -> Chunk:
    return Chunk(
        first=rows[0].key.seq,
        prev=rows[0].prev,
        last=rows[-1].mark,
        events=[row.event for row in rows],
    )
