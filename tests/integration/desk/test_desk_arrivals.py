"""A mail is one report, whoever brings it, and none waits long to be understood."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from desk.mailing.arrivals import Arrival, Kept, keep_mail, message_key
from desk.queries.arrivals import Place, forget_place, keep_place, read_up_to
from desk.queries.report_keeping import TAKE_UP_UNREAD
from desk.reports import again
from desk.reports.again import forever, read_next
from desk.sealing import Seal
from desk.state import Desk
from tests.integration.desk_world import KEY, NOW, World

pytestmark = [pytest.mark.anyio, pytest.mark.service]

SEAL = Seal(KEY)
MAIL = (
    "From: Анна <anna@example.com>\r\nTo: konsultant@example.com\r\nSubject: чек\r\n"
    "Message-ID: <one@example.com>\r\nDate: Mon, 23 Nov 2026 12:00:00 +0300\r\n\r\n"
    "Терминал не выдал чек, 8 916 123-45-67\r\n"
).encode()
OTHER = MAIL.replace(b"<one@", b"<two@")
POSTED = {"Content-Type": "message/rfc822"}


def desk_of(world: World) -> Desk:
    """Return the desk behind the client."""
    desk = world.app._app.state.desk  # noqa: SLF001 - the edge wraps the program
    assert isinstance(desk, Desk)
    return desk


def arrival(raw: bytes = MAIL, *, source: str = "box", place: Place | None = None) -> Arrival:
    """Return a mail that has just come."""
    return Arrival(source=source, raw=raw, received_at=NOW, place=place)


async def counts(world: World) -> tuple[int, int]:
    """Return how many reports and mails there are."""
    row = await world.connection.fetchrow(
        "select (select count(*) from report), (select count(*) from mail_in)"
    )
    return row[0], row[1]


async def test_a_mail_is_kept_sealed_and_once(empty_world: World) -> None:
    """By its content, under any place and source; nothing of it lies in the clear."""
    database = empty_world.connection
    first = await keep_mail(database, SEAL, arrival(place=Place(7, 1)))
    assert first == Kept(1, is_new=True)
    for same in (
        arrival(place=Place(7, 1)), arrival(place=Place(8, 1)), arrival(place=Place(7, 9)),
        arrival(source="drop"), arrival(source="api"),
    ):  # fmt: skip
        assert await keep_mail(database, SEAL, same) == Kept(1, is_new=False)
    assert await counts(empty_world) == (1, 1)
    report = await database.fetchrow("select * from report")
    assert SEAL.open(report["content"]) == MAIL
    assert (report["channel"], report["tried_at"]) == ("mail", None)
    row = await database.fetchrow("select * from mail_in")
    assert (row["source"], row["uidvalidity"], row["uid"]) == ("box", 7, 1)
    assert row["message_id"] == message_key(SEAL, "one@example.com")
    assert row["message_id"] != message_key(Seal(b"of another service"), "one@example.com")
    assert b"example.com" not in str(dict(row)).encode()


async def test_a_place_given_out_again_hides_no_mail(empty_world: World) -> None:
    """Another mail at a known place is kept; the same one, written anew by its server, is not."""
    database = empty_world.connection
    place = Place(7, 1)
    await keep_mail(database, SEAL, arrival(place=place))
    anew = MAIL.replace(b"Subject:", b"X-Folded: anew\r\nSubject:")
    assert await keep_mail(database, SEAL, arrival(anew, place=place)) == Kept(1, is_new=False)
    kept = await keep_mail(database, SEAL, arrival(OTHER, place=place))
    assert kept.is_new
    assert await keep_mail(database, SEAL, arrival(OTHER, place=place)) == kept._replace(
        is_new=False
    )
    without = MAIL.replace(b"Message-ID: <one@example.com>\r\n", b"")
    for raw in (without, without + b"another\r\n"):
        assert (await keep_mail(database, SEAL, arrival(raw, place=Place(7, 2)))).is_new
    assert await counts(empty_world) == (4, 4)


async def test_many_who_bring_it_at_once_make_one(empty_world: World) -> None:
    """The unique key decides, not who looked first."""
    desk = desk_of(empty_world)
    kept = await asyncio.gather(
        *(
            keep_mail(desk.database, SEAL, arrival(source=f"box {n}", place=Place(1, n)))
            for n in range(8)
        )
    )
    assert {each.report for each in kept} == {kept[0].report}
    assert sum(each.is_new for each in kept) == 1
    assert await counts(empty_world) == (1, 1)


async def test_how_far_a_mailbox_was_read_goes_forward(empty_world: World) -> None:
    """For each UIDVALIDITY apart; to the beginning where a server gives uids out again."""
    database = empty_world.connection
    assert await read_up_to(database, "box", 7) == 1
    await keep_place(database, "box", Place(7, 10))
    await keep_place(database, "box", Place(7, 4))
    assert await read_up_to(database, "box", 7) == 10
    assert await read_up_to(database, "box", 8) == 1
    await keep_place(database, "box", Place(8, 5))
    await forget_place(database, "box", 7)
    assert await read_up_to(database, "box", 7) == 1
    assert await read_up_to(database, "box", 8) == 5


async def test_the_same_mail_by_the_api_is_the_report_that_is_there(empty_world: World) -> None:
    """201, then 200 with the same row; also for what the mail program brought."""
    client = empty_world.client
    first = await client.post("/api/v1/reports", content=MAIL, headers=POSTED)
    again = await client.post("/api/v1/reports", content=MAIL, headers=POSTED)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    brought = await keep_mail(empty_world.connection, SEAL, arrival(OTHER))
    answer = await client.post("/api/v1/reports", content=OTHER, headers=POSTED)
    assert (answer.status_code, answer.json()["id"]) == (200, str(brought.report))
    assert await counts(empty_world) == (2, 2)


async def test_what_is_only_stored_is_understood(empty_world: World) -> None:
    """Oldest first, each by one; who has a reading is not asked for again."""
    desk, busy = desk_of(empty_world), set[int]()
    await keep_mail(desk.database, SEAL, arrival())
    await keep_mail(desk.database, SEAL, arrival(OTHER))
    assert await read_next(desk, busy)
    assert (await empty_world.get("/reports/1"))["facts"]
    assert not (await empty_world.get("/reports/2"))["facts"]
    assert sum(await asyncio.gather(*(read_next(desk, busy) for _ in range(3)))) == 1
    assert (await empty_world.get("/reports/2"))["facts"]
    empty_world.clock.move(3600)
    assert not await read_next(desk, busy)
    assert not busy


async def test_who_crashed_over_a_report_gives_it_back_soon(empty_world: World) -> None:
    """Half a minute after it was taken up, not four minutes."""
    desk = desk_of(empty_world)
    await keep_mail(desk.database, SEAL, arrival(), tried_at=NOW)
    empty_world.clock.move(29)
    assert not await read_next(desk, set())
    empty_world.clock.move(2)
    assert await read_next(desk, set())
    assert (await empty_world.get("/reports/1"))["facts"]


async def test_a_report_that_fails_is_tried_ever_more_seldom(
    empty_world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """It holds up no other, and costs less and less."""
    desk = desk_of(empty_world)
    await keep_mail(desk.database, Seal(b"the key of another service"), arrival())
    await keep_mail(desk.database, SEAL, arrival(OTHER))
    assert await read_next(desk, set())
    assert await read_next(desk, set())
    assert (await empty_world.get("/reports/2"))["facts"]
    tries = 0
    for _ in range(3600):
        empty_world.clock.move(1)
        tries += await read_next(desk, set())
    assert 5 < tries < 25, tries
    assert "Report 1 could not be matched: SealBroken" in caplog.text


async def test_a_report_that_takes_long_is_not_begun_twice(empty_world: World) -> None:
    """This desk is at it; the next one looks again in half a minute."""
    desk = desk_of(empty_world)
    await keep_mail(desk.database, SEAL, arrival())
    assert await read_next(desk, {1})
    assert not (await empty_world.get("/reports/1"))["facts"]
    assert not await read_next(desk, set())


@asynccontextmanager
async def working(desk: Desk) -> AsyncIterator[None]:
    """Let a desk take up what waits, as its program does."""
    task = asyncio.create_task(forever(desk))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def understood(world: World) -> float:
    """Wait until every report has been understood; return when, in seconds of the loop's clock."""
    async with asyncio.timeout(20):
        while await world.connection.fetchval(  # noqa: ASYNC110 - another program's commit
            "select exists (select from report where reading is null)"
        ):
            await asyncio.sleep(0.02)
    return asyncio.get_running_loop().time()


async def test_a_mail_is_understood_within_a_second(empty_world: World) -> None:
    """From its commit on, also after many others."""
    desk = desk_of(empty_world)
    async with working(desk):
        await asyncio.sleep(again.UNREAD_EVERY_S / 2)
        for n in range(30):
            await keep_mail(desk.database, SEAL, arrival(MAIL + b"\r\n" * n))
        began = await understood(empty_world)
        await keep_mail(desk.database, SEAL, arrival(OTHER))
        # A look each second, and what reading takes on a busy machine.
        assert await understood(empty_world) - began < 2.5


def whole_tables(node: dict[str, Any]) -> Iterator[str]:
    """Yield the tables that a plan reads from end to end."""
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for inner in node.get("Plans", []):
        yield from whole_tables(inner)


async def test_to_ask_for_new_reports_is_cheap(database: str) -> None:
    """Each second, among many that were understood: an index that holds none of those."""
    connection = await asyncpg.connect(database)
    await connection.execute(
        "insert into report (channel, received_at, status, content, reading, tried_at) "
        "select 'mail', now(), 'needs_facts', 'x', 'x', now() from generate_series(1, 50000); "
        "analyze report"
    )
    args = (NOW, again.UNREAD_WAIT_MIN)
    text = await connection.fetchval(f"explain (format json) {TAKE_UP_UNREAD}", *args)
    assert "report_unread" in text
    assert not set(whole_tables(json.loads(text)[0]["Plan"]))
    await connection.close()
