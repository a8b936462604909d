"""The fold's door to PostgreSQL: what it reads and writes, a few hundred terminals a commit."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeAlias

import asyncpg
import orjson

from incidents.devices import Device
from incidents.findings import Ms
from incidents.fold import Changes, Key, Row
from incidents.state import PulseSeen, State, from_json, to_json
from incidents.times import instant, ms
from incidents.transactions import Judgement, Transaction

log: Final = logging.getLogger(__name__)

Connection: TypeAlias = asyncpg.Connection

TAKE: Final = """
select f.terminal, f.state::text as state, n.heard_at, n.pulse::text as pulse, n.pulse_at,
  n.pulse_received_at
from fold f left join terminal_now n using (terminal)
where f.terminal = any($1::text[])
order by f.terminal
for update of f skip locked
"""

# A conflict with a row that another is about to commit would wait for it: only new ones are tried.
BEGIN: Final = """
insert into fold (terminal, state)
select terminal, '{}' from unnest($1::text[]) as known(terminal)
where not exists (select from fold where fold.terminal = known.terminal)
order by terminal
on conflict do nothing
"""

POSITIONS: Final = """
select j.terminal, j.epoch, coalesce(p.next_seq, 1) as next_seq, j.next_seq as until_seq,
  p.received_at
from journal j left join fold_position p using (terminal, epoch)
where j.terminal = any($1::text[]) and j.next_seq > coalesce(p.next_seq, 1)
order by j.terminal, j.epoch
"""

# Rows are looked for from an hour before the last folded one was received, so that old partitions
# are not opened: collectors' clocks differ by less than that. `events` sees where they did not.
EVENTS: Final = """
select j.terminal, e.epoch, e.seq, e.kind, (date_part('epoch', e.at) * 1000)::bigint as at,
  (date_part('epoch', e.received_at) * 1000)::bigint as received, e.body::text as body
from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[])
    as j(terminal, epoch, next_seq, until_seq, received_at),
  lateral (
    select * from event
    where event.terminal = j.terminal and event.epoch = j.epoch
      and event.seq >= j.next_seq and event.seq < j.until_seq
      and event.received_at >= j.received_at - interval '1 hour'
    order by event.seq limit $6
  ) e
"""

TRANSACTIONS: Final = """
select t.*, t.proof::text as proof_text, t.fiscal::text as fiscal_text
from unnest($1::text[], $2::bigint[], $3::text[]) as k(terminal, epoch, tx)
join transaction t using (terminal, epoch, tx)
"""

STATES: Final = """
update fold set state = k.state::json, ripe_at = k.ripe_at, changed_at = now(),
  pulse_received_at = coalesce(k.pulse_received_at, fold.pulse_received_at)
from unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[])
  as k(terminal, state, ripe_at, pulse_received_at)
where fold.terminal = k.terminal
"""

MOVE: Final = """
insert into fold_position (terminal, epoch, next_seq, received_at)
select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::timestamptz[])
on conflict (terminal, epoch) do update
set next_seq = excluded.next_seq, received_at = excluded.received_at
"""

DEVICES: Final = """
insert into device_now (terminal, device, status, paper, storage, cause, code, since)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
  $7::text[], $8::timestamptz[])
on conflict (terminal, device) do update
set status = excluded.status, paper = excluded.paper, storage = excluded.storage,
  cause = excluded.cause, code = excluded.code, since = excluded.since
"""

_COLUMNS: Final = {
    "terminal": "text",
    "epoch": "bigint",
    "tx": "text",
    "started_at": "timestamptz",
    "ended_at": "timestamptz",
    "end_cause": "text",
    "service": "text",
    "service_name": "text",
    "account_masked": "text",
    "account_hash": "text",
    "accepted": "bigint",
    "returned": "bigint",
    "currency": "text",
    "payment": "text",
    "payment_amount": "bigint",
    "payment_fee": "bigint",
    "payment_code": "text",
    "payment_reference": "text",
    "receipt": "text",
    "receipt_cause": "text",
    "receipt_number": "text",
    "fiscal": "jsonb",
    "proof": "jsonb",
    "judged": "json",
}
_PLAIN: Final = tuple(_COLUMNS)[5:21]
_ARRAYS: Final = ", ".join(
    f"${number}::{kind}[]" for number, kind in enumerate(_COLUMNS.values(), start=1)
)
_SETS: Final = ", ".join(f"{name} = excluded.{name}" for name in tuple(_COLUMNS)[4:])

UPSERT_TRANSACTIONS: Final = f"""
insert into transaction ({", ".join(_COLUMNS)})
select * from unnest({_ARRAYS})
on conflict (terminal, epoch, tx) do update set {_SETS}
"""  # noqa: S608 - built of the table above


@dataclass(slots=True, kw_only=True)
class Taken:
    """A terminal whose fold is locked by this commit."""

    terminal: str
    state: State
    pulse: PulseSeen | None
    interval_s: int | None
    heard_at: datetime | None
    pulse_received_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rows of one journal that are not folded yet."""

    terminal: str
    epoch: int
    next_seq: int
    until_seq: int
    received_at: datetime | None


async def take(connection: Connection, terminals: Sequence[str]) -> list[Taken]:
    """Lock the folds of these terminals, but those that another worker holds."""
    rows = await connection.fetch(TAKE, terminals)
    missing = sorted(set(terminals) - {row["terminal"] for row in rows})
    if missing:
        await connection.execute(BEGIN, missing)
        rows += await connection.fetch(TAKE, missing)
    return [_taken(row) for row in rows]


def _taken(row: asyncpg.Record) -> Taken:
    pulse, interval = _pulse(row)
    return Taken(
        terminal=row["terminal"],
        state=from_json(orjson.loads(row["state"])),
        pulse=pulse,
        interval_s=interval,
        heard_at=row["heard_at"],
        pulse_received_at=row["pulse_received_at"],
    )


def _pulse(row: asyncpg.Record) -> tuple[PulseSeen | None, int | None]:
    if row["pulse"] is None or row["pulse_at"] is None or row["pulse_received_at"] is None:
        return None, None
    body = orjson.loads(row["pulse"])
    seen = PulseSeen(
        epoch=body["epoch"],
        next=body["next"],
        unacked=body["unacked"],
        at=ms(row["pulse_at"]),
        received_at=ms(row["pulse_received_at"]),
    )
    return seen, body.get("interval_s")


async def stretches(connection: Connection, terminals: Sequence[str]) -> list[Stretch]:
    """Return what is stored and not folded, by terminal and epoch."""
    return [Stretch(**dict(row)) for row in await connection.fetch(POSITIONS, terminals)]


async def events(
    connection: Connection, unread: Sequence[Stretch], *, most: int
) -> tuple[dict[str, list[Row]], set[str]]:
    """Return the rows of these stretches, ordered by epoch and seq, and who has more of them.

    At most so many of each stretch, and none of an epoch before a smaller one is read to its end.
    """
    found = await _read(connection, unread, most=most)
    astray = [
        replace(one, received_at=None)
        for one in unread
        if not _is_whole(one, found.get((one.terminal, one.epoch)), most=most)
    ]
    # Our clock was set back, or a range is declared as lost: look everywhere.
    found |= await _read(connection, astray, most=most)
    rows: dict[str, list[Row]] = {}
    unfinished: set[str] = set()
    for one in sorted(unread, key=lambda one: (one.terminal, one.epoch)):
        some = found.get((one.terminal, one.epoch))
        if some is None or one.terminal in unfinished:
            continue
        rows.setdefault(one.terminal, []).extend(some)
        if len(some) == most and some[-1][1] + 1 < one.until_seq:
            unfinished.add(one.terminal)
    return rows, unfinished


def _is_whole(one: Stretch, rows: Sequence[Row] | None, *, most: int) -> bool:
    if rows is None or rows[0][1] != one.next_seq:
        return False
    following = rows[-1][1] + 1
    is_end = len(rows) == most or following == one.until_seq
    return is_end and following - one.next_seq == len(rows)


async def _read(
    connection: Connection, unread: Sequence[Stretch], *, most: int
) -> dict[tuple[str, int], list[Row]]:
    if not unread:
        return {}
    records = await connection.fetch(
        EVENTS,
        [one.terminal for one in unread],
        [one.epoch for one in unread],
        [one.next_seq for one in unread],
        [one.until_seq for one in unread],
        [one.received_at or instant(0) for one in unread],
        most,
    )
    rows: dict[tuple[str, int], list[Row]] = {}
    loads = orjson.loads
    for terminal, epoch, seq, kind, at, received, body in records:
        try:
            row = (epoch, seq, kind, at, received, loads(body))
        except ValueError:
            # A number that only PostgreSQL can hold: the row stays, no rule reads it.
            log.warning("row %s/%s/%s cannot be read", terminal, epoch, seq)
            row = (epoch, seq, "quarantined", at, received, {})
        key = (terminal, epoch)
        if key in rows:
            rows[key].append(row)
        else:
            rows[key] = [row]
    for each in rows.values():
        each.sort(key=_seq)
    return rows


def _seq(row: Row) -> int:
    return row[1]


async def transactions(
    connection: Connection, keys: Mapping[str, Iterable[Key]]
) -> dict[str, dict[Key, Transaction]]:
    """Return the rows that exist under these keys, by terminal."""
    wanted = [(terminal, epoch, tx) for terminal, some in keys.items() for epoch, tx in some]
    found: dict[str, dict[Key, Transaction]] = {terminal: {} for terminal in keys}
    if not wanted:
        return found
    terminals, epochs, txs = zip(*wanted, strict=True)
    for row in await connection.fetch(TRANSACTIONS, terminals, epochs, txs):
        found[row["terminal"]][row["epoch"], row["tx"]] = _transaction(row)
    return found


def _transaction(row: asyncpg.Record) -> Transaction:
    judged = orjson.loads(row["judged"])
    values: list[Any] = [row["epoch"], row["tx"], ms(row["started_at"])]
    values.append(None if row["ended_at"] is None else ms(row["ended_at"]))
    values += [row[name] for name in _PLAIN]
    values.append(None if row["fiscal_text"] is None else orjson.loads(row["fiscal_text"]))
    values.append(orjson.loads(row["proof_text"]))
    values.append({rule: _judgement(each) for rule, each in judged.items()})
    return Transaction(*values)


def _judgement(values: list[Any]) -> Judgement:
    opened_at, cleared_at, times, cause, proof = values
    return Judgement(opened_at, cleared_at, times, cause, tuple((e, s) for e, s in proof))


def _values(terminal: str, tx: Transaction) -> tuple[Any, ...]:
    dumps = orjson.dumps
    judged = {
        rule: [one.opened_at, one.cleared_at, one.times, one.cause, one.proof]
        for rule, one in tx.judged.items()
    }
    return (
        terminal,
        tx.epoch,
        tx.tx,
        instant(tx.started_at),
        None if tx.ended_at is None else instant(tx.ended_at),
        tx.end_cause,
        tx.service,
        tx.service_name,
        tx.account_masked,
        tx.account_hash,
        tx.accepted,
        tx.returned,
        tx.currency,
        tx.payment,
        tx.payment_amount,
        tx.payment_fee,
        tx.payment_code,
        tx.payment_reference,
        tx.receipt,
        tx.receipt_cause,
        tx.receipt_number,
        None if tx.fiscal is None else dumps(tx.fiscal).decode(),
        dumps(tx.proof).decode(),
        dumps(judged).decode() if judged else "{}",
    )


async def write_transactions(
    connection: Connection, changes: Iterable[tuple[str, Changes]]
) -> None:
    """Write the changed transactions, in one order for all workers."""
    rows = [
        _values(terminal, tx) for terminal, change in changes for tx in change.transactions.values()
    ]
    if rows:
        await connection.execute(UPSERT_TRANSACTIONS, *zip(*rows, strict=True))


async def write_devices(connection: Connection, changes: Iterable[tuple[str, Changes]]) -> None:
    """Write the changed devices."""
    rows = [
        _device(terminal, name, device)
        for terminal, change in changes
        for name, device in change.devices.items()
    ]
    if rows:
        await connection.execute(DEVICES, *zip(*rows, strict=True))


def _device(terminal: str, name: str, device: Device) -> tuple[Any, ...]:
    return (
        terminal,
        name,
        device.status,
        device.paper,
        device.storage,
        device.cause,
        device.code,
        instant(device.since),
    )


async def write_positions(connection: Connection, changes: Iterable[tuple[str, Changes]]) -> None:
    """Move the folded positions."""
    rows = [
        (terminal, epoch, next_seq, instant(received))
        for terminal, change in changes
        for epoch, (next_seq, received) in change.positions.items()
    ]
    if rows:
        await connection.execute(MOVE, *zip(*rows, strict=True))


async def write_states(connection: Connection, taken: Iterable[Taken], *, held_ms: Ms) -> None:
    """Write the states, and when to look again for what waits."""
    rows = [
        (
            one.terminal,
            orjson.dumps(to_json(one.state)).decode(),
            _ripe_at(one.state, held_ms),
            one.pulse_received_at,
        )
        for one in taken
    ]
    if rows:
        await connection.execute(STATES, *zip(*rows, strict=True))


def _ripe_at(state: State, held_ms: Ms) -> datetime | None:
    ripe = state.ripe_at(held_ms)
    return None if ripe is None else instant(ripe)
