"""What the worker looks for by itself: rows that no notification told of, pulses, silence."""

from datetime import datetime, timedelta
from typing import Final

from incidents import clash
from incidents.calendar import zone
from incidents.commit import NOTHING_ELSE, Errand
from incidents.silence import Heard, Hours, is_silent
from incidents.store import Connection
from incidents.thresholds import Thresholds

BEHIND: Final = """
select j.terminal, min(j.moved_at) as since
from journal j left join fold_position p using (terminal, epoch)
where j.next_seq > coalesce(p.next_seq, 1)
group by j.terminal
"""

RIPE: Final = """
select f.terminal
from fold f join terminal_now n using (terminal)
where f.ripe_at is not null and f.ripe_at <= n.pulse_at
  and n.pulse_received_at is distinct from f.pulse_received_at
"""

LISTENING: Final = """
select count(*) as collectors, min(since) filter (where until >= $1) as since from listening
"""

QUIET: Final = """
select n.terminal, n.heard_at, i.interval_s, t.timezone, t.opens, t.closes
from terminal_now n left join terminal t using (terminal),
  lateral (select case jsonb_typeof(n.pulse->'interval_s') when 'number'
    then (n.pulse->>'interval_s')::float8::int else $4::int end as interval_s) i
where n.heard_at < $1::timestamptz
  and n.heard_at < $2::timestamptz - $3::int * i.interval_s * interval '1 s'
  and not exists (select 1 from incident i
    where i.terminal = n.terminal and i.rule = 'terminal_silent' and i.cleared_at is null)
"""

HEARD_AGAIN: Final = """
select i.terminal
from incident i join terminal_now n using (terminal)
where i.rule = 'terminal_silent' and i.cleared_at is null
  and date_trunc('milliseconds', n.heard_at) > i.opened_at
"""

OVERDUE: Final = """
select distinct terminal from incident
where provisional and cleared_at is null and case_number is null and detected_at <= $1
"""

CLASHES: Final = """
select c.terminal, c.epoch, c.evidence, c.seq, c.first_at, c.previous_at, c.last_at,
  past.cleared_at
from journal_clash c
left join lateral (
  select max(i.cleared_at) as cleared_at from incident i
  where i.terminal = c.terminal and i.rule = 'identity_clash' and i.cleared_at is not null
) past on true
where (past.cleared_at is null or c.last_at > past.cleared_at)
  and not exists (select 1 from incident i
    where i.terminal = c.terminal and i.rule = 'identity_clash' and i.cleared_at is null)
order by c.terminal, c.first_at
"""


async def behind(connection: Connection, now: datetime) -> tuple[dict[str, Errand], float]:
    """Return the terminals with rows that are not folded, and how long the oldest has waited."""
    rows = await connection.fetch(BEHIND)
    waited = max((now - row["since"] for row in rows), default=timedelta())
    return {row["terminal"]: NOTHING_ELSE for row in rows}, max(0.0, waited.total_seconds())


async def ripe(connection: Connection) -> dict[str, Errand]:
    """Return the terminals for which a newer pulse may show that enough time has passed."""
    return {row[0]: NOTHING_ELSE for row in await connection.fetch(RIPE)}


async def listening_since(
    connection: Connection, now: datetime, *, started_at: datetime, numbers: Thresholds
) -> datetime | None:
    """Return since when somebody has listened without a break; None: nobody does now."""
    fresh = now - timedelta(seconds=numbers.deaf_s)
    row = await connection.fetchrow(LISTENING, fresh)
    if row["collectors"] == 0:
        return started_at
    since: datetime | None = row["since"]
    if since is None:
        return None
    # Later than now: written before our clock was set back.
    return started_at if since > now else max(since, started_at)


async def quiet(
    connection: Connection, now: datetime, since: datetime | None, numbers: Thresholds
) -> dict[str, Errand]:
    """Return the terminals that have fallen silent, and those that are heard again."""
    found = {row[0]: NOTHING_ELSE for row in await connection.fetch(HEARD_AGAIN)}
    if since is None or now - since < timedelta(seconds=numbers.grace_s):
        return found
    shortest = now - timedelta(seconds=numbers.silent_intervals)
    rows = await connection.fetch(
        QUIET, shortest, now, numbers.silent_intervals, numbers.pulse_interval_s
    )
    for row in rows:
        hours = Hours(zone=zone(row["timezone"]), opens=row["opens"], closes=row["closes"])
        heard = Heard(
            at=row["heard_at"],
            interval_s=row["interval_s"],
            listening_since=since,
        )
        if is_silent(heard, hours, now, numbers):
            found[row["terminal"]] = Errand(hours=hours)
    return found


async def overdue(connection: Connection, now: datetime, numbers: Thresholds) -> dict[str, Errand]:
    """Return the terminals with a provisional incident that has waited long enough for a case."""
    before = now - timedelta(seconds=numbers.provisional_case_s)
    rows = await connection.fetch(OVERDUE, before)
    return {row[0]: Errand(overdue=True) for row in rows}


async def clashes(connection: Connection, numbers: Thresholds) -> dict[str, Errand]:
    """Return the terminals under whose number two journals speak."""
    rows: dict[str, list[clash.Clash]] = {}
    cleared: dict[str, datetime | None] = {}
    for row in await connection.fetch(CLASHES):
        terminal = row["terminal"]
        cleared[terminal] = row["cleared_at"]
        rows.setdefault(terminal, []).append(
            clash.Clash(
                epoch=row["epoch"],
                evidence=row["evidence"],
                seq=row["seq"],
                first_at=row["first_at"],
                previous_at=row["previous_at"],
                last_at=row["last_at"],
            )
        )
    found: dict[str, Errand] = {}
    for terminal, each in rows.items():
        finding = clash.judge(each, cleared_at=cleared[terminal], numbers=numbers)
        if finding is not None:
            found[terminal] = Errand(clash=finding)
    return found
