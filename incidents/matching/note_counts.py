"""How many times an amount counts: three notes of a thousand, three times a hundred."""

import re
from dataclasses import dataclass
from typing import Final

from incidents.matching.words import Sheet

NOTES: Final = frozenset(100 * note for note in (10, 50, 100, 200, 500, 1000, 2000, 5000))
"""What notes are worth, in kopecks."""

_EACH: Final = re.compile(
    r"(?P<count>[0-9]{1,2}|одн[ау]|две|два|двумя|три|тремя|четыре|четырьмя|пять"
    r"|шесть|семь|восемь|девять|десять)"
    r"(?:-?(?:мя|х))?(?P<noun> (?:купюр\w{0,3}|бумажк\w{0,3}|банкнот\w{0,3}"
    r"|штук\w{0,2}|шт\.?|раза?|банкноты))?"
    r"(?P<by> по | номиналом(?: по)? | ?[xх*] ?)$"
)
_TIMES: Final = re.compile(
    r"(?:(?P<count>[3-9]|три|четыре|пять|шесть|семь|восемь|девять|десять) раза? по"
    r"|трижды(?: по)?) $"
)
_PIECES: Final = re.compile(
    r"(?:,? (?:notes?|bills?|banknotes?))?[,:(]? ?\(?(?P<count>[2-9]|10|две|три|четыре|пять|шесть"
    r"|two|three|four|five|six|ten) (?:of them|of these|pieces|times|pcs|штук[иа]?\b|шт\b)"
)
_BY_SIGN: Final = re.compile(r" ?[xх*] ?(?P<count>[2-9]|10)(?![0-9])")
_COUNT_BEFORE: Final = re.compile(r"\b(?P<count>two|three|four|five|six|ten) $")
_NOTES_BEHIND: Final = re.compile(r" (?:notes|bills|banknotes)\b")
_COUNTS: Final = {
    "two": 2, "four": 4, "three": 3, "five": 5, "six": 6, "ten": 10,
    "одна": 1, "одну": 1, "две": 2, "два": 2, "двумя": 2, "три": 3, "тремя": 3, "четыре": 4,
    "четырьмя": 4, "пять": 5, "шесть": 6, "семь": 7, "восемь": 8, "девять": 9, "десять": 10,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Money:
    """An amount as written."""

    start: int
    end: int
    minor: int
    currency: str | None
    sure: bool
    """A currency or a money word stands there."""
    worded: bool = False
    """It stands in words that are money by themselves: "a fifty"."""
    in_words: bool = False
    counted: bool = False
    """Notes were counted: it was put in, whatever is said beside it."""
    times: int = 1
    """How often it was paid, or how many notes of it were: "three times a hundred"."""


_LISTED: Final = re.compile(
    r"(?:[2-9]|две|три|четыре|пять|двумя|тремя) (?:купюр|бумажк|банкнот)\w{0,3}[:,-]? {0,2}$"
)


def is_listed(sheet: Sheet, each: Money) -> bool:
    """Tell whether an amount begins a list: "two notes, 1000 and 500"."""
    return bool(_LISTED.search(sheet.left[max(0, each.start - 24) : each.start]))


def count_of(sheet: Sheet, each: Money) -> tuple[int, int, bool]:
    """Return how many times an amount counts, where its count begins, and whether it is "times"."""
    begin = max(0, each.start - 40)
    found = _EACH.search(sheet.left[begin : each.start])
    pieces = _PIECES.match(sheet.left, each.end) or _BY_SIGN.match(sheet.left, each.end)
    if not pieces and _NOTES_BEHIND.match(sheet.left, each.end):
        pieces = _COUNT_BEFORE.search(sheet.left[begin : each.start])
    if not found and pieces and each.sure and each.minor in NOTES:
        return _COUNTS.get(pieces["count"]) or int(pieces["count"]), each.start, False
    if not found:
        return 1, each.start, False
    count = _COUNTS.get(found["count"]) or int(found["count"])
    if (found["noun"] or "").strip().startswith("раз"):
        return 1, begin + found.start(), True
    return (count, begin + found.start(), False) if 0 < count <= 40 else (1, each.start, False)


def times_of(sheet: Sheet, each: Money) -> int:
    """Return how many times an amount is said to have been paid, where it was more than twice."""
    found = _TIMES.search(sheet.left[max(0, each.start - 20) : each.start])
    if not found:
        return 1
    return _COUNTS.get(found["count"]) or int(found["count"]) if found["count"] else 3
