"""The import file of the production calendar, and a year as it is shown."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.calendar import announced
from kvitok.calendar_file import Day, read_days
from kvitok.calendar_work import year_of

UNKNOWN = next(year for year in range(2026, 2100) if not announced(year))


def weekday(month: int, *, off: bool = False) -> date:
    """Return the first working day of a month, or the first Saturday."""
    days = [date(UNKNOWN, month, n) for n in range(10, 20)]
    return next(day for day in days if (day.weekday() == 5) == off and day.weekday() != 6)


WHOLE = f"""day,working,note
{weekday(4)},no,instead of Saturday
{weekday(7)},нет,
{weekday(7, off=True)},yes,works
"""


def test_a_whole_year() -> None:
    """Days, in any of the words for yes and no; a note may be missing."""
    read = read_days(WHOLE.encode("utf-8-sig"))
    assert not read.wrong
    assert read.years == [UNKNOWN]
    assert [row.working for row in read.rows] == [False, False, True]
    assert read.rows[0].note == "instead of Saturday"
    assert read.rows[1].note is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("day;working\n", "header"),
        ("day,working\n", "no day"),
        ("day,working\n06.01.2026,no\n", "no day such as"),
        ("day,working\n2026-06-15,maybe\n", "yes or no"),
        ("day,working\n1026-06-15,no\n", "cannot be meant"),
        ("day,working\n2026-06-15,no\n2026-06-15,yes\n", "twice"),
        (f"day,working\n{weekday(4)},no\n", "imported whole"),
        (f"day,working\n{weekday(4)},yes\n{weekday(7)},yes\n", "imported whole"),
        ('day,working,note\n2026-06-15,no,"a\n', "not CSV"),
        (f"day,working,note\n2026-06-15,no,{'x' * 201}\n", "a note"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_taken(content: str, why: str) -> None:
    """A year that nobody announced is imported whole, or not at all."""
    read = read_days(content.encode())
    assert why in " ".join(map(str, read.wrong))


def test_a_single_day_of_an_announced_year_is_enough() -> None:
    """Of such a year only what is different is told."""
    assert not read_days(b"day,working\n2026-06-15,no\n").wrong


@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(lambda text: f"day,working\n{text}".encode())
)
def test_no_file_makes_it_fail(content: bytes) -> None:
    """Whatever is in it: days, or what is wrong."""
    read = read_days(content)
    assert read.rows or read.wrong


def test_a_year_as_it_is_shown() -> None:
    """The days that are otherwise than their week days, and how many are left to work."""
    known = year_of(2026, [])
    assert (known.known, known.source, known.working_days) == (True, "by holidays", 247)
    assert Day(date(2026, 1, 7), False, "Christmas Day") in known.days
    assert not year_of(UNKNOWN, []).known
    imported = year_of(UNKNOWN, read_days(WHOLE.encode()).rows)
    assert (imported.known, imported.source) == (True, "imported")
    assert {row.day for row in read_days(WHOLE.encode()).rows} <= {row.day for row in imported.days}
    assert imported.working_days == year_of(UNKNOWN, []).working_days - 1
