"""How fast the fold is: alone, and with a real PostgreSQL. `scripts/bench fold [--bad N]`.

Every terminal gets one batch of 20 events a round; `--bad N` spoils every N-th receipt. Trust CPU
per event rather than rates where the machine does other work too.
"""

import argparse
import asyncio
import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import psutil
import psycopg

sys.path.insert(0, str(Path(__file__).parents[1]))
from incidents.commit import NOTHING_ELSE, Run, commit
from incidents.fold import Row, fold, wanted
from incidents.state import State, from_json, to_json
from incidents.thresholds import Thresholds
from incidents.times import instant
from incidents.transactions import Transaction
from sql.migrate import migrate
from tests.integration.postgres import PostgresServer

EPOCH = 1_763_850_000_000
BATCH = 20
CURSORS = """
insert into journal (terminal, epoch, next_seq, mark)
select terminal, $2, $3, 'aa' from unnest($1::text[]) as t(terminal)
on conflict (terminal, epoch) do update set next_seq = excluded.next_seq
"""
COLUMNS = ["terminal", "epoch", "seq", "kind", "at", "received_at", "body"]


def events(terminal: str, bad: int, now: int) -> Iterator[dict[str, Any]]:
    """Yield payments of six events without end."""
    money = {"amount": 50_000, "currency": "RUB"}
    at = now - 3_600_000
    for number in itertools.count(1):
        spoiled = bad and number % bad == 0
        account = {"masked": "+7 916 ***-**-67", "hash": f"{hash((terminal, number)) % 2**64:032x}"}
        payment: tuple[dict[str, Any], ...] = (
            {"kind": "transaction_started", "service": "mobile", "account": account},
            {"kind": "cash_accepted", "media": "note", **money},
            {"kind": "cash_accepted", "media": "note", **money},
            {"kind": "payment_result", "outcome": "accepted", "fee": 2000, **money,
             "reference": f"{number * 7919:011d}"},
            {"kind": "receipt_result", "outcome": "failed" if spoiled else "printed",
             "number": f"{number:06d}",
             "fiscal": {"fn": "9960440300123456", "fd": str(number), "fp": f"{number * 977:010d}"}},
            {"kind": "transaction_ended", "cause": "completed"},
        )  # fmt: skip
        for event in payment:
            at += 2500
            yield {**event, "tx": f"{terminal}-{number:06d}", "at": at}


def alone(count: int) -> float:
    """Return µs an event of the pure fold, with its state through JSON for each batch."""
    now = int(time.time() * 1000)  # noqa: TID251 - a benchmark
    rows: list[Row] = [
        (EPOCH, seq, event["kind"], event["at"], event["at"], event)
        for seq, event in enumerate(itertools.islice(events("T", 0, now), count), start=1)
    ]
    state, numbers = State(), Thresholds()
    known: dict[tuple[int, str], Transaction] = {}
    begun = time.process_time()
    for first in range(0, count, BATCH):
        piece = rows[first : first + BATCH]
        state = from_json(orjson.loads(orjson.dumps(to_json(state))))
        needed = {key: known[key] for key in wanted(state, piece) if key in known}
        state, changes = fold(state, piece, needed, numbers=numbers)
        known.update(changes.transactions)
    return (time.process_time() - begun) / count * 1e6


def server_cpu(pid: int) -> float:
    """Return the CPU seconds of the server and its backends so far."""
    whole = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(each.cpu_times().user + each.cpu_times().system for each in whole)


async def with_database(dsn: str, pid: int, asked: argparse.Namespace) -> None:
    """Print the rate and the CPU of both sides for each round."""
    names = [f"T{number:05d}" for number in range(asked.terminals)]
    now = int(time.time() * 1000)  # noqa: TID251 - a benchmark
    told = {name: events(name, asked.bad, now) for name in names}
    lanes = [await asyncpg.connect(dsn, server_settings={"jit": "off"}) for _ in range(asked.lanes)]
    for number in range(asked.rounds):
        received = datetime.now(UTC)  # noqa: TID251 - a benchmark
        records = [
            (name, EPOCH, number * BATCH + seq, event["kind"], instant(event["at"]), received,
             orjson.dumps(event).decode())
            for name in names
            for seq, event in enumerate(itertools.islice(told[name], BATCH), start=1)
        ]  # fmt: skip
        await lanes[0].copy_records_to_table("event", records=records, columns=COLUMNS)
        await lanes[0].execute(CURSORS, names, EPOCH, (number + 1) * BATCH + 1)
        if number == 0:
            await lanes[0].execute("vacuum analyze")
        ours, theirs, begun = time.process_time(), server_cpu(pid), time.perf_counter()
        pieces = iter([names[i : i + 300] for i in range(0, len(names), 300)])
        await asyncio.gather(*(_lane(lane, pieces) for lane in lanes))
        spent = time.perf_counter() - begun
        count = len(names) * BATCH
        ours, theirs = time.process_time() - ours, server_cpu(pid) - theirs
        print(
            f"round {number}: {count / spent:8,.0f} events/s, CPU an event: "
            f"{ours / count * 1e6:.1f} µs ours, {theirs / count * 1e6:.1f} µs PostgreSQL",
            flush=True,
        )


async def _lane(connection: asyncpg.Connection, pieces: Iterator[Sequence[str]]) -> None:
    for names in pieces:
        run = Run(
            numbers=Thresholds(),
            now=datetime.now(UTC),  # noqa: TID251 - a benchmark
            listening_since=None,
            events_most=20_000,
        )
        await commit(connection, dict.fromkeys(names, NOTHING_ELSE), run)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--terminals", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--bad", type=int, default=0, help="spoil every N-th receipt")
    asked = parser.parse_args()
    print(f"the fold alone: {alone(60_000):.1f} µs CPU an event")
    server = PostgresServer(durable=True)
    try:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("create database bench")
        migrate(server.dsn("bench"))
        asyncio.run(with_database(server.dsn("bench"), server.pid, asked))
    finally:
        server.close()


if __name__ == "__main__":
    main()
