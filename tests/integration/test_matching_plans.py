import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any, Final

import asyncpg
import orjson
import pytest

from incidents.matching import blocking
from tests.integration.matching_world import WRITTEN, World, hash_of

pytestmark = [pytest.mark.anyio, pytest.mark.service]

FILL: Final = """
set synchronous_commit = off;
insert into terminal (terminal, registered, city, address)
select (40000 + n)::text, true, 'Москва', 'ул. Ленина, ' || n from generate_series(0, 1999) n;
insert into transaction (terminal, epoch, tx, started_at, account_masked, account_hash, accepted,
  currency, payment, payment_amount, payment_reference, receipt, receipt_number, fiscal, proof,
  judged)
select (40000 + n % 2000)::text, 1, n::text, timestamptz '2026-11-23 07:00Z' - n * interval '30 s',
  '+7 916 ***-**-' || lpad((n % 100)::text, 2, '0'), md5((n % 20000)::text), 50000, 'RUB',
  'accepted', 48000, (88000000 + n)::text, 'printed', lpad((n % 900)::text, 6, '0'),
  jsonb_build_object('fn', '99', 'fd', n::text, 'fp', (1000000 + n)::text), '{}',
  case when n % 50 = 0 then '{"no_receipt": [1, null, 1, null, []]}'::json else '{}' end
from generate_series(0, 79999) n;
analyze;
"""
LOW: Final = WRITTEN - timedelta(days=2)
LIMITS: Final = (WRITTEN, 100)
STATEMENTS: Final[dict[str, tuple[Any, ...]]] = {
    "BY_ACCOUNT": ([hash_of(str(n)) for n in range(90)], *LIMITS),
    "BY_RECEIPT": (["451"], *LIMITS),
    "BY_RECEIPT_AT": (["451"], ["40451"], *LIMITS),
    "BY_REFERENCE": (["88000451"], *LIMITS),
    "BY_FISCAL": (["1000451"], 100),
    "AT_TERMINALS": (["40451"], [LOW], [WRITTEN], [WRITTEN], [50000], 100, 400),
    "LATEST_AT_TERMINALS": (["40451"], [LOW], [WRITTEN], 100, 400),
    "BY_SUM": ([LOW], [WRITTEN], [WRITTEN], [50000], ["67"], 300),
    "TROUBLED": ([LOW], [WRITTEN], [WRITTEN], [50000], ["67"], 300, True, 3000),
}  # fmt: skip


@pytest.fixture
async def full(database: str) -> AsyncIterator[World]:
    """Return a world of eighty thousand payments in a month."""
    connection = await asyncpg.connect(database)
    await connection.execute(FILL)
    yield World(connection)
    await connection.close()


def whole_tables(node: dict[str, Any]) -> Iterator[str]:
    """Yield the tables that a plan reads from end to end."""
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for below in node.get("Plans", ()):
        yield from whole_tables(below)


async def test_every_branch_has_its_index(full: World) -> None:
    """No way to candidates reads all transactions."""
    for name, arguments in STATEMENTS.items():
        query = "explain (format json) " + getattr(blocking, name)
        plan = orjson.loads(await full.connection.fetchval(query, *arguments))[0]["Plan"]
        assert list(whole_tables(plan)) == [], name


async def test_a_match_is_quick(full: World) -> None:
    """Each kind of report is matched in a fifth of a second (of a million transactions, too)."""
    for text in (
        "22.11.2026 в 14:07 внес 500 руб на телефон 8 916 123-45-67, терминал 40107, не пришли",
        "22.11.2026 внес 500 рублей, последние цифры 4567",
        "чек № 451, операция 88000451, терминал 40451",
        "терминал 40451 съел 500 рублей",
    ):
        best = min([await _seconds(full, text) for _ in range(3)])
        assert best < 0.2, text


async def _seconds(world: World, text: str) -> float:
    began = time.perf_counter()
    await world.ask(text)
    return time.perf_counter() - began
