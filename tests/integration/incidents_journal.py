"""Writes journals into the database as the collector does."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

EPOCH = 1_763_850_000_000

EVENT = """
insert into event (terminal, epoch, seq, kind, at, received_at, body)
values ($1, $2, $3, $4, to_timestamp($5::float8 / 1000), $6, $7::jsonb)
"""
CURSOR = """
insert into journal (terminal, epoch, next_seq, mark, moved_at) values ($1, $2, $3, 'aa', $4)
on conflict (terminal, epoch) do update
set next_seq = excluded.next_seq, moved_at = excluded.moved_at
"""
HEARD = """
insert into terminal_now (terminal, heard_at) values ($1, $2)
on conflict (terminal) do update set heard_at = excluded.heard_at
"""
PULSE = """
insert into terminal_now (terminal, heard_at, pulse, pulse_at, pulse_received_at)
values ($1, $3, $2::jsonb, $3, $3)
on conflict (terminal) do update set heard_at = $3, pulse = $2::jsonb, pulse_at = $3,
  pulse_received_at = $3
"""


def ms(moment: datetime) -> int:
    """Return Unix milliseconds."""
    return int(moment.timestamp() * 1000)


class Collector:
    """Stores events and pulses, commits, notifies: what the collector promises."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._next: dict[tuple[str, int], int] = {}

    async def store(
        self,
        terminal: str,
        events: Iterable[Mapping[str, Any]],
        *,
        epoch: int = EPOCH,
        received_at: datetime | None = None,
    ) -> None:
        """Store one batch."""
        received = received_at or datetime.now(UTC)
        seq = self._next.get((terminal, epoch), 1)
        rows = []
        for event in events:
            rows.append(
                (terminal, epoch, seq, event["kind"], event["at"], received, json.dumps(event))
            )
            seq = event["through"] + 1 if event["kind"] == "journal_lost" else seq + 1
        async with self._connection.transaction():
            await self._connection.execute(CURSOR, terminal, epoch, seq, received)
            await self._connection.executemany(EVENT, rows)
            await self._connection.execute(HEARD, terminal, received)
            await self._connection.execute("select pg_notify('kvitok_journal', $1)", terminal)
        self._next[terminal, epoch] = seq

    async def pulse(
        self, terminal: str, *, at: datetime | None = None, epoch: int = EPOCH, unacked: int = 0
    ) -> None:
        """Store a pulse that knows of everything stored."""
        when = at or datetime.now(UTC)
        body = {
            "at": ms(when),
            "epoch": epoch,
            "next": self._next.get((terminal, epoch), 1) + unacked,
            "unacked": unacked,
            "boot": "b1",
        }
        async with self._connection.transaction():
            await self._connection.execute(PULSE, terminal, json.dumps(body), when)
            await self._connection.execute("notify kvitok_pulse")


def payment(tx: str, start: datetime, **how: Any) -> list[dict[str, Any]]:
    """Return the events of a payment: `payment`, `receipt`, `end` are left out when None."""
    at = ms(start)
    money = {"amount": 50_000, "currency": "RUB"}
    events: list[dict[str, Any]] = [
        {"kind": "transaction_started", "tx": tx, "service": "mobile"},
        {"kind": "cash_accepted", "tx": tx, "media": "note", **money},
    ]
    outcome = how.get("payment", "accepted")
    if outcome:
        events.append({"kind": "payment_result", "tx": tx, "outcome": outcome, "fee": 0, **money})
    receipt = how.get("receipt", "printed")
    if receipt:
        cause = {"cause": how["cause"]} if "cause" in how else {}
        events.append({"kind": "receipt_result", "tx": tx, "outcome": receipt, **cause})
    if how.get("end", True):
        events.append({"kind": "transaction_ended", "tx": tx, "cause": "completed"})
    return [{**event, "at": at + 1000 * number} for number, event in enumerate(events)]


def device(name: str, at: datetime, **state: Any) -> dict[str, Any]:
    """Return a change of a device."""
    return {"kind": "device_changed", "at": ms(at), "device": name, "status": "online", **state}


def ago(seconds: float) -> datetime:
    """Return the moment so many seconds ago."""
    return datetime.now(UTC) - timedelta(seconds=seconds)
