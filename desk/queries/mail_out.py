"""Mail that is owed and mail that is written: what the mail program reads and writes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from desk.queries.database import Database, Record
from incidents.actions import HISTORY
from incidents.cases import DETECTOR
from incidents.store import Connection

TAKE_OWED: Final = """
select r.id, r.channel, r.content, r.status, r.received_at, r.reported_at, r.case_number,
  m.decision::text as decision, c.due_at, t.timezone,
  exists (
    select from case_history h where h.number = c.number and h.action = 'due_guessed'
  ) as guessed
from report r join support_case c on c.number = r.case_number
left join terminal t on t.terminal = c.terminal
left join report_match m on m.report = r.id
where r.answer = 'owed' and r.id <> all($1::bigint[])
order by r.id limit 1 for update of r skip locked
"""
COUNT_OWED: Final = "select count(*) from report where answer = 'owed'"
DECIDE: Final = "update report set answer = $2 where id = $1"
LOCK_CUSTOMER: Final = "select pg_advisory_xact_lock(hashtextextended($1, 1263943009))"
ANSWERED: Final = """
select count(*) filter (where customer = $1 and created_at > $2::timestamptz - $3::interval)
    as address_short,
  count(*) filter (where customer = $1) as address_long,
  (select count(*) from mail_out
   where kind = 'answer' and created_at > $2::timestamptz - $5::interval) as everybody
from mail_out
where kind = 'answer' and customer = $1 and created_at > $2::timestamptz - $4::interval
"""
ANSWERS_OF_CASE: Final = """
select content from mail_out
where kind = 'answer' and customer = $2 and case_number in (
  select $1 union all select number from support_case where merged_into = $1
)
"""
_RESOLVED: Final = """
from case_history h join support_case c on c.number = h.number
where h.action = 'resolve' and h.actor <> 'detector'
  and c.state in ('resolved', 'closed') and c.merged_into is null
  and exists (select from report r where r.case_number = h.number)
  and not exists (
    select from case_history later
    where later.number = h.number and later.id > h.id
      and later.action in ('resolve', 'reopen', 'mail_withheld')
  )
  and not exists (
    select from mail_out o where o.kind = 'resolution' and o.history = h.id
  )
"""
RESOLVED: Final = f"""
select h.id, h.number {_RESOLVED} and h.at > $1 and h.id <> all($2::bigint[])
order by h.at, h.id limit 1
"""
STILL_RESOLVED: Final = f"select h.id {_RESOLVED} and h.id = $1"
REPORTS_OF_CASE: Final = """
select id, channel, content, received_at, reported_at from report
where case_number = $1 and status <> 'suspended' order by received_at desc, id desc limit 20
for key share
"""
PUBLIC_TEXTS: Final = """
select h.text from case_history h
where h.number = $1 and h.id <= $2 and h.public and h.text is not null
  and h.id > coalesce(
    (select max(before.id) from case_history before
     where before.number = $1 and before.action = 'resolve' and before.id < $2), 0)
order by h.id
"""
LOCK_CASE: Final = "select number from support_case where number = $1 for update"
# Counted over all cases: a restore of an old backup moves every sequence on, so that no Message-ID
# of a mail that was lost with the database of before is given again.
NEXT: Final = "select nextval('mail_out_id_seq')"
WRITE: Final = """
insert into mail_out (kind, case_number, number, report, history, customer, content, created_at,
  due_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
"""
DUE: Final = """
select id from mail_out
where state in ('waiting', 'sending') and due_at <= $1 and id <> all($2::bigint[])
order by due_at, id limit 20
"""
TRY_LOCK: Final = "select pg_try_advisory_lock(hashtextextended($1, 1263943010))"
UNLOCK: Final = "select pg_advisory_unlock(hashtextextended($1, 1263943010))"
TAKE: Final = """
update mail_out set state = 'sending', tries = tries + 1, due_at = $3
where id = $1 and state in ('waiting', 'sending') and due_at <= $2
returning id, kind, case_number, tries, content, created_at
"""
SENT: Final = """
update mail_out set state = 'sent', sent_at = $2, error = null
where id = $1 and state = 'sending' returning case_number, kind
"""
LATER: Final = """
update mail_out set state = 'waiting', due_at = $2, error = $3, tries = tries - $4
where id = $1 and state = 'sending'
"""
FAILED: Final = """
update mail_out set state = 'failed', error = $2
where id = $1 and state = 'sending' returning case_number, kind
"""
STANDING: Final = """
select count(*) as waiting, min(created_at) as oldest
from mail_out where state in ('waiting', 'sending')
"""


async def note(
    connection: Connection, number: str, action: str, *, at: datetime, text: str
) -> None:
    """Add a line about our mail to a case's history; only staff read it."""
    await connection.execute(HISTORY, number, at, DETECTOR, action, None, None, text, False)


async def next_number(connection: Connection, case: str) -> int:
    """Lock a case and return the number of its next mail: no mail had it, or ever will."""
    await connection.execute(LOCK_CASE, case)
    number: int = await connection.fetchval(NEXT)
    return number


async def due(database: Database, now: datetime, but: Sequence[int]) -> list[int]:
    """Return the mails that are due, those that waited longest first."""
    return [row["id"] for row in await database.fetch(DUE, now, but)]


async def take(
    connection: Connection, mail: int, *, now: datetime, lease: timedelta
) -> Record | None:
    """Take a mail to the door; None if somebody else did, or it is not due any more."""
    row: Any = await connection.fetchrow(TAKE, mail, now, now + lease)
    return None if row is None else dict(row)
