"""`kvitok calendar …`: the production calendar that cases are due by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final

import asyncpg
import typer

from incidents.calendar import ANNOUNCED, Calendar, announced
from kvitok.ask import ask
from kvitok.calendar_file import HEADER, Day, read_days
from kvitok.commands import SHOWN_ERRORS_MAX, ImportRefused
from kvitok.place import Config, Data, settings_of
from kvitok.settings import DatabaseSettings
from kvitok.show import AsJson, as_fields, as_json, as_table

calendar = typer.Typer(help="The production calendar that cases are due by.", no_args_is_help=True)

FORGET: Final = "delete from calendar_day where extract(year from day) = any($1::int[])"
ADD: Final = "insert into calendar_day (day, working, note) values ($1, $2, $3)"
READ: Final = """
select day, working, note from calendar_day where extract(year from day) = $1::int order by day
"""
SATURDAY: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """What is known of a year, and the days on which it is otherwise than its week days."""

    year: int
    known: bool
    source: str
    working_days: int
    days: tuple[Day, ...]


@calendar.command("import")
def calendar_import(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE.csv", help=f"UTF-8, with a header of: {','.join(HEADER)}."),
    ],
    *,
    data: Data = None,
    config: Config = None,
) -> None:
    """Take the transferred days of whole years, as announced; they win over what was known.

    A line a day: 2028-01-06,no,instead of Saturday. Of each year that the file names, what was
    imported before is forgotten. Cases opened from then on are due by it, within the hour.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ImportRefused(f"cannot read {file}: {error.strerror}") from error
    reading = read_days(content)
    if reading.wrong:
        shown = [f"  {each}" for each in reading.wrong[:SHOWN_ERRORS_MAX]]
        raise ImportRefused("\n".join([f"{file}: nothing was imported", *shown]))

    async def write(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            await connection.execute(FORGET, reading.years)
            await connection.executemany(
                ADD, [(row.day, row.working, row.note) for row in reading.rows]
            )

    settings = settings_of(data, config)
    ask(settings, settings.section(DatabaseSettings).dsn, write)
    years = ", ".join(str(year) for year in reading.years)
    typer.echo(f"{len(reading.rows)} days imported of {years}")


@calendar.command("show")
def calendar_show(
    year: Annotated[int, typer.Argument(min=2000, max=2199, metavar="YEAR")],
    *,
    json: AsJson = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show a year's days that are otherwise than its week days; exit status 1 if it is unknown."""

    async def read(connection: asyncpg.Connection) -> list[asyncpg.Record]:
        rows: list[asyncpg.Record] = await connection.fetch(READ, year)
        return rows

    settings = settings_of(data, config)
    rows = ask(settings, settings.section(DatabaseSettings).dsn, read)
    shown = year_of(year, [Day(*row) for row in rows])
    if json:
        as_json(Year, shown)
    else:
        as_fields((
            ("year", str(year)), ("known", f"{'yes' if shown.known else 'no'}, {shown.source}"),
            ("working days", str(shown.working_days)),
        ))  # fmt: skip
        as_table(
            ("DAY", "WORKING", "NOTE"), ((row.day, row.working, row.note) for row in shown.days)
        )
    if not shown.known:
        typer.echo("its transferred days are not known: kvitok calendar import", err=True)
        raise typer.Exit(1)


def year_of(year: int, imported: Sequence[Day]) -> Year:
    """Return a year as it is counted by, with what was imported of it."""
    found = Calendar({row.day: row.working for row in imported})
    notes = {row.day: row.note for row in imported}
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    days = [day for day in days if day.year == year]
    source = "by holidays" if announced(year) else "by nobody"
    return Year(
        year=year,
        known=found.knows(year),
        source="imported" if imported else source,
        working_days=sum(found.is_usually_working(day) for day in days),
        days=tuple(
            Day(day, found.is_usually_working(day), notes.get(day) or ANNOUNCED.name_of(day))
            for day in days
            if found.is_usually_working(day) != (day.weekday() < SATURDAY) or day in notes
        ),
    )
