"""Which of two payments a report is about: what it says of the one that went well claims nothing.

"The first went through, the second did not": the first one's time, sum and receipt would find the
wrong transaction. Nothing is changed unless both a success and a failure are told, and the text
tells two payments apart: by an ordinal beside one of them, or by a time beside each.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from incidents.matching.passage import Fact
from incidents.matching.words import Sheet

_DONE: Final = (
    r"(?:прош(?:л[аио]|ел)|зачисл(?:ил[аио]?с[ья]|ен[аоы]?)|дош(?:л[аио]|ел)|приш(?:л[аио]|ел)"
    r"|поступил[аио]?|упал[аио]?|капнул[аио]?|долетел[аио]?)\b"
)
_FINE: Final = re.compile(
    rf"(?<!\bне )(?<!\bне был )(?<!\bне была ){_DONE}(?! (?:только|лишь|частич|не\b))"
    r"|\b(?:все|платеж) (?:было )?(?:нормально|хорошо|в порядке|ок\b|успешно)|без проблем"
    r"|went through|arrived (?:fine|ok)|\bуспешно\b"
)
_FAILED: Final = re.compile(
    rf"\bне (?:\w{{2,8}} )?{_DONE}|\bнет\b(?= ?(?:[.,;!?\n]|$))|пропал[аио]?\b|потерял[аио]?с\w"
    r"|\bне (?:видн\w|отобраз\w+|получ\w+|выдал\w?)|\bзавис\w*|\bвисит\b"
    r"|речь (?:о|про|идет) |did not|didn't|never"
)
_WHICH: Final = re.compile(
    r"\b(?:перв(?:ый|ая|ое|ую|ого|ым|ой)|втор(?:ой|ая|ое|ую|ого|ым|ом)|треть(?:я|ю|ей|его)|третий"
    r"|друг(?:ой|ая|ую|ого)|следующ\w{2,3}|предыдущ\w{2,3}|прошл\w{2} раз|до этого|одна|один"
    r"|first|second|other|next)\b"
)
_CUT: Final = re.compile(
    rf"[,;]? (?=(?:а|но|зато|однако)\b)|(?:{_FINE.pattern}|{_FAILED.pattern})[^,;.\n]{{0,12}}[,;]"
)
_TOLD: Final = frozenset({"paid_at", "amount", "receipt", "operation"})
GUESS: Final = 0.4
"""What the days since a payment that went well are worth, for one that did not."""


@dataclass(slots=True)
class _Clause:
    """A piece of a sentence, and what it says of its payment."""

    text: str
    span: tuple[int, int]
    """Of the whole text."""
    facts: list[Fact]

    @property
    def failed(self) -> bool:
        """Return whether the payment failed."""
        return bool(_FAILED.search(self.text))

    @property
    def fine(self) -> bool:
        """Return whether the payment went well."""
        return not self.failed and bool(_FINE.search(self.text))

    @property
    def timed(self) -> bool:
        """Return whether it says when."""
        return any(fact.kind == "paid_at" for fact in self.facts)


def of_trouble(sheet: Sheet, facts: Sequence[Fact]) -> list[Fact]:
    """Return a passage's facts without those of a payment that went well beside one that failed."""
    clauses = list(_clauses(sheet, facts))
    fine = [each for each in clauses if each.fine]
    failed = [each for each in clauses if each.failed]
    if not fine or not failed:
        return list(facts)
    told = [each for each in fine + failed if _WHICH.search(each.text)]
    if not told and not (any(e.timed for e in fine) and any(e.timed for e in failed)):
        return list(facts)
    elsewhere = " ".join(each.text for each in clauses if not each.fine)
    kept = [fact for fact in facts if not any(_of(each, fact, elsewhere) for each in fine)]
    if any(fact.kind == "paid_at" for fact in kept):
        return kept
    return [*kept, *_since(sheet, [fact for each in fine for fact in each.facts])]


def _clauses(sheet: Sheet, facts: Sequence[Fact]) -> Iterator[_Clause]:
    cuts = sorted({0, len(sheet.even), *(at + 1 for at in sheet.breaks),
                   *(found.end() for found in _CUT.finditer(sheet.even))})  # fmt: skip
    for start, end in pairwise(cuts):
        if start >= end or start >= len(sheet.offsets):
            continue
        span = (
            sheet.passage.start + sheet.offsets[start],
            sheet.passage.start + sheet.offsets[end - 1] + 1,
        )
        inside = [fact for fact in facts if span[0] <= fact.span[0] and fact.span[1] <= span[1]]
        yield _Clause(sheet.even[start:end], span, inside)


def _of(clause: _Clause, fact: Fact, elsewhere: str) -> bool:
    """Tell whether a fact is of the payment that went well, and of that alone."""
    if fact.kind not in _TOLD or fact not in clause.facts:
        return False
    if isinstance(fact.value, dict) and fact.kind == "amount":
        roubles = rf"(?<![0-9]){fact.value['minor'] // 100}(?![0-9])"
        return fact.value["role"] == "inserted" and not re.search(roubles, elsewhere)
    return True


def _since(sheet: Sheet, facts: Sequence[Fact]) -> list[Fact]:
    """Return the days since a payment, where no other time is told."""
    for fact in facts:
        if fact.kind == "paid_at" and isinstance(fact.value, dict):
            low = datetime.fromisoformat(fact.value["from"]) - timedelta(hours=12)
            high = sheet.passage.written_at.astimezone(UTC)
            if low >= high:
                continue
            ends = {"from": low, "to": high, "best": low + (high - low) / 2}
            value: dict[str, object] = {name: _text(at) for name, at in ends.items()}
            value["precision"] = "period"
            return [replace(fact, value=value, confidence=GUESS)]
    return []


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
