"""What a report says, cut by who said it: the pieces that facts are read from."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Origin(StrEnum):
    """Where a passage comes from, which decides what its facts are worth."""

    SUBJECT = "subject"
    NEW = "new"
    """What the sender wrote now."""
    FORWARDED = "forwarded"
    """Another person's mail that is passed on: counts fully, by its own date."""
    QUOTED = "quoted"
    """An earlier mail that is answered: no facts."""
    SIGNATURE = "signature"
    """Contact data only."""
    ATTACHMENT = "attachment"
    """Text found in a file: a fiscal QR code, a PDF."""
    FIELD = "field"
    """A field that a form or an operator filled in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a report's text.

    `start` is its place in the whole text that staff see, so that a fact's span can be shown there.
    """

    origin: Origin
    text: str
    written_at: datetime
    """When it was written (aware): what "yesterday" is counted from."""
    start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that a report says: where it says so, and how surely.

    `kind` and `value` are those of the contract (section 6): an `amount` is
    `{"minor": 50000, "role": "inserted"}`, a `paid_at` `{"from", "to", "best"}` (and
    `"alternatives"`, `"precision"`), an `account` digits that only the matcher sees unmasked.
    """

    kind: str
    value: object
    text: str
    span: tuple[int, int]
    """Of the whole text: begin, and behind the end."""
    confidence: float
    """From 0 to 1."""
    origin: Origin
