"""Upkeep of the time partitions of `event`: made ahead, dropped when their time to keep is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sql.connect import connected

AHEAD: Final = timedelta(days=28)
"""Partitions exist so far ahead; where upkeep fails longer, rows land in the default one."""

KEEP: Final = "select made, dropped from keep_event_partitions(%s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class PartitionsKept:
    """How many partitions one upkeep made and dropped."""

    made: int
    dropped: int


def keep_partitions(dsn: str, now: datetime, *, step_days: int, keep_days: int) -> PartitionsKept:
    """Make the partitions of the days ahead and drop the oldest if it is older than `keep_days`.

    Safe to run again and by several at once; rows that fell into the default partition move home.
    One a call: by a clock that is years ahead every partition is old.
    """
    step, keep = timedelta(days=step_days), timedelta(days=keep_days)
    with connected(dsn) as connection:
        row = connection.execute(KEEP, [now, step, AHEAD, keep]).fetchone()
    assert row is not None
    return PartitionsKept(made=row[0], dropped=row[1])
