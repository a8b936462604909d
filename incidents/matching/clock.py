"""A time of day as it is told, and what its hour means: morning or evening, sure or not."""

import re
from dataclasses import dataclass
from typing import Final

from incidents.matching.parts import HOUR_WORDS, MINUTE_WORDS, ORD_STEMS, PART, minutes_of
from incidents.matching.words import Sheet

LATE_BEFORE: Final = 9
"""A smaller hour without morning or evening is more likely after noon: kiosks are busy then."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day in minutes from midnight; it may end on the next day."""

    start: int
    end: int
    low: int
    high: int
    best: int
    precision: str
    """`exact`, `around` or `part_of_day`."""
    confidence: float = 0.9
    half: bool = False
    """Morning or evening was not said: twelve hours later is as possible."""


HALF_DAY: Final = (
    r"(?P<part>утра|веч[еи]ра|веч\b\.?|дня|ночи|вечера|am\b|pm\b|a\.m\.|p\.m\.|ранку|вечора"
    r"|ночі|vechera|utra|dnya)"
)

ABOUT: Final = (
    r"(?P<about>\b(?:пример?н\w{1,2}|ориентировочно|приблизительно|где-?то|где то"
    r"|около|окола|в районе|порядка|прибл\.?|приб|часов|часа|часиков|плюс-минус"
    r"|вроде|кажется|наверное|может|близько|приблизно|about|around|approximately"
    r"|шамасында|okolo|primerno|priblizitelno|gde-?to|~)"
    r"(?:[ ,]{1,2}(?:в|во|часов|о|около|на|v)\b)?[ ]{0,2}(?:в )?)"
)
SIDE: Final = (
    r"(?P<side>\b(?:ближе )?к(?:о)?\b|до\b|не позже|не позднее|после\b|позже|раньше|before"
    r"|after|by)[ ]{1,2}"
)


def either(names: dict[str, int]) -> str:
    """Return the pattern of any of these words, the longest first."""
    return "|".join(sorted(names, key=len, reverse=True))


HOUR: Final = (
    r"(?:[01]?[0-9]|2[0-4]|"
    rf"(?:{either({k: v for k, v in HOUR_WORDS.items() if v > 1})}|час(?:а|у"
    r"|ом)?)(?![а-я]))"
)
OF_HOUR: Final = rf"(?P<o>{'|'.join(sorted(ORD_STEMS, key=len, reverse=True))})"
MINUTE: Final = rf"(?:[0-5]?[0-9]|{either(MINUTE_WORDS)})"
_PART_OF: Final = {
    "утра": "morning", "am": "morning", "a.m.": "morning", "ранку": "morning", "utra": "morning",
    "вечера": "evening", "веч": "evening", "веч.": "evening",
    "вечира": "evening", "вечора": "evening", "vechera": "evening",
    "pm": "pm", "p.m.": "pm", "дня": "day", "dnya": "day", "ночи": "night", "ночі": "night",
}  # fmt: skip


def _part_near(sheet: Sheet, start: int, end: int) -> str | None:
    """Return the part of day said elsewhere in the sentence, nearest to a clock."""
    begin, close = sheet.sentence(start)
    begin, close = max(begin, start - 60), min(close, end + 60)
    found = [(min(abs(begin + m.end() - start), abs(begin + m.start() - end)), m.lastgroup)
             for m in PART.finditer(sheet.left[begin:close])]  # fmt: skip
    return min(found)[1] if found else None


def hour_of(text: str) -> int:
    """Return the hour that digits or a word name."""
    return int(text) if text.isdigit() else HOUR_WORDS[text]


def said_part(sheet: Sheet, found: re.Match[str]) -> str | None:
    """Return the part of day said with a clock, or elsewhere in its sentence."""
    said = found.groupdict().get("part")
    if said:
        return _PART_OF.get(said, "evening")
    return _part_near(sheet, found.start(), found.end())


def resolved(sheet: Sheet, found: re.Match[str], hour: int) -> tuple[int, bool] | None:
    """Return an hour's minutes from midnight, and whether twelve hours later is as possible."""
    if hour > 24:
        return None
    part = said_part(sheet, found)
    if part == "pm":
        return (hour % 12 + 12) * 60, False
    if part is None or hour > 12:
        if hour > 12 or hour == 0:
            return hour * 60, False
        if hour < LATE_BEFORE:
            return (hour + 12) * 60, True
        return hour * 60, hour != 12
    minutes = minutes_of(hour, part)
    return None if minutes is None else (minutes, False)


def clock_at(found: re.Match[str], base: tuple[int, bool], within: tuple[int, int, int]) -> Clock:
    """Return a clock so many minutes after its hour: from, to and best."""
    low, high, best = within
    text = found[0]
    start = found.start() + len(text) - len(text.lstrip())
    end = found.end() - (len(text) - len(text.rstrip(" ,")))
    minutes, half = base
    return Clock(start, end, minutes + low, minutes + high, minutes + best, "around", 0.88, half)
