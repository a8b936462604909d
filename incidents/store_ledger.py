"""The ledger's door to PostgreSQL: incidents and cases under the keys of a run's findings."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import asyncpg
import orjson

from incidents.calendar import zone
from incidents.cases import Case, Entry, number_of
from incidents.findings import MONEY, Finding
from incidents.ledger import Incident, Ledger
from incidents.times import instant, ms

Connection: TypeAlias = asyncpg.Connection

_INCIDENT: Final = """i.id, i.terminal, i.rule, i.epoch, i.subject, i.cause, i.severity,
  i.provisional, i.opened_at, i.detected_at, i.cleared_at, i.times, i.proof::text as proof,
  i.case_number"""

MONEY_INCIDENTS: Final = f"""
select {_INCIDENT}
from incident i join unnest($1::text[], $2::bigint[], $3::text[]) as k(terminal, epoch, subject)
  on i.terminal = k.terminal and i.epoch = k.epoch and i.subject = k.subject
where i.rule = any($4::text[])
for update of i
"""  # noqa: S608 - built of the line above

OTHER_INCIDENTS: Final = f"""
select {_INCIDENT}
from incident i
where i.terminal = any($1::text[]) and (
  (i.epoch is null and (i.cleared_at is null or i.opened_at = any($2::timestamptz[])))
  or (i.provisional and i.cleared_at is null)
)
order by i.id
for update of i
"""  # noqa: S608 - the same

CASES: Final = """
select c.*, exists (select 1 from report r where r.case_number = c.number) as reported
from support_case c
where c.number = any($1::text[])
  or (c.terminal = any($2::text[]) and c.topic = 'work_order'
      and c.state not in ('resolved', 'closed'))
  or (c.terminal, c.epoch, c.tx) in (
      select * from unnest($3::text[], $4::bigint[], $5::text[]))
order by c.number
for update of c
"""

OF_CASES: Final = f"""
select {_INCIDENT} from incident i
where i.case_number = any($1::text[]) and not i.id = any($2::bigint[])
"""  # noqa: S608 - the same

ZONES: Final = "select terminal, timezone from terminal where terminal = any($1::text[])"

NUMBERS: Final = "select nextval('support_case_number') from generate_series(1, $1::int)"

NEW_CASE: Final = """
insert into support_case (number, topic, state, terminal, epoch, tx, opened_at, due_at, opened_by,
  touched, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""

CHANGE_CASE: Final = "update support_case set state = $2, changed_at = $3 where number = $1"

HISTORY: Final = """
insert into case_history (number, at, actor, action, state_from, state_to, text, public)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""

NEW_INCIDENT: Final = """
insert into incident (terminal, rule, epoch, subject, cause, severity, provisional, opened_at,
  cleared_at, times, proof, case_number, detected_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12, $13)
"""

CHANGE_INCIDENT: Final = """
update incident set cause = $2, severity = $3, provisional = $4, opened_at = $5, cleared_at = $6,
  times = $7, proof = $8::jsonb, case_number = $9
where id = $1
"""

DELETE_INCIDENT: Final = "delete from incident where id = $1 and provisional"


async def load(
    connection: Connection, ledger: Ledger, findings: Mapping[str, Iterable[Finding]]
) -> None:
    """Fill the ledger with all that these findings may touch, locked."""
    terminals = sorted(findings)
    pairs = [(terminal, one) for terminal in terminals for one in findings[terminal]]
    keys = sorted(
        {
            (terminal, one.epoch, one.subject)
            for terminal, one in pairs
            if one.rule in MONEY and one.epoch is not None and one.subject is not None
        }
    )
    began = [instant(one.opened_at) for _, one in pairs if one.epoch is None]
    columns = list(zip(*keys, strict=True)) or [(), (), ()]
    rows = await connection.fetch(MONEY_INCIDENTS, *columns, sorted(MONEY))
    rows += await connection.fetch(OTHER_INCIDENTS, terminals, began)
    numbers = sorted({row["case_number"] for row in rows if row["case_number"] is not None})
    cases = {
        row["number"]: _case(row)
        for row in await connection.fetch(CASES, numbers, terminals, *columns)
    }
    known = [row["id"] for row in rows]
    rows += await connection.fetch(OF_CASES, sorted(cases), known)
    ledger.cases.extend(cases.values())
    by_id = {row["id"]: row for row in rows}
    ledger.incidents.extend(_incident(by_id[each], cases) for each in sorted(by_id))
    zones = await connection.fetch(ZONES, terminals)
    ledger.zones.update({row["terminal"]: row["timezone"] for row in zones})


def _case(row: asyncpg.Record) -> Case:
    return Case(
        number=row["number"],
        topic=row["topic"],
        state=row["state"],
        terminal=row["terminal"],
        epoch=row["epoch"],
        tx=row["tx"],
        opened_at=row["opened_at"],
        due_at=row["due_at"],
        opened_by=row["opened_by"],
        touched=row["touched"],
        reported=row["reported"],
    )


def _incident(row: asyncpg.Record, cases: Mapping[str, Case]) -> Incident:
    finding = Finding(
        rule=row["rule"],
        epoch=row["epoch"],
        subject=row["subject"],
        cause=row["cause"],
        severity=row["severity"],
        opened_at=ms(row["opened_at"]),
        cleared_at=None if row["cleared_at"] is None else ms(row["cleared_at"]),
        times=row["times"],
        proof=tuple((one["epoch"], one["seq"]) for one in orjson.loads(row["proof"])),
        provisional=row["provisional"],
    )
    return Incident(
        id=row["id"],
        terminal=row["terminal"],
        finding=finding,
        detected_at=row["detected_at"],
        case=cases.get(row["case_number"]),
    )


async def write(connection: Connection, ledger: Ledger) -> None:
    """Write what changed: cases first, for incidents name them."""
    await _number(connection, ledger)
    changed = [case for case in ledger.cases if case.changed]
    new = [case for case in changed if case.added and case.added[0].action == "opened"]
    old = [case for case in changed if case not in new]
    if new:
        await connection.executemany(NEW_CASE, [_new_case(case) for case in new])
    if old:
        await connection.executemany(
            CHANGE_CASE, [(case.number, case.state, ledger.now) for case in old]
        )
    entries = [_entry(case, entry) for case in changed for entry in case.added]
    if entries:
        await connection.executemany(HISTORY, entries)
    await _write_incidents(connection, ledger)


async def _number(connection: Connection, ledger: Ledger) -> None:
    nameless = [case for case in ledger.cases if case.number is None]
    if nameless:
        counts = await connection.fetch(NUMBERS, len(nameless))
        for case, count in zip(nameless, counts, strict=True):
            where = zone(ledger.zones.get(case.terminal))
            year = case.opened_at.astimezone(where).year
            case.number = number_of(count[0], year=year)


async def _write_incidents(connection: Connection, ledger: Ledger) -> None:
    changed = [one for one in ledger.incidents if one.changed]
    gone = [(one.id,) for one in changed if one.deleted and one.id is not None]
    new = [
        (one.terminal, one.finding.rule, one.finding.epoch, one.finding.subject, *_content(one))
        for one in changed
        if one.id is None and not one.deleted
    ]
    old = [(one.id, *_content(one)[:-1]) for one in changed if one.id is not None]
    if gone:
        await connection.executemany(DELETE_INCIDENT, gone)
    if old:
        await connection.executemany(CHANGE_INCIDENT, old)
    if new:
        await connection.executemany(NEW_INCIDENT, new)


def _content(one: Incident) -> tuple[Any, ...]:
    finding = one.finding
    return (
        finding.cause,
        finding.severity,
        finding.provisional,
        instant(finding.opened_at),
        None if finding.cleared_at is None else instant(finding.cleared_at),
        finding.times,
        orjson.dumps([{"epoch": epoch, "seq": seq} for epoch, seq in finding.proof]).decode(),
        None if one.case is None else one.case.number,
        one.detected_at,
    )


def _new_case(case: Case) -> tuple[Any, ...]:
    return (
        case.number,
        case.topic,
        case.state,
        case.terminal,
        case.epoch,
        case.tx,
        case.opened_at,
        case.due_at,
        case.opened_by,
        case.touched,
        case.opened_at,
    )


def _entry(case: Case, entry: Entry) -> tuple[Any, ...]:
    return (
        case.number,
        entry.at,
        entry.actor,
        entry.action,
        entry.state_from,
        entry.state_to,
        entry.text,
        entry.public,
    )
