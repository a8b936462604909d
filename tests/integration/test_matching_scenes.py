from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from incidents.matching.scenes import KEPT_S, SAMPLE, Scenes, scene
from tests.integration.matching_world import WRITTEN

pytestmark = [pytest.mark.anyio, pytest.mark.service]

FILL = """
insert into transaction (terminal, epoch, tx, started_at, accepted, proof)
select (40000 + n % 7)::text, 1, $1 || n, $2::timestamptz - n * interval '2 min', 50000, '{}'
from generate_series(1, $3) n
"""


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    """Return a connection to a migrated database."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def test_a_scene_is_kept_for_seconds(connection: asyncpg.Connection) -> None:
    """Reports in a row share it; one later, or of another time, sees what is there."""
    clock = [100.0]
    scenes = Scenes(lambda: clock[0])
    await connection.execute(FILL, "a", WRITTEN, SAMPLE)
    first = await scenes.get(connection, WRITTEN)
    await connection.execute(FILL, "b", WRITTEN, 500)
    assert await scenes.get(connection, WRITTEN + timedelta(minutes=1)) is first
    earlier = await scenes.get(connection, WRITTEN - timedelta(hours=1))
    assert earlier is not first
    await scenes.get(connection, WRITTEN)
    clock[0] += KEPT_S + 1
    await connection.execute("insert into terminal (terminal) values ('40000')")
    later = await scenes.get(connection, WRITTEN)
    assert later.scene.terminals == first.scene.terminals + 1


async def test_a_small_services_scene_is_read_each_time(connection: asyncpg.Connection) -> None:
    """Its first transactions count at once."""
    scenes = Scenes(lambda: 0.0)
    assert (await scenes.get(connection, WRITTEN)).scene.transactions == 0
    await connection.execute(FILL, "a", WRITTEN, 300)
    assert (await scenes.get(connection, WRITTEN)).scene.transactions == 300


@pytest.mark.parametrize("count", [7_000, 12_000, 20_000])
async def test_how_many_where_the_planner_does_not_know(
    connection: asyncpg.Connection, count: int
) -> None:
    """A table that was filled a moment ago is not taken for a small one."""
    await connection.execute("alter table transaction set (autovacuum_enabled = false)")
    await connection.execute("analyze transaction")
    await connection.execute(FILL, "a", WRITTEN, count)
    before = (await scene(connection, WRITTEN)).scene
    await connection.execute("analyze transaction")
    after = (await scene(connection, WRITTEN)).scene
    assert 0.75 * count <= before.transactions <= 1.25 * count
    assert 0.95 * count <= after.transactions <= 1.05 * count
    assert after.sampled == SAMPLE
