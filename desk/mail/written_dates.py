"""Dates as mail programs write them above a quote or a forwarded mail, in Russian and English."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

_MONTHS: Final = (
    ("янв", "січ", "jan", "қаң"),
    ("фев", "лют", "feb", "ақп"),
    ("мар", "бер", "mar", "нау"),
    ("апр", "кві", "apr", "сәу"),
    ("май", "мая", "мае", "тра", "may", "мам"),
    ("июн", "чер", "jun", "мау"),
    ("июл", "лип", "jul", "шіл"),
    ("авг", "сер", "aug", "там"),
    ("сен", "вер", "sep", "қыр"),
    ("окт", "жов", "oct", "қаз"),
    ("ноя", "лис", "nov", "қар"),
    ("дек", "гру", "dec", "жел"),
)
_MONTH: Final = {name: 1 + at for at, names in enumerate(_MONTHS) for name in names}
_NAME: Final = "|".join(_MONTH)
_DATES: Final = (
    # 22 ноября 2026, 22 нояб. 2026 г., 22-Nov-2026
    re.compile(rf"(?P<d>\d{{1,2}})[ -](?P<name>{_NAME})[^\W\d_]*\.?,?[ -](?P<y>20\d\d)"),
    # November 22, 2026
    re.compile(rf"(?P<name>{_NAME})[^\W\d_]*\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>20\d\d)"),
    # 2026-11-22, 2026/11/22
    re.compile(r"(?<!\d)(?P<y>20\d\d)[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)"),
    # 22.11.2026, 22/11/2026, 22.11.26
    re.compile(r"(?<!\d)(?P<d>\d{1,2})[./-](?P<m>\d{1,2})[./-](?P<y>(?:20)?\d\d)(?!\d)"),
)
_TIME: Final = re.compile(
    r"(?<![\d:.+-])(?P<h>\d{1,2})[:.](?P<n>\d\d)(?:[:.](?P<s>\d\d))?(?![\d.]\d)"
    r"(?:\s?(?P<half>[ap])\.?m\b\.?)?"
)
_ZONE: Final = re.compile(
    r"(?:gmt|utc|мск)?\s?(?P<sign>[+-])(?P<h>\d{1,2})(?::?(?P<n>\d\d))?(?!\d)|\b(?P<utc>gmt|utc)\b"
)
_NOON: Final = 12
_AGE_MAX: Final = timedelta(days=1100)
_AHEAD_MAX: Final = timedelta(days=1)


def written_date(text: str, *, zone: tzinfo, before: datetime) -> datetime | None:
    """Return the aware moment that a line names, in `zone` unless it says its own.

    None if it names none, or one that cannot be: after the mail that quotes it, or years before.
    A date without a clock is noon.
    """
    text = text[:400].lower()
    found = next((match for pattern in _DATES if (match := pattern.search(text))), None)
    if found is None:
        return None
    rest = text[: found.start()] + " | " + text[found.end() :]
    clock = _TIME.search(rest)
    hour, minute, second = _clock(clock)
    behind = _ZONE.match(rest[clock.end() :].lstrip(" (,")) if clock else None
    month_first = clock is not None and clock["half"] is not None and "/" in found.group()
    day, month = int(found["d"]), _month(found.groupdict())
    if month_first and "m" in found.groupdict():
        day, month = month, day
    year = int(found["y"])
    try:
        moment = datetime(
            year if year > 99 else 2000 + year,  # noqa: PLR2004 - a year of two digits
            month,
            day,
            hour,
            minute,
            second,
            tzinfo=zone if behind is None else _zone(behind),
        )
        inside = before - _AGE_MAX <= moment <= before + _AHEAD_MAX
    except (ValueError, OverflowError):
        return None
    return moment if inside else None


def _month(parts: dict[str, str | None]) -> int:
    name, number = parts.get("name"), parts.get("m")
    return _MONTH[name] if name else int(number or 0)


def _clock(found: re.Match[str] | None) -> tuple[int, int, int]:
    if found is None:
        return _NOON, 0, 0
    hour = int(found["h"])
    if found["half"]:
        hour = hour % 12 + (12 if found["half"] == "p" else 0)
    return hour, int(found["n"]), int(found["s"] or 0)


def _zone(found: re.Match[str]) -> tzinfo:
    if found["utc"]:
        return UTC
    offset = timedelta(hours=int(found["h"]), minutes=int(found["n"] or 0))
    return timezone(-offset if found["sign"] == "-" else offset)
