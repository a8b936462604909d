"""The newest pulse and the last hearing, written by SQL on a real PostgreSQL."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from collector.now import Edition, publish_edition
from collector.pulses import News
from wire.topics import TerminalId

pytestmark = [pytest.mark.anyio, pytest.mark.service]

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TERMINAL = TerminalId("T-1")


async def heard(dsn: str, at: datetime) -> tuple[datetime, datetime]:
    """Write a pulse received then; return what stands for last heard and newest pulse."""
    connection = await asyncpg.connect(dsn)
    try:
        news = News(
            heard_at=at,
            pulse='{"next": 1}',
            pulse_at=at,
            pulse_received_at=at,
            boot="b",
        )
        await publish_edition(connection, Edition({TERMINAL: news}), {TERMINAL})
        row = await connection.fetchrow("select heard_at, pulse_received_at from terminal_now")
        return row["heard_at"], row["pulse_received_at"]
    finally:
        await connection.close()


async def test_two_clocks_that_differ_a_little_never_go_back(database: str) -> None:
    """Of two collectors' hearings the later one stands."""
    before = NOON - timedelta(seconds=30)
    assert await heard(database, NOON) == (NOON, NOON)
    assert await heard(database, before) == (NOON, NOON)


async def test_a_clock_that_was_set_back_hides_nothing(database: str) -> None:
    """What was written by a clock an hour ahead gives way to what is heard now."""
    ahead = NOON + timedelta(hours=1)
    assert await heard(database, ahead) == (ahead, ahead)
    assert await heard(database, NOON) == (NOON, NOON)


async def test_a_restored_database_has_not_listened(database: str) -> None:
    """A sign that comes after a gap says that listening begins now; with the next it goes on."""
    connection = await asyncpg.connect(database)
    gap = timedelta(seconds=15)

    async def listens(at: timedelta) -> timedelta:
        edition = Edition(listening=("one", NOON, NOON + at, gap))
        await publish_edition(connection, edition, set())
        since: datetime = await connection.fetchval("select since from listening")
        return since - NOON

    try:
        assert await listens(timedelta(0)) == timedelta(0)
        assert await listens(timedelta(seconds=5)) == timedelta(0)
        # What lies between was in a database that is no more.
        hour = timedelta(hours=1)
        assert await listens(hour) == hour
        assert await listens(hour + timedelta(seconds=5)) == hour
    finally:
        await connection.close()


async def test_who_subscribes_again_begins_to_listen_anew(database: str) -> None:
    """A later subscription counts, and one by a clock that was set back."""
    connection = await asyncpg.connect(database)
    second, gap = timedelta(seconds=1), timedelta(seconds=15)
    try:
        for since, at, stands in ((0, 0, 0), (4, 5, 4), (0, 9, 4), (-3600, -3590, -3600)):
            edition = Edition(listening=("one", NOON + since * second, NOON + at * second, gap))
            await publish_edition(connection, edition, set())
            found = await connection.fetchval("select since from listening")
            assert found == NOON + stands * second
    finally:
        await connection.close()
