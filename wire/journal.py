"""Batches, acknowledgements and marks (contract, section 2)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NewType

from wire.bounds import MarkText, Seq, UnixMs

Epoch = NewType("Epoch", int)
"""Unix milliseconds at which a journal file was created."""
Mark = NewType("Mark", str)
"""What identifies an event and all before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What stands around the events of a `journal` message; `events[i]` has seq `first + i`."""

    epoch: UnixMs
    first: Seq
    prev: MarkText
    last: MarkText
    lost_from: Seq | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """Everything before `next` is committed; `mark` is that of seq `next - 1`."""

    epoch: UnixMs
    next: Seq
    mark: MarkText


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A batch that could not be read or was over its limits, by the digest of its payload."""

    refused: str
    digest: str


def first_mark(epoch: int) -> Mark:
    """Return the mark of seq 0: the epoch in decimal."""
    return Mark(str(epoch))


def mark_after(previous: str, event: bytes) -> Mark:
    """Return the mark of an event, given that of the event before it and its bytes as journaled."""
    return Mark(hashlib.sha256(previous.encode("ascii") + event).hexdigest()[:16])


def mark_through(previous: str, events: Iterable[bytes]) -> Mark:
    """Return the mark of the last of the events; of none, the one given."""
    mark = Mark(previous)
    for event in events:
        mark = mark_after(mark, event)
    return mark


def digest(payload: bytes) -> str:
    """Return what a refusal names a payload by: its bytes as received, 16 hex digits."""
    return hashlib.sha256(payload).hexdigest()[:16]
