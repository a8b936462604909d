"""By when a case is due that the desk opens: the one setting, and the imported calendar."""

from datetime import date, datetime

import pytest

from desk.times import read
from incidents.calendar import due, zone
from tests.integration.desk.test_desk_report_matching import mail, paid, send
from tests.integration.desk_world import NOW, World, desk_over

pytestmark = [pytest.mark.anyio, pytest.mark.service]

OFF = "insert into calendar_day (day, working) values ($1, false)"


def usual(days: int) -> datetime:
    """Return the end of so many working days, nothing imported."""
    return due(NOW, zone_name=None, working_days=days).at


def day_of(moment: datetime) -> date:
    """Return the day in Moscow."""
    return moment.astimezone(zone(None)).date()


async def due_at(world: World) -> datetime:
    """Return by when the case of a mail is due."""
    await paid(world)
    row = await send(world, mail())
    case = await world.get(f"/cases/{row['attached']['case']}")
    found = read(case["due_at"])
    assert found is not None
    return found


async def test_the_setting_reaches_the_desk(database: str) -> None:
    """Two working days, as the fold would count them."""
    async with desk_over(database, due_working_days=2) as world:
        assert await due_at(world) == usual(2)


async def test_an_imported_day_reaches_the_desk(database: str) -> None:
    """A day on which nobody works is none of the five."""
    async with desk_over(database) as world:
        await world.connection.execute(OFF, day_of(usual(5)))
        assert await due_at(world) == usual(6)


async def test_a_case_without_its_payment_has_the_same_term(database: str) -> None:
    """Also where nothing was found yet."""
    async with desk_over(database, due_working_days=3) as world:
        row = await send(world, mail())
        assert row["attached"] is None
        cases = (await world.get("/cases"))["items"]
        assert [read(case["due_at"]) for case in cases] == [usual(3)]
