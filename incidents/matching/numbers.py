"""Numbers in words: Russian in all cases, the slang of notes, a little of the neighbours."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from incidents.matching.words import WORD

_UNITS: Final = (
    "ноль|один одна одно одну одного одной одному одним|два две двух двумя двум|три трех тремя|"
    "четыре четырех|пять пяти пятью|шесть шести|семь семи|восемь восьми|девять девяти|"
    "десять десяти|одиннадцать одиннадцати|двенадцать двенадцати|тринадцать тринадцати|"
    "четырнадцать четырнадцати|пятнадцать пятнадцати|шестнадцать шестнадцати|"
    "семнадцать семнадцати|восемнадцать восемнадцати|девятнадцать девятнадцати"
)
_TENS: Final = (
    "двадцать двадцати|тридцать тридцати|сорок сорока|пятьдесят пятидесяти писят пидисят|"
    "шестьдесят шестидесяти шисят|семьдесят семидесяти|восемьдесят восьмидесяти|девяносто девяноста"
)
_HUNDREDS: Final = (
    "сто ста|двести двухсот двесте|триста трехсот трист|четыреста четырехсот|пятьсот пятисот питсот|"
    "шестьсот шестисот|семьсот семисот|восемьсот восьмисот|девятьсот девятисот"
)


def _table(text: str, first: int, step: int) -> dict[str, int]:
    return {
        word: first + step * number
        for number, forms in enumerate(text.split("|"))
        for word in forms.split()
    }


SMALL: Final = {
    **_table(_UNITS, 0, 1),
    **_table(_TENS, 20, 10),
    **_table(_HUNDREDS, 100, 100),
    "одні": 1, "дві": 2, "чотири": 4, "п'ять": 5, "шість": 6, "сім": 7, "вісім": 8, "дев'ять": 9,
    "двісті": 200, "п'ятсот": 500, "жүз": 100, "бес": 5, "екі": 2, "үш": 3,
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "twenty": 20, "fifty": 50,
}  # fmt: skip
THOUSAND: Final = dict.fromkeys(
    "тысяча тысячу тысячи тысяч тысяче тыщу тыща тыщи тыщ тысчу тысячи тысячей тысячами тыс тыр "
    "тысяці тисяча тисячу тисячі тисяч мың thousand косарь косаря косарей косарик косарика"
    .split(),
    1000,
)  # fmt: skip
SLANG: Final = {
    **dict.fromkeys(
        "пятихатка пятихатку пятихатки пятихатками пятихаткой пятихат пятисотка пятисотку пятисотки"
        " пятисотками пятисоткой пятисоткою пятисотенную пятисотрублевую пятисотрублевка"
        " пятисотрублевку".split(),
        500,
    ),
    **dict.fromkeys(
        "сотка сотку сотки соток сотками соткой сотня сотню сотни сотен сотней сотенную сотенка"
        " сотенку сторублевку стольник стольника стошку соточку соточка".split(),
        100,
    ),
    **dict.fromkeys("двухсотка двухсотку двухсотки двухсотрублевую двухсотенную".split(), 200),
    **dict.fromkeys(
        "косарь косаря косарей косарик косарика тысячная тысячную тысячник тысячку тысячка"
        " тысячерублевую".split(),
        1000,
    ),
    **dict.fromkeys("полтинник полтинника полтос полтоса полташка полташку пятидесятирублевую"
                    .split(), 50),
    **dict.fromkeys("червонец червонца чирик чирика десятирублевую".split(), 10),
    **dict.fromkeys("пятитысячная пятитысячную пятитысячной пятитысячные".split(), 5000),
    **dict.fromkeys("двухтысячная двухтысячную двухтысячной двухтысячные".split(), 2000),
    **dict.fromkeys("полтыщи полтысячи".split(), 500),
    **dict.fromkeys("полторушка полторушку полтораха полтораху".split(), 1500),
}  # fmt: skip
"""Words that are money by themselves."""
HALVES: Final = {"полторы": Fraction(3, 2), "полтора": Fraction(3, 2), "полутора": Fraction(3, 2)}

_ALL: Final = frozenset(SMALL) | frozenset(THOUSAND) | frozenset(SLANG) | frozenset(HALVES)


@dataclass(frozen=True, slots=True)
class Worded:
    """A number written in words."""

    start: int
    end: int
    value: Fraction
    money: bool
    """It cannot be anything but money."""


def read_words(text: str) -> list[Worded]:
    """Return the numbers in words of an even text; words of one number stand side by side."""
    found: list[Worded] = []
    run: list[re.Match[str]] = []
    for word in WORD.finditer(text):
        joins = run and re.fullmatch(r"[ \n-]{1,3}", text[run[-1].end() : word.start()])
        if word[0] in _ALL or (joins and word[0] in {"с", "половиной"} and run[-1][0] in SMALL):
            if not joins:
                found += _numbers(run)
                run = []
            run.append(word)
        elif run:
            found += _numbers(run)
            run = []
    return found + _numbers(run)


def _numbers(run: list[re.Match[str]]) -> list[Worded]:
    """Cut a run of number words into numbers: "two hundred | one thousand five hundred"."""
    found: list[Worded] = []
    total = part = Fraction(0)
    money = False
    floor = 10**9
    start = end = -1

    def close() -> None:
        nonlocal total, part, money, floor, start
        if start >= 0:
            found.append(Worded(start, end, total + part, money))
        total = part = Fraction(0)
        money, floor, start = False, 10**9, -1

    for word in run:
        text = word[0]
        if text in THOUSAND and not (text in SLANG and start < 0):
            if total:
                close()
            total, part, floor = (part or Fraction(1)) * 1000, Fraction(0), 1000
            money = money or text in SLANG
        elif text in SLANG:
            count = part if not total and 0 < part < 20 else None
            if count is None:
                if not (total and SLANG[text] < floor and not part):
                    close()
                part += SLANG[text]
            else:
                part = count * SLANG[text]
            money, floor = True, 1
        elif text in HALVES:
            close()
            part, floor = HALVES[text], 1
        elif text == "половиной":
            part += Fraction(1, 2)
        elif text == "с":
            continue
        else:
            value = SMALL[text]
            if (part and value >= _room(part)) or (total and value >= floor):
                close()
            part += value
        start = word.start() if start < 0 else start
        end = word.end()
    close()
    return found


def _room(part: Fraction) -> int:
    """Return what a following word must stay under to belong to the same number."""
    if part % 100 == 0:
        return 100
    return 10 if part % 10 == 0 and part % 100 >= 20 else 0
