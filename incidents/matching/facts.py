"""From the passages of a report to its facts: each digit is read once, in the order that is surest.

Fiscal keys, phones and accounts, terminal, receipt, operation, place, times, money: what one reader
took, the next does not see. A signature names only whom to contact. A quoted mail is read only
where nothing else tells which payment is meant, and its facts say so (`Origin.QUOTED`).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

from incidents.matching.accounts import read_accounts, read_lone
from incidents.matching.amounts import read_amounts
from incidents.matching.fiscal import read_fiscal
from incidents.matching.gazetteer import Gazetteer
from incidents.matching.identifiers import read_receipts, read_terminals
from incidents.matching.moments import read_moments
from incidents.matching.outcomes import of_trouble
from incidents.matching.passage import Fact, Origin, Passage
from incidents.matching.places import read_places
from incidents.matching.symptoms import read_symptoms, topic
from incidents.matching.words import READ_MAX, Sheet

YEARS: Final = range(2000, 2200)
"""A report that claims to be of another year gives no times."""

TELLING: Final = frozenset(
    {"account", "amount", "fiscal", "operation", "paid_at", "place", "receipt", "terminal"}
)
"""What tells which payment is meant."""
TOLD_MIN: Final = 2
"""So many of them are enough to go without a quoted mail."""


def read_facts(
    passages: Sequence[Passage], *, zone: ZoneInfo, gazetteer: Gazetteer | None
) -> list[Fact]:
    """Return the facts of a report in the order of its text; the same text, the same facts."""
    facts = _read(passages, zone, gazetteer)
    said = {fact.kind for fact in facts} & TELLING
    quoted = [
        replace(passage, origin=Origin.NEW)
        for passage in passages
        if passage.origin == Origin.QUOTED
    ]
    if len(said) >= TOLD_MIN or not quoted:
        return facts
    earlier = _read(quoted, zone, gazetteer)
    facts += [replace(each, origin=Origin.QUOTED) for each in earlier if each.kind in TELLING]
    return _ordered(facts)


def _read(passages: Sequence[Passage], zone: ZoneInfo, gazetteer: Gazetteer | None) -> list[Fact]:
    room = READ_MAX
    facts: list[Fact] = []
    sheets: list[Sheet] = []
    for passage in passages:
        if passage.origin == Origin.QUOTED or room <= 0:
            continue
        sheet = Sheet.of(passage, room)
        room -= len(sheet.even)
        if passage.origin == Origin.SIGNATURE:
            facts += [fact for fact in read_accounts(sheet) if fact.kind == "contact"]
            continue
        sheets.append(sheet)
    fleet = gazetteer.fleet if gazetteer else frozenset()
    for sheet in sheets:
        facts += read_fiscal(sheet)
    for sheet in sheets:
        facts += read_symptoms(sheet)
        facts += read_accounts(sheet)
        facts += read_terminals(sheet, fleet)
        facts += read_receipts(sheet)
    if not any(fact.kind == "account" for fact in facts):
        facts += [fact for sheet in sheets for fact in read_lone(sheet)]
    facts += read_places(sheets, gazetteer)
    timely = [sheet for sheet in sheets if sheet.passage.written_at.year in YEARS]
    facts += read_moments(timely, zone)
    for sheet in sheets:
        facts += read_amounts(sheet)
    for sheet in sheets:
        facts = of_trouble(sheet, facts)
    return _ordered(_once(facts))


def _once(facts: list[Fact]) -> list[Fact]:
    """Return each thing said once, where it is said surest, with the report's topic."""
    best: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        key = (fact.kind, repr(fact.value))
        if key not in best or fact.confidence > best[key].confidence:
            best[key] = fact
    accounts = {
        fact.value["digits"] for fact in best.values()
        if fact.kind == "account" and isinstance(fact.value, dict)
    }  # fmt: skip
    kept = [fact for fact in best.values() if fact.kind != "contact" or fact.value not in accounts]
    kept += _mistyped(kept)
    about = topic(kept)
    if about:
        kept.append(
            Fact(
                kind="topic", value=about.value, text=about.text, span=about.span,
                confidence=about.confidence, origin=about.origin,
            )
        )  # fmt: skip
    return kept


def _mistyped(facts: list[Fact]) -> list[Fact]:
    """Return the symptom that an account which should have been typed tells by itself."""
    if any(fact.kind == "symptom" and fact.value == "wrong_number" for fact in facts):
        return []
    meant = [fact for fact in facts if isinstance(fact.value, dict)
             and fact.kind == "account" and fact.value["role"] == "intended"]  # fmt: skip
    return [replace(fact, kind="symptom", value="wrong_number") for fact in meant[:1]]


def _ordered(facts: list[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: (fact.span, fact.kind, repr(fact.value)))
