"""Why a candidate fits, in a sentence: what speaks for it, then what speaks against it."""

from collections.abc import Iterable
from typing import Final

from desk.queries.reports import Evidence
from desk.words import Language, message, words
from incidents.matching.sentences import FACTS, LEVELS

_LITTLE: Final = 0.5
"""Bits that say next to nothing."""
_FOR: Final = message("For it: %(facts)s.")
_AGAINST: Final = message("Against it: %(facts)s.")


def in_a_sentence(evidence: Iterable[Evidence], language: Language) -> str:
    """Return the facts that weigh, the heaviest first; empty where none does."""
    told = [each for each in evidence if each.fact != "prior" and abs(each.bits) >= _LITTLE]
    told.sort(key=lambda each: -abs(each.bits))
    parts = (
        (_FOR, [_said(each, language) for each in told if each.bits > 0]),
        (_AGAINST, [_said(each, language) for each in told if each.bits < 0]),
    )
    say = words(language).say
    return " ".join(say(text, facts=", ".join(facts)) for text, facts in parts if facts)


def _said(each: Evidence, language: Language) -> str:
    level = each.level.rsplit(": ", 1)[-1]
    fact = FACTS[language].get(each.fact, each.fact)
    return f"{fact} – {LEVELS[language].get(level, level)}"
