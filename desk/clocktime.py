"""Moments as people read them: in a terminal's own zone, and as "10 s ago"."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date

from desk.words import Language, Words, message

_FALLBACK: Final = ZoneInfo("Europe/Moscow")

_AGES: Final = (
    (86_400, message("%(n)s d ago")),
    (3_600, message("%(n)s h ago")),
    (60, message("%(n)s min ago")),
    (0, message("%(n)s s ago")),
)
_AHEAD: Final = (
    (86_400, message("in %(n)s d")),
    (3_600, message("in %(n)s h")),
    (0, message("in %(n)s min")),
)


@cache
def zone(name: str) -> ZoneInfo:
    """Return a zone by its IANA name; an unknown one is Moscow's, as the contract says."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return _FALLBACK


def offset(moment: datetime, where: ZoneInfo) -> str:
    """Return `UTC+3`, `UTC+5:45` or `UTC`."""
    minutes = int((moment.astimezone(where).utcoffset() or timedelta()).total_seconds()) // 60
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02d}" if rest else "")


def day_of(moment: datetime, where: ZoneInfo) -> date:
    """Return the calendar day on which people there saw it happen."""
    return moment.astimezone(where).date()


@dataclass(frozen=True, slots=True)
class Span:
    """`since <= t < until`."""

    since: datetime
    until: datetime


def day_span(day: date, where: ZoneInfo) -> Span:
    """Return the day from midnight to midnight there, however many hours that is."""
    return Span(
        datetime.combine(day, time(), where),
        datetime.combine(day + timedelta(days=1), time(), where),
    )


def day_words(day: date, today: date, tongue: Words) -> str:
    """Return `Today, 23 November` or `Fri, 20 November 2026`."""
    near = {
        today: tongue.say("Today"),
        today - timedelta(days=1): tongue.say("Yesterday"),
    }.get(day)
    return f"{near}, {_short(day, tongue.language)}" if near else _long(day, tongue.language)


@cache
def _short(day: date, language: Language) -> str:
    return format_date(day, "d MMMM", locale=language)


@cache
def _long(day: date, language: Language) -> str:
    return format_date(day, "EEE, d MMMM y", locale=language)


def ago(moment: datetime, now: datetime, tongue: Words) -> str:
    """Return `10 s ago`; a moment in the future is now."""
    seconds = max(0, int((now - moment).total_seconds()))
    size, text = next((size, text) for size, text in _AGES if seconds >= 2 * size)
    return tongue.say(text, n=seconds // (size or 1))


def until(moment: datetime, now: datetime, tongue: Words) -> str:
    """Return `in 3 d`, or how long ago it was."""
    seconds = int((moment - now).total_seconds())
    if seconds < 0:
        return ago(moment, now, tongue)
    size, text = next((size, text) for size, text in _AHEAD if seconds >= 2 * size)
    return tongue.say(text, n=seconds // (size or 60))
