"""Working days of the Russian production calendar, and when a case is due.

`holidays` knows the fixed days off of every year, and the transferred ones of the years that were
announced. A year that nobody has announced has no working days here (`YearUnknown`) until its days
are imported; only the term of a case is estimated, and says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

ZONE_UNKNOWN: Final = "Europe/Moscow"
"""Where a terminal's zone is unknown, and what it is taken for."""
END_OF_DAY: Final = time(23, 59, 59, 999000)


class YearUnknown(Exception):  # noqa: N818 - says what is
    """Nobody has told the transferred days of a year; `year` is which."""

    def __init__(self, year: int) -> None:
        super().__init__(f"the transferred days of {year} are not known: kvitok calendar import")
        self.year = year


@dataclass(frozen=True, slots=True)
class Due:
    """When a case is due; `guessed` lists years whose transferred days nobody has announced.

    A day of such years is an estimate: staff may see it, a customer is not promised it.
    """

    at: datetime
    guessed: tuple[int, ...] = ()

    @property
    def is_guessed(self) -> bool:
        """Whether the day is an estimate."""
        return bool(self.guessed)


@dataclass(frozen=True)
class Calendar:
    """The production calendar with what an operator has imported: day → whether people work."""

    days: Mapping[date, bool] = field(default_factory=dict)

    @cached_property
    def imported(self) -> frozenset[int]:
        """Return the years whose transferred days were imported: whole years, as announced."""
        return frozenset(day.year for day in self.days)

    def knows(self, year: int) -> bool:
        """Return whether the transferred days of a year are known."""
        return announced(year) or year in self.imported

    def is_working_day(self, day: date) -> bool:
        """Return whether people work on this day in Russia.

        Raises:
            YearUnknown: nobody has told the transferred days of its year.
        """
        if not self.knows(day.year):
            raise YearUnknown(day.year)
        return self.is_usually_working(day)

    def is_usually_working(self, day: date) -> bool:
        """Return the same of any year: without data, weekends and the fixed holidays are off."""
        said = self.days.get(day)
        return _is_working(day) if said is None else said

    def name_of(self, day: date) -> str | None:
        """Return what `holidays` calls a day off, in English; None for any other day."""
        name: str | None = _calendar(day.year).get(day)
        return name

    def last_known(self, year: int) -> int | None:
        """Return the last of the known years in a row from this one on; None if it is unknown."""
        if not self.knows(year):
            return None
        while self.knows(year + 1):
            year += 1
        return year


ANNOUNCED: Final = Calendar()
"""Nothing imported."""


@cache
def _calendar(year: int) -> holidays.HolidayBase:
    return holidays.country_holidays("RU", years=year, language="en_US")


@cache
def announced(year: int) -> bool:
    """Return whether `holidays` has the transferred days of a year; every year moves some."""
    return year in getattr(_calendar(year), "special_public_holidays", {})


@cache
def _is_working(day: date) -> bool:
    return bool(_calendar(day.year).is_working_day(day))


@cache
def zone(name: str | None) -> ZoneInfo:
    """Return the named time zone, Moscow's where there is none of that name."""
    try:
        return ZoneInfo(name or ZONE_UNKNOWN)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(ZONE_UNKNOWN)


def due(
    opened_at: datetime,
    *,
    zone_name: str | None,
    working_days: int,
    calendar: Calendar = ANNOUNCED,
) -> Due:
    """Return the end of the last of so many working days after the day of opening.

    It never fails: days of years that nobody has announced are estimated, and their years named.
    """
    where = zone(zone_name)
    day = opened_at.astimezone(where).date()
    years = set()
    left = working_days
    while left > 0:
        day += timedelta(days=1)
        years.add(day.year)
        left -= calendar.is_usually_working(day)
    end = datetime.combine(day, END_OF_DAY, tzinfo=where).astimezone(UTC)
    return Due(end, tuple(sorted(year for year in years if not calendar.knows(year))))
