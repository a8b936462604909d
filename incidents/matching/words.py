"""The text of a report made even: small letters, one dash, one blank, and each digit read once."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from incidents.matching.passage import Fact, Passage

if TYPE_CHECKING:
    from pymorphy3 import MorphAnalyzer

READ_MAX: Final = 5_000
"""Characters of one report that are read for facts: what is behind them stays text."""

WORD_MAX: Final = 30
"""Letters of a word at most; a longer one is none."""

TAKEN: Final = "\x00"
"""Stands where something was read already; no pattern runs over it."""

LATIN_TWINS: Final = str.maketrans("aceopxykmhtb", "асеорхукмнтв")

_EVEN: Final = str.maketrans(
    {
        "ё": "е", "\t": " ", "\r": " ", "\u00a0": " ", "\u2007": " ", "\u2009": " ",
        "\u202f": " ", "\u200b": " ", "\ufeff": " ", "\x00": " ", "‐": "-", "‑": "-", "‒": "-",
        "–": "-", "—": "-", "−": "-", "―": "-", "«": '"', "»": '"', "“": '"', "”": '"', "„": '"',
        "’": "'", "ʼ": "'", "`": "'", "″": '"',
    }
)  # fmt: skip

_MIXED: Final = re.compile(r"[a-z][а-я]|[а-я][a-z]")
_LETTERS: Final = re.compile(r"[a-zа-яіїєґ]+")
_BREAK: Final = re.compile(r"[!?;\n]|(?P<word>[a-zа-я]{0,5})\.(?![0-9a-zа-я]\b)(?![0-9])")
_SHORT_BEFORE_NAME: Final = frozenset(
    "ул пр пл им ст оф кв д дом корп к стр пер бул б наб тц трц г обл пос шос просп м тел моб ном т"
    .split()
)  # fmt: skip
_SHORT: Final = frozenset(
    "р руб тыс коп ч час мин сек нояб дек янв фев мар апр авг сен сент окт прим примерно "
    "приб прибл "
    "эт пт сб вс пн вт ср чт с св max min no".split()
)  # fmt: skip
ANCHORS_MAX: Final = 30
"""Places of one passage where a costly pattern is tried."""
WORD: Final = re.compile(r"[a-zа-яіїєґәғқңөұүһ]+")


def even(text: str) -> str:
    """Return the text in small letters with one kind of dash, blank and quote, just as long."""
    small = text.lower()
    if len(small) != len(text):
        small = "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
    small = small.translate(_EVEN)
    if not _MIXED.search(small):
        return small
    return _LETTERS.sub(
        lambda found: found[0].translate(LATIN_TWINS) if _MIXED.search(found[0]) else found[0],
        small,
    )


@dataclass(slots=True)
class Sheet:
    """One passage while it is read: what it says, and what of it is still unread."""

    passage: Passage
    even: str
    """The whole passage made even."""
    left: str
    """The same with `TAKEN` over everything already read."""
    breaks: list[int] = field(default_factory=list)
    """Where sentences end."""

    @classmethod
    def of(cls, passage: Passage, read_max: int = READ_MAX) -> "Sheet":
        """Return a passage ready to be read."""
        text = even(passage.text[:read_max])
        return cls(passage, text, text, list(_breaks(text, passage.text)))

    def take(self, start: int, end: int) -> None:
        """Have nobody else read this piece."""
        self.left = self.left[:start] + TAKEN * (end - start) + self.left[end:]

    def sentence(self, at: int) -> tuple[int, int]:
        """Return begin and end of the sentence around a place."""
        number = bisect_right(self.breaks, at)
        start = self.breaks[number - 1] + 1 if number else 0
        end = self.breaks[number] if number < len(self.breaks) else len(self.even)
        return start, end

    def before(self, at: int, count: int, *, sentence: bool = True) -> str:
        """Return up to `count` characters before a place, of its own sentence."""
        start = self.sentence(at)[0] if sentence else 0
        return self.even[max(start, at - count) : at]

    def after(self, at: int, count: int, *, sentence: bool = True) -> str:
        """Return up to `count` characters behind a place, of its own sentence."""
        end = self.sentence(max(at - 1, 0))[1] if sentence else len(self.even)
        return self.even[at : min(end, at + count)]

    def fact(self, kind: str, value: object, span: tuple[int, int], confidence: float) -> Fact:
        """Return a fact found at a span of this passage."""
        start, end = span
        return Fact(
            kind=kind,
            value=value,
            text=self.passage.text[start:end],
            span=(self.passage.start + start, self.passage.start + end),
            confidence=round(confidence, 3),
            origin=self.passage.origin,
        )


def _breaks(text: str, raw: str) -> Iterator[int]:
    """Yield where sentences of an even text end; an abbreviation's point ends none by itself."""
    for found in _BREAK.finditer(text):
        word = found["word"]
        if word in _SHORT_BEFORE_NAME:
            continue
        if word in _SHORT and not raw[found.end() :].lstrip()[:1].isupper():
            continue
        yield found.end() - 1


def anchored(
    pattern: re.Pattern[str], anchor: re.Pattern[str], text: str, reach: tuple[int, int]
) -> Iterator[re.Match[str]]:
    """Yield a costly pattern's matches around what each of them holds, so far before and behind."""
    last = 0
    for count, found in enumerate(anchor.finditer(text)):
        if count >= ANCHORS_MAX:
            return
        begin = max(last, found.start() - reach[0])
        match = pattern.search(text, begin, min(len(text), found.end() + reach[1]))
        if match:
            last = match.end()
            yield match


def words(text: str) -> Iterator[re.Match[str]]:
    """Yield the words of an even text."""
    return WORD.finditer(text)


@cache
def _morphology() -> "MorphAnalyzer":
    from pymorphy3 import MorphAnalyzer  # noqa: PLC0415 - 0.2 s and 25 MB, only where mail is read

    return MorphAnalyzer(lang="ru")


@lru_cache(maxsize=100_000)
def lemma(word: str) -> str:
    """Return the dictionary form of an even Russian word; of another word, the word."""
    if not ("а" <= word[:1] <= "я") or len(word) > WORD_MAX:
        return word
    form: str = _morphology().parse(word)[0].normal_form
    return form.replace("ё", "е")


@lru_cache(maxsize=20_000)
def known(word: str) -> bool:
    """Tell whether the dictionary holds the word."""
    return len(word) <= WORD_MAX and bool(_morphology().word_is_known(word))
