"""Times of day that a report names: exact, around, a part of a day, so long ago."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from incidents.matching.parts import (
    DAY,
    HOUR_WORDS,
    MINUTE_WORDS,
    MONEY_BEHIND,
    NOON,
    ORD_STEMS,
    PART,
    PARTS,
    minutes_of,
)
from incidents.matching.words import Sheet, anchored

CLOCKS_MAX: Final = 24
"""Times of one passage that are read."""

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


_HALF_DAY: Final = (
    r"(?P<part>утра|веч[еи]ра|дня|ночи|вечера|am\b|pm\b|a\.m\.|p\.m\.|ранку|вечора"
    r"|ночі|vechera|utra|dnya)"
)


def _either(names: dict[str, int]) -> str:
    return "|".join(sorted(names, key=len, reverse=True))


_H: Final = (
    r"(?:[01]?[0-9]|2[0-4]|"
    rf"(?:{_either({k: v for k, v in HOUR_WORDS.items() if v > 1})}|час(?:а|у"
    r"|ом)?)(?![а-я]))"
)
_OF_HOUR: Final = rf"(?P<o>{'|'.join(sorted(ORD_STEMS, key=len, reverse=True))})"
_M: Final = rf"(?:[0-5]?[0-9]|{_either(MINUTE_WORDS)})"
_ABOUT: Final = (
    r"(?P<about>\b(?:пример?н\w{1,2}|ориентировочно|приблизительно|где-?то|где то"
    r"|около|окола|в районе|порядка|прибл\.?|приб|часов|часа|часиков|плюс-минус"
    r"|вроде|кажется|наверное|может|близько|приблизно|about|around|approximately"
    r"|шамасында|~)(?:[ ,]{1,2}(?:в|во|часов|о|около|на)\b)?[ ]{0,2}(?:в )?)"
)
_SIDE: Final = (
    r"(?P<side>\b(?:ближе )?к(?:о)?\b|до\b|не позже|после\b|позже|раньше|before|after|by)[ ]{1,2}"
)
_IN: Final = (
    r"(?P<in>\b(?:в|во|о|об|at|сағат|сейчас|время(?: было| платежа| операции| оплаты)?"
    r"|в ?время|v)[ :]{1,3}(?:районе )?)"
)

_RANGE: Final = re.compile(
    rf"(?:(?:\bс|\bмежду|\bот|between|from|з)[ ]{{1,2}})(?P<a>{_H})(?:[:. -]"
    r"(?P<am>[0-5][0-9])(?![0-9.]))?(?: час\w{0,3}| ?ч\.?| утра"
    rf"| дня)?[ ]{{1,2}}(?:до|и|по|and|to|-)[ ]{{1,2}}(?P<b>{_H})(?:[:. -]"
    r"(?P<bm>[0-5][0-9])(?![0-9.]))?(?![0-9])(?: ?(?:час\w{0,3}"
    rf"|ч\b\.?))?(?: ?{_HALF_DAY})?"
)
_DASHED: Final = re.compile(
    r"(?<![0-9.,:/№-])(?:(?P<a>[01]?[0-9]|2[0-4])(?:[:.](?P<am>[0-5][0-9]))? ?-"
    r" ?(?P<b>[01]?[0-9]|2[0-4])(?:[:.](?P<bm>[0-5][0-9]))?(?![0-9.:])(?: ?"
    rf"(?:час(?:ов|ам|а)|ч\b))(?: ?{_HALF_DAY})?"
    r"|(?P<a2>[01]?[0-9]|2[0-4])[:.](?P<am2>[0-5][0-9]) ?- ?(?P<b2>[01]?[0-9]"
    r"|2[0-4])[:.](?P<bm2>[0-5][0-9])(?![0-9.:]))"
)
_HALF_OF: Final = re.compile(
    rf"(?:в )?(?:половин[аеуы] |пол ?-?(?=[а-я])){_OF_HOUR}(?:ого|его|ьего)(?: ?{_HALF_DAY})?"
)
_QUARTER_TO: Final = re.compile(
    rf"\bбез (?P<mm>{_M})(?: мин\w{{0,4}}\.?)? (?:в )?(?P<h>{_H})(?![0-9])(?:"
    rf" час\w{{0,2}})?(?: ?{_HALF_DAY})?"
)
_QUARTER_PAST: Final = re.compile(
    rf"\b(?P<mm>{_M})(?: мин\w{{0,4}})? {_OF_HOUR}(?:ого|его|ьего)(?: ?{_HALF_DAY})?"
)
_STAGE: Final = re.compile(
    rf"(?:в )?(?P<stage>начале|середине|конце|половине) (?:{_OF_HOUR}(?:ого|его"
    r"|ьего)|(?P<h>[0-9]{1,2})(?:-?г?о?го)?(?= ?час|[ ,.!]"
    rf"|$))(?: час\w)?(?: ?{_HALF_DAY})?"
)
_IN_HOUR: Final = re.compile(
    rf"(?:в|во|у|на|о) (?:{_OF_HOUR}(?:ом|ем|ьем)|(?P<h>[0-9]{{1,2}})-?(?:ом|м"
    rf"|ем)) часу(?: ?{_HALF_DAY})?"
)
_CLOCK: Final = re.compile(
    rf"(?:{_ABOUT}|{_SIDE})?(?:{_IN})?(?<![0-9.,:/№])(?<![0-9][-])"
    r"(?P<h>[01]?[0-9]|2[0-4])(?P<s>[:.\-;]|[ ]?ч\.?[ ]?"
    r"|[ ]?час\w{0,3}\.?[ ]{1,2}|[ ]?h[ ]?|: "
    r"| )(?P<m>[0-5][0-9])(?:[:.](?P<sec>[0-5][0-9]))?(?![0-9]"
    r"|[.,:-][0-9])(?: ?(?:мин\w{0,4}\.?|м\b\.?))?(?: ?(?:по мск|мск"
    rf"|час\w{{0,2}}))?(?: ?{_HALF_DAY})?"
)
_HOURS: Final = re.compile(
    rf"(?:{_ABOUT}|{_SIDE})?(?:{_IN})?(?<![0-9.,:/№-])(?P<h>{_H})(?![0-9:]"
    r"|[.,-][0-9])(?:(?:-(?:ти|и|ми|х))?)(?P<u>[ ]{0,2}(?:час\w{0,3}|годин\w"
    r"|год\b\.?(?= вечора| ранку)|ч\b\.?|o'clock"
    rf"|сағат\w*))?(?:[ ]{{0,2}}{_HALF_DAY})?"
)
_POINT: Final = re.compile(
    rf"(?:{_ABOUT}|{_SIDE})?(?:в )?(?P<point>полдень|полудня|полудню|полночь"
    r"|полуночи|полуночь|noon|midnight)"
)

_POINT_WORD: Final = re.compile(r"пол(?:ден|удн|ноч|уноч)[а-я]{1,2}|noon|midnight")


_PART_OF: Final = {
    "утра": "morning", "am": "morning", "a.m.": "morning", "ранку": "morning", "utra": "morning",
    "вечера": "evening", "вечира": "evening", "вечора": "evening", "vechera": "evening",
    "pm": "pm", "p.m.": "pm", "дня": "day", "dnya": "day", "ночи": "night", "ночі": "night",
}  # fmt: skip


def _part_near(sheet: Sheet, start: int, end: int) -> str | None:
    """Return the part of day said elsewhere in the sentence, nearest to a clock."""
    begin, close = sheet.sentence(start)
    begin, close = max(begin, start - 60), min(close, end + 60)
    found = [(min(abs(begin + m.end() - start), abs(begin + m.start() - end)), m.lastgroup)
             for m in PART.finditer(sheet.left[begin:close])]  # fmt: skip
    return min(found)[1] if found else None


def _hour(text: str) -> int:
    return int(text) if text.isdigit() else HOUR_WORDS[text]


def _said_part(sheet: Sheet, found: re.Match[str]) -> str | None:
    said = found.groupdict().get("part")
    if said:
        return _PART_OF.get(said, "evening")
    return _part_near(sheet, found.start(), found.end())


def _resolved(sheet: Sheet, found: re.Match[str], hour: int) -> tuple[int, bool] | None:
    """Return an hour's minutes from midnight, and whether twelve hours later is as possible."""
    if hour > 24:
        return None
    part = _said_part(sheet, found)
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


def _clock(found: re.Match[str], base: tuple[int, bool], within: tuple[int, int, int]) -> Clock:
    """Return a clock so many minutes after its hour: from, to and best."""
    low, high, best = within
    text = found[0]
    start = found.start() + len(text) - len(text.lstrip())
    end = found.end() - (len(text) - len(text.rstrip(" ,")))
    minutes, half = base
    return Clock(start, end, minutes + low, minutes + high, minutes + best, "around", 0.88, half)


def _ranges(sheet: Sheet) -> Iterator[Clock]:
    for pattern in (_RANGE, _DASHED):
        for found in pattern.finditer(sheet.left):
            group = found.groupdict()
            first, last = group["a"] or group.get("a2"), group["b"] or group.get("b2")
            if not first or not last:
                continue
            base = _resolved(sheet, found, _hour(last))
            begin = _resolved(sheet, found, _hour(first))
            if not base or not begin:
                continue
            low = begin[0] + int(group["am"] or group.get("am2") or 0)
            high = base[0] + int(group["bm"] or group.get("bm2") or 0)
            if low > high and low - NOON < high:
                low -= NOON
            if high - low > NOON and high > low and _hour(first) <= 12 < _hour(last) + 12:
                low += NOON if low + NOON < high else 0
            if not 0 < high - low <= 8 * 60:
                continue
            yield Clock(
                found.start(), found.end(), low, high, (low + high) // 2, "around", 0.88, base[1]
            )


_STAGES: Final = {
    "начале": (0, 25, 10),
    "середине": (20, 45, 30),
    "конце": (35, 60, 50),
    "половине": (10, 50, 30),
}


def _worded(sheet: Sheet) -> Iterator[Clock]:
    """Yield times told by the hour they are in: "in the eighth hour", "half past seven"."""
    for pattern in (_STAGE, _HALF_OF, _IN_HOUR, _QUARTER_PAST, _QUARTER_TO):
        for found in pattern.finditer(sheet.left):
            group = found.groupdict()
            if pattern is _QUARTER_TO:
                hour = _hour(found["h"])
            else:
                hour = ORD_STEMS.index(group["o"]) if group["o"] else int(group["h"]) - 1
            base = _resolved(sheet, found, hour or 12) if 0 <= hour <= 24 else None
            slack = _within(pattern, group)
            if base and slack:
                yield _clock(found, _first_hour(base, hour), slack)


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


def _points(sheet: Sheet) -> Iterator[Clock]:
    for found in anchored(_POINT, _POINT_WORD, sheet.left, (44, 0)):
        noon = found["point"].startswith(("полд", "полуд", "noon"))
        base = (NOON if noon else DAY, False)
        slack = 45 if found["about"] or found["side"] else 30
        if found["side"] and found["side"].startswith("после"):
            yield _clock(found, base, (0, 120, 60))
        else:
            yield _clock(found, base, (-slack, slack, 0))


def _behind_day(sheet: Sheet, found: re.Match[str]) -> bool:
    """Tell whether a day was read right before: "19.11.2026 16-20"."""
    return bool(
        re.search(
            r"\x00[ ,г.]{1,3}$",
            sheet.left[max(0, found.start() - 4) : found.start() + 1].rstrip("0123456789"),
        )
    )


def _exact(sheet: Sheet) -> Iterator[Clock]:
    for found in _CLOCK.finditer(sheet.left):
        hour, minute, mark = int(found["h"]), int(found["m"]), found["s"]
        colon = mark.strip() in {":", ";"} or "ч" in mark or "h" in mark
        said = found["in"] or found["about"] or found["part"] or found["side"]
        said = said or _behind_day(sheet, found)
        if hour > 23 or (not colon and not said):
            continue
        if MONEY_BEHIND.match(sheet.left, found.end()):
            continue
        if mark == " " and not (found["in"] and len(found["h"]) == 2):
            continue
        if mark in {"-", "."} and len(found["h"]) == 1 and not said:
            continue
        base = _resolved(sheet, found, hour)
        if base is None:
            continue
        if hour <= 12 and not _said_part(sheet, found):
            half = hour < 7 and not found["h"].startswith("0") and hour > 0
            base = (hour * 60, half)
        about = bool(found["about"]) and not re.match(r"час", found["about"])
        slack = 30 if about else _slack(minute, seconds=bool(found["sec"]))
        clock = _clock(found, base, (minute - slack, minute + slack, minute))
        if found["side"]:
            clock = _sided(clock, found["side"])
        yield replace(
            clock, precision="around" if about or found["side"] else "exact", confidence=0.95
        )


def _slack(minute: int, *, seconds: bool) -> int:
    """People round: the rounder a minute, the wider its interval."""
    if seconds:
        return 4
    if minute in {0, 30}:
        return 15
    if minute % 15 == 0:
        return 12
    return 9 if minute % 5 == 0 else 6


_FOLLOWS: Final = re.compile(
    r"[ ]{0,2}(?:$|[,.;!?)\n\x00-]|(?:я|мы|на|по|за|через|внес|внос|положи"
    r"|положе|оплат|опла|попол|закин|кин|засун|встав|терминал|автомат|аппарат"
    r"|был|плат|у|пыта|дела|зачис|деньги|сегодня|вчера|утром|вечером|днем|купюр"
    r"|сумм|и|но|а|с|из)\b|(?:внес|полож|оплат|попол|закин|терминал|автомат"
    r"|аппарат|встав|плат))"
)


def _hours(sheet: Sheet) -> Iterator[Clock]:
    for found in _HOURS.finditer(sheet.left):
        if found["h"] in {"час", "часа", "часу"} and not (found["part"] or found["in"]):
            continue
        if (
            found["h"] in {"час", "часа", "часу"}
            and found["in"]
            and not found["part"]
            and not _FOLLOWS.match(sheet.left, found.end())
        ):
            continue
        said = bool(found["in"] or found["about"] or found["side"])
        unit = bool(found["u"]) or (found["about"] or "").startswith("час")
        if not (found["part"] or (said and (unit or _FOLLOWS.match(sheet.left, found.end())))
                or (found["u"] and found["h"].isdigit() and _is_hour(sheet, found))):  # fmt: skip
            continue
        base = _resolved(sheet, found, _hour(found["h"]))
        if base is None or MONEY_BEHIND.match(sheet.left, found.end()):
            continue
        about = bool(found["about"])
        clock = _clock(found, base, (-45 if about else -30, 45, 0 if about else 5))
        clock = replace(clock, best=base[0])
        if found["side"]:
            clock = _sided(clock, found["side"])
        sure = bool(found["part"] or found["u"])
        yield replace(clock, confidence=0.88 if sure else 0.7)


def _is_hour(sheet: Sheet, found: re.Match[str]) -> bool:
    """Tell "19 часов" from "ждать 24 часа" and "прошло 12 часов"."""
    if not 7 <= int(found["h"]) <= 24:
        return False
    before = sheet.before(found.start(), 24)
    behind = sheet.after(found.end(), 12)
    return not re.search(
        r"(?:жд\w+|уже|прошло|течение|более|больше|свыше|через|спустя|за|срок\w*"
        r"|до|нет) (?:уже )?$",
        before,
    ) and not re.match(r" (?:назад|тому|жду|нет|прош|как)", behind)


def _sided(clock: Clock, side: str) -> Clock:
    """Return a clock that is said to be before or after."""
    best = clock.best
    if side.startswith(("после", "позже", "after")):
        return replace(clock, low=best - 5, high=best + 90, best=best + 30)
    if side.startswith("ближе") or side in {"к", "ко"}:
        return replace(clock, low=best - 45, high=best + 15, best=best - 10)
    return replace(clock, low=best - 120, high=best + 5, best=best - 30)


def read_clocks(sheet: Sheet) -> list[Clock]:
    """Take times of day off the sheet."""
    found: list[Clock] = []
    for read in (_ranges, _worded, _points, _exact, _hours):
        # A reader's own matches do not overlap; the next sees what is left.
        clocks = list(islice(read(sheet), CLOCKS_MAX))
        for clock in clocks:
            if "\x00" in sheet.left[clock.start : clock.end]:
                continue
            found.append(clock)
            sheet.take(clock.start, clock.end)
    return sorted(found, key=lambda each: each.start)


def read_day_parts(sheet: Sheet) -> list[Clock]:
    """Take parts of the day off the sheet: "in the evening"."""
    found = []
    for each in list(PART.finditer(sheet.left))[:CLOCKS_MAX]:
        low, high = PARTS[each.lastgroup or "day"]
        text = each[0]
        start = each.start() + len(text) - len(text.lstrip())
        found.append(Clock(start, each.end(), low, high, (low + high) // 2, "part_of_day", 0.85))
        sheet.take(start, each.end())
    return found
