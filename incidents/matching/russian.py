"""The Russian dictionary: the lemma of a word, and whether there is such a word."""

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pymorphy3 import MorphAnalyzer

WORD_MAX: Final = 30
"""Letters of a word at most; a longer one is none."""


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
