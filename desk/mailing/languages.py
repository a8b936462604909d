"""Which language a customer wrote in: Russian, Ukrainian, Kazakh or English, or nobody knows.

Letters decide, for customers write without accents, without capitals and with mistakes, and still
with the letters of their language. A text that could be two languages is not sure.
"""

import re
from typing import Final

from desk.mailing.settings import AnswerLanguage

READ_CHARS: Final = 20_000
"""Of a text; what follows tells nothing new."""
_CYRILLIC: Final = re.compile(r"[а-яёіїєґўәғқңөұүһ]")
_LATIN: Final = re.compile(r"[a-z]")
_KAZAKH: Final = re.compile(r"[әғқңөұүһ]")
_UKRAINIAN: Final = re.compile(r"[їєґ]")
_SHARED: Final = re.compile(r"і")
"""Ukrainian and Kazakh both have it, Russian has not."""
_RUSSIAN: Final = re.compile(r"[ыэёъ]")
"""Ukrainian has none of them."""
_ENGLISH: Final = re.compile(
    r"\b(?:the|and|was|were|is|not|my|your|have|has|for|but|this|that|with|from|did|please|it|"
    r"money|payment|paid|receipt|phone|machine|terminal|to|of|on|at|in)\b"
)
_NOT_WORDS: Final = re.compile(r"\S*[@/\\_\d]\S*")
"""Addresses, links, numbers: they are Latin in every language."""

_LETTERS_MIN: Final = 8
_LATIN_SHARE_MIN: Final = 0.8
_WORDS_MIN: Final = 3
_KAZAKH_SHARE_MIN: Final = 0.02
_UKRAINIAN_SHARE_MIN: Final = 0.02
_LETTERS_OF_IT_MIN: Final = 2
"""One letter may be a slip, or somebody's name."""


def language_of(text: str) -> AnswerLanguage | None:
    """Return the language of a text; None if it is not sure."""
    words = _NOT_WORDS.sub(" ", text[:READ_CHARS].lower())
    cyrillic, latin = len(_CYRILLIC.findall(words)), len(_LATIN.findall(words))
    if cyrillic + latin < _LETTERS_MIN:
        return None
    if latin >= _LATIN_SHARE_MIN * (cyrillic + latin):
        return "en" if len(_ENGLISH.findall(words)) >= _WORDS_MIN else None
    if latin > cyrillic:
        return None
    return _of_cyrillic(words, cyrillic)


def _of_cyrillic(words: str, letters: int) -> AnswerLanguage:
    kazakh, shared = len(_KAZAKH.findall(words)), len(_SHARED.findall(words))
    if kazakh >= _LETTERS_OF_IT_MIN and kazakh >= _KAZAKH_SHARE_MIN * letters:
        return "kk"
    ukrainian = len(_UKRAINIAN.findall(words)) + shared
    russian = len(_RUSSIAN.findall(words))
    sure = ukrainian >= _LETTERS_OF_IT_MIN and ukrainian >= _UKRAINIAN_SHARE_MIN * letters
    return "uk" if sure and ukrainian > russian else "ru"
