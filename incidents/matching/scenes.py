"""The matcher's door to what there is to choose from: how many transactions, of which sums, where.

It changes slowly: reports that come in a row share it for some seconds. Nothing is hidden so: which
transactions, terminals and incidents there are is read for each report anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import asyncpg
import orjson

from incidents.matching.model import Scene

REPORTED_WITHIN: Final = timedelta(days=35)
"""Older transactions are found by an account or a number only."""
CLOCK_AHEAD: Final = timedelta(minutes=15)
"""A terminal's clock may be so far ahead of the report."""
SAMPLE: Final = 2000
"""Recent transactions in which sums are counted."""
UNLIKELY: Final = 3
"""So many times more than the planner expects are no busy hour: it does not know."""
KEPT_S: Final = 10.0
"""So long a scene serves the reports that follow."""
APART_MAX: Final = timedelta(minutes=10)
"""Reports received further apart see different scenes."""

FLEET: Final = """
select count(*) as terminals, array_agg(distinct timezone) as zones
from (select timezone from terminal limit 20000) fleet
"""
SUMS_PUT_IN: Final = """
select accepted, count(*) as times, min(started_at) as first from (
  select accepted, started_at from transaction where started_at between $1 and $2
  order by started_at desc limit $3
) recent group by accepted
"""
OLDEST: Final = "select min(started_at) from transaction where started_at between $1 and $2"
EXPECTED: Final = """
explain (format json) select from transaction where started_at between $1 and $2
"""


class Seen(NamedTuple):
    """A scene, and the zones of the fleet."""

    scene: Scene
    zones: list[str]


@dataclass(slots=True)
class Scenes:
    """Keeps the newest scene of a process; that of a small service is read each time."""

    monotonic_s: Callable[[], float]
    _kept: tuple[float, datetime, Seen] | None = None

    async def get(self, connection: asyncpg.Connection, received_at: datetime) -> Seen:
        """Return the scene for a report, at most ten seconds old."""
        now_s = self.monotonic_s()
        if self._kept is not None:
            since_s, at, seen = self._kept
            if now_s - since_s <= KEPT_S and abs(received_at - at) <= APART_MAX:
                return seen
        seen = await scene(connection, received_at)
        self._kept = (now_s, received_at, seen) if seen.scene.sampled >= SAMPLE else None
        return seen


async def scene(connection: asyncpg.Connection, received_at: datetime) -> Seen:
    """Return what a report of this moment may be about."""
    low, high = received_at - REPORTED_WITHIN, received_at + CLOCK_AHEAD
    fleet = await connection.fetchrow(FLEET)
    assert fleet is not None
    rows = await connection.fetch(SUMS_PUT_IN, low, high, SAMPLE)
    sums = {row["accepted"]: row["times"] for row in rows}
    sampled = transactions = sum(sums.values())
    oldest = await connection.fetchval(OLDEST, low, high)
    days = (received_at - oldest) / timedelta(days=1) if oldest else 0.0
    if sampled >= SAMPLE:
        plan = orjson.loads(await connection.fetchval(EXPECTED, low, high))
        transactions = max(sampled, int(plan[0]["Plan"]["Plan Rows"]))
        # A table that was filled a moment ago is not yet known to the planner.
        stretch = (high - min(row["first"] for row in rows)) / timedelta(days=1)
        lately = round(sampled * days / max(stretch, 1 / 24))
        if lately > UNLIKELY * transactions:
            transactions = lately
    found = Scene(
        transactions=transactions,
        days=max(days, 0.0),
        terminals=fleet["terminals"],
        sums=sums,
        sampled=sampled,
    )
    return Seen(found, sorted(filter(None, fleet["zones"] or ())))
