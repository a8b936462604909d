"""Words near a fact that say what it is: the nearest one counts, across a comma it is further."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from incidents.matching.words import Sheet

REACH: Final = 70
"""Characters on each side in which a cue is looked for."""
_COMMA: Final = 14
_TAKEN_BY_NEXT: Final = 20
"""How much further a cue behind counts that has a number of its own behind it."""
_OWN_NUMBER: Final = re.compile(r"[ :-]{1,3}(?:[а-я]{1,7} )?[0-9]{1,6}(?![0-9-])")
_BEHIND: Final = 6
"""How much further a cue behind a fact counts than one before it."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A name for a family of words."""

    name: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Near:
    """A cue found near a fact."""

    name: str
    distance: int
    behind: bool
    end: int
    """Where the cue ends in the passage."""


@cache
def _compiled(cues: tuple[Cue, ...]) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?P<{cue.name}>\b(?:{cue.pattern}))" for cue in cues))


def all_near(
    sheet: Sheet, span: tuple[int, int], cues: tuple[Cue, ...], reach: int = REACH
) -> Sequence[Near]:
    """Return the cues in the fact's own sentence, nearest first."""
    pattern = _compiled(cues)
    start, end = span
    found = []
    before = sheet.before(start, reach)
    for cue in pattern.finditer(before):
        gap = before[cue.end() :]
        distance = len(gap) + _COMMA * (gap.count(",") + gap.count("\n"))
        distance += 8 * sum(1 for _ in re.finditer(r" (?:а|но) ", gap))
        found.append(
            Near(cue.lastgroup or "", distance, behind=False, end=start - len(before) + cue.end())
        )
    after = sheet.after(end, reach)
    for cue in pattern.finditer(after):
        gap = after[: cue.start()]
        distance = len(gap) + _BEHIND + _COMMA * (gap.count(",") + gap.count("\n"))
        distance += 8 * sum(1 for _ in re.finditer(r" (?:а|но|и) ", gap))
        if _OWN_NUMBER.match(after, cue.end()):
            if "," in gap:
                continue
            distance += _TAKEN_BY_NEXT
        found.append(Near(cue.lastgroup or "", distance, behind=True, end=end + cue.end()))
    return sorted(found, key=lambda each: each.distance)


def nearest(
    sheet: Sheet, span: tuple[int, int], cues: tuple[Cue, ...], reach: int = REACH
) -> Near | None:
    """Return the nearest cue in the fact's own sentence."""
    found = all_near(sheet, span, cues, reach)
    return found[0] if found else None
