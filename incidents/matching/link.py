"""The door that joins a report to a transaction's case, and parts them again.

Each function is one commit on the caller's connection and a line in the case's history. A case that
a customer has reported to is touched: the detector never resolves it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import asyncpg

from incidents.actions import CASE, HISTORY, MOVE_CASE, TOUCH, Refused, Word
from incidents.calendar import Due, due, zone
from incidents.cases import (
    REPORT_MOVES,
    TRANSITIONS,
    CaseState,
    Standing,
    case_for,
    number_of,
)
from incidents.store import Connection
from incidents.store_ledger import NEW_CASE, NUMBERS
from incidents.thresholds import Thresholds

ATTACHED: Final = "report_attached"
DETACHED: Final = "report_detached"
TOPIC_UNKNOWN: Final = "report"
"""The topic of a case that no incident and no symptom names."""

LOCK: Final = "select pg_advisory_xact_lock(hashtextextended($1, 1263948882))"
REPORT: Final = """
select channel, customers, case_number, terminal, epoch, tx, attached_by, held
from report where id = $1 for update
"""
TRANSACTION: Final = """
select t.started_at, coalesce(m.timezone, 'Europe/Moscow') as timezone,
  (select i.rule from incident i
   where i.terminal = t.terminal and i.epoch = t.epoch and i.subject = t.tx
   order by i.cleared_at is null desc, i.opened_at desc limit 1) as rule
from transaction t left join terminal m using (terminal)
where t.terminal = $1 and t.epoch = $2 and t.tx = $3
"""
STANDING: Final = """
select c.number, c.state, c.opened_by,
  exists (
    select from case_history h
    where h.number = c.number and h.action = 'report_attached'
      and (h.text = $4 or starts_with(h.text, $4 || ':'))
  ) as known
from support_case c
where c.terminal = $1 and c.epoch = $2 and c.tx = $3 order by c.number for update
"""
REPORTED: Final = """
select case_number, customers from report where case_number = any($1::text[]) and id <> $2
"""
ATTACH: Final = """
update report set case_number = $2, terminal = $3, epoch = $4, tx = $5, attached_by = $6,
  status = 'attached', held = held or $6 = 'person'
where id = $1
"""
DETACH: Final = """
update report set case_number = null, terminal = null, epoch = null, tx = null, attached_by = null,
  held = true, status = case
    when set_aside is not null then 'suspended'
    when exists (select from report_candidate c where c.report = $1) then 'suggested'
    else 'needs_facts' end
where id = $1
"""
DUE: Final = "update support_case set due_at = $2 where number = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A report and the transaction that it is about."""

    report: int
    terminal: str
    epoch: int
    tx: str
    by: Literal["matcher", "person"]
    topic: str = TOPIC_UNKNOWN
    """Of a case that has to be opened, where the transaction has no incident."""


def named(report: int) -> str:
    """Return what a case's history calls a report; more may follow after a colon."""
    return f"report {report}"


async def attach(connection: Connection, link: Link, word: Word) -> str | Refused:
    """Join a report to the case of its customer and transaction; return the case's number."""
    async with connection.transaction():
        # Two customers' reports of one transaction wait for each other here, in every process.
        await connection.execute(LOCK, f"{link.terminal} {link.epoch} {link.tx}")
        report = await connection.fetchrow(REPORT, link.report)
        if report is None:
            return Refused("unknown", f"there is no report {link.report}")
        if report["attached_by"] is not None and _place(report) == _place(link):
            number: str = report["case_number"]
            return number
        if link.by == "matcher" and (report["held"] or report["attached_by"] is not None):
            return Refused("held", f"a person has decided about report {link.report}")
        found = await connection.fetchrow(TRANSACTION, link.terminal, link.epoch, link.tx)
        if found is None:
            text = f"terminal {link.terminal} has no transaction {link.epoch} {link.tx}"
            return Refused("no_transaction", text)
        if report["case_number"] is not None:
            await _note(connection, report["case_number"], DETACHED, _moved(word, link))
        number = await _join(connection, link, word, (report, found))
        values = (link.terminal, link.epoch, link.tx, link.by)
        await connection.execute(ATTACH, link.report, number, *values)
        return number


async def detach(connection: Connection, report: int, word: Word) -> Refused | None:
    """Part a report from its case, for a person; it is never attached by itself again."""
    async with connection.transaction():
        row = await connection.fetchrow(REPORT, report)
        if row is None:
            return Refused("unknown", f"there is no report {report}")
        if row["attached_by"] is None:
            return Refused("not_attached", f"report {report} is not attached")
        if await connection.fetchval(CASE, row["case_number"]) is not None:
            await _note(connection, row["case_number"], DETACHED, word)
        await connection.execute(DETACH, report)
    return None


async def _join(
    connection: Connection,
    link: Link,
    word: Word,
    rows: tuple[asyncpg.Record, asyncpg.Record],
) -> str:
    report, found = rows
    standing = await _standing(connection, link)
    case = case_for(frozenset(report["customers"]), standing)
    term = due(
        word.at,
        zone_name=found["timezone"],
        working_days=Thresholds().due_working_days,
    )
    if case is None:
        return await _open(connection, link, word, (report, found, term))
    await _note(connection, case.number, ATTACHED, word)
    move = REPORT_MOVES.get(case.state)
    if move is not None:
        after = TRANSITIONS[case.state, move]
        await connection.execute(MOVE_CASE, case.number, after, word.at)
        await connection.execute(
            HISTORY, case.number, word.at, word.actor, move, case.state, after, None, False
        )
        if move == "reopen":
            await connection.execute(DUE, case.number, term.at)
    return case.number


async def _standing(connection: Connection, link: Link) -> Sequence[Standing]:
    place = _place(link)
    cases = await connection.fetch(STANDING, *place, named(link.report))
    numbers = [row["number"] for row in cases]
    reports = await connection.fetch(REPORTED, numbers, link.report) if numbers else []
    of = {number: [r for r in reports if r["case_number"] == number] for number in numbers}
    return [
        Standing(
            number=row["number"],
            state=row["state"],
            opened_by=row["opened_by"],
            customers=frozenset(each for r in of[row["number"]] for each in r["customers"]),
            reports=len(of[row["number"]]),
            known=row["known"],
        )
        for row in cases
    ]


async def _open(
    connection: Connection,
    link: Link,
    word: Word,
    rows: tuple[asyncpg.Record, asyncpg.Record, Due],
) -> str:
    report, found, term = rows
    count: int = await connection.fetchval(NUMBERS, 1)
    number = number_of(count, year=word.at.astimezone(zone(found["timezone"])).year)
    state: CaseState = "new"
    topic = found["rule"] or link.topic
    await connection.execute(
        NEW_CASE, number, topic, state, link.terminal, link.epoch, link.tx, word.at, term.at,
        report["channel"], True, word.at,
    )  # fmt: skip
    text = f"due by {term.at:%Y-%m-%d}"
    for action, said in (("opened", text), *_guessed(term)):
        await connection.execute(
            HISTORY, number, word.at, word.actor, action, None, None, said, False
        )
    await _note(connection, number, ATTACHED, word)
    return number


def _guessed(term: Due) -> list[tuple[str, str]]:
    if not term.guessed:
        return []
    years = ", ".join(str(year) for year in term.guessed)
    return [("due_guessed", f"the transferred days of {years} are not announced")]


async def _note(connection: Connection, number: str, action: str, word: Word) -> None:
    await connection.execute(TOUCH, number, word.at)
    await connection.execute(
        HISTORY, number, word.at, word.actor, action, None, None, word.text, word.public
    )


def _moved(word: Word, link: Link) -> Word:
    return Word(actor=word.actor, at=word.at, text=named(link.report))


def _place(row: "asyncpg.Record | Link") -> tuple[str, int, str]:
    if isinstance(row, Link):
        return (row.terminal, row.epoch, row.tx)
    return (row["terminal"], row["epoch"], row["tx"])
