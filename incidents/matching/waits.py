"""So long ago: "an hour ago" is a time of payment, "waiting for hours" bounds it from above."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from incidents.matching.days import AGO_WORD
from incidents.matching.numbers import SMALL
from incidents.matching.words import Sheet, anchored

_AMOUNT: Final = (
    r"(?P<n>[0-9]{1,3}|пол|полтор[аы]|пар[ау]|один|одну|два|две|три|четыре|пять"
    r"|шесть|семь|восемь|девять|десять|пятнадцать|двадцать|тридцать|сорок|пятьдесят"
    r"|несколько|an?|one|two|three|half an)"
)
_TIME_UNIT: Final = (
    r"(?P<u>час\w{0,2}|ч\b\.?|минут\w{0,2}|мин\b\.?|секунд\w?|годин\w?|хвилин\w?"
    r"|hours?|minutes?|mins?|сағат|hrs?)"
)
_AGO: Final = re.compile(
    r"(?:(?P<about>около|примерно|где-?то|буквально|about|минут|часа|часов"
    rf"|часик\w*)[ ]{{1,2}}){{0,2}}(?:{_AMOUNT}(?:-(?P<n2>[0-9]{{1,3}}|два|три"
    rf"|полтора))?[ -]{{0,2}})?(?:{_TIME_UNIT}(?:-(?P<n3>полтора|два"
    r"|другой))?[ ]{1,2})?(?:с (?:небольшим"
    r"|лишним|половиной) )?(?:тому )?(?P<ago>назад|ago|тому\b|бұрын"
    r"|как (?=(?:я |мы )?(?:внес|внёс|полож|клал|оплат|заплат|закин|кин|пополн|сунул|опуст)))"
)
_UNIT_FIRST: Final = re.compile(r"(минут|час|хвилин|годин)")
_NOW: Final = re.compile(
    r"\b(?:только что|только-что|прямо сейчас|сейчас (?:внес|полож|оплат)\w*|щас"
    r"|just now|несколько минут назад|пару минут назад|tolko chto)"
)
_WAIT_WORD: Final = (
    r"(?:жд[уе]\w{0,2}|ожида\w{1,4}|ждал\w?|прошл[оаи]|прошел|прошли|висит|нету?"
    r"|не приход\w+|не поступа\w+|уже|вот уже|более|больше|свыше|спустя|в течени[еи]"
    r"|чекаю|минуло|waiting(?: for)?|for|passed)"
)
_WAIT: Final = re.compile(
    rf"{_WAIT_WORD}[ ,]{{1,2}}(?:(?:уже|почти|около|более|больше|примерно|вот"
    rf"|целых|как|минимум|не менее|где-то)[ ]{{1,2}}){{0,3}}(?:{_AMOUNT}["
    r" -]{0,2})?(?P<u>рабочи\w+ дн\w+|час\w{0,2}|ч\b|полчаса|минут\w{0,2}"
    r"|мин\b|дн[яеій]\w?|день|сут\w{2}|недел\w{1,2}|месяц\w{0,2}|годин\w?"
    r"|hours?|days?|weeks?|тиждень|тижн\w)(?![а-я])(?! назад| ago| тому|:)"
)
_NTH: Final = re.compile(
    r"(?P<n>втор|трет|четверт|пят|шест|седьм|восьм|девят|десят)(?:ой|ые|ий|ьи|ую"
    r"|ью|ый|ая|ья) (?P<u>день|сутки|недел\w|час|месяц)(?! платеж)"
)
_NTH_OF: Final = {
    "втор": 2,
    "трет": 3,
    "четверт": 4,
    "пят": 5,
    "шест": 6,
    "седьм": 7,
    "восьм": 8,
    "девят": 9,
    "десят": 10,
}
DEADLINE: Final = re.compile(
    r"(?:в течени[еи]|до|за|через|срок\w{0,2}|ждать|подожд\w+|ожида\w+|от"
    r"|ежедневно|каждые)[ ]{1,2}(?:\w{1,12} ){0,2}?[0-9]{1,3}(?:-[0-9]{1,3}|-?х"
    r"|-?ти|-?и)?[ ]{1,2}(?:рабоч\w+ |банковск\w+ |календарн\w+ )?(?:дн\w{1,3}"
    r"|сут\w{1,2}|час\w{0,2}|минут\w?|день)(?! назад)"
    r"|[0-9]{1,3}(?:-[0-9]{1,3})?(?:-?х|-?ти)? ?(?:рабоч|банковск"
    r"|календарн)\w+ дн\w+|24 ?/ ?7|24 часа"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """An interval of local times, as a text names it."""

    start: int
    end: int
    low: datetime
    high: datetime
    best: datetime
    precision: str
    confidence: float
    alternatives: tuple[tuple[datetime, datetime, datetime], ...] = ()


def _count(text: str | None) -> float:
    if not text:
        return 1
    if text.isdigit():
        return int(text)
    return {
        "пол": 0.5,
        "полтора": 1.5,
        "полторы": 1.5,
        "пару": 2,
        "пара": 2,
        "несколько": 4,
        "half an": 0.5,
        "a": 1,
        "an": 1,
    }.get(text) or float(SMALL.get(text, 1))


def read_ago(sheet: Sheet, now: datetime) -> list[Moment]:
    """Take "an hour ago" and "just now" off the sheet."""
    found_all = []
    for found in list(anchored(_AGO, AGO_WORD, sheet.left, (60, 14))):
        unit = found["u"] or ""
        if not unit:
            first = _UNIT_FIRST.search(found["about"] or "") or _UNIT_FIRST.search(found[0])
            if not first or not (found["n"] or first[0] in {"час", "годин"}):
                continue
            unit = first[0]
        minutes = _count(found["n"])
        if found["n3"]:
            minutes = 1.25 if found["n3"] == "полтора" else 1.5
        if found["n2"]:
            minutes = (minutes + _count(found["n2"])) / 2
        if unit.startswith(("час", "ч", "год", "h", "сағ")):
            minutes *= 60
        if "половиной" in found[0]:
            minutes += 30
        moment = now - timedelta(minutes=minutes)
        slack = max(8.0, minutes * 0.3)
        if minutes >= 60:
            slack = max(30.0, minutes * 0.3)
        low, high = (
            moment - timedelta(minutes=slack * 1.3),
            min(now, moment + timedelta(minutes=slack)),
        )
        found_all.append(Moment(found.start(), found.end(), low, high, moment, "around", 0.85))
        sheet.take(*found.span())
    for found in [] if found_all else list(_NOW.finditer(sheet.left))[:1]:
        low = now - timedelta(minutes=90)
        best = now - timedelta(minutes=15)
        found_all.append(Moment(found.start(), found.end(), low, now, best, "around", 0.6))
        sheet.take(*found.span())
    return found_all


def read_bounds(sheet: Sheet, now: datetime) -> list[Moment]:
    """Take "waiting for 3 hours" off the sheet: it was paid before, not long before."""
    found_all = []
    for found in list(_WAIT.finditer(sheet.left))[:10]:
        unit = found["u"]
        if unit.startswith("рабочи"):
            sheet.take(*found.span())
            continue
        count = 0.5 if unit == "полчаса" else _count(found["n"])
        hours = count * (
            1 / 60
            if unit.startswith("мин")
            else 1
            if unit.startswith(("час", "полчас", "ч", "год", "hour"))
            else 24
            if unit.startswith(("дн", "ден", "сут", "day"))
            else 168
            if unit.startswith(("недел", "week", "тиж"))
            else 720
        )
        if hours > 24 * 400:
            continue
        low = now - timedelta(hours=hours * 1.5 + max(2.0, 0.5 * hours))
        if hours < 24:
            low = min(low, now - timedelta(hours=24))
        high = now - timedelta(hours=hours * 0.75)
        best = now - timedelta(hours=hours * 1.1)
        found_all.append(Moment(found.start(), found.end(), low, high, best, "period", 0.5))
        sheet.take(*found.span())
    for found in list(_NTH.finditer(sheet.left))[:10]:
        count = _NTH_OF[found["n"]]
        size = (
            24
            if found["u"].startswith(("д", "сут"))
            else 1
            if found["u"] == "час"
            else 168
            if found["u"].startswith("нед")
            else 720
        )
        low = now - timedelta(hours=(count + 1) * size)
        high = now - timedelta(hours=(count - 1.5) * size)
        best = now - timedelta(hours=(count - 0.7) * size)
        if size == 24:
            low = datetime.combine(low.date() + timedelta(days=1 if count > 2 else 0), time())
        found_all.append(
            Moment(found.start(), found.end(), low, min(high, now), best, "period", 0.5)
        )
        sheet.take(*found.span())
    return found_all
