"""The fold and the desk may find the same transaction in the same milliseconds: one case of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import asyncpg
import pytest

from incidents.actions import Word
from incidents.commit import NOTHING_ELSE, Outcome, Run, commit
from incidents.matching.link import Link, attach
from incidents.settings import IncidentsSettings
from incidents.worker import Worker
from tests.integration.incidents_journal import EPOCH, Collector, ago, payment
from tests.integration.test_incidents_service import until

pytestmark = [pytest.mark.anyio, pytest.mark.service]

REPORT = """
insert into report (channel, received_at, status, content, customers)
values ('mail', $1, 'needs_facts', '', array[$2]) returning id
"""
CASES = "select number, opened_by, tx from support_case order by number"


@pytest.fixture
async def two(database: str) -> AsyncIterator[tuple[asyncpg.Connection, asyncpg.Connection]]:
    """Return the fold's connection and the desk's."""
    fold, desk = [await asyncpg.connect(database) for _ in range(2)]
    yield fold, desk
    await fold.close()
    await desk.close()


async def reported(connection: asyncpg.Connection, tx: str = "a") -> Link:
    """Return a customer's report that means a transaction."""
    number = await connection.fetchval(REPORT, datetime.now(UTC), f"customer of {tx}")
    return Link(report=number, terminal="T1", epoch=EPOCH, tx=tx, by="matcher")


def word() -> Word:
    """Return the matcher's."""
    return Word(actor="detector", at=datetime.now(UTC))


async def folds(connection: asyncpg.Connection) -> Outcome:
    """Fold what is stored of T1."""
    run = Run(
        numbers=IncidentsSettings(dsn="").numbers, now=datetime.now(UTC), listening_since=None,
        events_most=100,
    )  # fmt: skip
    return await commit(connection, {"T1": NOTHING_ELSE}, run)


def receipt_of(events: list[dict[str, Any]]) -> int:
    """Return where the receipt fails."""
    return next(n for n, event in enumerate(events) if event["kind"] == "receipt_result")


async def begun(connection: asyncpg.Connection) -> Collector:
    """Let a transaction be open, and its end be stored and not folded."""
    collector = Collector(connection)
    events = payment("a", ago(60), receipt="failed", cause="paper_out")
    at = receipt_of(events)
    await collector.store("T1", events[:at])
    await folds(connection)
    await collector.store("T1", events[at:])
    return collector


async def test_the_fold_is_first(two: tuple[asyncpg.Connection, asyncpg.Connection]) -> None:
    """The desk waits for its commit, and joins the case that it has opened."""
    fold, desk = two
    await begun(fold)
    link = await reported(desk)
    async with fold.transaction():
        assert (await folds(fold)).opened == ["no_receipt"]
        attaching = asyncio.create_task(attach(desk, link, word()))
        await asyncio.sleep(0.4)
        assert not attaching.done()
    number = await asyncio.wait_for(attaching, 10)
    assert [tuple(row) for row in await desk.fetch(CASES)] == [(number, "detector", "a")]


async def test_the_desk_is_first(two: tuple[asyncpg.Connection, asyncpg.Connection]) -> None:
    """The fold goes on to others meanwhile; then its incident joins the customer's case."""
    fold, desk = two
    await begun(fold)
    link = await reported(desk)
    async with desk.transaction():
        number = await attach(desk, link, word())
        assert (await folds(fold)).held == {"T1"}
    assert (await folds(fold)).opened == ["no_receipt"]
    assert [tuple(row) for row in await desk.fetch(CASES)] == [(number, "mail", "a")]
    assert await desk.fetchval("select case_number from incident") == number


async def test_both_at_once_again_and_again(database: str) -> None:
    """Whoever is first: one case of each transaction, with its incident and its report.

    Reports come about when the transaction is known and its incident is just being found.
    """
    count, lanes, chance = 60, 4, Random(1)
    desks = [await asyncpg.connect(database) for _ in range(lanes)]
    txs = [f"x{n}" for n in range(count)]
    stories = [
        payment(tx, ago(7200 - 60 * n), receipt="failed", cause="paper_out")
        for n, tx in enumerate(txs)
    ]
    links = [await reported(desks[0], tx) for tx in txs]
    worker = Worker(IncidentsSettings(dsn=database, poll_s=0.1, lanes=2))
    task = asyncio.create_task(worker.run())

    async def reports(desk: asyncpg.Connection, some: list[Link]) -> None:
        waiting = list(some)
        while waiting:
            for link in list(waiting):
                await asyncio.sleep(chance.uniform(0, 0.01))
                if isinstance(await attach(desk, link, word()), str):
                    waiting.remove(link)

    async def stores() -> None:
        own = await asyncpg.connect(database)
        collector = Collector(own)
        for story in stories:
            at = receipt_of(story)
            await collector.store("T1", story[:at])
            await asyncio.sleep(0.1)
            await collector.store("T1", story[at:])
        await own.close()

    work = [reports(desk, links[n::lanes]) for n, desk in enumerate(desks)]
    await asyncio.wait_for(asyncio.gather(stores(), *work), 60)
    told = "select count(*) from incident where case_number is not null"

    async def all_told() -> bool:
        return bool(await desks[0].fetchval(told) == count)

    await until(all_told)
    worker.stop()
    await task
    cases = [row["tx"] for row in await desks[0].fetch(CASES)]
    assert sorted(cases) == sorted(txs)
    apart = """
    select count(*) from incident i join report r on r.tx = i.subject
    where r.case_number is distinct from i.case_number
    """
    assert await desks[0].fetchval(apart) == 0
    for desk in desks:
        await desk.close()
