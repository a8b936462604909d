"""Calendar dates: days by their number and month, in digits and in words."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final

from incidents.matching.day import DAYS_MAX, Day
from incidents.matching.months import MONTH, MONTH_OF, ORDINAL, ORDINALS, year_of
from incidents.matching.words import Sheet, anchored

_YEAR: Final = (
    r"(?:,? ?(?P<y>20[0-9]{2}|[0-9]{2}(?= ?г))(?![0-9:])(?: ?(?:года?\b|г\.?(?![а-я])|року|ж))?"
    r"| две тысячи двадцать [а-я]{4,8}(?:ого|его)(?: года)?)?"
)

_NUMERIC: Final = re.compile(
    r"(?<![0-9.,/:№-])(?P<d>[0-3]?[0-9])(?: (?=[./] ))?(?P<s>[./\-, ]) ?"
    r"(?P<m>[0-3]?[0-9])(?: (?=[./] ))?(?P=s) ?(?P<y>20[0-9]{2}|19[0-9]{2}|[0-9]{2})"
    r"(?![0-9]|\.[0-9])(?: ?г(?:ода|\.)?(?![а-я]))?"
)
_ISO: Final = re.compile(
    r"(?<![0-9])(?P<y>20[0-9]{2})[-./](?P<m>[01][0-9])[-./](?P<d>[0-3][0-9])(?![0-9])"
)
_NAMED: Final = re.compile(
    r"(?<![0-9.,:])(?:(?P<d>[0-3]?[0-9])(?: ?-? ?(?:го|ое|е|th|st|nd|rd|шы|ші))?"
    rf"|{ORDINAL})[ ]{{0,2}}(?:of )?{MONTH}{_YEAR}"
)
_NAMED_ENGLISH: Final = re.compile(
    r"\b(?P<m>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov"
    r"|dec|янв(?=арь)|фев(?=раль)|мар(?=т\b)|апр(?=ель)|май|июн(?=ь)|июл(?=ь)|авг(?=уст\b)"
    r"|сен(?=тябрь)|окт(?=ябрь)|ноя(?=брь)|дек(?=абрь))[a-zа-я]{0,6}\.? (?P<d>[0-3]?[0-9])"
    r"(?:th|st|nd|rd|-?го)?(?![0-9:])(?! ?(?:руб|р\b))(?:,? (?P<y>20[0-9]{2}))?"
)
_SHORT: Final = re.compile(
    r"(?<![0-9.,:/№-])(?P<d>[0-3]?[0-9])(?:[./]"
    r"|[,-](?=[01]?[0-9],? (?:в|около|примерно|at) [0-2]?[0-9][:.,-]))(?P<m>[01]?[0-9])"
    r"(?![0-9]|[.,:/-][0-9])(?! ?(?:руб|р\b|р\.|₽|тыс|тг\b|грн|%|[кk]\b))\.?"
)

_MONTH_WORD: Final = re.compile(
    rf"(?<![а-яіїa-z])(?:{'|'.join(sorted(MONTH_OF, key=len, reverse=True))})[а-яіїa-z]{{0,7}}"
)


_CLOCK_BEHIND: Final = re.compile(r"[ ,г.]{0,3}(?:в )?[0-2]?[0-9][:.-][0-5][0-9]")
BESIDE: Final = 4
"""Characters between a day and its time at most, where neither is said to be one."""
YEAR_SLIP: Final = timedelta(days=60)
"""So young, a day of this year is likelier than the same day of the year that is written."""
YEAR_MOST: Final = timedelta(days=300)
"""A day without its year that was so long ago is one to come."""


def _calendar(found: re.Match[str], today: date) -> tuple[date, float] | None:
    groups = found.groupdict()
    word = groups.get("w")
    day = ORDINALS[word] if word else int(groups["d"])
    month = int(groups["m"]) if groups["m"].isdigit() else MONTH_OF[groups["m"]]
    sureness = 0.95
    if not 1 <= month <= 12:
        if 1 <= day <= 12 and month <= 31:
            day, month, sureness = month, day, 0.6
        else:
            return None
    last = year_of(month, day, today)
    year = int(groups["y"]) if groups.get("y") else last
    if year is None:
        return None
    year += 2000 if year < 100 else 0
    try:
        value = date(year, month, day)
    except ValueError:
        return None
    if groups.get("y") and last and year - last in {-1, 1}:
        recent = date(last, month, day)
        if today - recent < YEAR_SLIP and abs(today - value) > YEAR_SLIP:
            return recent, 0.7  # January's slip of the pen
    return value, _sureness(value, today, sureness, told=bool(groups.get("y")))


def _sureness(value: date, today: date, sureness: float, *, told: bool) -> float:
    """Return how surely a date is a payment's; 0: a holiday's end, a birthday, a term to come."""
    age = today - value
    if not timedelta(days=-1) <= age <= timedelta(days=1200) or (age > YEAR_MOST and not told):
        return 0.0
    return sureness - 0.25 if age > timedelta(days=200) else sureness


def read_dates(sheet: Sheet, today: date) -> Iterator[Day]:
    """Yield the sure calendar dates of a sheet; take those off it that are of no payment."""
    for pattern in (_ISO, _NUMERIC, _NAMED, _NAMED_ENGLISH):
        named = pattern in {_NAMED, _NAMED_ENGLISH}
        matches = (
            anchored(pattern, _MONTH_WORD, sheet.left, (30, 48))
            if named
            else pattern.finditer(sheet.left)
        )
        for found in list(matches):
            if pattern is _NUMERIC and found["s"] in ", " and len(found["y"]) == 2:
                continue
            value = _calendar(found, today)
            if value and value[1] <= 0:
                begin, end = trimmed(found)
                clock = _CLOCK_BEHIND.match(sheet.left, end)
                sheet.take(begin, clock.end() if clock else end)
            elif value and sheet.left[found.start()] != "\x00":
                yield Day(*trimmed(found), value[0], value[0], value[1], explicit=True)


def trimmed(found: re.Match[str]) -> tuple[int, int]:
    """Return where a match stands without blanks and commas around it."""
    text = found[0]
    start = found.start() + len(text) - len(text.lstrip(" ,"))
    return start, found.end() - (len(text) - len(text.rstrip(" ,")))


def read_short_days(
    sheet: Sheet, today: date, is_clock: Callable[[re.Match[str]], bool]
) -> list[Day]:
    """Take days written as `12.11` off the sheet, but for those that are clock times."""
    days: list[Day] = []
    for found in list(_SHORT.finditer(sheet.left))[:DAYS_MAX]:
        if int(found["d"]) > 31 or not 1 <= int(found["m"]) <= 12 or is_clock(found):
            continue
        behind = bool(days) and 0 <= found.start() - days[-1].end <= BESIDE
        if behind and int(found["d"]) <= 23 and len(found["m"]) == 2:
            continue  # the time of the day before it
        value = _calendar_short(found, today)
        if value and today - value > YEAR_MOST:
            sheet.take(*found.span())
        elif value:
            end = found.end() - found[0].endswith(".")
            sureness = 0.9 if (today - value).days < 120 else 0.5
            days.append(Day(found.start(), end, value, value, sureness, explicit=True))
            sheet.take(found.start(), end)
    return days


def _calendar_short(found: re.Match[str], today: date) -> date | None:
    day, month = int(found["d"]), int(found["m"])
    year = year_of(month, day, today) if day else None
    return date(year, month, day) if year else None
