"""The import file of the production calendar: whole years, judged before anything is written."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from incidents.calendar import ANNOUNCED, announced
from kvitok.terminals import Wrong

HEADER: Final = ("day", "working", "note")
ROWS_MAX: Final = 5_000
"""More days than any calendar moves in a lifetime."""
NOTE_CHARACTERS_MAX: Final = 200
MOVED_MIN: Final = 2
"""Two days of the long holidays of January fall on a weekend and are moved, every year."""
_YEARS: Final = range(2000, 2200)
_WORDS: Final = {"yes": True, "true": True, "1": True, "да": True,
                 "no": False, "false": False, "0": False, "нет": False}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the file, and whether people work on it."""

    day: date
    working: bool
    note: str | None


@dataclass(frozen=True, slots=True)
class Days:
    """What a file holds: its days, and all that is wrong with it."""

    rows: Sequence[Day]
    wrong: Sequence[Wrong]

    @property
    def years(self) -> list[int]:
        """Return the years that the file tells, in order."""
        return sorted({row.day.year for row in self.rows})


def read_days(content: bytes) -> Days:
    """Return the days of a file and everything that is wrong with it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return Days((), (Wrong(line, "not UTF-8: save the file with that encoding"),))
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = tuple(name.strip() for name in next(lines, []))
        if header not in {HEADER, HEADER[:2]}:
            return Days((), (Wrong(1, f"the header must be {','.join(HEADER)}"),))
        read = [_row(number, cells) for number, cells in enumerate(lines, start=2) if any(cells)]
    except csv.Error as error:
        return Days((), (Wrong(lines.line_num, f"not CSV: {error}"),))
    rows = [each for each in read if isinstance(each, Day)]
    wrong = [each for each in read if isinstance(each, Wrong)]
    return Days(rows, wrong or list(_wrong_together(rows)))


def _row(line: int, cells: Sequence[str]) -> Day | Wrong:
    told = [*(cell.strip() for cell in cells), "", ""][:3]
    try:
        day = date.fromisoformat(told[0])
    except ValueError:
        return Wrong(line, f"{told[0][:40]!r} is no day such as 2028-01-06")
    working = _WORDS.get(told[1].lower())
    if day.year not in _YEARS:
        return Wrong(line, f"the year {day.year} cannot be meant")
    if working is None:
        return Wrong(line, f"working is yes or no, not {told[1][:40]!r}")
    if len(told[2]) > NOTE_CHARACTERS_MAX or not told[2].isprintable():
        return Wrong(line, f"a note is one line of {NOTE_CHARACTERS_MAX} characters at most")
    return Day(day, working, told[2] or None)


def _wrong_together(rows: Sequence[Day]) -> Iterator[Wrong]:
    if not rows:
        yield Wrong(2, "the file names no day")
    if len(rows) > ROWS_MAX:
        yield Wrong(ROWS_MAX, "so many days move in no calendar")
    if len({row.day for row in rows}) < len(rows):
        yield Wrong(1, "a day stands in it twice")
    for year in sorted({row.day.year for row in rows}):
        moved = [
            row
            for row in rows
            if row.day.year == year and row.working != ANNOUNCED.is_usually_working(row.day)
        ]
        if not announced(year) and len(moved) < MOVED_MIN:
            text = f"{year}: every year moves {MOVED_MIN} days at least; a year is imported whole"
            yield Wrong(1, text)
