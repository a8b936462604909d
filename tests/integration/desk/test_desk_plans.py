import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any, Final

import asyncpg
import pytest

from desk.queries import cases, incidents, liveness, log, quarantine, terminals, transactions
from desk.queries.log import LogKey, read_log
from desk.queries.terminals import find_terminals
from desk.queries.transactions import TransactionFilter, read_transactions
from desk.times import ALWAYS, FOREVER
from tests.integration.desk_world import NOW

pytestmark = [pytest.mark.anyio, pytest.mark.service]

FILL: Final = """
set synchronous_commit = off;
insert into terminal (terminal, registered, city, address, metro)
select 'T' || n, true, 'Москва', 'ул. Ленина, ' || n, 'Щёлковская' from generate_series(1, 10000) n;
insert into event (terminal, epoch, seq, kind, at, received_at, body)
select 'T' || n % 300 + 1, 1, n / 300 + 1, 'receipt_result', at, at + interval '2 s',
  '{"kind": "receipt_result", "at": 1, "tx": "1", "outcome": "printed"}'
from generate_series(0, 299999) n,
  lateral (select timestamptz '2026-11-23 09:30Z' - n * interval '1 s' as at) t;
insert into transaction (terminal, epoch, tx, started_at, service, accepted, currency, proof)
select 'T' || n % 300 + 1, 1, n::text, timestamptz '2026-11-23 09:30Z' - n * interval '5 s', 'mts',
  50000, 'RUB', '{"started": [[1, 1]]}' from generate_series(0, 59999) n;
insert into incident (terminal, rule, epoch, subject, severity, opened_at, detected_at, cleared_at,
  proof)
select 'T' || n % 300 + 1, 'no_receipt', 1, n::text, 'warning', at, at,
  case when n % 1000 = 0 then null else at end, '[]'
from generate_series(0, 19999) n,
  lateral (select timestamptz '2026-11-23 09:30Z' - n * interval '1 min' as at) t;
insert into quarantine (terminal, epoch, seq, received_at, reason, body)
select 'T' || n % 300 + 1, 1, n, timestamptz '2026-11-23 09:30Z' - n * interval '1 s', 'bad', '{}'
from generate_series(1, 10000) n;
insert into support_case (number, topic, state, terminal, opened_at, due_at, opened_by, changed_at)
select 'K-2026-' || lpad(n::text, 6, '0'), 'no_receipt', 'closed', 'T' || n % 300 + 1, at, at,
  'detector', at
from generate_series(1, 10000) n,
  lateral (select timestamptz '2026-11-23 09:30Z' - n * interval '1 min' as at) t;
analyze;
"""
TABLES: Final = ("event", "transaction", "incident", "support_case", "quarantine", "terminal")


@pytest.fixture
async def full(database: str) -> AsyncIterator[Any]:
    """Return a connection to a well filled database (a million events are told apart as fast)."""
    connection = await asyncpg.connect(database)
    await connection.execute(FILL)
    yield connection
    await connection.close()


def whole_tables(node: dict[str, Any]) -> Iterator[str]:
    """Yield the tables that a plan reads from end to end."""
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for inner in node.get("Plans", []):
        yield from whole_tables(inner)


async def fastest_ms(happening: Any, times: int = 5) -> float:
    """Return the shortest of some runs: what the query costs without its neighbours."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        await happening()
        spent.append((time.perf_counter() - began) * 1000)
    return min(spent)


async def test_look_ups_use_indexes_and_are_fast(full: Any) -> None:
    """No look-up of a page reads a whole table; a page of a log costs less than 50 ms."""
    key = (NOW - timedelta(hours=5), 1, 5)
    bounds = (ALWAYS, FOREVER, NOW, 1, 1, "", "", 101)
    wanted: tuple[tuple[object, ...], ...] = (
        (log.READ_LOG, "T7", ALWAYS, FOREVER, *key, None, None, 101),
        (log.READ_LOG_FROM, "T7", ALWAYS, FOREVER, *key, ["fault"], None, 101),
        (transactions.READ_ALL, *bounds),
        (transactions.READ_OF_TERMINAL, *bounds, "T7"),
        (incidents.READ_ALL[True], NOW, 1, 1, None, 101),
        (incidents.READ_ALL[None], NOW, 1, 1, None, 101),
        (incidents.READ_OF_TERMINAL[True], NOW, 1, 1, None, 101, "T7"),
        (cases.READ_ALL, NOW, "", 101),
        (cases.READ_IN_STATE, NOW, "", 101, "new"),
        (cases.READ_UNSETTLED, NOW, "", 101),
        (cases.READ_SETTLED, NOW, "", 101),
        (cases.READ_OF_TERMINAL, NOW, "", 101, "T7", None),
        (quarantine.READ_ALL, NOW, 1, 101),
        (quarantine.READ_OF_TERMINAL, NOW, 1, 101, "T7"),
        (terminals.READ, ["T7", "T8"]),
        (liveness.READ_SIGNATURE, "T7"),
    )
    for query, *args in wanted:
        text = await full.fetchval(f"explain (format json) {query}", *args)
        read = set(whole_tables(json.loads(text)[0]["Plan"]))
        assert not read & set(TABLES), (query, read)

    async def page_of_log() -> None:
        await read_log(full, "T7", language="ru", after=LogKey(*key))

    async def payments() -> None:
        await read_transactions(full, TransactionFilter(terminal="T7"))

    async def search() -> None:
        page = await find_terminals(full, "t777 ленина", limit=30)
        assert page.items[0].terminal == "T777"

    assert await fastest_ms(page_of_log) < 50
    assert await fastest_ms(payments) < 50
    assert await fastest_ms(search) < 150
