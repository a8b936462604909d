"""Numbers dictated in words: "eight, nine hundred three, seven hundred seventy seven, …"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from incidents.matching.numbers import SMALL
from incidents.matching.words import WORD

WORDS_MIN: Final = 4
"""Fewer words dictate no number."""
_BETWEEN: Final = re.compile(r"[ ,.-]{1,3}")


@dataclass(frozen=True, slots=True)
class Spoken:
    """Digits that words say, and where they stand."""

    start: int
    end: int
    digits: str


def read_spoken(text: str) -> Iterator[list[Spoken]]:
    """Yield the runs of number words of an even text, each as its groups of digits."""
    run: list[re.Match[str]] = []
    for word in WORD.finditer(text):
        beside = run and _BETWEEN.fullmatch(text, run[-1].end(), word.start())
        if run and not (beside and word[0] in SMALL):
            yield from _long(run)
            run = []
        if word[0] in SMALL:
            run.append(word)
    yield from _long(run)


def _long(run: list[re.Match[str]]) -> Iterator[list[Spoken]]:
    if len(run) >= WORDS_MIN:
        yield _groups(run)


def _groups(run: list[re.Match[str]]) -> list[Spoken]:
    """Cut words into the numbers that they say: "two hundred twenty two | thirty three"."""
    groups: list[Spoken] = []
    room = 0
    for word in run:
        value = SMALL[word[0]]
        if groups and 0 < value < room:
            last = groups.pop()
            said = str(int(last.digits) + value)
            groups.append(Spoken(last.start, word.end(), said))
        else:
            groups.append(Spoken(word.start(), word.end(), str(value)))
        room = 100 if value >= 100 else 10 if value >= 20 and value % 10 == 0 else 0
    return groups


def phones(text: str) -> Iterator[Spoken]:
    """Yield the mobile phones that an even text dictates, each as its ten digits."""
    for groups in read_spoken(text):
        first = 0
        while first < len(groups):
            found = _phone(groups[first:])
            if found:
                yield found[0]
                first += found[1]
            else:
                first += 1


def _phone(groups: list[Spoken]) -> tuple[Spoken, int] | None:
    """Return the phone that groups begin with, and how many of them it takes."""
    digits = ""
    for count, group in enumerate(groups, start=1):
        digits += group.digits
        national = digits[1:] if digits[0] in "78" else digits
        if len(national) > 10 or (national and national[0] != "9"):
            return None
        if len(national) == 10:
            return Spoken(groups[0].start, group.end, national), count
    return None


def whole(text: str) -> Iterator[Spoken]:
    """Yield what each dictated run begins with, as one number."""
    for groups in read_spoken(text):
        digits = ""
        for group in groups:
            digits += group.digits
            yield Spoken(groups[0].start, group.end, digits)
