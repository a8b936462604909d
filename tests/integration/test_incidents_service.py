"""The incidents service on a real PostgreSQL: rows in, incidents and cases out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from incidents.settings import IncidentsSettings
from incidents.worker import Worker
from tests.integration.incidents_journal import Collector, ago, payment

pytestmark = pytest.mark.service

INCIDENTS = """
select terminal, rule, subject, cause, severity, provisional, opened_at, cleared_at, times,
  case_number, id
from incident order by id
"""


def settings(dsn: str, **changed: Any) -> IncidentsSettings:
    """Return settings that react within the patience of a test."""
    return IncidentsSettings(**{"dsn": dsn, "poll_s": 0.3, "grace_s": 0.0, **changed})


@asynccontextmanager
async def service(
    dsn: str, *, workers: int = 1, **changed: Any
) -> AsyncIterator[tuple[Collector, asyncpg.Connection]]:
    """Run workers over the database; yield a collector and a connection to look with."""
    connection = await asyncpg.connect(dsn)
    running = [Worker(settings(dsn, **changed)) for _ in range(workers)]
    tasks = [asyncio.create_task(worker.run()) for worker in running]
    try:
        yield Collector(connection), connection
    finally:
        for worker in running:
            worker.stop()
        await asyncio.gather(*tasks)
        await connection.close()


async def until(look: Callable[[], Awaitable[Any]], *, seconds: float = 10.0) -> Any:
    """Return what `look` answers as soon as it is true."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        found = await look()
        if found:
            return found
        assert asyncio.get_running_loop().time() < deadline, "it did not happen"
        await asyncio.sleep(0.03)


async def folded(connection: asyncpg.Connection) -> None:
    """Wait until everything stored is folded."""
    sql = """
    select count(*) from journal j left join fold_position p using (terminal, epoch)
    where j.next_seq > coalesce(p.next_seq, 1)
    """

    async def look() -> bool:
        return bool(await connection.fetchval(sql) == 0)

    await until(look)


def test_a_payment_without_receipt_is_a_case(database: str) -> None:
    """Cash, an accepted payment and a jammed receipt make one incident and one case."""

    async def scenario() -> None:
        async with service(database) as (collector, db):
            await collector.store("T1", payment("a", ago(60)))
            await collector.store(
                "T1", payment("b", ago(30), receipt="failed", cause="paper_jammed")
            )
            await folded(db)
            incidents = await db.fetch(INCIDENTS)
            assert [(row["rule"], row["subject"], row["cause"]) for row in incidents] == [
                ("no_receipt", "b", "paper_jammed")
            ]
            case = await db.fetchrow("select * from support_case")
            assert case["number"] == incidents[0]["case_number"]
            assert case["number"] == f"K-{datetime.now(UTC):%Y}-000001"
            assert (case["tx"], case["state"], case["opened_by"]) == ("b", "new", "detector")
            assert timedelta(days=4) < case["due_at"] - case["opened_at"] < timedelta(days=16)
            actions = await db.fetch("select action from case_history order by id")
            assert [row["action"] for row in actions] == ["opened", "incident_opened"]
            rows = await db.fetch("select tx, accepted, receipt, ended_at from transaction")
            assert {row["tx"]: row["receipt"] for row in rows} == {"a": "printed", "b": "failed"}

    asyncio.run(scenario())
