"""News to tables: pulses, presence and refusals, joined four times a second into one commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from collector.admission import ack, start
from collector.database import Connection
from collector.pulses import News, Question
from collector.refusals import KeptRefusal
from collector.store import ADD_TERMINALS, read_cursors
from wire.topics import TerminalId

REFUSALS_PER_TERMINAL_MAX: Final = 50

ADD_ROWS: Final = """
insert into terminal_now (terminal, heard_at)
select * from unnest($1::text[], $2::timestamptz[])
on conflict do nothing
"""
# What is stored and lies over a minute ahead was written before our clock was set back: it must not
# hide what is heard now. Within the minute two collectors' clocks may differ, and the later counts.
CHANGE_ROWS: Final = """
with news as (
  select known.terminal, new.heard_at, new.pulse, new.pulse_at, new.pulse_received_at,
    new.changed_at,
    new.pulse is not null and (known.pulse_received_at > new.pulse_received_at
      and known.pulse_received_at <= new.pulse_received_at + interval '1 min'
    ) is not true as is_newer,
    case when new.boot is not null then new.boot when is_offline then offline_boot
      else known.boot end as boot,
    case when new.online then true when is_offline then false
      when new.boot is distinct from known.boot and new.boot is not null then true
      when new.boot is not null then coalesce(known.online, true)
      else known.online end as online
  from (
    select known.* from terminal_now as known
    where known.terminal = any($1::text[]) order by known.terminal for update
  ) as known join unnest(
    $1::text[], $2::timestamptz[], $3::jsonb[], $4::timestamptz[], $5::timestamptz[],
    $6::text[], $7::boolean[], $8::text[], $9::timestamptz[]
  ) as new (terminal, heard_at, pulse, pulse_at, pulse_received_at, boot, online, offline_boot,
    changed_at) using (terminal),
  lateral (
    select not new.online
      and (new.boot is not null or known.boot is null or known.boot = offline_boot) as is_offline
  ) as judged
)
update terminal_now as known set
  heard_at = case when known.heard_at > news.heard_at + interval '1 min' then news.heard_at
    else greatest(known.heard_at, news.heard_at) end,
  pulse = case when is_newer then news.pulse else known.pulse end,
  pulse_at = case when is_newer then news.pulse_at else known.pulse_at end,
  pulse_received_at = case when is_newer then news.pulse_received_at
    else known.pulse_received_at end,
  boot = news.boot,
  online = news.online,
  online_changed_at = case when news.online is distinct from known.online then changed_at
    else known.online_changed_at end
from news
where known.terminal = news.terminal
"""
NOTIFY: Final = "notify kvitok_pulse"
# Where the last sign of listening is missing, what was heard since may be missing too: the database
# was away, or it is one that was restored from a backup. Listening then begins anew.
LISTENING: Final = """
insert into listening as known (collector, since, until) values ($1, $3, $3)
on conflict (collector) do update set until = $3, since = case
  when known.until < $3::timestamptz - $4::interval then $3
  when known.since <= $3 then greatest(known.since, $2)
  else $2 end
"""
ADD_REFUSALS: Final = """
insert into refusal as known
  (terminal, digest, channel, reason, size_bytes, first_at, last_at, times)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[],
  $6::timestamptz[], $7::timestamptz[], $8::bigint[])
on conflict (terminal, digest) do update
set times = known.times + excluded.times, last_at = excluded.last_at
"""
DROP_REFUSALS: Final = """
delete from refusal using (
  select terminal, digest, row_number() over (partition by terminal order by last_at desc) as place
  from refusal where terminal = any($1::text[])
) as old
where place > $2 and refusal.terminal = old.terminal and refusal.digest = old.digest
"""
KEEP_PARTITIONS: Final = "select made, dropped from keep_event_partitions($1, $2, $3, $4)"


@dataclass(frozen=True, slots=True)
class Edition:
    """What goes into one commit."""

    news: Mapping[TerminalId, News] = field(default_factory=dict)
    questions: Sequence[Question] = ()
    refusals: Sequence[KeptRefusal] = ()
    listening: tuple[str, datetime, datetime, timedelta] | None = None
    """Who listens, since when, when that is said, and with what gap before it did not listen."""
    notify: bool = False


async def publish_edition(
    connection: Connection, edition: Edition, strangers: set[str]
) -> dict[TerminalId, bytes]:
    """Write an edition in the transaction under way; return the acks that answer its questions.

    `strangers` are those of its terminals that may not be listed yet.
    """
    if edition.listening is not None:
        await connection.execute(LISTENING, *edition.listening)
    await _write_news(connection, edition, strangers)
    if edition.refusals:
        columns = zip(*(_columns(each) for each in edition.refusals), strict=True)
        await connection.execute(ADD_REFUSALS, *map(list, columns))
        names = sorted({each.terminal for each in edition.refusals})
        await connection.execute(DROP_REFUSALS, names, REFUSALS_PER_TERMINAL_MAX)
    if edition.notify:
        await connection.execute(NOTIFY)
    asked = [(each.terminal, each.epoch) for each in edition.questions]
    cursors = await read_cursors(connection, asked)
    answers: dict[TerminalId, bytes] = {}
    for each in edition.questions:
        cursor = cursors.get((each.terminal, each.epoch)) or start(each.epoch)
        if cursor.next != each.unless:
            answers[each.terminal] = ack(each.epoch, cursor)
    return answers


async def keep_partitions(
    connection: Connection, now: datetime, *, step_days: int, keep_days: int, ahead_days: int
) -> tuple[int, int]:
    """Make partitions of `event` ahead and drop the old ones; return how many of each."""
    days = [timedelta(days=each) for each in (step_days, ahead_days, keep_days)]
    made, dropped = await connection.fetchrow(KEEP_PARTITIONS, now, *days)
    return made, dropped


async def _write_news(connection: Connection, edition: Edition, strangers: set[str]) -> None:
    if not edition.news:
        return
    # In one order for everybody: two collectors with the same terminals then wait, not deadlock.
    names = sorted(edition.news)
    news = [edition.news[each] for each in names]
    heard = [(name, each.heard_at) for name, each in zip(names, news, strict=True) if each.heard_at]
    if heard:
        columns = [list(column) for column in zip(*heard, strict=True)]
        new = [each for each in heard if each[0] in strangers]
        if new:
            await connection.execute(
                ADD_TERMINALS, *(list(column) for column in zip(*new, strict=True))
            )
        await connection.execute(ADD_ROWS, *columns)
    await connection.execute(
        CHANGE_ROWS,
        names,
        [each.heard_at for each in news],
        [each.pulse for each in news],
        [each.pulse_at for each in news],
        [each.pulse_received_at for each in news],
        [each.boot for each in news],
        [each.online for each in news],
        [each.offline_boot for each in news],
        [each.changed_at for each in news],
    )


def _columns(each: KeptRefusal) -> tuple[object, ...]:
    return (
        each.terminal,
        each.digest,
        each.channel,
        each.reason,
        each.size,
        each.first_at,
        each.last_at,
        each.times,
    )
