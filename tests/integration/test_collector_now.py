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
        await publish_edition(connection, Edition({TERMINAL: news}, {TERMINAL}))
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
