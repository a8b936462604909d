"""A day or period as a text names it, and what else it may mean."""

from dataclasses import dataclass
from datetime import date
from typing import Final

DAYS_MAX: Final = 24
"""Days of one passage that are read."""

Span = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Day:
    """A day or period as a text names it, and what else it may mean."""

    start: int
    end: int
    first: date
    last: date
    confidence: float
    alternatives: tuple[Span, ...] = ()
    explicit: bool = False
    """A calendar date: it wins over a day of the week beside it."""
    night: bool = False
    """It is the night from `first` to `last`."""
