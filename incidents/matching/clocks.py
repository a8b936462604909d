"""Times of day that a report names: exact, around, a part of a day, so long ago."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from incidents.matching.clock import (
    ABOUT,
    HALF_DAY,
    HOUR,
    SIDE,
    Clock,
    clock_at,
    hour_of,
    resolved,
    said_part,
)
from incidents.matching.parts import MONEY_BEHIND, NOON, PART, PARTS
from incidents.matching.worded_clocks import read_english, read_points, read_said, read_worded
from incidents.matching.words import Sheet

CLOCKS_MAX: Final = 24
"""Times of one passage that are read."""

_IN: Final = (
    r"(?P<in>\b(?:в|во|о|об|at|сағат|сейчас|время(?: было| платежа| операции| оплаты)?"
    r"|в ?время|v|это (?:было|произошло|случилось)|на часах(?: было)?)[ :]{1,3}(?:районе )?)"
)

_RANGE: Final = re.compile(
    rf"(?:(?:\bс|\bмежду|\bот|between|from|з)[ ]{{1,2}})(?P<a>{HOUR})(?:[:. -]"
    r"(?P<am>[0-5][0-9])(?![0-9.]))?(?: час\w{0,3}| ?ч\.?| утра"
    rf"| дня)?[ ]{{1,2}}(?:до|и|по|and|to|-)[ ]{{1,2}}(?P<b>{HOUR})(?:[:. -]"
    r"(?P<bm>[0-5][0-9])(?![0-9.]))?(?![0-9])(?: ?(?:час\w{0,3}"
    rf"|ч\b\.?))?(?: ?{HALF_DAY})?"
)
_HOURS_DASHED: Final = re.compile(
    rf"\b(?:час(?:ов|а|у|иков|ика)) (?:в )?(?P<a>{HOUR}) ?- ?(?P<b>{HOUR})(?![0-9:.])"
    rf"(?: ?{HALF_DAY})?"
)
_DASHED: Final = re.compile(
    r"(?<![0-9.,:/№-])(?:(?P<a>[01]?[0-9]|2[0-4])(?:[:.](?P<am>[0-5][0-9]))? ?-"
    r" ?(?P<b>[01]?[0-9]|2[0-4])(?:[:.](?P<bm>[0-5][0-9]))?(?![0-9.:])(?: ?"
    rf"(?:час(?:ов|ам|а)|ч\b))(?: ?{HALF_DAY})?"
    r"|(?P<a2>[01]?[0-9]|2[0-4])(?:[:.](?P<am2>[0-5][0-9]) ?- ?"
    r"|-(?P<am3>[0-5][0-9]) - )(?P<b2>[01]?[0-9]|2[0-4])[:.-](?P<bm2>[0-5][0-9])(?![0-9.:]))"
)
_CLOCK: Final = re.compile(
    rf"(?:{ABOUT}|{SIDE})?(?:{_IN})?(?<![0-9.,:/№])(?<![0-9][-])"
    r"(?P<h>[01]?[0-9]|2[0-4])(?P<s>[:.\-;]|[ ]?ч\.?[ ]?"
    r"|[ ]?час\w{0,3}\.?[ ]{1,2}|[ ]?h[ ]?|: "
    r"| |,)(?P<m>[0-5][0-9]|[0-9](?= ?мин))(?:[:.](?P<sec>[0-5][0-9]))?(?![0-9]"
    r"|[.,:-][0-9])(?: ?(?:мин\w{0,4}\.?|м\b\.?))?(?: ?(?:по мск|мск"
    rf"|час\w{{0,2}}))?(?: ?{HALF_DAY})?"
)
_HOURS: Final = re.compile(
    rf"(?:{ABOUT}|{SIDE})?(?:{_IN})?(?<![0-9.,:/№-])(?P<h>{HOUR})(?![0-9:]"
    r"|[.,-][0-9])(?:-(?:ти|и|ми|й|я)|-?х\b)?(?P<u>[ ]{0,2}(?:час\w{0,3}|годин\w|гадзін\w"
    r"|год\b\.?(?= вечора| ранку)|ч\b\.?|o'clock"
    rf"|сағат\w*))?(?:[ ]{{0,2}}{HALF_DAY})?"
)


def _ranges(sheet: Sheet) -> Iterator[Clock]:
    for pattern in (_RANGE, _HOURS_DASHED, _DASHED):
        for found in pattern.finditer(sheet.left):
            group = found.groupdict()
            first, last = group["a"] or group.get("a2"), group["b"] or group.get("b2")
            if not first or not last:
                continue
            base = resolved(sheet, found, hour_of(last))
            begin = resolved(sheet, found, hour_of(first))
            if not base or not begin:
                continue
            low = begin[0] + int(group.get("am") or group.get("am2") or group.get("am3") or 0)
            high = base[0] + int(group.get("bm") or group.get("bm2") or 0)
            if low > high and low - NOON < high:
                low -= NOON
            if high - low > NOON and high > low and hour_of(first) <= 12 < hour_of(last) + 12:
                low += NOON if low + NOON < high else 0
            if not 0 < high - low <= 8 * 60:
                continue
            yield Clock(
                found.start(), found.end(), low, high, (low + high) // 2, "around", 0.88, base[1]
            )


def _behind_day(sheet: Sheet, found: re.Match[str]) -> bool:
    """Tell whether a day was read right before: "19.11.2026 16-20"."""
    return bool(
        re.search(
            r"\x00[ ,г.]{1,3}$",
            sheet.left[max(0, found.start() - 4) : found.start() + 1].rstrip("0123456789"),
        )
    )


_DAY_BEHIND: Final = re.compile(
    r",? (?:сегодня|вчера|позавчера|утром|вечером|днем|в (?:понед|вторн|сред|четв|пятн|субб|воскр))"
)
_ALONE_BEFORE: Final = re.compile(
    r"(?:(?:^|[.,;!?\n(])[ \n]{0,2}|\b(?:плати|оплати|пополня|это было)\w{0,2} )$"
)


def _before_day(sheet: Sheet, found: re.Match[str]) -> bool:
    """Tell whether a time begins a sentence and its day follows: "20-40 today"."""
    before = sheet.even[max(0, found.start() - 14) : found.start()]
    return bool(
        len(found["h"]) == 2
        and _ALONE_BEFORE.search(before)
        and _DAY_BEHIND.match(sheet.even, found.end())
    )


def _exact(sheet: Sheet) -> Iterator[Clock]:
    for found in _CLOCK.finditer(sheet.left):
        hour, minute, mark = int(found["h"]), int(found["m"]), found["s"]
        colon = mark.strip() in {":", ";"} or "ч" in mark or "h" in mark
        said = found["in"] or found["about"] or found["part"] or found["side"]
        said = said or _behind_day(sheet, found) or (mark == "-" and _before_day(sheet, found))
        if hour > 23 or (not colon and not said):
            continue
        if MONEY_BEHIND.match(sheet.left, found.end()):
            continue
        if mark in {" ", ","} and not _apart(sheet, found):
            continue
        if mark in {"-", "."} and len(found["h"]) == 1 and not said:
            continue
        base = resolved(sheet, found, hour)
        if base is None:
            continue
        if hour <= 12 and not said_part(sheet, found):
            half = hour < 7 and not found["h"].startswith("0") and hour > 0
            base = (hour * 60, half)
        if mark == "-" and minute == hour + 1 and not found["sec"]:
            clock = clock_at(found, base, (0, 75, 30))  # "at 11-12": from eleven to twelve
            yield replace(clock, confidence=0.8)
            continue
        about = bool(found["about"]) and not re.match(r"час", found["about"])
        slack = 30 if about else _slack(minute, seconds=bool(found["sec"]))
        clock = clock_at(found, base, (minute - slack, minute + slack, minute))
        if found["side"]:
            clock = _sided(clock, found["side"])
        yield replace(
            clock, precision="around" if about or found["side"] else "exact", confidence=0.95
        )


_AT_END: Final = re.compile(
    r" ?(?:[,.;!?)\n]|$)|[ ,]{1,2}(?:\x00|утр|вечер|днем|сегодня|вчера|мск|ровно|я\b|по\b"
    r"|положи|внес"
    r"|оплат|закин|кину|плат|сунул|пополн|терминал|автомат)"
)


def _apart(sheet: Sheet, found: re.Match[str]) -> bool:
    """Tell whether two numbers with a blank or a comma between them are a time: "at 18 20"."""
    if len(found["h"]) < 2:
        told = found["in"] and not found["in"].startswith(("о", "v"))
        return bool(told and (found["part"] or _AT_END.match(sheet.left, found.end())))
    if found["in"]:
        return True
    return _behind_day(sheet, found) and bool(
        re.match(r" ?(?:[,.;\n]|$)", sheet.left[found.end() :])
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
        base = resolved(sheet, found, hour_of(found["h"]))
        if base is None or MONEY_BEHIND.match(sheet.left, found.end()):
            continue
        about = bool(found["about"])
        clock = clock_at(found, base, (-45 if about else -30, 45, 0 if about else 5))
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
    for read in (_ranges, read_worded, read_said, read_english, read_points, _exact, _hours):
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
