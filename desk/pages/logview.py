"""Rows of the log as a page shows them: by day of the terminal, each with its tone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from desk.clocktime import day_of
from desk.queries.log import LogRow
from desk.tones import Group, Tone, group_of, tone_of

_LATE: Final = timedelta(minutes=2)
"""A row that came later than this says so: until then its time says enough."""


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One event on a page."""

    at: datetime
    received_at: datetime
    epoch: int
    seq: int
    text: str
    kind: str
    tx: str | None
    group: Group
    tone: Tone
    late: bool
    new: bool


@dataclass(frozen=True, slots=True)
class DayRows:
    """The rows of one day of the terminal."""

    day: date
    rows: tuple[ShownRow, ...]


def by_day(
    rows: Sequence[LogRow], where: ZoneInfo, *, seen: Mapping[int, int] | None = None
) -> tuple[DayRows, ...]:
    """Return rows by day; `seen` (epoch → next seq) tells which of them are new to the reader."""
    shown = (_shown(row, seen) for row in rows)
    return tuple(
        DayRows(day, tuple(group))
        for day, group in groupby(shown, lambda row: day_of(row.at, where))
    )


def _shown(row: LogRow, seen: Mapping[int, int] | None) -> ShownRow:
    tx = row.event.get("tx")
    return ShownRow(
        at=row.at,
        received_at=row.received_at,
        epoch=row.epoch,
        seq=row.seq,
        text=row.text,
        kind=row.kind,
        tx=tx if isinstance(tx, str) else None,
        group=group_of(row.kind),
        tone=tone_of(row.event),
        late=row.received_at - row.at > _LATE,
        new=seen is not None and row.seq >= seen.get(row.epoch, 0),
    )
