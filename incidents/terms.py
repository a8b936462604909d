"""By when a case is due, wherever it is opened: the setting and the imported calendar together."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from incidents.calendar import Calendar, Due, due
from incidents.store import Connection
from incidents.thresholds import Thresholds

DAYS: Final = "select day, working from calendar_day"


async def read_calendar(connection: Connection) -> Calendar:
    """Return the calendar with what was imported: some dozens of rows."""
    return Calendar({row["day"]: row["working"] for row in await connection.fetch(DAYS)})


@dataclass(frozen=True, slots=True)
class Terms:
    """In how many working days a case is due."""

    working_days: int = Thresholds().due_working_days

    async def due(self, connection: Connection, at: datetime, zone_name: str | None) -> Due:
        """Return by when a case opened at this moment is due, by the imported calendar."""
        calendar = await read_calendar(connection)
        return due(at, zone_name=zone_name, working_days=self.working_days, calendar=calendar)


USUAL: Final = Terms()
