"""Working days of the Russian production calendar, and when a case is due."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

ZONE_UNKNOWN: Final = "Europe/Moscow"
"""Where a terminal's zone is unknown, and what it is taken for."""
END_OF_DAY: Final = time(23, 59, 59, 999000)


@dataclass(frozen=True, slots=True)
class Due:
    """When a case is due; `guessed` lists years whose transferred days nobody has announced."""

    at: datetime
    guessed: tuple[int, ...] = ()


@cache
def _calendar(year: int) -> holidays.HolidayBase:
    return holidays.country_holidays("RU", years=year)


@cache
def announced(year: int) -> bool:
    """Whether the transferred days of a year are known; every announced year moves some."""
    return year in getattr(_calendar(year), "special_public_holidays", {})


@cache
def is_working_day(day: date) -> bool:
    """Whether people work on this day in Russia."""
    return bool(_calendar(day.year).is_working_day(day))


@cache
def zone(name: str | None) -> ZoneInfo:
    """Return the named time zone, Moscow's where there is none of that name."""
    try:
        return ZoneInfo(name or ZONE_UNKNOWN)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(ZONE_UNKNOWN)


def due(opened_at: datetime, *, zone_name: str | None, working_days: int) -> Due:
    """Return the end of the last of so many working days after the day of opening."""
    where = zone(zone_name)
    day = opened_at.astimezone(where).date()
    years = set()
    left = working_days
    while left > 0:
        day += timedelta(days=1)
        years.add(day.year)
        left -= is_working_day(day)
    end = datetime.combine(day, END_OF_DAY, tzinfo=where).astimezone(UTC)
    return Due(end, tuple(sorted(year for year in years if not announced(year))))
