"""The door that joins a report to a transaction's case, and parts them again.

Each function is one commit on the caller's connection and a line in the case's history. A case that
a customer has reported to is touched: the detector never resolves it. Locks are taken in one order:
the report's customers, the transaction, reports, incidents, cases (`lock`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

import asyncpg

from incidents.actions import Refused, Word
from incidents.calendar import Due
from incidents.cases import Standing, case_for
from incidents.matching.unplaced import (
    GIVE_INCIDENTS,
    JOINED,
    PAYMENT_KINDS,
    Left,
    NewCase,
    Place,
    bring_back,
    displace,
    follow,
    left_case,
    merge,
    named,
    note,
    open_case,
    place,
    received,
)
from incidents.store import Connection
from incidents.terms import Terms

ATTACHED: Final = "report_attached"
DETACHED: Final = "report_detached"
TOPIC_UNKNOWN: Final = "report"
"""The topic of a case that no incident and no symptom names."""

LOCK: Final = "select pg_advisory_xact_lock(hashtextextended($1, 1263948882))"
FOLD: Final = "select from fold where terminal = $1 for update"
"""What the fold itself locks: it goes on to other terminals and comes back, as with other folds."""
CUSTOMERS: Final = "select customers from report where id = $1"
REPORT: Final = """
select id, channel, received_at, customers, case_number, terminal, epoch, tx, attached_by, held,
  set_aside
from report where id = $1 for update
"""
TOGETHER: Final = """
select id,
  not held and (exists (
    select from report_fact f where f.report = report.id and f.kind = any($4::text[])
  ) or exists (
    select from case_history h where h.number = $1 and h.action = 'report_joined'
      and h.text ~ ': (signed_id|known_id|token)$'
  )) as means_it
from report
where case_number = $1 and id <> $2 and attached_by is null and set_aside is null
  -- What a person has taken out stays; what fitted none of its candidates comes into the case.
  and (not held or none_by is not null)
  and customers && $3::text[]
order by id for update
"""
REPORTS_LEFT: Final = """
select count(*) from report where case_number = $1 and not id = any($2::bigint[])
"""
TRANSACTION: Final = """
select coalesce(m.timezone, 'Europe/Moscow') as timezone,
  (select i.rule from incident i
   where i.terminal = t.terminal and i.epoch = t.epoch and i.subject = t.tx
   order by i.cleared_at is null desc, i.opened_at desc limit 1) as rule
from transaction t left join terminal m using (terminal)
where t.terminal = $1 and t.epoch = $2 and t.tx = $3
"""
TERMINAL: Final = "select timezone, null as rule from terminal where terminal = $1"
INCIDENTS: Final = """
select id from incident where terminal = $1 and epoch = $2 and subject = $3 order by id for update
"""
STANDING: Final = """
select c.number, c.state, c.opened_by,
  exists (
    select from case_history h
    where h.number = c.number and h.action = 'report_attached'
      and (h.text = $4 or starts_with(h.text, $4 || ':'))
  ) as known
from support_case c
where c.terminal = $1 and c.epoch is not distinct from $2 and c.tx is not distinct from $3
  and c.topic <> 'work_order'
  -- Another note swallowed there another month is another case.
  and ($3::text is not null or c.state not in ('resolved', 'closed'))
order by c.number for update
"""
REPORTED: Final = """
select case_number, customers from report
where case_number = any($1::text[]) and not id = any($2::bigint[])
"""
ATTACH: Final = """
update report set case_number = $2, terminal = $3, epoch = $4, tx = $5, attached_by = $6,
  status = 'attached', held = held or $6 = 'person', none_by = null, none_at = null
where id = any($1::bigint[])
"""
JOIN: Final = "update report set case_number = $2 where id = $1"
DETACH: Final = """
update report set case_number = $2, terminal = null, epoch = null, tx = null, attached_by = null,
  held = true, status = case
    when set_aside is not null then 'suspended'
    when exists (select from report_candidate c where c.report = $1) then 'suggested'
    else 'needs_facts' end
where id = $1
"""
CASE_NOW: Final = """
select c.number, c.state, m.timezone
from support_case c left join terminal m using (terminal) where c.number = $1 for update of c
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A report and the transaction that it is about; without epoch and tx: only its terminal."""

    report: int
    terminal: str
    epoch: int | None
    tx: str | None
    by: Literal["matcher", "person"]
    topic: str = TOPIC_UNKNOWN
    """Of a case that has to be opened, where the transaction has no incident."""
    case: str | None = None
    """The case that the report answers; it is joined if it is one about this transaction."""
    alone: bool = False
    """What its customer wrote to the same case before stays where it is."""

    @property
    def place(self) -> Place:
        """Return what the report is about."""
        return (self.terminal, self.epoch, self.tx)


@dataclass(frozen=True, slots=True)
class _Joining:
    """What an attachment is made of: the report, those that go with it, and where it comes from."""

    link: Link
    report: asyncpg.Record
    together: list[int]
    """Those that mean the same transaction, told or answered so."""
    carried: list[int]
    """Those that only come into the same case: nobody knows what they mean."""
    found: asyncpg.Record
    left: Left | None
    """Its case until now."""
    leaves: bool
    """That case was nothing but these reports': it goes where they go."""

    @property
    def reports(self) -> list[int]:
        return [self.link.report, *self.together, *self.carried]


async def lock(
    connection: Connection, customers: Iterable[str], about: Place | None = None
) -> None:
    """Wait, until the commit's end, for whoever decides about these customers or this place."""
    keys = [f"customer {each}" for each in sorted(customers)]
    if about is not None:
        # Two customers' reports of one transaction wait for each other here, in every process.
        keys.append(" ".join(str(each) for each in about))
    for key in keys:
        await connection.execute(LOCK, key)
    if about is not None:
        # The detector may be opening the case of this very transaction: wait, then see it.
        await connection.execute(FOLD, about[0])


async def attach(connection: Connection, link: Link, word: Word) -> str | Refused:
    """Join a report to the case of its customer and transaction; return the case's number."""
    async with connection.transaction():
        customers = await connection.fetchval(CUSTOMERS, link.report)
        await lock(connection, customers or (), link.place)
        return await attach_locked(connection, link, word)


async def attach_locked(connection: Connection, link: Link, word: Word) -> str | Refused:
    """Join as `attach` does, in a commit of the caller's that holds the locks.

    What the same customer has written to a case that nobody has placed goes with it.
    """
    report = await connection.fetchrow(REPORT, link.report)
    if report is None:
        return Refused("unknown", f"there is no report {link.report}")
    if report["attached_by"] is not None and _place(report) == link.place:
        same: str = report["case_number"]
        return same
    if link.by == "matcher" and (report["held"] or report["attached_by"] is not None):
        return Refused("held", f"a person has decided about report {link.report}")
    found = await _found(connection, link)
    if found is None:
        text = f"terminal {link.terminal} has no transaction {link.epoch} {link.tx}"
        return Refused("no_transaction", text)
    return await _join(connection, await _joining(connection, (link, report, found)), word)


async def detach(connection: Connection, report: int, word: Word) -> Refused | None:
    """Part a report from its case, for a person; it is never attached by itself again.

    The customer keeps a case: the one that the report had before, or one of its own.
    """
    async with connection.transaction():
        customers = await connection.fetchval(CUSTOMERS, report)
        await lock(connection, customers or ())
        row = await connection.fetchrow(REPORT, report)
        if row is None:
            return Refused("unknown", f"there is no report {report}")
        if row["attached_by"] is None:
            return Refused("not_attached", f"report {report} is not attached")
        left = await left_case(connection, row["case_number"])
        if left is not None:
            await note(connection, left.number, DETACHED, word)
        number = None
        if row["set_aside"] is None:
            number = await _case_after(connection, row, left, word)
        await connection.execute(DETACH, report, number)
    return None


async def open_unplaced(
    connection: Connection, report: int, word: Word, *, topic: str = TOPIC_UNKNOWN
) -> str:
    """Give a report, whose place nobody knows, a case of its own, once; return its number.

    The caller holds the locks.
    """
    row = await connection.fetchrow(REPORT, report)
    assert row is not None
    if row["case_number"] is not None and row["attached_by"] is None:
        there: str = row["case_number"]
        return there
    return await _new_unplaced(connection, row, topic, word)


async def join_case(connection: Connection, report: int, number: str, word: Word) -> None:
    """Put a report that is attached to nothing into a case of its customer's.

    The caller holds the locks, and has seen that the case is not merged.
    """
    case = await connection.fetchrow(CASE_NOW, number)
    assert case is not None
    await note(connection, number, JOINED, word)
    term = await _term(connection, word, word.at, case["timezone"])
    await received(connection, (number, case["state"]), word, term.at)
    await connection.execute(JOIN, report, number)


async def _found(connection: Connection, link: Link) -> asyncpg.Record | None:
    if link.epoch is None or link.tx is None:
        return await connection.fetchrow(TERMINAL, link.terminal)
    return await connection.fetchrow(TRANSACTION, *link.place)


async def _joining(
    connection: Connection, rows: tuple[Link, asyncpg.Record, asyncpg.Record]
) -> _Joining:
    link, report, found = rows
    number = report["case_number"]
    others: Sequence[asyncpg.Record] = ()
    if number is not None and report["attached_by"] is None and not link.alone:
        values = (number, link.report, report["customers"], PAYMENT_KINDS)
        others = await connection.fetch(TOGETHER, *values)
    # Incidents before cases, as the detector's own commits lock them.
    await connection.fetch(INCIDENTS, *link.place)
    left = await left_case(connection, number)
    if left is None or not left.unplaced:
        others = ()
    together = [row["id"] for row in others if row["means_it"]]
    carried = [row["id"] for row in others if not row["means_it"]]
    moving = [link.report, *together, *carried]
    stay = 0 if left is None else await connection.fetchval(REPORTS_LEFT, number, moving)
    leaves = left is not None and left.own and not stay
    return _Joining(link, report, together, carried, found, left, leaves)


async def _join(connection: Connection, it: _Joining, word: Word) -> str:
    link, left = it.link, it.left
    standing = await _standing(connection, it)
    case = next((each for each in standing if each.number == link.case), None) or case_for(
        frozenset(it.report["customers"]), standing
    )
    term = await _term(connection, word, word.at, it.found["timezone"])
    if case is not None:
        number = case.number
        if left is not None and left.number != number:
            await _leave(connection, it, number, word)
    elif left is not None and it.leaves:
        number = left.number
        topic = it.found["rule"] or link.topic
        await place(connection, number, link.place, word, topic=topic)
    else:
        number = await _open(connection, it, term, word)
        if left is not None:
            await _leave(connection, it, number, word)
    await note(connection, number, ATTACHED, word)
    for reports, action in ((it.together, ATTACHED), (it.carried, JOINED)):
        for report in reports:
            text = f"{named(report)}: with {named(link.report)}"
            await note(connection, number, action, replace(word, text=text))
    if case is not None:
        sooner = left.due_at if left is not None and it.leaves else term.at
        await received(connection, (number, case.state), word, min(term.at, sooner))
    if link.tx is not None:
        await connection.execute(GIVE_INCIDENTS, *link.place, number)
    attached = [link.report, *it.together]
    await connection.execute(ATTACH, attached, number, *link.place, link.by)
    for report in it.carried:
        await connection.execute(JOIN, report, number)
    return number


async def _leave(connection: Connection, it: _Joining, to: str, word: Word) -> None:
    """Leave the case that the report was in: with it, if it was nothing but these reports'."""
    left = it.left
    assert left is not None
    if it.leaves:
        await merge(connection, left, to, word)
        return
    for report in it.reports:
        await note(connection, left.number, DETACHED, replace(word, text=named(report)))
    await follow(connection, left.number, to, it.reports)


async def _case_after(
    connection: Connection, row: asyncpg.Record, left: Left | None, word: Word
) -> str:
    """Return the case of a report that was taken out of one."""
    report: int = row["id"]
    if left is not None:
        before = await bring_back(connection, left.number, report, word)
        if before is not None:
            return before
        others = await connection.fetchval(REPORTS_LEFT, left.number, [report])
        if left.own and not others:
            await displace(connection, left.number, word)
            return left.number
    return await _new_unplaced(connection, row, TOPIC_UNKNOWN, word)


async def _new_unplaced(connection: Connection, row: asyncpg.Record, topic: str, word: Word) -> str:
    # The term counts from the moment that the customer's message came.
    term = await _term(connection, word, row["received_at"], None)
    new = NewCase(opened_by=row["channel"], topic=topic, place=None, term=term, zone_name=None)
    number = await open_case(connection, new, word)
    said = Word(actor=word.actor, at=word.at, text=named(row["id"]))
    await note(connection, number, JOINED, said)
    await connection.execute(JOIN, row["id"], number)
    return number


async def _standing(connection: Connection, it: _Joining) -> Sequence[Standing]:
    link = it.link
    cases = await connection.fetch(STANDING, *link.place, named(link.report))
    numbers = [row["number"] for row in cases]
    reports = await connection.fetch(REPORTED, numbers, it.reports) if numbers else []
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


async def _open(connection: Connection, it: _Joining, term: Due, word: Word) -> str:
    new = NewCase(
        opened_by=it.report["channel"],
        topic=it.found["rule"] or it.link.topic,
        place=it.link.place,
        term=term,
        zone_name=it.found["timezone"],
    )
    return await open_case(connection, new, word)


async def _term(connection: Connection, word: Word, at: datetime, zone_name: str | None) -> Due:
    return await Terms(word.due_working_days).due(connection, at, zone_name)


def _place(row: asyncpg.Record) -> Place:
    return (row["terminal"], row["epoch"], row["tx"])
