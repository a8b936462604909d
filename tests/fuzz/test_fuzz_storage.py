"""Whatever a reader accepts, PostgreSQL stores, the fold folds and the desk shows."""

import asyncio
import contextlib
import itertools
import json
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector import validators
from collector.admission import Taken, admit
from collector.now import Edition, publish_edition
from collector.pulses import Bulletin
from collector.reading import Readable, Refused, Told, read_batch, read_told, rule_time
from collector.refusals import KeptRefusal
from collector.store import Arrival, store
from incidents.settings import IncidentsSettings
from incidents.worker import Worker
from tests.fuzz.seeds import AT, EPOCH, EVENTS, PULSE
from tests.fuzz.strategies import HOSTILE, changed, everywhere, inputs, with_value
from tests.fuzz.targets import KEY, NOW
from tests.integration.desk_world import World, desk_over
from wire.topics import TerminalId

pytestmark = pytest.mark.service

EVENTS_PER_BATCH: Final = 60
DRAWN: Final = 800
RICH: Final = 2**53
FOLD_S_MAX: Final = 60


def hostile_events() -> Iterator[str]:
    """Yield each event of the contract with each hostile value in each of its places."""
    for event in EVENTS:
        for new in HOSTILE:
            for bad in with_value({**event, "at": AT}, new):
                # NaN and the infinities are no JSON: a batch with one is refused whole.
                with contextlib.suppress(ValueError):
                    yield json.dumps(bad, allow_nan=False)


def packed() -> Iterator[bytes]:
    """Yield batches of hostile events, each a journal's first."""
    texts = hostile_events()
    while some := list(itertools.islice(texts, EVENTS_PER_BATCH)):
        yield batch(some)


def batch(events: Sequence[str], *, first: int = 1, prev: str = str(EPOCH)) -> bytes:
    """Return a batch of events that are JSON texts already."""
    head = {"epoch": EPOCH, "first": first, "prev": prev, "last": "ab"}
    return (json.dumps(head)[:-1] + ', "events": [' + ", ".join(events) + "]}").encode()


def drawn(strategy: st.SearchStrategy[bytes]) -> list[bytes]:
    """Return what Hypothesis makes of a strategy, the same each time."""
    found: list[bytes] = []

    @settings(
        max_examples=DRAWN, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        found.append(data.draw(strategy))

    draw()
    return found


def readable(payloads: Sequence[bytes], now: datetime) -> list[Arrival]:
    """Return the arrivals among payloads, each of a terminal of its own."""
    found = []
    for number, payload in enumerate(payloads):
        read = read_batch(payload, now, KEY)
        if isinstance(read, Readable):
            found.append(Arrival(TerminalId(f"F-{number}"), now, read, payload))
    return found


def exact(text: str) -> Any:
    """Return a JSON value whose numbers are equal however they are written."""
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


@contextlib.asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """Yield a connection."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def stored(connection: asyncpg.Connection, arrivals: Sequence[Arrival]) -> int:
    """Store arrivals as a collector does, see that what is taken is there, and count the rows."""
    count = 0
    for start in range(0, len(arrivals), 200):
        some = arrivals[start : start + 200]
        async with connection.transaction():
            outcome = await store(connection, some, {each.terminal for each in some})
        for arrival, became in zip(some, outcome.outcomes, strict=True):
            read = arrival.readable
            taken = isinstance(became, Taken)
            assert taken == isinstance(admit(None, read.batch, len(read.rows)), Taken)
            if not taken:
                continue
            sql = "select seq, kind, body::text from event where terminal = $1 order by seq"
            rows = await connection.fetch(sql, arrival.terminal)
            lost = [row for row in rows if row["kind"] == "journal_lost"]
            assert len(lost) == (read.batch.lost_from is not None)
            for row, was in zip(rows[len(lost) :], read.rows, strict=True):
                assert row["kind"] == was.kind
                assert exact(row["body"]) == exact(was.body)
            count += len(rows)
    return count


async def folded(connection: asyncpg.Connection) -> None:
    """Wait until everything stored is folded."""
    sql = """
    select array_agg(terminal) from journal left join fold_position p using (terminal, epoch)
    where journal.next_seq > coalesce(p.next_seq, 1)
    """
    async with asyncio.timeout(FOLD_S_MAX):
        while await connection.fetchval(sql):  # noqa: ASYNC110 - the fold is another connection's
            await asyncio.sleep(0.2)


async def flood(connection: asyncpg.Connection, now: datetime) -> None:
    """Store a transaction whose cash is more than 64 bits hold."""
    cash = {"kind": "cash_accepted", "at": AT, "tx": "rich", "amount": RICH, "media": "note"}
    events = [json.dumps({**cash, "currency": "RUB"})] * 400
    for start in range(3):
        prev = str(EPOCH) if start == 0 else "ab"
        read = read_batch(batch(events, first=400 * start + 1, prev=prev), now, KEY)
        assert isinstance(read, Readable)
        async with connection.transaction():
            arrival = Arrival(TerminalId("RICH"), now, read, b"")
            (became,) = (await store(connection, [arrival], {"RICH"})).outcomes
        assert isinstance(became, Taken)


async def shown(world: World) -> int:
    """See that the desk shows everything there is, and count the calls."""
    names = await world.connection.fetch("select terminal from terminal order by terminal")
    calls = 0
    for (name,) in names[::3]:
        for path in (f"/api/v1/terminals/{name}", f"/api/v1/terminals/{name}/log?limit=1000"):
            answer = await world.client.get(path)
            assert answer.status_code == 200, (path, answer.text)
            json.loads(answer.content.decode("utf-8"))
            calls += 1
        page = await world.client.get(f"/terminals/{name}")
        assert page.status_code == 200, name
    for path in ("/transactions", "/quarantine", "/incidents", "/cases", "/terminals"):
        at: str | None = ""
        while at is not None:
            at = (await world.get(f"{path}?limit=1000&cursor={at}"))["next"]
            calls += 1
    return calls


def test_what_is_accepted_is_stored_folded_and_shown(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Thousands of hostile events and hundreds of hostile batches: no statement fails on one."""
    now = datetime.now(UTC)
    arrivals = readable([*packed(), *drawn(changed("batch"))], now)
    assert len(arrivals) > 150

    async def scenario() -> tuple[int, int]:
        async with connected(database) as connection:
            rows = await stored(connection, arrivals)
            await flood(connection, now)
            worker = Worker(IncidentsSettings(dsn=database, poll_s=0.3, grace_s=0.0))
            task = asyncio.create_task(worker.run())
            try:
                await folded(connection)
            finally:
                worker.stop()
                await task
        async with desk_over(database) as world:
            await world.client.get("/login", params={"token": world.token})
            return rows, await shown(world)

    with caplog.at_level(logging.WARNING):
        rows, calls = asyncio.run(scenario())
    assert rows > 2000
    assert calls > 100
    assert [record.getMessage() for record in caplog.records if record.name != "asyncio"] == []


def test_what_is_told_of_now_is_stored(database: str) -> None:
    """Hostile pulses, presence and refusals go into the tables of how things are."""
    payloads = [*everywhere("pulse"), *drawn(inputs("pulse"))]
    told: list[Told] = []
    refused: list[Refused] = []
    for payload in payloads:
        found = read_told(payload, validators.PULSE, KEY)
        (told if isinstance(found, Told) else refused).append(found)  # type: ignore[arg-type]  # one of the two
    for payload in [*drawn(inputs("presence")), *everywhere("presence")]:
        found = read_told(payload, validators.PRESENCE, KEY)
        if isinstance(found, Refused):
            refused.append(found)
    bulletin = Bulletin()
    for number, each in enumerate(told):
        fields: Any = each.fields
        bulletin.pulse(
            TerminalId(f"P-{number}"), fields["boot"], each.body,
            at=rule_time(fields["at"], NOW) or NOW, received_at=NOW,
            interval_s=fields.get("interval_s"),
        )  # fmt: skip
    kept = [
        KeptRefusal(TerminalId(f"R-{number}"), each.digest, "pulse", each.reason, 5, NOW, NOW)
        for number, each in enumerate(refused)
    ]

    async def scenario() -> tuple[int, int]:
        news = bulletin.take()
        edition = Edition(news=news, refusals=kept, notify=True)
        bodies = {f"P-{number}": exact(each.body) for number, each in enumerate(told)}
        async with connected(database) as connection:
            async with connection.transaction():
                await publish_edition(connection, edition, set(news))
            rows = await connection.fetch("select terminal, pulse::text from terminal_now")
            assert {row["terminal"]: exact(row["pulse"]) for row in rows} == bodies
            return len(rows), await connection.fetchval("select count(*) from refusal")

    pulses, refusals = asyncio.run(scenario())
    assert pulses > len(PULSE) * 3
    assert refusals == len(kept) > 100
