"""A report's page: its words with the facts marked, the payments it may mean, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from desk.api.asking import DeskNow
from desk.api.problems import not_found
from desk.pages.evidence import in_a_sentence
from desk.pages.marked import SHOWN_MAX, pieces
from desk.pages.reader import OurOwn, Reader, Reading, local_path
from desk.pages.view import View
from desk.pages.words_of import words_of
from desk.queries.cases import read_case
from desk.queries.database import INTEGER_MAX, storable
from desk.queries.reports import (
    Candidate,
    Evidence,
    Fact,
    Report,
    read_report,
    report_number,
    topic_of,
)
from desk.queries.terminals import zones_of
from desk.queries.transactions import Transaction, epoch_of, read_transaction
from desk.registration import TIMEZONE_DEFAULT
from desk.reports.deciding import none_by_person, release_by_person
from desk.reports.taking import attach_by_person, detach_by_person, try_to_match
from desk.state import Desk
from desk.words import Language, message
from incidents.actions import Refused
from incidents.matching.link import Link
from incidents.matching.sentences import FACTS, LEVELS, QUESTIONS, REASONS

router = APIRouter()

_WIDTH_PER_BIT: Final = 5
_BITS_MAX: Final = 24
_NO_TRANSACTION: Final = message("There is no such payment at this terminal.")
_NO_TERMINAL: Final = message("There is no such terminal.")
_NOT_MATCHED: Final = message("It could not be matched; the desk's log says where.")


@dataclass(frozen=True, slots=True)
class ShownFact:
    """A fact and how its value is told."""

    fact: Fact
    text: str


@dataclass(frozen=True, slots=True)
class ShownEvidence:
    """One step of a candidate's odds in words, and a bar as long as it weighs."""

    fact: str
    level: str
    bits: float
    shown: str
    width: int


@dataclass(frozen=True, slots=True)
class ShownCandidate:
    """A payment that the report may mean."""

    row: Candidate
    transaction: Transaction | None
    zone: str
    sentence: str
    evidence: tuple[ShownEvidence, ...]
    chosen: bool


@router.get("/reports/{report}")
async def page(desk: DeskNow, reading: Reading, report: str) -> Response:
    """Show a report."""
    return await _page(desk, reading, await _report(desk, report))


@router.post("/reports/{report}/match", dependencies=OurOwn)
async def match(desk: DeskNow, reading: Reading, report: str) -> Response:
    """Match it again."""
    row = await _report(desk, report)
    if not await try_to_match(desk, int(row.id)):
        return await _page(desk, reading, row, notice=_NOT_MATCHED)
    return _back(row)


@router.post("/reports/{report}/attach", dependencies=OurOwn)
async def attach(
    *,
    desk: DeskNow,
    reading: Reading,
    report: str,
    terminal: Annotated[str, Form(max_length=64)],
    tx: Annotated[str, Form(max_length=200)] = "",
    epoch: Annotated[int | None, Form(ge=0, le=INTEGER_MAX)] = None,
) -> Response:
    """Attach it to a payment by a person's word; without a payment, to the terminal alone."""
    row = await _report(desk, report)
    there, what = terminal.strip(), tx.strip() or None
    missing = _NO_TERMINAL if what is None else _NO_TRANSACTION
    if not storable(there, what):
        return await _page(desk, reading, row, notice=missing)
    if what is None:
        epoch = None
    elif epoch is None:
        epoch = await epoch_of(desk.database, terminal=there, tx=what)
        if epoch is None:
            return await _page(desk, reading, row, notice=missing)
    link = Link(
        report=int(row.id), terminal=there, epoch=epoch, tx=what, by="person", topic=topic_of(row)
    )
    answer = await attach_by_person(desk, link, reading.name)
    if isinstance(answer, Refused):
        return await _page(desk, reading, row, notice=missing)
    return _back(row)


@router.post("/reports/{report}/none", dependencies=OurOwn)
async def none(desk: DeskNow, reading: Reading, report: str) -> Response:
    """Say that it is about none of its candidates; one that is attached stays attached."""
    row = await _report(desk, report)
    await none_by_person(desk, int(row.id), reading.name)
    return _back(row)


@router.post("/reports/{report}/release", dependencies=OurOwn)
async def release(
    desk: DeskNow,
    reading: Reading,
    report: str,
    next: Annotated[str, Form()] = "",  # noqa: A002 - what people call it in an address
) -> Response:
    """Say that a customer wrote it; done already is done."""
    row = await _report(desk, report)
    await release_by_person(desk, int(row.id), reading.name)
    return RedirectResponse(local_path(next), 303) if next else _back(row)


@router.post("/reports/{report}/detach", dependencies=OurOwn)
async def detach(desk: DeskNow, reading: Reading, report: str) -> Response:
    """Take it out of its case; done already is done."""
    row = await _report(desk, report)
    await detach_by_person(desk, int(row.id), reading.name)
    return _back(row)


def _back(row: Report) -> Response:
    return RedirectResponse(f"/reports/{row.id}", 303)


async def _report(desk: Desk, report: str) -> Report:
    number = report_number(report)
    row = None if number is None else await read_report(desk.database, number)
    if row is None:
        raise not_found("report")
    return row


async def _page(desk: Desk, reading: Reader, row: Report, *, notice: str = "") -> Response:
    view = reading.view
    terminals = [one.terminal for one in row.candidates]
    if row.attached is not None:
        terminals.append(row.attached.terminal)
    zones = await zones_of(desk.database, terminals)
    zone = zones.get(terminals[-1 if row.attached else 0], "") if terminals else ""
    zone = zone or TIMEZONE_DEFAULT
    words = await words_of(desk, int(row.id))
    values: dict[str, object] = {
        "report": row,
        "zone": zone,
        "words": words,
        "pieces": pieces(words.text, row.facts) if words else (),
        "cut": words is not None and len(words.text) > SHOWN_MAX,
        "facts": [
            ShownFact(each, _told(view, each, zone)) for each in row.facts if each.kind != "topic"
        ],
        "candidates": await _candidates(desk, view.language, row, zones),
        "reason": REASONS[view.language].get(row.why or "", ""),
        "questions": [QUESTIONS[view.language].get(each, each) for each in row.ask],
        "case": await read_case(desk.database, row.case) if row.case else None,
        "terminal_said": _terminal_said(row),
        "notice": view.words.say(notice) if notice else "",
    }  # fmt: skip
    return view.page("report.html", values, status=409 if notice else 200)


async def _candidates(
    desk: Desk, language: Language, row: Report, zones: Mapping[str, str]
) -> list[ShownCandidate]:
    it = row.attached
    chosen = None if it is None else (it.terminal, it.epoch, it.tx)
    return [
        ShownCandidate(
            row=one,
            transaction=await read_transaction(
                desk.database, terminal=one.terminal, epoch=one.epoch, tx=one.tx
            ),
            zone=zones.get(one.terminal, TIMEZONE_DEFAULT),
            sentence=in_a_sentence(one.evidence, language),
            evidence=tuple(_step(each, language) for each in one.evidence),
            chosen=(one.terminal, one.epoch, one.tx) == chosen,
        )
        for one in row.candidates
    ]


def _terminal_said(row: Report) -> str:
    """Return the terminal that the report itself names, or the likeliest one."""
    said = row.first("terminal")
    if said is not None:
        return str(said.value)
    return row.terminals[0].terminal if row.terminals else ""


def _step(each: Evidence, language: Language) -> ShownEvidence:
    level = each.level.rsplit(": ", 1)[-1]
    number = f"{each.bits:+.1f}".replace("-", "\N{MINUS SIGN}")
    return ShownEvidence(
        fact=FACTS[language].get(each.fact, each.fact),
        level=LEVELS[language].get(level, level),
        bits=each.bits,
        shown=number.replace(".", ",") if language == "ru" else number,
        width=max(2, round(min(abs(each.bits), _BITS_MAX) * _WIDTH_PER_BIT)),
    )


def _told(view: View, fact: Fact, zone: str) -> str:
    """Return a fact's value as a person reads it."""
    value = fact.value
    if fact.kind == "amount":
        return view.money(value, fact.currency or "RUB")
    if fact.kind == "paid_at" and isinstance(value, dict):
        return _span(view, value, zone)
    if fact.kind == "fiscal" and isinstance(value, dict):
        return " ".join(f"{name}={text}" for name, text in value.items())
    if fact.kind in {"symptom", "request", "topic"}:
        return view.word("SAID", value)
    return str(value)


def _span(view: View, value: Mapping[str, str], zone: str) -> str:
    low, high = (datetime.fromisoformat(value[name]) for name in ("from", "to"))
    return f"{view.minute(low, zone)} – {view.minute(high, zone)}"
