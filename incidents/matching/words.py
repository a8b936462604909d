"""The text of a report made even: small letters, one dash, one blank, and each digit read once."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from incidents.matching.passage import Fact, Passage
from incidents.matching.spelling import spelt

READ_MAX: Final = 5_000
"""Characters of one report that are read for facts: what is behind them stays text."""

TAKEN: Final = "\x00"
"""Stands where something was read already; no pattern runs over it."""

LATIN_TWINS: Final = str.maketrans("aceopxykmhtb", "асеорхукмнтв")

_EVEN: Final = str.maketrans(
    {
        "ё": "е", "\t": " ", "\r": " ", "\u00a0": " ", "\u2007": " ", "\u2009": " ",
        "\u202f": " ", "\u200b": " ", "\ufeff": " ", "\x00": " ", "‐": "-", "‑": "-", "‒": "-",
        "–": "-", "—": "-", "−": "-", "―": "-", "«": '"', "»": '"', "“": '"', "”": '"', "„": '"',
        "’": "'", "ʼ": "'", "`": "'", "″": '"', "|": ":",
    }
)  # fmt: skip

_MIXED: Final = re.compile(r"[a-z][а-я]|[а-я][a-z]")
_LETTERS: Final = re.compile(r"[a-zа-яіїєґ]+")
_BREAK: Final = re.compile(r"[!?;\n]|(?P<word>[a-zа-я]{0,5})\.(?![0-9a-zа-я]\b)(?![0-9])")
_SHORT_BEFORE_NAME: Final = frozenset(
    "ул пр пл им ст оф кв д дом корп к стр пер бул б наб тц трц г обл пос шос просп м тел моб ном "
    "т обр св"
    .split()
)  # fmt: skip
_SHORT: Final = frozenset(
    "р руб тыс коп ч час мин сек нояб дек янв фев мар апр авг сен сент окт прим примерно "
    "приб прибл "
    "эт пт сб вс пн вт ср чт с св max min no".split()
)  # fmt: skip
SLIPS_MAX: Final = 40
"""Misspelt words of one passage that are put right."""
ANCHORS_MAX: Final = 30
"""Places of one passage where a costly pattern is tried."""
WORD: Final = re.compile(r"[a-zа-яіїєґәғқңөұүһ]+")


_GLUED: Final = re.compile(
    r"(?<=[a-zа-я]),(?=[0-9])|(?<=[а-я]{3})-(?=[0-9]{2})|(?<=[а-я]{3})\.(?=[0-9])"
    r"|(?<=[а-я]{3}):(?=[0-9])|(?<=[0-9])/(?=[0-3][0-9]\.[01][0-9]\.20)|(?<=\.20[0-9]{2})/(?=[0-9])"
    r"|(?<=\bт)\.(?=[0-9]{5})|(?<=\bпт)-(?=[0-9]{4})|(?<=[0-9]\.[01][0-9]),(?=[0-9]{1,2}[:ч.-])"
)
"""A comma or a dash without a blank behind it, as thumbs type: "sum-300,date-20.11"."""


def even(text: str) -> str:
    """Return the text in small letters with one kind of dash, blank and quote, just as long."""
    small = text.lower()
    if len(small) != len(text):
        small = "".join(each.lower() if len(each.lower()) == 1 else each for each in text)
    small = _GLUED.sub(" ", small.translate(_EVEN))
    if not _MIXED.search(small):
        return small
    return _LETTERS.sub(
        lambda found: found[0].translate(LATIN_TWINS) if _MIXED.search(found[0]) else found[0],
        small,
    )


_GAP: Final = re.compile(r"[^\S\n]*\n\s*|[^\S\n]{2,}")
WRAPPED_MIN: Final = 50
"""A shorter line ends where its writer ended it."""


def joined(text: str) -> tuple[str, list[int]]:
    """Return a text with single blanks and joined lines, and where its characters stood."""
    parts: list[str] = []
    offsets: list[int] = []
    last = 0
    for gap in _GAP.finditer(text):
        parts += text[last : gap.start()], " " if _wraps(text, gap) else "\n"
        offsets += range(last, gap.start() + 1)
        last = gap.end()
    parts.append(text[last:])
    offsets += range(last, len(text))
    return "".join(parts), offsets


def _wraps(text: str, gap: re.Match[str]) -> bool:
    """Tell whether a gap is no more than a blank: a mail program's line end, or several blanks."""
    lines = gap[0].count("\n")
    if lines == 0:
        return True
    length = gap.start() - text.rfind("\n", 0, gap.start()) - 1
    ends = text[gap.start() - 1 : gap.start()] in {".", "!", "?", ":", ";"}
    return (
        lines == 1
        and length >= WRAPPED_MIN
        and not (ends and text[gap.end() : gap.end() + 1].isupper())
    )


def _spelt(raw: str, text: str, offsets: list[int]) -> tuple[str, str, list[int]]:
    """Return raw and even text and offsets with misspelt words of the grammar put right."""
    slips = [(word, right) for word in WORD.finditer(text) if (right := spelt(word[0]))]
    for word, right in reversed(slips[:SLIPS_MAX]):
        start, end = word.span()
        shown = right.capitalize() if raw[start].isupper() else right
        raw = raw[:start] + shown + raw[end:]
        text = text[:start] + right + text[end:]
        stood = [offsets[start] + min(n, end - start - 1) for n in range(len(right))]
        offsets = [*offsets[:start], *stood[:-1], offsets[end - 1], *offsets[end:]]
    return raw, text, offsets


@dataclass(slots=True)
class Sheet:
    """One passage while it is read: what it says, and what of it is still unread."""

    passage: Passage
    raw: str
    """The passage as written, with single blanks, and its wrapped lines joined."""
    even: str
    """The same made even, just as long."""
    left: str
    """The same with `TAKEN` over everything already read."""
    breaks: list[int]
    """Where sentences end."""
    offsets: list[int]
    """Where each character stands in the passage."""

    @classmethod
    def of(cls, passage: Passage, read_max: int = READ_MAX) -> "Sheet":
        """Return a passage ready to be read."""
        raw, offsets = joined(passage.text[:read_max])
        text = even(raw)
        raw, text, offsets = _spelt(raw, text, offsets)
        return cls(passage, raw, text, text, list(_breaks(text, raw)), offsets)

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
        number = bisect_left(self.breaks, max(at - 1, 0))
        ended = sentence and number < len(self.breaks)
        end = self.breaks[number] if ended else len(self.even)
        return self.even[at : min(end, at + count)]

    def fact(self, kind: str, value: object, span: tuple[int, int], confidence: float) -> Fact:
        """Return a fact found at a span of this passage."""
        start, end = self.offsets[span[0]], self.offsets[span[1] - 1] + 1
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
        if word in _SHORT and not raw[found.end() : found.end() + 4].lstrip()[:1].isupper():
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
