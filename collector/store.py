"""Batches to tables: one commit moves the cursors and writes the events of those that moved.

Laws. The conditional update is the only judge of what is stored: its condition is that of
`collector.admission`, so collectors may handle one terminal in turn, or at once, and nothing is
stored twice. A commit whose answer was lost is simply done again: what moved then is found to be a
repetition. A commit holds at most one batch of a terminal, so what one says comes in its order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from collector.admission import Answered, Cursor, Taken, Why, admit, begins, place, start
from collector.database import Connection
from collector.reading import Readable, unix_ms
from wire.journal import Epoch
from wire.topics import TerminalId

ADD_TERMINALS: Final = """
insert into terminal as known (terminal, first_heard_at)
select * from unnest($1::text[], $2::timestamptz[])
on conflict (terminal) do update set first_heard_at = excluded.first_heard_at
where known.first_heard_at is null
"""
ADD_HEARD: Final = """
insert into terminal_now as known (terminal, heard_at)
select * from unnest($1::text[], $2::timestamptz[])
on conflict (terminal) do update set heard_at = excluded.heard_at
where known.heard_at < excluded.heard_at
"""
ADD_JOURNALS: Final = """
insert into journal (terminal, epoch, next_seq, mark)
select terminal, epoch, 1, epoch::text
from unnest($1::text[], $2::bigint[]) as new (terminal, epoch)
on conflict do nothing
"""
MOVE_CURSORS: Final = """
with moved as (
update journal set next_seq = batch.next_seq, mark = batch.mark, moved_at = now()
from unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::text[])
  as batch (terminal, epoch, place, prev, next_seq, mark)
where journal.terminal = batch.terminal and journal.epoch = batch.epoch
  and journal.next_seq = batch.place and (batch.prev is null or journal.mark = batch.prev)
returning journal.terminal, exists (
  select from journal as later
  where later.terminal = journal.terminal and later.epoch > journal.epoch
) as old)
select array_agg(terminal), array_agg(old), pg_notify('kvitok_journal',
  case when octet_length(string_agg(terminal, ',')) <= 7000 then string_agg(terminal, ',')
    else '' end)
from moved having count(*) > 0
"""
"""Moves and tells at once: each statement more is a way to the database and back."""
READ_CURSORS: Final = """
select terminal, epoch, next_seq, mark from journal
join unnest($1::text[], $2::bigint[]) as asked (terminal, epoch) using (terminal, epoch)
"""
ADD_QUARANTINED: Final = """
insert into quarantine (terminal, epoch, seq, received_at, reason, body)
select * from
  unnest($1::text[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[])
"""
ADD_CLASHES: Final = """
insert into journal_clash as known (terminal, epoch, evidence, seq, first_at, last_at)
select terminal, epoch, evidence, seq, at, at
from unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::timestamptz[])
  as new (terminal, epoch, evidence, seq, at)
on conflict (terminal, epoch, evidence) do update
set times = known.times + 1, seq = excluded.seq,
  previous_at = known.last_at, last_at = excluded.last_at
"""
NOTIFY: Final = "select pg_notify('kvitok_journal', $1)"

EVENT_COLUMNS: Final = ("terminal", "epoch", "seq", "kind", "at", "received_at", "body")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A readable batch, whose, when, and the bytes it was read from."""

    terminal: TerminalId
    received_at: datetime
    readable: Readable
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a commit did with each arrival, in their order."""

    outcomes: list[Taken | Answered]
    events: int
    quarantined: int


async def store(connection: Connection, arrivals: Sequence[Arrival], strangers: set[str]) -> Stored:
    """Store what is admitted of arrivals of different terminals, in the transaction under way.

    `strangers` are those of them that may not be listed yet.
    """
    await _add_strangers(connection, [each for each in arrivals if each.terminal in strangers])
    await _add_journals(connection, [each for each in arrivals if begins(each.readable.batch)])
    moved = await _move(connection, arrivals)
    losers = [each for each in arrivals if each.terminal not in moved]
    cursors = await read_cursors(
        connection, [(each.terminal, Epoch(each.readable.batch.epoch)) for each in losers]
    )
    outcomes = [_outcome(each, None if each.terminal in moved else cursors) for each in arrivals]
    taken = [each for each in arrivals if each.terminal in moved]
    rows = [row for each in taken for row in _rows(each)]
    if rows:
        await connection.copy_records_to_table("event", records=rows, columns=EVENT_COLUMNS)
    quarantined = await _add_quarantined(connection, taken)
    clashed = await _add_clashes(connection, arrivals, outcomes, moved)
    for terminal in clashed:
        await connection.execute(NOTIFY, terminal)
    return Stored(outcomes, len(rows), quarantined)


async def read_cursors(
    connection: Connection, journals: Sequence[tuple[TerminalId, Epoch]]
) -> dict[tuple[str, int], Cursor]:
    """Return the cursors of those of the journals that are known."""
    if not journals:
        return {}
    columns = [list(column) for column in zip(*journals, strict=True)]
    found = await connection.fetch(READ_CURSORS, *columns)
    return {(terminal, epoch): Cursor(seq, mark) for terminal, epoch, seq, mark in found}


async def _add_strangers(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    if arrivals:
        columns = [each.terminal for each in arrivals], [each.received_at for each in arrivals]
        await connection.execute(ADD_TERMINALS, *columns)
        await connection.execute(ADD_HEARD, *columns)


async def _add_journals(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    if arrivals:
        epochs = [each.readable.batch.epoch for each in arrivals]
        await connection.execute(ADD_JOURNALS, [each.terminal for each in arrivals], epochs)


async def _move(connection: Connection, arrivals: Sequence[Arrival]) -> dict[str, bool]:
    """Move the cursors that stand where a batch begins; return whose, and if its epoch is old."""
    # In one order for everybody: two collectors with the same terminals then wait, not deadlock.
    ordered = sorted(arrivals, key=lambda each: each.terminal)
    batches = [each.readable.batch for each in ordered]
    moved = await connection.fetchrow(
        MOVE_CURSORS,
        [each.terminal for each in ordered],
        [each.epoch for each in batches],
        [place(each) for each in batches],
        [each.prev if each.lost_from is None else None for each in batches],
        [each.readable.batch.first + len(each.readable.rows) for each in ordered],
        [each.last for each in batches],
    )
    return dict(zip(moved[0], moved[1], strict=True)) if moved else {}


def _outcome(arrival: Arrival, cursors: dict[tuple[str, int], Cursor] | None) -> Taken | Answered:
    """Return what became of a batch: it moved its cursor (no cursors), or the reason it did not."""
    batch, count = arrival.readable.batch, len(arrival.readable.rows)
    if cursors is None:
        through = None if batch.lost_from is None else batch.first - 1
        return Taken(Cursor(batch.first + count, batch.last), through)
    cursor = cursors.get((arrival.terminal, batch.epoch)) or start(batch.epoch)
    decision = admit(cursor, batch, count)
    # The cursor came to where the batch begins between the two statements: it is sent again in 1 s.
    return Answered(cursor, Why.HOLE) if isinstance(decision, Taken) else decision


def _rows(arrival: Arrival) -> list[tuple[Any, ...]]:
    batch, at = arrival.readable.batch, arrival.received_at
    terminal, epoch = arrival.terminal, batch.epoch
    rows: list[tuple[Any, ...]] = [
        (terminal, epoch, seq, row.kind, row.at, at, row.body)
        for seq, row in enumerate(arrival.readable.rows, batch.first)
    ]
    if batch.lost_from is not None:
        body = f'{{"kind":"journal_lost","at":{unix_ms(at)},"through":{batch.first - 1}}}'
        rows.insert(0, (terminal, epoch, batch.lost_from, "journal_lost", at, at, body))
    return rows


async def _add_quarantined(connection: Connection, taken: Sequence[Arrival]) -> int:
    found = [
        (each.terminal, each.readable.batch.epoch, bad.seq, each.received_at, bad.reason, bad.body)
        for each in taken
        for bad in each.readable.quarantined
    ]
    if found:
        await connection.execute(ADD_QUARANTINED, *map(list, zip(*found, strict=True)))
    return len(found)


async def _add_clashes(
    connection: Connection,
    arrivals: Sequence[Arrival],
    outcomes: Sequence[Taken | Answered],
    moved: dict[str, bool],
) -> list[str]:
    """Keep what speaks for two journals under one number (rules 7 and 8)."""
    found = []
    for each, outcome in zip(arrivals, outcomes, strict=True):
        fork = isinstance(outcome, Answered) and outcome.why is Why.FORK
        if fork or moved.get(each.terminal, False):
            evidence = "fork" if fork else "old_epoch"
            batch = each.readable.batch
            found.append((each.terminal, batch.epoch, evidence, place(batch), each.received_at))
    if found:
        await connection.execute(ADD_CLASHES, *map(list, zip(*found, strict=True)))
    return [row[0] for row in found]
