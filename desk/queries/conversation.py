"""Whose a case is, and what its customer has written: what decides where a letter belongs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from desk.mail.thread import Home
from desk.queries.database import Database, Record, json_value
from incidents.matching.unplaced import PAYMENT_KINDS

LETTERS_MAX: Final = 10
"""Letters of one case that are read together, the newest."""

KNOWN_IDS: Final = """
select m.message_id, r.case_number
from mail_in m join report r on r.id = m.report
where m.message_id = any($1::bytea[]) and r.id <> $2 and r.case_number is not null
order by r.customers && $3::text[], m.id desc
"""
HOMES: Final = """
with recursive named as (
  select number as named, number, merged_into, 1 as step
  from support_case where number = any($1::text[])
  union all
  select n.named, c.number, c.merged_into, n.step + 1
  from named n join support_case c on c.number = n.merged_into where n.step < 50
)
select n.named, n.number as live,
  case when exists (
    select from report r
    where r.case_number = n.number and r.id <> $3 and r.customers && $2::text[]
  ) then n.number
  -- What was sent under this number was about a report that is in another case by now.
  else (
    select r.case_number from mail_out o join report r on r.id = o.report
    where o.case_number in (select m.number from named m where m.named = n.named)
      and o.customer = any($2::text[]) and r.customers && $2::text[] and r.case_number is not null
    order by o.id desc limit 1
  ) end as own
from named n where n.merged_into is null
"""
OWN_CASES: Final = """
select c.number, c.terminal, c.epoch, c.tx, c.merged_into,
  c.state in ('resolved', 'closed') as over,
  exists (
    select from case_history h where h.number = c.number and h.action = 'report_joined'
      and h.text ~ ': (signed_id|known_id|token)$'
  ) as answered,
  array(
    select r.id from report r
    where r.case_number = c.number and r.customers && $2::text[] and r.id <> $3
      and r.set_aside is null and r.attached_by is null
      -- What a person has taken out says nothing of the payment that is meant.
      and not r.held
    order by exists (
      select from report_fact f where f.report = r.id and f.kind = any($6::text[])
    ) desc, r.received_at desc, r.id desc limit $5
  ) as letters
from support_case c
where c.number in (
  select $1 union
  select r.case_number from report r
  where r.customers && $2::text[] and r.id <> $3 and r.set_aside is null
    and r.received_at > $4
)
order by c.opened_at desc, c.number desc limit 20
"""
REPORT_NOW: Final = """
select case_number, attached_by, held, answer from report where id = $1
"""
LOCK_REPORT: Final = f"{REPORT_NOW} for update"
LETTER_FACTS: Final = """
select report, kind, value::text as value, origin from report_fact
where report = any($1::bigint[]) order by report, number
"""
WROTE_BEFORE: Final = """
select exists (
  select from report o join report r on o.case_number = r.case_number
  where r.id = $1 and o.id <> r.id and o.customers && $2::text[]
)
"""
DECIDE_ANSWER: Final = "update report set answer = coalesce(answer, $2) where id = $1"


@dataclass(frozen=True, slots=True)
class OwnCase:
    """A case that a customer has written to, and the letters that are attached to nothing."""

    number: str
    terminal: str | None
    epoch: int | None
    tx: str | None
    merged_into: str | None
    over: bool
    """Nobody is expected to do anything more."""
    answered: bool
    """One of its letters answers another: all of them mean the same payment."""
    letters: tuple[int, ...]
    """Those that tell of a payment first, then the newest first."""

    @property
    def place(self) -> tuple[str, str | None, int | None, str | None, str | None]:
        """Return what a decision about a letter to this case depends on."""
        return (self.number, self.terminal, self.epoch, self.tx, self.merged_into)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a report and its customer's cases stand: what a decision about it was made on."""

    case: str | None
    attached_by: str | None
    held: bool
    cases: tuple[OwnCase, ...]
    """The newest first."""

    def of(self, number: str | None) -> OwnCase | None:
        """Return one of the cases."""
        return next((each for each in self.cases if each.number == number), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is looked for: the cases of this report's customer."""

    report: int
    customers: frozenset[str]
    since: datetime
    """Cases with a letter after it."""
    named: str | None = None
    """A case beside them that a letter answers."""


async def known_cases(
    database: Database, ids: Mapping[bytes, str], report: int, sender: Collection[str]
) -> dict[str, str]:
    """Return cases by the ids of letters that came before; `ids` are these ids by their keys."""
    if not ids:
        return {}
    rows = await database.fetch(KNOWN_IDS, list(ids), report, sorted(sender))
    # Of several with one id the sender's own is the last, and counts.
    return {ids[bytes(row["message_id"])]: row["case_number"] for row in rows}


async def homes_of(
    database: Database, cases: Collection[str], report: int, sender: Collection[str]
) -> dict[str, Home]:
    """Return what became of these cases, and where the sender's reports of them are now."""
    if not cases:
        return {}
    rows = await database.fetch(HOMES, sorted(cases), sorted(sender), report)
    return {row["named"]: Home(row["live"], row["own"]) for row in rows}


async def read_standing(
    database: Database, asked: Asked, *, locked: bool = False
) -> Standing | None:
    """Return where a report and its customer's cases stand, with the report's row locked or not."""
    row = await database.fetchrow(LOCK_REPORT if locked else REPORT_NOW, asked.report)
    if row is None:
        return None
    values = (sorted(asked.customers), asked.report, asked.since, LETTERS_MAX, PAYMENT_KINDS)
    cases = await database.fetch(OWN_CASES, row["case_number"] or asked.named, *values)
    return Standing(
        case=row["case_number"],
        attached_by=row["attached_by"],
        held=row["held"],
        cases=tuple(_own(each) for each in cases),
    )


@dataclass(frozen=True, slots=True)
class KeptFact:
    """A fact as it lies in the table, its accounts by their keyed hashes."""

    kind: str
    value: Any
    origin: str


async def facts_of_letters(
    database: Database, letters: Collection[int]
) -> dict[int, list[KeptFact]]:
    """Return what letters were understood to say of payments."""
    found: dict[int, list[KeptFact]] = {}
    for row in await database.fetch(LETTER_FACTS, list(letters)):
        fact = KeptFact(row["kind"], json_value(row["value"]), row["origin"])
        found.setdefault(row["report"], []).append(fact)
    return found


async def has_written_before(database: Database, report: int, customers: Collection[str]) -> bool:
    """Return whether the same customer's earlier report is in a report's case."""
    before: bool = await database.fetchval(WROTE_BEFORE, report, sorted(customers))
    return before


async def decide_answer(database: Database, report: int, answer: str) -> None:
    """Write down whether a report's sender gets an answer; what is decided stays."""
    await database.execute(DECIDE_ANSWER, report, answer)


def _own(record: Record) -> OwnCase:
    fields: dict[str, Any] = dict(record)
    return OwnCase(**fields | {"letters": tuple(fields["letters"])})
