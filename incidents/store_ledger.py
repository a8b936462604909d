"""The ledger's door to PostgreSQL: incidents and cases under the keys of a run's findings."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import asyncpg
import orjson

from incidents.calendar import zone
from incidents.cases import FINISHED, Case, Entry, number_of
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
with wanted as (
  select unnest($1::text[]) as number
  union
  select c.number
  from unnest($2::text[]) as t(terminal)
  join support_case c on c.terminal = t.terminal
  where c.topic = 'work_order' and c.state not in ('resolved', 'closed')
  union
  select c.number
  from unnest($3::text[], $4::bigint[], $5::text[]) as k(terminal, epoch, tx)
  join support_case c on (c.terminal, c.epoch, c.tx) = (k.terminal, k.epoch, k.tx)
)
select c.*, exists (select 1 from report r where r.case_number = c.number) as reported
from wanted join support_case c using (number)
where c.terminal is not null
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
    connection: Connection,
    ledgers: Mapping[str, Ledger],
    findings: Mapping[str, Iterable[Finding]],
) -> None:
    """Fill each terminal's ledger with all that its findings may touch, locked."""
    pairs = [(terminal, one) for terminal in sorted(findings) for one in findings[terminal]]
    keys = sorted(
        {
            (terminal, one.epoch, one.subject)
            for terminal, one in pairs
            if one.rule in MONEY and one.epoch is not None and one.subject is not None
        }
    )
    others = [(terminal, one) for terminal, one in pairs if one.epoch is None]
    # A terminal without a finding is here for its provisional incidents.
    places = sorted(
        {terminal for terminal, _ in others} | {t for t, f in findings.items() if not f}
    )
    columns = list(zip(*keys, strict=True)) or [(), (), ()]
    rows = await connection.fetch(MONEY_INCIDENTS, *columns, sorted(MONEY)) if keys else []
    if places:
        began = [instant(one.opened_at) for _, one in others]
        rows += await connection.fetch(OTHER_INCIDENTS, places, began)
    numbers = sorted({row["case_number"] for row in rows if row["case_number"] is not None})
    # What is provisional may come to the case that an earlier silence has left.
    left = {(row["terminal"], row["epoch"], row["subject"]) for row in rows if row["provisional"]}
    columns = list(zip(*sorted(left.union(keys)), strict=True)) or [(), (), ()]
    for row in await connection.fetch(CASES, numbers, places, *columns):
        ledgers[row["terminal"]].cases.append(_case(row))
    cases = {case.number: case for each in ledgers.values() for case in each.cases}
    known = [row["id"] for row in rows]
    rows += await connection.fetch(OF_CASES, list(cases), known)
    by_id = {row["id"]: row for row in rows}
    for each in sorted(by_id):
        row = by_id[each]
        ledgers[row["terminal"]].incidents.append(_incident(row, cases))
    for row in await connection.fetch(ZONES, sorted(ledgers)):
        ledgers[row["terminal"]].zone_name = row["timezone"]


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


def _incident(row: asyncpg.Record, cases: Mapping[str | None, Case]) -> Incident:
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


async def write(connection: Connection, ledgers: Iterable[Ledger]) -> None:
    """Write what changed: cases first, for incidents name them."""
    whole = list(ledgers)
    await _number(connection, whole)
    changed = [(ledger, case) for ledger in whole for case in ledger.cases if case.changed]
    new = [_new_case(case) for _, case in changed if case.new]
    old = [(case.number, case.state, ledger.now) for ledger, case in changed if not case.new]
    # A terminal has one open work order: what ends makes room for what begins.
    old.sort(key=lambda values: values[1] not in FINISHED)
    if old:
        await connection.executemany(CHANGE_CASE, old)
    if new:
        await connection.executemany(NEW_CASE, new)
    entries = [_entry(case, entry) for _, case in changed for entry in case.added]
    if entries:
        await connection.executemany(HISTORY, entries)
    await _write_incidents(connection, [one for ledger in whole for one in ledger.incidents])


async def _number(connection: Connection, ledgers: Iterable[Ledger]) -> None:
    nameless = [(each, case) for each in ledgers for case in each.cases if case.number is None]
    if nameless:
        counts = await connection.fetch(NUMBERS, len(nameless))
        for (ledger, case), count in zip(nameless, counts, strict=True):
            year = case.opened_at.astimezone(zone(ledger.zone_name)).year
            case.number = number_of(count[0], year=year)


async def _write_incidents(connection: Connection, incidents: Iterable[Incident]) -> None:
    changed = [one for one in incidents if one.changed]
    gone = [(one.id,) for one in changed if one.deleted and one.id is not None]
    new = [
        (one.terminal, one.finding.rule, one.finding.epoch, one.finding.subject, *_content(one))
        for one in changed
        if one.id is None and not one.deleted
    ]
    old = [
        (one.id, *_content(one)[:-1]) for one in changed if one.id is not None and not one.deleted
    ]
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
