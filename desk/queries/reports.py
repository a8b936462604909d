"""Reports: what customers wrote, kept sealed; what is told of them is only what was understood."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from desk.queries.database import INTEGER_MAX, Database, Record
from desk.times import Moment

Channel = Literal["mail", "phone", "form"]
ReportStatus = Literal["attached", "suggested", "needs_facts", "suspended", "other"]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a report says, where it says so, and how surely."""

    kind: str
    value: Any
    text: str
    span: tuple[int, int]
    confidence: float


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


@dataclass(frozen=True, slots=True)
class SealedReport:
    """A report on its way into the database."""

    channel: Channel
    received_at: datetime
    reported_at: datetime | None
    content: bytes


STORE: Final = """
insert into report (channel, received_at, reported_at, status, content)
values ($1, $2, $3, 'needs_facts', $4)
returning id, channel, received_at, reported_at, status
"""
READ_ONE: Final = """
select id, channel, received_at, reported_at, status from report where id = $1
"""


async def store_report(database: Database, report: SealedReport) -> Report:
    """Keep a report; when this returns it is durable."""
    record = await database.fetchrow(
        STORE, report.channel, report.received_at, report.reported_at, report.content
    )
    assert record is not None
    return _row(record)


async def read_report(database: Database, report_id: str) -> Report | None:
    """Return one report by its id."""
    if not report_id.isascii() or not report_id.isdigit() or len(report_id) > len(str(INTEGER_MAX)):
        return None
    number = int(report_id)
    record = await database.fetchrow(READ_ONE, number) if number <= INTEGER_MAX else None
    return None if record is None else _row(record)


def _row(record: Record) -> Report:
    # Until facts are read from it, a report has no candidate: "none of these" is all that is left.
    return Report(
        id=str(record["id"]),
        channel=record["channel"],
        received_at=record["received_at"],
        reported_at=record["reported_at"],
        facts=(),
        candidates=(),
        none_probability=1.0,
        terminals=(),
        attached=None,
        status=record["status"],
    )
