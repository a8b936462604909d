"""Reports as they are kept: sealed first, then what was understood, in one commit."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from desk.queries.database import Database, Record
from desk.reports.masking import StoredFact
from incidents.matching.matcher import Evidence, Match
from incidents.store import Connection

STORE: Final = """
insert into report (channel, received_at, reported_at, status, content, tried_at)
values ($1, $2, $3, 'needs_facts', $4, $2)
returning id
"""
READ_SEALED: Final = """
select channel, received_at, reported_at, content, reading, attached_by, held, set_aside,
  released_by
from report where id = $1
"""
UNDERSTOOD: Final = """
update report set customers = $2, reading = $3, set_aside = $4, tried_at = $5,
  status = case when attached_by is null then $6 else status end
where id = $1
"""
DROP_FACTS: Final = "delete from report_fact where report = $1"
ADD_FACT: Final = """
insert into report_fact (report, number, kind, value, text, begins, ends, confidence,
  origin)
values ($1, $2, $3, $4::jsonb, $5, $6, $7, $8, $9)
"""
PUT_MATCH: Final = """
insert into report_match (report, none_probability, terminals, decision, model, at)
values ($1, $2, $3::jsonb, $4::jsonb, $5, $6)
on conflict (report) do update set none_probability = $2, terminals = $3::jsonb,
  decision = $4::jsonb, model = $5, at = $6
"""
DROP_CANDIDATES: Final = "delete from report_candidate where report = $1"
ADD_CANDIDATE: Final = """
insert into report_candidate (report, rank, terminal, epoch, tx, probability, evidence)
values ($1, $2, $3, $4, $5, $6, $7::jsonb)
"""
TAKE_UP: Final = """
update report set tried_at = $1 where id = (
  select id from report
  where status in ('needs_facts', 'suggested') and attached_by is null and not held
    and received_at > $1::timestamptz - $2::interval
    and coalesce(tried_at, received_at)
      < $1::timestamptz - greatest($3::interval, ($1::timestamptz - received_at) / 4)
  order by tried_at nulls first, id
  limit 1 for update skip locked
) returning id
"""
TAKE_UP_UNREAD: Final = """
update report set tried_at = $1 where id = (
  select id from report
  where reading is null and (tried_at is null or tried_at
    < $1::timestamptz - greatest($2::interval, ($1::timestamptz - received_at) / 4))
  order by tried_at nulls first, id
  limit 1 for update skip locked
) returning id
"""

_NUL: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""What JSON can write and PostgreSQL cannot hold."""


@dataclass(frozen=True, slots=True)
class SealedReport:
    """A report on its way into the database."""

    channel: str
    received_at: datetime
    reported_at: datetime | None
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What was made of a report: nothing in it shows an account."""

    facts: Sequence[StoredFact]
    customers: frozenset[str]
    reading: bytes
    set_aside: str | None
    match: Match
    at: datetime
    hint_case: str | None = None
    """A case that it names, whose customer its sender is not."""

    @property
    def status(self) -> str:
        """Return the status until it is attached."""
        if self.set_aside is not None:
            return "suspended"
        status = self.match.decision.status
        return "suggested" if status == "attached" else status


async def store_report(database: Database, report: SealedReport) -> int:
    """Keep a report; when this returns it is durable."""
    values = (report.channel, report.received_at, report.reported_at, report.content)
    number: int = await database.fetchval(STORE, *values)
    return number


async def read_sealed(database: Database, report: int) -> Record | None:
    """Return a report's sealed content and what decides what may be done with it."""
    return await database.fetchrow(READ_SEALED, report)


async def keep_understood(connection: Connection, report: int, understood: Understood) -> None:
    """Write what was understood, in place of what was understood before."""
    match = understood.match
    async with connection.transaction():
        # The row first: two who write at once wait for each other.
        await connection.execute(
            UNDERSTOOD, report, sorted(understood.customers), understood.reading,
            understood.set_aside, understood.at, understood.status,
        )  # fmt: skip
        await connection.execute(DROP_FACTS, report)
        await connection.executemany(ADD_FACT, _facts(report, understood.facts))
        await connection.execute(
            PUT_MATCH, report, match.none_probability, _json(match.terminals),
            _json(asdict(match.decision) | {"hint_case": understood.hint_case}), match.model,
            understood.at,
        )  # fmt: skip
        await connection.execute(DROP_CANDIDATES, report)
        await connection.executemany(
            ADD_CANDIDATE,
            [
                (
                    report, rank, one.terminal, one.epoch, one.tx, one.probability,
                    _json([_evidence(each) for each in one.evidence]),
                )
                for rank, one in enumerate(match.candidates, start=1)
            ],
        )  # fmt: skip


async def take_up(
    database: Database, now: datetime, *, age: timedelta, wait: timedelta
) -> int | None:
    """Take up the report that waited longest to be matched again; nobody else gets it now."""
    number: int | None = await database.fetchval(TAKE_UP, now, age, wait)
    return number


async def take_up_unread(database: Database, now: datetime, *, wait: timedelta) -> int | None:
    """Take up the next report that was never understood; nobody else gets it for `wait`.

    What was taken up before and is still not understood comes again, ever more seldom: who took it
    up has crashed, maybe over it.
    """
    number: int | None = await database.fetchval(TAKE_UP_UNREAD, now, wait)
    return number


def _evidence(each: Evidence) -> dict[str, str | float]:
    return {"fact": each.fact, "level": each.level, "bits": round(each.bits, 3)}


def _facts(report: int, facts: Sequence[StoredFact]) -> list[tuple[Any, ...]]:
    return [
        (
            report, number, fact.kind, _json(fact.value), _storable(fact.text), *fact.span,
            fact.confidence, fact.origin,
        )
        for number, fact in enumerate(facts, start=1)
    ]  # fmt: skip


def _json(value: Any) -> str:  # noqa: ANN401 - JSON
    return _NUL.sub(r"\1", _storable(json.dumps(value, ensure_ascii=False)))


def _storable(text: str) -> str:
    """Return a text that PostgreSQL can hold."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
