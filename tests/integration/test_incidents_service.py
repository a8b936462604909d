"""The incidents service on a real PostgreSQL: rows in, incidents and cases out."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from incidents.actions import Refused, Word, clear_incident, comment_case, move_case
from incidents.settings import IncidentsSettings
from incidents.store import take, write_states
from incidents.worker import Worker
from tests.integration.incidents_journal import EPOCH, Collector, ago, device, payment

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


async def rules(db: asyncpg.Connection, *, is_open: bool = True) -> list[str]:
    """Return the rules of the open (or of all) incidents."""
    rows = await db.fetch(INCIDENTS)
    return sorted(row["rule"] for row in rows if not is_open or row["cleared_at"] is None)


def test_a_device_opens_and_clears_by_pulses(database: str) -> None:
    """Bad for its hold time, proved by a pulse: a work order; good again: it resolves itself."""

    async def scenario() -> None:
        async with service(database, hold_s=10.0) as (collector, db):
            await collector.store("T1", [device("note_acceptor", ago(30), status="offline")])
            await collector.pulse("T1", at=ago(25))
            await folded(db)
            await asyncio.sleep(0.2)
            assert await rules(db) == []
            await collector.pulse("T1", at=ago(15))
            await until(lambda: rules(db), seconds=5)
            assert await db.fetchval("select topic from support_case") == "work_order"
            await collector.store("T1", [device("note_acceptor", ago(13))])
            await collector.pulse("T1", at=ago(1))

            async def resolved() -> bool:
                state = await db.fetchval("select state from support_case")
                return bool(state == "resolved" and await rules(db) == [])

            await until(resolved)

    asyncio.run(scenario())


def test_silence_with_money_inside_goes_without_a_trace(database: str) -> None:
    """Silent with an open payment: provisional, then a case; the journal comes: withdrawn."""

    async def scenario() -> None:
        quick: dict[str, Any] = {
            "pulse_interval_s": 1,
            "silent_intervals": 1,
            "provisional_case_s": 0.0,
        }
        async with service(database, **quick) as (collector, db):
            events = payment("a", ago(20))
            await collector.store("T1", events[:2])
            await until(lambda: rules(db), seconds=6)
            found = {row["rule"]: row for row in await db.fetch(INCIDENTS)}
            assert found.keys() == {"terminal_silent", "payment_uncertain"}
            assert found["payment_uncertain"]["provisional"]
            await until(lambda: db.fetchval("select count(*) from support_case"))
            for _ in range(4):
                await collector.pulse("T1")
                await asyncio.sleep(0.1)
            await collector.store("T1", events[2:])
            await folded(db)

            async def gone() -> bool:
                rows = await db.fetch("select rule from incident where rule = 'payment_uncertain'")
                return not rows

            await until(gone)
            state = await db.fetchval("select state from support_case")
            assert state == "resolved"
            history = await db.fetch("select public from case_history")
            assert not any(row["public"] for row in history)

    asyncio.run(scenario())


def test_a_terminal_silent_with_a_bad_end_is_firm(database: str) -> None:
    """The journal that comes shows a bad end: the same row, no longer provisional, one case."""

    async def scenario() -> None:
        quick: dict[str, Any] = {
            "pulse_interval_s": 1,
            "silent_intervals": 1,
            "provisional_case_s": 0.0,
        }
        async with service(database, **quick) as (collector, db):
            events = payment("a", ago(20), payment=None, receipt=None)
            await collector.store("T1", events[:2])
            await until(lambda: db.fetchval("select count(*) from support_case"))
            await collector.store("T1", events[2:])
            await folded(db)
            rows = await db.fetch("select * from incident where rule = 'payment_uncertain'")
            assert [(row["provisional"], row["severity"]) for row in rows] == [(False, "critical")]
            assert await db.fetchval("select count(*) from support_case") == 1
            assert await db.fetchval("select state from support_case") == "new"

    asyncio.run(scenario())


def test_nobody_is_silent_while_nobody_listens(database: str) -> None:
    """A collector that has stopped saying that it listens makes no terminal silent."""

    async def scenario() -> None:
        quick: dict[str, Any] = {"pulse_interval_s": 1, "silent_intervals": 1}
        async with service(database, **quick) as (collector, db):
            await db.execute("insert into listening values ('c1', now(), now() - interval '1 min')")
            await collector.store("T1", payment("a", ago(20)))
            await asyncio.sleep(2.5)
            assert await rules(db) == []
            await db.execute("update listening set since = now(), until = now() + interval '1 h'")
            assert await until(lambda: rules(db), seconds=6) == ["terminal_silent"]
            await collector.pulse("T1")

            async def heard() -> bool:
                return await rules(db) == []

            await until(heard)

    asyncio.run(scenario())


def test_two_journals_under_one_number_wait_for_a_person(database: str) -> None:
    """A fork is an identity_clash at once; only a person clears it; new evidence opens another."""

    async def scenario() -> None:
        async with service(database) as (_, db):
            fork = """
            insert into journal_clash (terminal, epoch, evidence, seq, first_at, last_at)
            values ('T1', 1, 'fork', 7, now(), now())
            on conflict (terminal, epoch, evidence) do update set last_at = now(), times = 2
            """
            await db.execute(fork)
            assert await until(lambda: rules(db)) == ["identity_clash"]
            identity = await db.fetchval("select id from incident")
            now = datetime.now(UTC)
            assert await clear_incident(db, identity, actor="user:1", now=now) is None
            again = await clear_incident(db, identity, actor="user:1", now=now)
            assert isinstance(again, Refused)
            await asyncio.sleep(0.7)
            assert await rules(db) == []
            await db.execute(fork)
            assert await until(lambda: rules(db)) == ["identity_clash"]
            assert len(await db.fetch(INCIDENTS)) == 2

    asyncio.run(scenario())


def test_a_person_works_on_a_case(database: str) -> None:
    """Moves follow the table, comments and moves enter the history, which nobody can change."""

    async def scenario() -> None:
        async with service(database) as (collector, db):
            await collector.store("T1", payment("a", ago(30), receipt="failed"))
            number = await until(lambda: db.fetchval("select number from support_case"))
            word = Word(actor="user:1", at=datetime.now(UTC), text="looking", public=True)
            assert await move_case(db, number, "take", word) == "open"
            assert isinstance(await move_case(db, number, "close", word), Refused)
            assert isinstance(await move_case(db, "K-0", "take", word), Refused)
            assert await comment_case(db, number, word) is None
            late = payment("a", ago(10))[3]
            await collector.store("T1", [late])
            await folded(db)
            assert await rules(db) == []
            assert await db.fetchval("select state from support_case") == "open"
            with pytest.raises(asyncpg.PostgresError, match="never changed"):
                await db.execute("delete from case_history")

    asyncio.run(scenario())


def test_a_poisoned_terminal_stops_nobody(database: str) -> None:
    """A terminal whose state cannot be read is left for later; the others are folded."""

    async def scenario() -> None:
        async with service(database) as (collector, db):
            await db.execute("insert into fold (terminal, state) values ('BAD', '{\"open\": 7}')")
            for name in ("A", "BAD", "C"):
                await collector.store(name, payment("a", ago(30), payment="declined"))

            async def others() -> bool:
                rows = await db.fetch(INCIDENTS)
                return {row["terminal"] for row in rows} == {"A", "C"}

            await until(others)
            await db.execute("update fold set state = '{}' where terminal = 'BAD'")

            async def healed() -> bool:
                return len(await db.fetch(INCIDENTS)) == 3

            await until(healed, seconds=15)

    asyncio.run(scenario())


def test_a_wrong_password_is_said_once_and_waited_for(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not let into the database: one line that says where to look, whatever is tried again."""
    wrong = re.sub(r"//[^@/]*@", "//nobody_such:x@", database)

    async def scenario() -> None:
        worker = Worker(settings(wrong))
        running = asyncio.create_task(worker.run())
        await asyncio.sleep(2.5)
        worker.stop()
        await running

    asyncio.run(scenario())
    (line,) = caplog.records
    assert "[incidents] dsn" in line.getMessage()
    assert line.exc_info is None


def test_rows_are_folded_though_our_clock_was_set_back(database: str) -> None:
    """Rows received "before" those already folded, alone or among others, are folded in order."""

    async def scenario() -> None:
        async with service(database) as (collector, db):
            ahead = datetime.now(UTC) + timedelta(days=3)
            await collector.store("T1", payment("a", ago(90)), received_at=ahead)
            await folded(db)
            await collector.store("T1", payment("b", ago(60), receipt=None))
            await folded(db)
            assert await rules(db) == ["no_receipt"]
        await collector_away(database, ahead)

    async def collector_away(dsn: str, ahead: datetime) -> None:
        connection = await asyncpg.connect(dsn)
        collector = Collector(connection)
        await collector.store("T2", payment("a", ago(90)), received_at=ahead)
        async with service(dsn) as (_, db):
            await folded(db)
        await collector.store("T2", payment("b", ago(60), receipt=None), received_at=ahead)
        await collector.store("T2", payment("c", ago(50), payment="failed", receipt=None))
        await collector.store("T2", payment("d", ago(40), receipt=None), received_at=ahead)
        await connection.close()
        async with service(dsn) as (_, db):
            await folded(db)
            rows = await db.fetch("select subject from incident where terminal = 'T2' order by id")
            assert [row["subject"] for row in rows] == ["b", "c", "d"]

    asyncio.run(scenario())


def test_a_journal_is_folded_before_the_one_that_followed_it(database: str) -> None:
    """After a long stand a commit reads part of the old journal: the new one waits for the rest."""

    async def scenario() -> None:
        connection = await asyncpg.connect(database)
        collector = Collector(connection)
        for number in range(4):
            await collector.store("T1", payment(f"a{number}", ago(600 - 10 * number)))
        await collector.store("T1", payment("new", ago(60)), epoch=EPOCH + 1)
        await connection.close()
        async with service(database, events_per_commit=6) as (_, db):
            await folded(db)
            assert await rules(db, is_open=False) == []

    asyncio.run(scenario())


PROGRAM = """
import sys
from incidents.app import run
from incidents.settings import IncidentsSettings
run(IncidentsSettings(dsn=sys.argv[1], poll_s=0.3, terminals_per_commit=7))
"""


def test_killed_workers_leave_exactly_one_of_each(database: str) -> None:
    """Two processes share the terminals, one after the other is killed: one incident, one case."""

    async def scenario() -> None:
        terminals = [f"T{number:02d}" for number in range(60)]
        running = [_start(database) for _ in range(2)]
        db = await asyncpg.connect(database)
        try:
            collector = Collector(db)
            for number in range(6):
                for name in terminals:
                    tx = f"x{number}"
                    events = payment(tx, ago(600 - 60 * number), receipt="failed")
                    await collector.store(name, events[: 2 + number % 3])
                    await collector.store(name, events[2 + number % 3 :])
                running[number % 2].send_signal(signal.SIGKILL)
                running[number % 2].wait()
                running[number % 2] = _start(database)
            await folded(db)
            counts = await db.fetch(
                "select terminal, count(*), count(distinct subject) from incident group by 1"
            )
            assert {tuple(row)[1:] for row in counts} == {(6, 6)}
            assert len(counts) == 60
            assert await db.fetchval("select count(*) from support_case") == 360
            opened = await db.fetchval("select count(*) from case_history where action = 'opened'")
            assert opened == 360
            assert await db.fetchval("select count(*) from transaction") == 360
        finally:
            await db.close()
            for process in running:
                process.send_signal(signal.SIGTERM)
            assert [process.wait(10) for process in running] == [0, 0]

    asyncio.run(scenario())


def _start(dsn: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM, dsn], env=dict(os.environ))


def test_the_process_needs_no_more_than_its_role(database: str) -> None:
    """With the rights of `kvitok_incidents` alone, payments, devices and silence are judged."""
    from sql.roles import INCIDENTS as ROLE
    from sql.roles import ensure_roles

    ensure_roles(database, {ROLE: "x"})
    dsn = database.replace("postgres@", f"{ROLE}@")

    async def scenario() -> None:
        worker = Worker(settings(dsn, hold_s=1.0, pulse_interval_s=1, silent_intervals=1))
        task = asyncio.create_task(worker.run())
        db = await asyncpg.connect(database)
        try:
            collector = Collector(db)
            await collector.store("T1", payment("a", ago(30), receipt="failed"))
            await collector.store("T1", [device("receipt_printer", ago(20), paper="out")])
            await collector.store("T1", payment("b", ago(10))[:2])
            expected = ["no_receipt", "payment_uncertain", "printer_unavailable", "terminal_silent"]

            async def all_found() -> bool:
                return await rules(db) == expected

            await until(all_found)
            assert await db.fetchval("select count(*) from support_case") == 2
        finally:
            worker.stop()
            await task
            await db.close()

    asyncio.run(scenario())


def test_a_terminal_that_another_worker_writes_holds_up_nobody(database: str) -> None:
    """A lane passes over terminals that another is about to commit, as over those it has taken."""

    async def scenario() -> None:
        first, second = [await asyncpg.connect(database) for _ in range(2)]
        try:
            async with first.transaction():
                await take(first, ["T1", "T2"])
            async with first.transaction():
                await write_states(first, await take(first, ["T1"]), held_ms=0)
                async with asyncio.timeout(5), second.transaction():
                    taken = await take(second, ["T1", "T2", "T3"])
                    assert [one.terminal for one in taken] == ["T2", "T3"]
        finally:
            for connection in (first, second):
                connection.terminate()

    asyncio.run(scenario())


def test_a_second_silence_goes_on_with_the_case_of_the_first(database: str) -> None:
    """Silent, heard, silent again with the same money inside: the case is opened once more."""

    async def scenario() -> None:
        quick: dict[str, Any] = {
            "pulse_interval_s": 1,
            "silent_intervals": 1,
            "provisional_case_s": 0.0,
        }
        async with service(database, **quick) as (collector, db):

            async def states() -> list[str]:
                rows = await db.fetch("select state from support_case")
                return [row["state"] for row in rows]

            async def is_in(state: str) -> bool:
                return await states() == [state]

            await collector.store("T1", payment("a", ago(20))[:2])
            await until(lambda: is_in("new"))
            await collector.pulse("T1")
            await until(lambda: is_in("resolved"))
            await until(lambda: is_in("open"))

    asyncio.run(scenario())


def test_one_work_order_follows_the_other_in_one_commit(database: str) -> None:
    """A device is repaired, another breaks, and both are told at once: two orders, one open."""

    async def scenario() -> None:
        async with service(database, hold_s=10.0) as (collector, db):
            await collector.store("T1", [device("note_acceptor", ago(300), status="offline")])
            await collector.pulse("T1", at=ago(280))
            await until(lambda: db.fetchval("select count(*) from support_case"))
            later = [
                device("note_acceptor", ago(200)),
                device("receipt_printer", ago(150), status="offline"),
                device("display", ago(100)),
            ]
            await collector.store("T1", later)
            await folded(db)
            rows = await db.fetch("select state from support_case order by number")
            assert [row["state"] for row in rows] == ["resolved", "new"]
            assert await rules(db) == ["printer_unavailable"]

    asyncio.run(scenario())
