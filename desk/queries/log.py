"""The incident log of a terminal: every event of its journals, newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from desk.accounts import shown
from desk.queries.database import INTEGER_MAX, LIMIT_DEFAULT, Database, Page, Record, json_value
from desk.sentences import sentence
from desk.times import ALWAYS, FOREVER, Moment
from desk.words import Language


class LogKey(NamedTuple):
    """Where a row stands in the log: event time, then epoch and seq."""

    at: datetime
    epoch: int
    seq: int


NEWEST: Final = LogKey(FOREVER, INTEGER_MAX, INTEGER_MAX)
OLDEST: Final = LogKey(ALWAYS, 0, 0)


@dataclass(frozen=True, slots=True)
class LogRow:
    """One event: `at` is the time rules use, `event` as stored with accounts masked."""

    at: Moment
    received_at: Moment
    epoch: int
    seq: int
    kind: str
    event: Mapping[str, Any]
    text: str

    @property
    def key(self) -> LogKey:
        """Return where this row stands."""
        return LogKey(self.at, self.epoch, self.seq)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRange:
    """Which part of a log: `since <= at < until`, of some kinds or one tx only."""

    since: datetime = ALWAYS
    until: datetime = FOREVER
    kinds: tuple[str, ...] | None = None
    tx: str | None = None


EVERYTHING: Final = LogRange()

# The bound `at <= $4` repeats the row comparison for the index on (terminal, at).
READ_LOG: Final = """
select at, received_at, epoch, seq, kind, body::text as body
from event
where terminal = $1 and at >= $2 and at < $3 and at <= $4 and (at, epoch, seq) < ($4, $5, $6)
  and ($7::text[] is null or kind = any ($7)) and ($8::text is null or body ->> 'tx' = $8)
order by at desc, epoch desc, seq desc
limit $9
"""
READ_LOG_FROM: Final = """
select at, received_at, epoch, seq, kind, body::text as body
from event
where terminal = $1 and at >= $2 and at < $3 and at >= $4 and (at, epoch, seq) >= ($4, $5, $6)
  and ($7::text[] is null or kind = any ($7)) and ($8::text is null or body ->> 'tx' = $8)
order by at desc, epoch desc, seq desc
limit $9
"""
READ_POSITIONS: Final = """
select epoch, next_seq from journal where terminal = $1 order by epoch desc limit 8
"""


async def read_log(
    database: Database,
    terminal: str,
    *,
    language: Language,
    part: LogRange = EVERYTHING,
    after: LogKey | None = None,
    limit: int = LIMIT_DEFAULT,
) -> Page[LogRow, LogKey]:
    """Return a page of a terminal's log that begins after a key."""
    at, epoch, seq = after or NEWEST
    records = await database.fetch(
        READ_LOG, terminal, part.since, part.until, at, epoch, seq, part.kinds, part.tx, limit + 1
    )
    rows = tuple(_row(record, language) for record in records[:limit])
    return Page(rows, rows[-1].key if len(records) > limit else None)


async def read_log_from(
    database: Database,
    terminal: str,
    *,
    language: Language,
    bottom: LogKey,
    part: LogRange = EVERYTHING,
    limit: int = LIMIT_DEFAULT,
) -> Page[LogRow, LogKey]:
    """Return the newest rows down to and with a key: what a live view shows again and again."""
    records = await database.fetch(
        READ_LOG_FROM, terminal, part.since, part.until, *bottom, part.kinds, part.tx, limit + 1
    )
    rows = tuple(_row(record, language) for record in records[:limit])
    return Page(rows, rows[-1].key if len(records) > limit else None)


async def positions(database: Database, terminal: str) -> dict[int, int]:
    """Return epoch → next seq of the terminal's newest journals: it changes when the log does."""
    records = await database.fetch(READ_POSITIONS, terminal)
    return {record["epoch"]: record["next_seq"] for record in records}


def _row(record: Record, language: Language) -> LogRow:
    event = shown(json_value(record["body"]))
    return LogRow(
        at=record["at"],
        received_at=record["received_at"],
        epoch=record["epoch"],
        seq=record["seq"],
        kind=record["kind"],
        event=event,
        text=sentence(event, language, seq=record["seq"]),
    )
