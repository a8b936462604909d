"""The fleet's addresses in memory: built in a thread, anew when a terminal was changed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from desk.queries.database import Database, Record
from incidents.calendar import zone
from incidents.matching.claims import READ_IN
from incidents.matching.gazetteer import Gazetteer, Row

CHANGED: Final = "select count(*) as terminals, max(changed_at) as changed_at from terminal"
ROWS: Final = """
select terminal, name, country, city, address, metro, place, region, timezone from terminal
"""
STALE_WAIT_S: Final = 0.5
"""How long a report waits for the newest addresses before those of a moment ago must do."""


class _Version(NamedTuple):
    terminals: int
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fleet:
    """Where the terminals stand, and by which clocks."""

    gazetteer: Gazetteer
    zones: dict[str, str]
    """Of the terminals that do not go by the usual one."""

    def zone_of(self, terminals: Sequence[str]) -> ZoneInfo:
        """Return the clock that these terminals share; the usual one where they share none."""
        names = {self.zones.get(each, READ_IN.key) for each in terminals}
        return zone(names.pop()) if len(names) == 1 else READ_IN


@dataclass(slots=True)
class KnownFleet:
    """Keeps the newest fleet; many who ask at once wait for one and the same."""

    _version: _Version | None = None
    _fleet: Fleet | None = None
    _building: "asyncio.Task[Fleet] | None" = None

    async def get(self, database: Database) -> Fleet:
        """Return the fleet as the database has it; the one before, where building takes long."""
        row = await database.fetchrow(CHANGED)
        assert row is not None
        version = _Version(row["terminals"], row["changed_at"])
        if self._fleet is not None and version == self._version:
            return self._fleet
        if self._building is None or self._building.done():
            self._building = asyncio.create_task(self._build(database, version))
        # To wait is not to own: who stops waiting must not stop what others wait for.
        wait_s = None if self._fleet is None else STALE_WAIT_S
        done, _ = await asyncio.wait({self._building}, timeout=wait_s)
        return self._building.result() if done or self._fleet is None else self._fleet

    async def _build(self, database: Database, version: _Version) -> Fleet:
        rows = await database.fetch(ROWS)
        fleet = await asyncio.to_thread(made, rows)
        self._fleet, self._version = fleet, version
        return fleet


def made(rows: Sequence[Record]) -> Fleet:
    """Return the fleet of the table's rows."""
    return Fleet(
        gazetteer=Gazetteer(Row(*(row[name] for name in Row._fields)) for row in rows),
        zones={row["terminal"]: row["timezone"] for row in rows if row["timezone"] != READ_IN.key},
    )
