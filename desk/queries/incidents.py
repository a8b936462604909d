"""Incidents, newest first: open ones, those of a terminal, of a rule."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from desk.queries.database import (
    INTEGER_MAX,
    LIMIT_DEFAULT,
    Database,
    Page,
    Record,
    json_value,
    storable,
)
from desk.times import FOREVER, Moment


class IncidentKey(NamedTuple):
    """Where an incident stands: when it opened, then its epoch and id."""

    opened_at: datetime
    epoch: int
    id: int


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a journal."""

    epoch: int
    seq: int


@dataclass(frozen=True, slots=True)
class Incident:
    """What holds, or held: `subject` is a tx, a device or None; `case` a case's number or None."""

    id: str
    terminal: str
    rule: str
    epoch: int | None
    subject: str | None
    cause: str | None
    severity: str
    provisional: bool
    opened_at: Moment
    detected_at: Moment
    cleared_at: Moment | None
    times: int
    proof: tuple[Position, ...]
    case: str | None

    @property
    def key(self) -> IncidentKey:
        """Return where this row stands."""
        return IncidentKey(self.opened_at, self.epoch or 0, int(self.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """Which incidents; None: no matter."""

    terminal: str | None = None
    rule: str | None = None
    open: bool | None = None


_COLUMNS: Final = """
select id, terminal, rule, epoch, subject, cause, severity, provisional, opened_at, detected_at,
  cleared_at, times, proof::text as proof, case_number
from incident
"""
_WHERE: Final = """
where opened_at <= $1 and (opened_at, coalesce(epoch, 0), id) < ($1, $2, $3)
  and ($4::text is null or rule = $4)
"""
_ORDER: Final = """
order by opened_at desc, coalesce(epoch, 0) desc, id desc
limit $5
"""
_OPEN: Final = {None: "", True: "and cleared_at is null", False: "and cleared_at is not null"}

# Whether a terminal and openness are asked for is written into the text, not into a parameter:
# only so does the planner see the index that fits.
READ_ALL: Final = {
    open_: f"{_COLUMNS} {_WHERE} {condition} {_ORDER}" for open_, condition in _OPEN.items()
}
READ_OF_TERMINAL: Final = {
    open_: f"{_COLUMNS} {_WHERE} {condition} and terminal = $6 {_ORDER}"
    for open_, condition in _OPEN.items()
}
READ_ONE: Final = f"{_COLUMNS} where id = $1"
READ_OF_CASE: Final = f"{_COLUMNS} where case_number = $1 order by opened_at desc, id desc limit $2"
COUNT_OPEN: Final = """
select severity, count(*) as number from incident where cleared_at is null group by severity
"""

NEWEST: Final = IncidentKey(FOREVER, INTEGER_MAX, INTEGER_MAX)


async def read_incidents(
    database: Database,
    wanted: IncidentFilter,
    *,
    after: IncidentKey | None = None,
    limit: int = LIMIT_DEFAULT,
) -> Page[Incident, IncidentKey]:
    """Return a page of incidents that begins after a key."""
    if not storable(wanted.terminal, wanted.rule):
        return Page((), None)
    bounds = (*(after or NEWEST), wanted.rule, limit + 1)
    records = (
        await database.fetch(READ_ALL[wanted.open], *bounds)
        if wanted.terminal is None
        else await database.fetch(READ_OF_TERMINAL[wanted.open], *bounds, wanted.terminal)
    )
    rows = tuple(_row(record) for record in records[:limit])
    return Page(rows, rows[-1].key if len(records) > limit else None)


async def read_incident(database: Database, incident: int) -> Incident | None:
    """Return one incident."""
    record = await database.fetchrow(READ_ONE, incident)
    return None if record is None else _row(record)


async def incidents_of_case(
    database: Database, number: str, *, limit: int = LIMIT_DEFAULT
) -> tuple[Incident, ...]:
    """Return the incidents that a case is about, newest first."""
    return tuple(_row(record) for record in await database.fetch(READ_OF_CASE, number, limit))


async def count_open(database: Database) -> dict[str, int]:
    """Return severity → how many incidents are open over the fleet."""
    return {record["severity"]: record["number"] for record in await database.fetch(COUNT_OPEN)}


def incident_id(text: str) -> int | None:
    """Return the number that an id's text is; None if it cannot be an incident's."""
    if not text.isascii() or not text.isdigit():
        return None
    number = int(text) if len(text) <= len(str(INTEGER_MAX)) else INTEGER_MAX + 1
    return number if number <= INTEGER_MAX else None


def _row(record: Record) -> Incident:
    fields = dict(record)
    fields["id"] = str(fields["id"])
    fields["case"] = fields.pop("case_number")
    fields["proof"] = tuple(
        Position(epoch=place["epoch"], seq=place["seq"]) for place in json_value(fields["proof"])
    )
    return Incident(**fields)
