"""The parts of a day: morning, lunch, after work; and what only looks like a time."""

import re
from typing import Final

NOON: Final = 12 * 60
DAY: Final = 24 * 60

PARTS: Final = {
    "morning": (5 * 60, NOON),
    "day": (11 * 60, 18 * 60),
    "noon": (11 * 60 + 30, 15 * 60),
    "after_noon": (13 * 60, 17 * 60),
    "before_noon": (8 * 60, 13 * 60),
    "work": (16 * 60 + 30, 21 * 60 + 30),
    "evening": (17 * 60, DAY - 1),
    "late": (20 * 60, DAY + 60),
    "early": (4 * 60, 9 * 60),
    "night": (0, 6 * 60),
}
PART: Final = re.compile(
    r"\b(?:(?P<early>(?:рано |раннее? )утром|спозаранку|early morning)|(?P<late>поздно вечером|поздним вечером|поздно ночью|под ночь|к ночи|late evening)"
    r"|(?P<work>после (?:работы|смены|занятий|школы|учебы)|after work)|(?P<before_noon>до обеда|в первой половине дня|с утра до обеда|before lunch)"
    r"|(?P<after_noon>после обеда|во второй половине дня|после полудня|afternoon|after lunch|түстен кейін)|(?P<noon>в обед\w{0,4}|обедом|в обеденн\w+ \w+|lunch ?time|в обідн\w+)"
    r"|(?P<morning>с? ?утр[оаеу]м?\b|утречком|с утреца|под утро|зранку|вранці|ранку|таңертең\w*|morning|utrom)"
    r"|(?P<day>дн[её]м\b|среди дня|дня(?! (?:назад|не|нет|жду|прош))|вдень|түсте|in the day|dnem)"
    r"|(?P<evening>веч[еи]р[а-я]{0,3}\b|под вечер|вечерком|ввечері|увечері|вечора|кешке|кешкі\w*|evening|tonight|vecher\w{0,2}|в вечернее время)"
    r"|(?P<night>ноч[ьи]ю?|вночі|уночі|ночі|түнде|at night|nochyu))"
)
GREETING: Final = re.compile(
    r"добр\w{2,3} (?:день|утр\w|вечер\w{0,2}|вечор\w|дня|дн[яю]|ранк\w|время суток)|доброе утро|спокойной ночи|хорошего (?:дня|вечера|утра)"
    r"|good (?:morning|afternoon|evening|day|night)|dobr\w+ (?:den|vecher|utro)\w?|(?:всего|удачного) дня|каждый (?:день|вечер)|целый день|весь (?:день|вечер)|средь бела дня"
)
OPENING: Final = re.compile(
    r"(?:работа(?:ет|ете|ют|ем)|режим|график|часы работы|время работы|открыт\w?|круглосуточно|с понедельника по \w+)[^.!?\n0-9]{0,24}(?:с |до |в )?[0-9]{1,2}(?:[:.-][0-9]{2})?(?: ?(?:до|-|по) ?[0-9]{1,2}(?:[:.-][0-9]{2})?)?(?: час\w*| вечера)?"
)


def minutes_of(hour: int, part: str | None) -> int | None:
    """Return an hour with its part of the day in minutes; None: they do not fit."""
    if part is None or hour > 12:
        return hour * 60 if hour <= 24 else None
    if part in {"morning", "early"}:
        return hour % 12 * 60
    if part in {"day", "noon", "after_noon", "before_noon"}:
        return (hour if hour in {9, 10, 11, 12} else hour + 12) * 60
    if part in {"evening", "late", "work"}:
        return (
            (hour + 12) * 60
            if hour >= 4
            else (hour * 60 + DAY if part == "late" else (hour + 12) * 60)
        )
    return hour % 12 * 60 if hour <= 6 or hour == 12 else (hour + 12) * 60
