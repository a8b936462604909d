"""The production calendar from an operator's file to the term of a case, on a real database."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from incidents.calendar import ANNOUNCED, Calendar, announced, due, zone
from incidents.settings import IncidentsSettings
from incidents.terms import Terms, read_calendar
from incidents.worker import Doors, Worker
from kvitok.cli import status_of
from kvitok.doctor import Grade, calendar_known
from tests.integration.incidents_journal import Collector, payment
from tests.integration.kvitok.test_doctor import Doctor
from tests.integration.test_incidents_service import until

pytestmark = pytest.mark.service

UNKNOWN = next(year for year in range(2026, 2100) if not announced(year))


class Operator:
    """Somebody at the command line."""

    def __init__(self, dsn: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.folder = folder
        self.config = folder / "kvitok.toml"
        self.config.write_text(f'[database]\ndsn = "{dsn}"\n')

    def does(self, *words: str) -> tuple[int, str]:
        """Run a command and return its status and what it prints."""
        status = status_of(["calendar", *words, "--config", str(self.config)])
        said = self.capsys.readouterr()
        return status, said.out + said.err

    def imports(self, *days: date) -> tuple[int, str]:
        """Import days on which nobody works."""
        file = self.folder / "days.csv"
        file.write_text("day,working,note\n" + "".join(f"{day},no,moved\n" for day in days))
        return self.does("import", str(file))


@pytest.fixture
def operator(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Operator:
    """Return one before an empty calendar."""
    return Operator(database, tmp_path, capsys)


def working(year: int, count: int) -> list[date]:
    """Return the first working days of March of a year."""
    days = [date(year, 3, 10) + timedelta(days=n) for n in range(20)]
    return [day for day in days if day.weekday() < 5][:count]


def test_a_year_is_unknown_until_its_days_are_imported(operator: Operator) -> None:
    """The whole year at once; again, and what it was before is forgotten."""
    status, said = operator.does("show", str(UNKNOWN))
    assert (status, "not known" in said) == (1, True)
    first, second, third = working(UNKNOWN, 3)
    status, said = operator.imports(first)
    assert (status, "imported whole" in said) == (1, True)
    assert operator.imports(first, second)[0] == 0
    assert operator.imports(second, third)[0] == 0
    status, said = operator.does("show", str(UNKNOWN), "--json")
    shown = json.loads(said)
    assert (status, shown["known"], shown["source"]) == (0, True, "imported")
    moved = [each["day"] for each in shown["days"] if each["note"] == "moved"]
    assert moved == [str(second), str(third)]
    assert str(first) not in {each["day"] for each in shown["days"]}
    assert operator.does("show", str(UNKNOWN))[0] == 0
    assert operator.does("show", "2025")[0] == 0
    assert operator.does("import", str(operator.folder / "nothing.csv"))[0] == 1


def test_the_desk_counts_by_what_is_imported(operator: Operator, database: str) -> None:
    """One day off more, one day later; and nothing is a guess any more."""
    at = datetime(UNKNOWN, 3, 9, 9, tzinfo=UTC)

    async def term() -> tuple[datetime, bool]:
        connection = await asyncpg.connect(database)
        found = await Terms(2).due(connection, at, None)
        await connection.close()
        return found.at, found.is_guessed

    before, is_guessed = asyncio.run(term())
    assert is_guessed
    assert operator.imports(*working(UNKNOWN, 2))[0] == 0
    after, is_guessed = asyncio.run(term())
    assert not is_guessed
    assert after > before


def test_the_fold_counts_by_it_too(operator: Operator, database: str) -> None:
    """It reads the calendar at its start, before it opens a case."""
    now = datetime.now(UTC)
    last = due(now, zone_name=None, working_days=5).at.astimezone(zone(None)).date()
    assert operator.imports(last)[0] == 0

    async def scenario() -> datetime:
        connection = await asyncpg.connect(database)
        await Collector(connection).store("T1", payment("a", now, receipt="failed"))
        worker = Worker(IncidentsSettings(dsn=database, poll_s=0.2))
        task = asyncio.create_task(worker.run())
        found: datetime = await until(
            lambda: connection.fetchval("select due_at from support_case")
        )
        worker.stop()
        await task
        await connection.close()
        return found

    due_at = asyncio.run(asyncio.wait_for(scenario(), 20)).astimezone(zone(None))
    assert due_at.date() > last


def test_the_fold_reads_it_again_every_hour(database: str) -> None:
    """And no more often: its rows change once a year."""
    seen: list[float] = []
    monotonic = 0.0

    async def scenario() -> None:
        nonlocal monotonic

        async def read(connection: asyncpg.Connection) -> Calendar:
            seen.append(monotonic)
            return await read_calendar(connection)

        doors = Doors(monotonic=lambda: monotonic, calendar=read)
        worker = Worker(IncidentsSettings(dsn=database, poll_s=0.02), doors=doors)
        task = asyncio.create_task(worker.run())
        for at in (0.0, 1800.0, 3599.0, 3600.0, 7199.0, 7200.0):
            monotonic = at
            await asyncio.sleep(0.3)
        worker.stop()
        await task

    asyncio.run(asyncio.wait_for(scenario(), 20))
    assert seen == [0.0, 3600.0, 7200.0]


def test_the_doctor_knows_what_is_imported(operator: Operator, database: str) -> None:
    """It looks into the table."""
    today = datetime.now(UTC).year
    asked = Doctor(database, operator.folder, operator.capsys)
    _, before = asked.says("calendar")
    operator.config.write_text(f'[database]\ndsn = "{database}"\n')
    assert operator.imports(*working(UNKNOWN, 2))[0] == 0
    asked = Doctor(database, operator.folder, operator.capsys)
    assert str(UNKNOWN - 1) in before or today >= UNKNOWN
    assert asked.says("calendar") == ("OK", f"known until {UNKNOWN}-12-31")


@pytest.mark.parametrize(
    ("today", "grade"),
    [
        (date(UNKNOWN - 1, 11, 1), Grade.OK),
        (date(UNKNOWN - 1, 11, 2), Grade.WARN),
        (date(UNKNOWN, 2, 1), Grade.WARN),
    ],
)
def test_the_doctor_warns_before_the_known_years_end(today: date, grade: Grade) -> None:
    """Sixty days before: a case of late December is due in January."""
    said = calendar_known(ANNOUNCED, today)
    assert said.grade is grade
    assert (str(UNKNOWN) in said.text) == (grade is Grade.WARN)
