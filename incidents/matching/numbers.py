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
    "сто ста|двести двухсот двесте|триста трехсот трист|четыреста четырехсот|"
    "пятьсот пятисот питсот|"
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
    "пятерку": 5, "пятерка": 5, "пятеру": 5, "десятку": 10, "десятка": 10, "двадцатку": 20,
    "тридцатку": 30,
    "одні": 1, "дві": 2, "чотири": 4, "п'ять": 5, "шість": 6, "сім": 7, "вісім": 8, "дев'ять": 9,
    "двісті": 200, "п'ятсот": 500, "жүз": 100, "бес": 5, "екі": 2, "үш": 3,
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "twenty": 20, "fifty": 50,
}  # fmt: skip
THOUSAND: Final = dict.fromkeys(
    "тысяча тысячу тысячи тысяч тысяче тыщу тыща тыщи тыщ тыще тысчу тысячей тысячами тыс тыр "
    "тысяці тисяча тисячу тисячі тисяч мың thousand косарь косаря косарей косарик косарика "
    "косарем косарями косариком".split(),
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
        "сотка сотку сотке сотки соток сотками соткой сотня сотню сотни сотен сотней сотенную"
        " сотенка сотенку сторублевку стольник стольника стошку соточку соточка".split(),
        100,
    ),
    **dict.fromkeys("двухсотка двухсотку двухсотки двухсотрублевую двухсотенную".split(), 200),
    **dict.fromkeys(
        "косарь косаря косарей косарик косарика косарем косарями косариком тыщу тыща тыще"
        " штукарь штукаря косую косая косых"
        " тысячная тысячную тысячник тысячку тысячка тысячерублевую".split(),
        1000,
    ),
    **dict.fromkeys(
        "полтинник полтинника полтинником полтос полтоса полтосом полтосик полташка полташку"
        " пятидесятирублевую".split(),
        50,
    ),
    **dict.fromkeys("червонец червонца чирик чирика десятирублевую".split(), 10),
    **dict.fromkeys("пятитысячная пятитысячную пятитысячной пятитысячные".split(), 5000),
    **dict.fromkeys("двухтысячная двухтысячную двухтысячной двухтысячные".split(), 2000),
    **dict.fromkeys("полтыщи полтысячи полкосаря полкосарика".split(), 500),
    **dict.fromkeys(
        "полторушка полторушку полтораха полтораху полторашка полторашку полторашки полторашкой"
        .split(),
        1500,
    ),
}  # fmt: skip
"""Words that are money by themselves."""
HALVES: Final = {
    "пол": Fraction(1, 2), "полторы": Fraction(3, 2), "полтора": Fraction(3, 2),
    "полутора": Fraction(3, 2), "пару": Fraction(2), "пара": Fraction(2),
}  # fmt: skip

_ALL: Final = frozenset(SMALL) | frozenset(THOUSAND) | frozenset(SLANG) | frozenset(HALVES)


@dataclass(frozen=True, slots=True)
class Worded:
    """A number written in words."""

    start: int
    end: int
    value: Fraction
    money: bool
    """It cannot be anything but money."""


_NOTES: Final = re.compile(
    r" (?:[а-я]{4,9} )?(?:купюр|бумажк|банкнот|штук)[а-я]{0,3}\b"
    r"| по (?:[0-9]|тыс|тыщ|дв[еу]|пят|сто|сот)"
)
"""Behind a numeral: it counts notes."""


def _closes(run: list[re.Match[str]]) -> bool:
    """Tell whether words are a sum already, that a count of its notes may follow."""
    return len(run) > 1 or run[-1][0] in THOUSAND or run[-1][0] in SLANG


def _counts_notes(text: str, word: re.Match[str]) -> bool:
    """Tell whether a numeral behind a sum begins a count: "five thousand in one note"."""
    few = 0 < SMALL.get(word[0], 0) <= 20
    return few and (word[0].endswith(("мя", "ной", "ним")) or bool(_NOTES.match(text, word.end())))


def read_words(text: str) -> list[Worded]:
    """Return the numbers in words of an even text; words of one number stand side by side."""
    found: list[Worded] = []
    run: list[re.Match[str]] = []
    counted = 0
    for word in WORD.finditer(text):
        joins = run and re.fullmatch(r"[ \n-]{1,3}", text[run[-1].end() : word.start()])
        if joins and _closes(run) and _counts_notes(text, word):
            found += _numbers(run)
            run, counted = [], word.end()
            continue
        if counted and word[0].endswith(("ами", "ыми")) and word.start() - counted == 1:
            continue
        if word[0] in _ALL or (joins and _and_a_half(text, run[-1], word)):
            if not joins:
                found += _numbers(run)
                run = []
            run.append(word)
        elif run:
            found += _numbers(run)
            run = []
    return found + _numbers(run)


def _and_a_half(text: str, last: re.Match[str], word: re.Match[str]) -> bool:
    """Tell whether a word goes on with "two and a half thousand"."""
    if word[0] == "с":
        return last[0] in SMALL and text.startswith(" половиной", word.end())
    if word[0] in {"штуки", "штук"}:
        return last[0] in HALVES
    return word[0] == "половиной" and last[0] == "с"


@dataclass(slots=True)
class _Number:
    """A number while its words are read."""

    total: Fraction = Fraction(0)
    """What thousands have been closed."""
    part: Fraction = Fraction(0)
    money: bool = False
    floor: int = 10**9
    """What the next word must stay under to belong to it."""
    start: int = -1
    end: int = -1

    def takes(self, text: str) -> bool:
        """Take a word in, or tell that it begins another number."""
        if text in THOUSAND or text in {"штуки", "штук"}:
            if self.total:
                return False
            self.total, self.part = (self.part or Fraction(1)) * 1000, Fraction(0)
            self.floor, self.money = 1000, self.money or text in SLANG
        elif text in SLANG:
            return self._takes_slang(text)
        elif text in HALVES:
            if self.start >= 0:
                return False
            self.part, self.floor = HALVES[text], 1
        elif text == "половиной":
            self.part += Fraction(1, 2)
        elif text in SMALL:
            value = SMALL[text]
            if (self.part and value >= _room(self.part)) or (self.total and value >= self.floor):
                return False
            self.part += value
        return True

    def _takes_slang(self, text: str) -> bool:
        worth = SLANG[text]
        if text.endswith(("ами", "ными")) and self.start >= 0 and (self.total or self.part > 20):
            return True  # "a thousand in five-hundreds"
        if not self.total and 0 < self.part < 20:
            self.part *= worth
        elif self.start < 0 or (self.total and worth < self.floor and not self.part):
            self.part += worth
        else:
            return False
        self.money, self.floor = True, 1
        return True


def _numbers(run: list[re.Match[str]]) -> list[Worded]:
    """Cut a run of number words into numbers: "two hundred | one thousand five hundred"."""
    numbers: list[_Number] = []
    for word in run:
        if not numbers or not numbers[-1].takes(word[0]):
            numbers.append(_Number())
            numbers[-1].takes(word[0])
        number = numbers[-1]
        number.start = word.start() if number.start < 0 else number.start
        number.end = word.end()
    return [Worded(each.start, each.end, each.total + each.part, each.money) for each in numbers]


def _room(part: Fraction) -> int:
    """Return what a following word must stay under to belong to the same number."""
    if part % 100 == 0:
        return 100
    return 10 if part % 10 == 0 and part % 100 >= 20 else 0
