"""Times of day told in words: "half past seven", "in the eighth hour", "at noon"."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from incidents.matching.clock import (
    ABOUT,
    HALF_DAY,
    HOUR,
    MINUTE,
    OF_HOUR,
    SIDE,
    Clock,
    clock_at,
    either,
    hour_of,
    resolved,
)
from incidents.matching.numbers import SMALL
from incidents.matching.parts import DAY, HOUR_WORDS, MINUTE_WORDS, MONEY_BEHIND, NOON, ORD_STEMS
from incidents.matching.words import Sheet, anchored

_HALF_OF: Final = re.compile(
    rf"(?:в )?(?:половин[аеуы] |пол ?-?(?=[а-я])){OF_HOUR}(?:ого|его|ьего)(?: ?{HALF_DAY})?"
)
_QUARTER_TO: Final = re.compile(
    rf"\bбез (?P<mm>{MINUTE})(?: мин\w{{0,4}}\.?)? (?:в )?(?P<h>{HOUR})(?![0-9])(?:"
    rf" час\w{{0,2}})?(?: ?{HALF_DAY})?"
)
_QUARTER_PAST: Final = re.compile(
    rf"\b(?P<mm>{MINUTE})(?: мин\w{{0,4}})? {OF_HOUR}(?:ого|его|ьего)(?: ?{HALF_DAY})?"
)
_STAGE: Final = re.compile(
    rf"(?:в )?(?P<stage>начале|середине|конце|половине) (?:{OF_HOUR}(?:ого|его"
    r"|ьего)|(?P<h>[0-9]{1,2})(?:-?г?о?го)?(?= ?час|[ ,.!]"
    rf"|$))(?: час\w)?(?: ?{HALF_DAY})?"
)
_IN_HOUR: Final = re.compile(
    rf"(?:в|во|у|на|о) (?:{OF_HOUR}(?:ом|ем|ьем)|(?P<h>[0-9]{{1,2}})-?(?:ом|м"
    rf"|ем)) часу(?: ?{HALF_DAY})?"
    rf"|час[уа]? (?:в|во|на) (?P<o2>{'|'.join(sorted(ORD_STEMS, key=len, reverse=True))})(?:ом|ем"
    rf"|ьем)(?: ?{HALF_DAY.replace('P<part>', 'P<part2>')})?"
)
_UNIT_WORDS: Final = "один|одна|два|две|три|четыре|пять|шесть|семь|восемь|девять"
_SAID: Final = re.compile(
    r"(?P<in>\b(?:в|во|о|около|время|примерно|районе|к|после)[ :]{1,2}|(?<=\x00)[ ,]{1,2})?"
    rf"\b(?P<h>{either({k: v for k, v in HOUR_WORDS.items() if v > 1 or k == 'час'})})"
    r"(?: час\w{0,2})? (?P<m>(?:ноль ноль|ноль(?! [двтчпшосн])|десять|одиннадцать|двенадцать"
    r"|тринадцать|четырнадцать|пятнадцать|шестнадцать|семнадцать|восемнадцать|девятнадцать)"
    rf"|ноль (?:{_UNIT_WORDS})|(?:двадцать|тридцать|сорок|пятьдесят)(?: (?:{_UNIT_WORDS}))?)"
    rf"(?![а-я])(?: мин\w{{0,4}})?(?: ?{HALF_DAY})?"
)
_ENGLISH_HOURS: Final = dict(
    zip(
        "one two three four five six seven eight nine ten eleven twelve".split(),
        range(1, 13),
        strict=True,
    )
)
_ENGLISH: Final = re.compile(
    r"\b(?P<mm>half|quarter|five|ten|twenty|twenty[ -]five) (?P<side>past|to)"
    rf" (?P<h>1[0-2]|[1-9]|{either(_ENGLISH_HOURS)})\b(?: ?{HALF_DAY})?"
)
_ENGLISH_MINUTES: Final = {"half": 30, "quarter": 15, "five": 5, "ten": 10, "twenty": 20}
_POINT: Final = re.compile(
    rf"(?:{ABOUT}|{SIDE})?(?:в )?(?P<point>полдень|полудня|полудню|полночь"
    r"|полуночи|полуночь|noon|midnight)"
)

_DATE: Final = re.compile(r"двадцать (?:перв|втор|трет|четв|пят|шест|седьм|восьм|девят)")
"""The day, unless minutes are named."""
_POINT_WORD: Final = re.compile(r"пол(?:ден|удн|ноч|уноч)[а-я]{1,2}|noon|midnight")


_STAGES: Final = {
    "начале": (0, 30, 10),
    "середине": (20, 45, 30),
    "конце": (35, 60, 50),
    "половине": (10, 50, 30),
}


def read_worded(sheet: Sheet) -> Iterator[Clock]:
    """Yield times told by the hour they are in: "in the eighth hour", "half past seven"."""
    for pattern in (_STAGE, _HALF_OF, _IN_HOUR, _QUARTER_PAST, _QUARTER_TO):
        for found in pattern.finditer(sheet.left):
            group = found.groupdict()
            if pattern is _IN_HOUR and group["o2"]:
                group["o"] = group["o2"]
            if pattern is _QUARTER_PAST and _DATE.match(found[0]):
                continue
            if pattern is _QUARTER_TO:
                hour = hour_of(found["h"])
            else:
                hour = ORD_STEMS.index(group["o"]) if group["o"] else int(group["h"]) - 1
            base = resolved(sheet, found, hour or 12) if 0 <= hour <= 24 else None
            slack = _within(pattern, group)
            if base and slack:
                yield clock_at(found, _first_hour(base, hour), slack)


def read_said(sheet: Sheet) -> Iterator[Clock]:
    """Yield times read out as a display shows them: "at six twenty in the evening"."""
    for found in _SAID.finditer(sheet.left):
        minute = sum(SMALL[word] for word in found["m"].split())
        if not (found["in"] or found["part"]) or MONEY_BEHIND.match(sheet.left, found.end()):
            continue
        base = resolved(sheet, found, hour_of(found["h"]))
        if base and minute < 60:
            slack = 15 if minute in {0, 30} else 9
            clock = clock_at(found, base, (minute - slack, minute + slack, minute))
            yield replace(clock, precision="exact")


def read_english(sheet: Sheet) -> Iterator[Clock]:
    """Yield English times in words: "half past eight"."""
    for found in _ENGLISH.finditer(sheet.left):
        hour = _ENGLISH_HOURS.get(found["h"]) or int(found["h"])
        base = resolved(sheet, found, hour)
        minutes = _ENGLISH_MINUTES.get(found["mm"], 25)
        best = -minutes if found["side"] == "to" else minutes
        if base:
            slack = (-18, 20) if found["mm"] == "half" else (-12, 12)
            yield clock_at(found, base, (best + slack[0], best + slack[1], best))


def _within(pattern: re.Pattern[str], group: dict[str, str]) -> tuple[int, int, int] | None:
    """Return from, to and best, in minutes after an hour, that a wording means."""
    if pattern is _STAGE:
        return _STAGES[group["stage"]]
    if pattern is _HALF_OF:
        return 12, 50, 30
    if pattern is _IN_HOUR:
        return 0, 60, 30
    minutes = MINUTE_WORDS.get(group["mm"]) or int(group["mm"])
    if not 0 < minutes < 60:
        return None
    minutes = -minutes if pattern is _QUARTER_TO else minutes
    return minutes - 12, minutes + 12, minutes


def _first_hour(base: tuple[int, bool], hour: int) -> tuple[int, bool]:
    """In the first hour (of night) is after midnight, or (of day) after noon."""
    if hour == 0:
        return (base[0] % DAY if base[0] != DAY else 0, base[1])
    return base


def read_points(sheet: Sheet) -> Iterator[Clock]:
    """Yield noons and midnights."""
    for found in anchored(_POINT, _POINT_WORD, sheet.left, (44, 0)):
        noon = found["point"].startswith(("полд", "полуд", "noon"))
        base = (NOON if noon else DAY, False)
        slack = 45 if found["about"] or found["side"] else 30
        if found["side"] and found["side"].startswith("после"):
            yield clock_at(found, base, (0, 120, 60))
        else:
            yield clock_at(found, base, (-slack, slack, 0))
