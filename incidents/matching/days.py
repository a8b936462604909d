"""Days that a report names: calendar dates, days of the week, days ago, whole periods."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from incidents.matching.dates import read_dates, trimmed
from incidents.matching.day import DAYS_MAX, Day, Span
from incidents.matching.months import MONTH, MONTH_OF, ORDINAL, ORDINALS, year_of
from incidents.matching.numbers import SMALL
from incidents.matching.words import Sheet, anchored

_OF_MONTH: Final = re.compile(
    r"\bthe (?P<d3>[0-3]?[0-9])(?:st|nd|rd|th)\b"
    r"|(?<![0-9.,:])(?:(?P<d>[0-3]?[0-9])(?:(?:[ -]{0,2}(?:го|ого|е"
    r"|ое))?[ ]{1,2}числ[ао]\w?(?P<past> прошлого месяца)?|-?(?:го\b|ого\b"
    rf"|е\b(?! \w+ сч)))|{ORDINAL}(?: числа(?P<past2> прошлого месяца)?)?(?!"
    r" час))"
)
_RELATIVE: Final = re.compile(
    r"\b(?:(?P<d2>поза ?-?вчера\w{0,2}|позавчер\w{0,2}|третьего дня|алдыңгүні"
    r"|алдыңғы күні|day before yesterday|pozavchera)"
    r"|(?P<d1>в+чера(?:шн\w{2,3}(?: д(?:ень|ня|ню))?|\w{0,2})|вчер[оа]?"
    r"|вчерась|накануне|учора|вчора|вечора|кеше|yesterday|vchera)"
    r"|(?P<d0>сегодняшн\w{2,3}(?: д(?:ень|ня|ню))?|сегодня\w{0,2}"
    r"|севодня|сегодн|сеодня|сег\b|седня|сення|сьогодні"
    r"|сегодні|бүгін|today|this (?:morning|afternoon|evening)|segodnya"
    r"|segodnja))\b"
)
_WEEKDAYS: Final = (
    r"(?P<w0>понедел\w{2,6}|пн\b(?!-| [0-9\x00]{5})|понеділ\w+|дүйсенбі|monday|mon\b)"
    r"|(?P<w1>вторник\w{0,2}|вт\b(?!-| [0-9\x00]{5})|вівтор\w+|сейсенбі|tuesday)"
    r"|(?P<w2>сред[уаые]\b|ср\b(?!-| [0-9\x00]{5})|серед[ау]\b|сәрсенбі|wednesday)"
    r"|(?P<w3>четверг\w{0,2}|четвер\b|чт\b(?!-| [0-9\x00]{5})|бейсенбі|thursday)"
    r"|(?P<w4>пятниц\w{1,2}|пятницю|пт\b(?!-| [0-9\x00]{5})|п'ятниц\w|жұма\b|friday)"
    r"|(?P<w5>суб+от\w{1,2}|сб\b(?!-| [0-9\x00]{5})|сенбі|saturday)"
    r"|(?P<w6>воскр\w{3,8}|вс\b(?!-| [0-9\x00]{5})|неділ\w|жексенбі|sunday)"
)
_WEEKDAY: Final = re.compile(
    r"(?P<week>на (?P<before>поза)?(?:прошлой|той|предыдущей) неделе,? ?"
    r"(?:(?:кажется|вроде|примерно|где-то),? )?)?(?:\b(?:в|во|у|on|last)[ ]{1,2})?"
    r"(?P<past>(?:прошл\w{2}|минувш\w{2}|прошедш\w{2}|ту|last|минул\w{1,2}"
    r"|позапрошл\w{2})[ ]{1,2})?(?P<this>(?:эт[уо]т?|this)[ ]{1,2})?"
    rf"\b(?:{_WEEKDAYS})(?P<week2>,? на (?:прошлой|той|предыдущей) неделе)?"
)
_NIGHT: Final = re.compile(
    r"(?P<last>\blast night)|(?:\b[ву] )?\bноч[ьи]ю? (?:с (?P<from>[0-9]{1,2}(?:-?(?:го|ого))?"
    r"|\w{4,14}) )?на (?:(?P<d>[0-3]?[0-9])(?:-?(?:го|е"
    rf"|ое))?(?![0-9:.])(?: {MONTH})?(?: числ[оа])?"
    rf"|(?P<wd>{re.sub('P<w[0-9]>', ':', _WEEKDAYS)})|(?P<today>сегодня))"
)
_COUNT: Final = (
    r"(?P<n>[0-9]{1,2}|полтор[аы]|один|одну|два|две|три|четыре|пять|шесть|семь"
    r"|восемь|девять|десять|пару|пара|несколько|two|three|four|five|a|couple of)"
)
_UNIT: Final = (
    r"(?<![а-я])(?P<u>полмесяца|дн[еяй]\w?|день|сут\w{2}|недел\w{1,3}|неделек|месяц\w{0,2}|мес|тижн\w"
    r"|дні\w?|күн|days?|weeks?|months?)"
)
_AGO: Final = re.compile(
    rf"(?:{_COUNT}(?:-(?P<n2>[0-9]|три|четыре|пять"
    rf"|полтор[аы]))?[ ]{{1,2}})?{_UNIT}(?:[ ]{{1,2}}(?P<n3>[0-9]{{1,2}}|два|две"
    r"|три|четыре|пять|шесть|семь|десять|пару))?[ ]{1,2}(?:тому )?(?:назад|ago"
    r"|тому|бұрын)"
)
AGO_WORD: Final = re.compile(r"назад|\bago|тому\b|бұрын|\bкак ")
_PERIOD: Final = re.compile(
    r"\b(?:(?P<days>на днях|недавно|на этих днях)|(?P<weekend>(?:на|в) (?:(?:эт|прошл|минувш"
    r"|прошедш)[а-я]{1,3} )?выходны[ех]|at the weekend)"
    r"|(?P<stage>начале|середине|конце) (?P<past>прошлой )?(?:этой )?недели"
    r"|(?P<last>на (?:прошлой|той) неделе|last week|минулого тижня)"
    r"|(?P<this>на этой неделе|this week)"
    r"|(?P<part>в )?(?:(?P<where>начале|середине"
    rf"|конце)[ ]{{1,2}})(?P<pm>{'|'.join(MONTH_OF)})[а-я]{{1,6}}"
    r"|(?P<pastmonth>в прошлом месяце))\b"
)


def read_days(sheet: Sheet, today: date) -> list[Day]:
    """Take sure days off the sheet (`12.11` alone may be a time: see `read_short_days`)."""
    found: list[Day] = []
    for read in (_nights, read_dates, _weekdays, _ago, _relatives, _periods, _of_month):
        for day in read(sheet, today):
            if len(found) >= DAYS_MAX:
                return found
            both = _either_day(sheet, day)
            found.append(both)
            sheet.take(both.start, both.end)
    return sorted(found, key=lambda each: each.start)


_OR: Final = re.compile(
    r"(?<![0-9.])(?P<d>[0-3]?[0-9])(?:-?го|-?е)?(?: или | либо | ?- ?|(?P<to> по | до ))$"
)


def _either_day(sheet: Sheet, day: Day) -> Day:
    """Return a day with the one before it that it may be as well: "on the 19th or 20th"."""
    begin = max(0, day.start - 14)
    other = _OR.search(sheet.left[begin : day.start])
    if not other or day.first != day.last or not int(other["d"]):
        return day
    if not 1 <= day.first.day - int(other["d"]) <= (10 if other["to"] else 3):
        return day
    first = day.first.replace(day=int(other["d"]))
    return replace(day, start=begin + other.start(), first=first)


def _of_month(sheet: Sheet, today: date) -> Iterator[Day]:
    for found in list(_OF_MONTH.finditer(sheet.left)):
        number = ORDINALS[found["w"]] if found["w"] else int(found["d"] or found["d3"])
        if not 1 <= number <= 31:
            continue
        alone = found["w"] and "числ" not in found[0] and " " not in found["w"]
        if alone and not _WEEKDAY_BEFORE.search(sheet.even, 0, found.start()):
            continue  # an hour or a thing: "the second terminal"
        if not found["w"] and "числ" not in found[0] and not _day_alone(sheet, found):
            continue
        past = bool(found["past"] or found["past2"])
        day = _last_number(number, today.replace(day=1) - timedelta(days=1) if past else today)
        sureness = 0.9 if "числ" in found[0] else 0.75
        yield Day(found.start(), found.end(), day, day, sureness, explicit=True)


def _day_alone(sheet: Sheet, found: re.Match[str]) -> bool:
    """Tell whether `21-го` is a day: no noun follows that it would count."""
    behind = sheet.left[found.end() : found.end() + 14]
    before = sheet.left[max(0, found.start() - 8) : found.start()]
    if re.search(r"(?:ул|дом|кв|№)\.? ?$", before):
        return False
    return not re.match(
        r" (?:терминал|автомат|час(?!(?:ов|а|иков)? в)|этаж|дом|подъезд|апп?арат|раз|купюр"
        r"|микрорайон|мкр)",
        behind,
    )


def _last_number(number: int, today: date) -> date:
    day = today
    for _ in range(70):
        if day.day == number:
            return day
        day -= timedelta(days=1)
    return today


_WEEKDAY_BEFORE: Final = re.compile(
    r"(?:понедельник|вторник|среду|четверг|пятниц[уы]|суббот[уы]|воскресенье),? $"
)
_EITHER_WEEKDAY: Final = re.compile(
    rf" (?:или|либо) (?:в )?(?P<wd>{re.sub('P<w[0-9]>', ':', _WEEKDAYS)})"
)


def _weekday_number(found: re.Match[str]) -> int:
    return next(n for n in range(7) if found[f"w{n}"])


def _weekdays(sheet: Sheet, today: date) -> Iterator[Day]:
    monday = today - timedelta(days=today.weekday())
    for found in list(_WEEKDAY.finditer(sheet.left)):
        number = _weekday_number(found)
        start, end = trimmed(found)
        recent = today - timedelta(days=(today.weekday() - number) % 7)
        other: tuple[Span, ...] = ()
        sureness = 0.85
        if found["week"] or found["week2"]:
            recent = monday - timedelta(days=(14 if found["before"] else 7) - number)
        elif found["past"]:
            if recent == today:
                recent -= timedelta(days=7)
            week_ago = recent - timedelta(days=7)
            sureness, other = 0.7, ((week_ago, week_ago),)
            if found["past"].startswith("позапрошл"):
                recent, other = week_ago, ((recent, recent),)
        elif recent == today:
            week_ago = recent - timedelta(days=7)
            other = ((week_ago, week_ago),)
        either = _EITHER_WEEKDAY.match(sheet.left, end)
        if either and (second := _WEEKDAY.search(either["wd"])):
            last = recent + timedelta(days=(_weekday_number(second) - number) % 7)
            yield Day(start, either.end(), recent, last, sureness)
            continue
        yield Day(start, end, recent, recent, sureness, other)


def _nights(sheet: Sheet, today: date) -> Iterator[Day]:
    for found in list(_NIGHT.finditer(sheet.left)):
        if found["today"] or found["last"]:
            last = today
        elif found["d"]:
            number = int(found["d"])
            if not 1 <= number <= 31:
                continue
            month = MONTH_OF[found["m"]] if found["m"] else 0
            year = year_of(month, number, today) if month else None
            last = date(year, month, number) if year else _last_number(number, today)
        else:
            named = _WEEKDAY.search(found["wd"])
            if not named:
                continue
            last = today - timedelta(days=(today.weekday() - _weekday_number(named)) % 7)
        yield Day(found.start(), found.end(), last - timedelta(days=1), last, 0.85, night=True)


def _number(text: str | None) -> float:
    if not text:
        return 1
    if text.isdigit():
        return int(text)
    return {"пару": 2, "пара": 2, "couple of": 2, "несколько": 4, "a": 1, "полтора": 1.5,
            "полторы": 1.5}.get(text) or float(SMALL.get(text, 1))  # fmt: skip


def _ago(sheet: Sheet, today: date) -> Iterator[Day]:
    for found in list(anchored(_AGO, AGO_WORD, sheet.left, (44, 0))):
        vague = bool(found["n3"] or found["n2"]) or (found["n"] or "") in {
            "пару",
            "несколько",
            "пара",
        }
        count = _number(found["n"] or found["n3"])
        unit = found["u"]
        size = (
            7
            if unit.startswith(("недел", "тиж", "week"))
            else 30
            if unit.startswith(("мес", "month"))
            else 15
            if unit == "полмесяца"
            else 1
        )
        days = round(count * size)
        if found["n2"]:
            days = round((count + _number(found["n2"])) * size / 2)
        if days > 1_000:
            continue
        day = today - timedelta(days=days)
        slack = {1: 0, 7: 1, 15: 4, 30: 4}[size] * max(1, round(count))
        if vague and found["n"] in {"пару", "несколько", "пара"}:
            slack += 1 if count < 3 else 2
        first, last = day - timedelta(days=slack), min(today, day + timedelta(days=slack))
        other: tuple[Span, ...] = ()
        if vague and slack == 0 and size == 1:
            other = tuple((day + timedelta(days=n),) * 2 for n in (-1, 1))
        yield Day(found.start(), found.end(), first, last, 0.75 if vague or slack else 0.9, other)


_OF_THIRD: Final = re.compile(
    r"(?:пол|половин\w|начале|середине|конце|мин\w*\.?|четверть|пять|десять|двадцать)[ -]{0,2}$"
)


def _relatives(sheet: Sheet, today: date) -> Iterator[Day]:
    for found in list(_RELATIVE.finditer(sheet.left)):
        back = 2 if found["d2"] else 1 if found["d1"] else 0
        if found[0] == "вечора" and re.search(
            r"[0-9] $|[а-яі]{3} $", sheet.left[max(0, found.start() - 4) : found.start()]
        ):
            continue  # Ukrainian "in the evening"
        before = sheet.left[max(0, found.start() - 12) : found.start()]
        if found[0] == "третьего дня" and _OF_THIRD.search(before):
            continue  # between two and three of the afternoon
        day = today - timedelta(days=back)
        yield Day(found.start(), found.end(), day, day, 0.93)


def _stage_of_week(monday: date, today: date, found: re.Match[str]) -> Span:
    low, high = {"начале": (0, 2), "середине": (1, 3), "конце": (3, 6)}[found["stage"]]
    if found["past"] or monday + timedelta(days=low) > today:
        monday -= timedelta(days=7)
    return monday + timedelta(days=low), monday + timedelta(days=high)


def _periods(sheet: Sheet, today: date) -> Iterator[Day]:
    monday = today - timedelta(days=today.weekday())
    for found in list(_PERIOD.finditer(sheet.left)):
        if found["days"]:
            first, last = today - timedelta(days=7 if "днях" in found[0] else 21), today
        elif found["weekend"]:
            first, last = monday - timedelta(days=2), monday - timedelta(days=1)
            if today.weekday() >= 5:
                first, last = monday + timedelta(days=5), today
        elif found["last"]:
            first, last = monday - timedelta(days=7), monday - timedelta(days=1)
        elif found["this"]:
            first, last = monday, today
        elif found["stage"]:
            first, last = _stage_of_week(monday, today, found)
        elif found["pastmonth"]:
            last = today.replace(day=1) - timedelta(days=1)
            first = last.replace(day=1)
        else:
            month = MONTH_OF[found["pm"]]
            year = year_of(month, 1, today) or today.year
            low, high = {"начале": (1, 10), "середине": (10, 20), "конце": (20, 28)}[found["where"]]
            first, last = date(year, month, low), date(year, month, high)
            if high == 28:
                last += timedelta(days=3)
        yield Day(found.start(), found.end(), first, last, 0.7)
