"""The import file of terminals: read whole, judged line by line, before anything is written."""

import csv
import difflib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from pydantic import ValidationError

from desk.registration import COLUMNS, Registration

HEADER_COLUMNS_MAX: Final = 100
"""A wider header is of another file; to judge each of its names would take hours."""
SHOWN_CHARACTERS_MAX: Final = 80
"""What a message quotes of a cell."""
ROWS_MAX: Final = 1_000_000
"""Ten times the largest fleet; a longer file is not a list of terminals."""


class _Reader(Protocol):
    """What `csv.reader` returns."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...


@dataclass(frozen=True, slots=True)
class Wrong:
    """One line that cannot be taken, and why."""

    line: int
    why: str

    def __str__(self) -> str:
        """Return it as the person with the file wants it."""
        return f"line {self.line}: {self.why}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds: its good rows, and all that is wrong with it."""

    rows: Sequence[Registration]
    wrong: Sequence[Wrong]


def read_csv(content: bytes) -> Reading:
    """Return the terminals of a file and everything that is wrong with it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return Reading((), (Wrong(line, "not UTF-8: save the file with that encoding"),))
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Registration] = []
    wrong: list[Wrong] = []
    try:
        header = [name.strip() for name in next(lines, [])]
        wrong.extend(_wrong_header(header))
        if not wrong:
            for row in _rows(lines, header):
                if isinstance(row, Registration):
                    rows.append(row)
                else:
                    wrong.extend(row)
    except csv.Error as error:
        wrong.append(Wrong(lines.line_num, f"not CSV: {error}"))
    return Reading(rows, wrong)


def _wrong_header(header: Sequence[str]) -> Iterator[Wrong]:
    if len(header) == 1 and ";" in header[0]:
        yield Wrong(1, "columns are separated by commas, not semicolons")
        return
    if len(header) > HEADER_COLUMNS_MAX:
        yield Wrong(1, f"{len(header)} columns; there are {', '.join(COLUMNS)}")
        return
    for name in header:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name[:SHOWN_CHARACTERS_MAX], COLUMNS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(COLUMNS)}"
            yield Wrong(1, f"unknown column {_quoted(name)}; {hint}")
    for name in sorted({name for name in header if header.count(name) > 1}):
        yield Wrong(1, f"column {_quoted(name)} is there twice")
    if "terminal" not in header:
        yield Wrong(1, "the column 'terminal' is missing")


def _rows(lines: "_Reader", header: Sequence[str]) -> Iterator[Registration | Sequence[Wrong]]:
    first_seen: dict[str, int] = {}
    line_num = lines.line_num
    for count, cells in enumerate(lines):
        # A quoted cell may hold line breaks: a row is told by the line it begins on.
        line, line_num = line_num + 1, lines.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if count >= ROWS_MAX:
            yield (Wrong(line, f"more than {ROWS_MAX} rows"),)
            return
        if len(cells) != len(header):
            yield (Wrong(line, f"{len(cells)} columns, the header has {len(header)}"),)
            continue
        row = _row(line, dict(zip(header, cells, strict=True)))
        if isinstance(row, Registration):
            if row.terminal in first_seen:
                why = f"terminal {row.terminal} is on line {first_seen[row.terminal]} too"
                yield (Wrong(line, why),)
                continue
            first_seen[row.terminal] = line
        yield row


def _row(line: int, cells: dict[str, str]) -> Registration | tuple[Wrong, ...]:
    try:
        return Registration.of({name: cell.strip() for name, cell in cells.items()})
    except ValidationError as error:
        return tuple(
            _wrong_cell(line, cells, str(each["loc"][0]), kind=each["type"], message=each["msg"])
            for each in error.errors(include_url=False)
        )


def _wrong_cell(line: int, cells: dict[str, str], column: str, *, kind: str, message: str) -> Wrong:
    why = _plain(column, kind=kind, message=message)
    return Wrong(line, f"{column} {_quoted(cells[column])}: {why}")


def _quoted(text: str) -> str:
    """Return a text as a message quotes it: its beginning where it is long."""
    return repr(text if len(text) <= SHOWN_CHARACTERS_MAX else f"{text[:SHOWN_CHARACTERS_MAX]}…")


def _plain(column: str, *, kind: str, message: str) -> str:
    if kind == "string_pattern_mismatch":
        if column == "terminal":
            return "a number is 1 to 32 of A-Z a-z 0-9 _ -"
        return "no line breaks or other control characters"
    if kind == "float_parsing":
        return "a number of degrees with a point, such as 55.76"
    return message.removeprefix("Value error, ").replace("Input should be", "must be")
