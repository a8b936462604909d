"""Reports: what was understood of what customers wrote; the words themselves stay sealed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from desk.queries.database import INTEGER_MAX, Database, Page, Record, json_value
from desk.times import FOREVER, Moment
from incidents.matching.link import TOPIC_UNKNOWN

Channel = Literal["mail", "phone", "form"]
ReportStatus = Literal["attached", "suggested", "needs_facts", "suspended", "other"]


class ReportKey(NamedTuple):
    """Where a report stands: when it came, then its id."""

    received_at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a report says, where it says so, and how surely; an account is masked."""

    kind: str
    value: Any
    text: str
    span: tuple[int, int]
    confidence: float
    role: str | None = None
    """What an amount or an account is: `inserted`, `credited`, …; `paid`, `intended`."""
    currency: str | None = None
    origin: str = "new"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact's weight for a candidate, in bits."""

    fact: str
    level: str
    bits: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A transaction that a report may be about."""

    terminal: str
    epoch: int
    tx: str
    probability: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class TerminalChance:
    """A terminal that a report may be about."""

    terminal: str
    probability: float


@dataclass(frozen=True, slots=True)
class Attachment:
    """What a report was found to be about, and by whom."""

    terminal: str
    epoch: int | None
    tx: str | None
    case: str
    by: Literal["matcher", "person"]


@dataclass(frozen=True, slots=True)
class Report:
    """A report as staff see it: facts, candidates, and whether it found its transaction."""

    id: str
    channel: Channel
    received_at: Moment
    reported_at: Moment | None
    facts: tuple[Fact, ...]
    candidates: tuple[Candidate, ...]
    none_probability: float
    terminals: tuple[TerminalChance, ...]
    attached: Attachment | None
    status: ReportStatus
    case: str | None = None
    """The case that it is in, attached or not."""
    hint_case: str | None = None
    """A case that it names and has not joined: its sender is not of that case."""
    set_aside: str | None = None
    """Why it is suspended."""
    released_by: str | None = None
    """Who said that a customer wrote it, though it had been set aside."""
    none_by: str | None = None
    """Who said that it is about none of its candidates: from then on they are only suggested."""
    why: str | None = None
    """The matcher's decision in a sentence."""
    ask: tuple[str, ...] = ()
    """The facts that would decide most, if the customer told them."""
    model: str | None = None

    @property
    def key(self) -> ReportKey:
        """Return where this row stands."""
        return ReportKey(self.received_at, int(self.id))

    def first(self, kind: str) -> Fact | None:
        """Return the first fact of a kind."""
        return next((fact for fact in self.facts if fact.kind == kind), None)


_COLUMNS: Final = """
select r.id, r.channel, r.received_at, r.reported_at, r.status, r.case_number, r.terminal, r.epoch,
  r.tx, r.attached_by, r.set_aside, r.released_by, r.none_by,
  m.none_probability, m.terminals::text as terminals,
  m.decision::text as decision, m.model
from report r left join report_match m on m.report = r.id
"""
_WHERE: Final = "where r.received_at <= $1 and (r.received_at, r.id) < ($1, $2)"
_ORDER: Final = "order by r.received_at desc, r.id desc limit $3"

READ_ONE: Final = f"{_COLUMNS} where r.id = $1"
READ_ALL: Final = f"{_COLUMNS} {_WHERE} {_ORDER}"
READ_IN_STATUS: Final = f"{_COLUMNS} {_WHERE} and r.status = $4 {_ORDER}"
READ_OF_CASE: Final = (
    f"{_COLUMNS} where r.case_number = $1 order by r.received_at desc, r.id desc limit 100"
)
READ_FACTS: Final = """
select report, kind, value::text as value, text, begins, ends, confidence, origin
from report_fact where report = any($1::bigint[]) order by report, number
"""
READ_CANDIDATES: Final = """
select report, terminal, epoch, tx, probability, evidence::text as evidence
from report_candidate where report = any($1::bigint[]) order by report, rank
"""

NEWEST: Final = ReportKey(FOREVER, INTEGER_MAX)


def topic_of(report: Report) -> str:
    """Return what a case about a report is called where no incident names it."""
    topic = report.first("topic")
    return TOPIC_UNKNOWN if topic is None else str(topic.value)


def report_number(text: str) -> int | None:
    """Return the id that a text of an address names."""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(INTEGER_MAX)):
        return None
    number = int(text)
    return number if number <= INTEGER_MAX else None


async def read_report(database: Database, report: int) -> Report | None:
    """Return one report by its id."""
    rows = await _whole(database, await database.fetch(READ_ONE, report))
    return rows[0] if rows else None


async def read_reports(
    database: Database, status: str | None, *, after: ReportKey | None = None, limit: int
) -> Page[Report, ReportKey]:
    """Return a page of reports, of one status or of all, the latest first."""
    bounds = (*(after or NEWEST), limit + 1)
    records = (
        await database.fetch(READ_ALL, *bounds)
        if status is None
        else await database.fetch(READ_IN_STATUS, *bounds, status)
    )
    rows = await _whole(database, records[:limit])
    return Page(rows, rows[-1].key if len(records) > limit else None)


async def reports_of_case(database: Database, number: str) -> tuple[Report, ...]:
    """Return a case's reports, the latest first."""
    return await _whole(database, await database.fetch(READ_OF_CASE, number))


async def _whole(database: Database, records: Sequence[Record]) -> tuple[Report, ...]:
    ids = [record["id"] for record in records]
    if not ids:
        return ()
    facts = _by_report(await database.fetch(READ_FACTS, ids))
    candidates = _by_report(await database.fetch(READ_CANDIDATES, ids))
    return tuple(
        _row(
            record,
            tuple(_fact(each) for each in facts[record["id"]]),
            tuple(_candidate(each) for each in candidates[record["id"]]),
        )
        for record in records
    )


def _by_report(rows: Iterable[Record]) -> defaultdict[int, list[Record]]:
    grouped: defaultdict[int, list[Record]] = defaultdict(list)
    for row in rows:
        grouped[row["report"]].append(row)
    return grouped


def _row(record: Record, facts: tuple[Fact, ...], candidates: tuple[Candidate, ...]) -> Report:
    decision = json_value(record["decision"]) or {}
    unknown = record["none_probability"] is None
    return Report(
        id=str(record["id"]),
        channel=record["channel"],
        received_at=record["received_at"],
        reported_at=record["reported_at"],
        facts=facts,
        candidates=candidates,
        # Until it is matched, a report has no candidate: "none of these" is all that is left.
        none_probability=1.0 if unknown else record["none_probability"],
        terminals=tuple(
            TerminalChance(terminal, probability)
            for terminal, probability in json_value(record["terminals"]) or ()
        ),
        attached=_attachment(record),
        status=record["status"],
        case=record["case_number"],
        hint_case=decision.get("hint_case"),
        set_aside=record["set_aside"],
        released_by=record["released_by"],
        none_by=record["none_by"],
        why=decision.get("why"),
        ask=tuple(decision.get("ask", ())),
        model=record["model"],
    )


def _attachment(record: Record) -> Attachment | None:
    if record["attached_by"] is None:
        return None
    return Attachment(
        terminal=record["terminal"],
        epoch=record["epoch"],
        tx=record["tx"],
        case=record["case_number"],
        by=record["attached_by"],
    )


def _fact(record: Record) -> Fact:
    value = json_value(record["value"])
    said = value if isinstance(value, dict) else {}
    if record["kind"] == "amount":
        value = value["minor"]
    elif record["kind"] in {"account", "contact"}:
        value = value["masked"]
    elif record["kind"] == "place":
        value = value["words"]
    return Fact(
        kind=record["kind"],
        value=value,
        text=record["text"],
        span=(record["begins"], record["ends"]),
        confidence=record["confidence"],
        role=said.get("role"),
        currency=said.get("currency"),
        origin=record["origin"],
    )


def _candidate(record: Record) -> Candidate:
    return Candidate(
        terminal=record["terminal"],
        epoch=record["epoch"],
        tx=record["tx"],
        probability=record["probability"],
        evidence=tuple(Evidence(**each) for each in json_value(record["evidence"])),
    )
