"""The number that an anonymous customer is told: always one that was new a moment ago.

Which case a report joined says whether its payment was found, and whether somebody has written
before. So a form that joined a case from before gets a number of its own, merged into that case.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from desk.database import one_connection
from desk.queries.database import Database
from incidents.actions import Word
from incidents.matching.link import CUSTOMERS, TOPIC_UNKNOWN, lock, open_unplaced
from incidents.matching.unplaced import (
    JOINED,
    NewCase,
    left_case,
    merge,
    note,
    open_case,
)
from incidents.terms import Terms

READ: Final = """
select r.case_number, r.channel, r.received_at, r.set_aside, c.opened_at
from report r left join support_case c on c.number = r.case_number where r.id = $1
"""
RECENT: Final = timedelta(milliseconds=1)
"""What the database rounds a moment by."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a customer is told; without a number, it comes by mail."""

    number: str | None
    due_at: datetime | None
    """None where it would be a guess: no day is promised then."""


async def form_case(database: Database, report: int, word: Word) -> Told:
    """Return the number under which a form stands, and by when it will be answered."""
    async with one_connection(database) as connection, connection.transaction():
        term = await Terms(word.due_working_days).due(connection, word.at, None)
        due_at = None if term.is_guessed else term.at
        await lock(connection, await connection.fetchval(CUSTOMERS, report) or ())
        row = await connection.fetchrow(READ, report)
        if row is None or row["set_aside"] is not None:
            return Told(None, due_at)
        if row["case_number"] is None:
            # It was kept and could not be understood yet: its customer has a number all the same.
            return Told(await open_unplaced(connection, report, word), due_at)
        if row["opened_at"] >= row["received_at"] - RECENT:
            return Told(row["case_number"], due_at)
        new = NewCase(
            opened_by=row["channel"], topic=TOPIC_UNKNOWN, place=None, term=term, zone_name=None
        )
        number = await open_case(connection, new, word)
        await note(connection, number, JOINED, word)
        left = await left_case(connection, number)
        assert left is not None
        await merge(connection, left, row["case_number"], word)
    return Told(number, due_at)
