"""A report's text with its facts marked where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from desk.queries.reports import Fact

SHOWN_MAX: Final = 20_000
"""Characters of a report shown; the rest is seldom anybody's own words."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text; `kind`: of the fact that it is."""

    text: str
    kind: str | None


def pieces(text: str, facts: Sequence[Fact]) -> list[Piece]:
    """Return the text cut where facts begin and end; of two at one place the shorter one counts."""
    whole = text[:SHOWN_MAX]
    marks = [fact for fact in facts if 0 <= fact.span[0] < fact.span[1] <= len(whole)]
    marks = [fact for fact in marks if fact.kind != "topic"]
    cuts = sorted({0, len(whole), *(at for fact in marks for at in fact.span)})
    found: list[Piece] = []
    for begin, end in pairwise(cuts):
        over = [fact for fact in marks if fact.span[0] <= begin and end <= fact.span[1]]
        best = min(over, key=lambda fact: fact.span[1] - fact.span[0], default=None)
        kind = best.kind if best else None
        if found and found[-1].kind == kind:
            found[-1] = Piece(found[-1].text + whole[begin:end], kind)
        else:
            found.append(Piece(whole[begin:end], kind))
    return found
