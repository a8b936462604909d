"""Support cases and work orders, newest first, with their history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from desk.queries.database import LIMIT_DEFAULT, Database, Page, Record, storable
from desk.times import FOREVER, Moment


class CaseKey(NamedTuple):
    """Where a case stands: when it was opened, then its number."""

    opened_at: datetime
    number: str


class OpenFirstKey(NamedTuple):
    """Where a case stands in a list that begins with those that wait for somebody."""

    settled: bool
    case: CaseKey


@dataclass(frozen=True, slots=True)
class CaseStep:
    """One line of a case's history; `public`: its customer may read it."""

    at: Moment
    actor: str
    action: str
    state_from: str | None
    state_to: str | None
    text: str | None
    public: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A person's work; a work order has topic `work_order` and no tx.

    Without a terminal: a customer wrote, and nobody knows yet where it happened.
    """

    number: str
    topic: str
    state: str
    terminal: str | None
    epoch: int | None
    tx: str | None
    opened_at: Moment
    due_at: Moment
    opened_by: str
    merged_into: str | None
    """The case that goes on with it."""
    incidents: tuple[str, ...]
    reports: tuple[str, ...]
    history: tuple[CaseStep, ...]

    @property
    def key(self) -> CaseKey:
        """Return where this row stands."""
        return CaseKey(self.opened_at, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases; None: no matter."""

    terminal: str | None = None
    state: str | None = None


_COLUMNS: Final = """
select c.number, c.topic, c.state, c.terminal, c.epoch, c.tx, c.opened_at, c.due_at, c.opened_by,
  c.merged_into,
  array(select i.id from incident i where i.case_number = c.number order by i.id) as incidents,
  array(select r.id from report r where r.case_number = c.number order by r.id) as reports
from support_case c
"""
_WHERE: Final = "where c.opened_at <= $1 and (c.opened_at, c.number) < ($1, $2)"
_ORDER: Final = "order by c.opened_at desc, c.number desc limit $3"

READ_ALL: Final = f"{_COLUMNS} {_WHERE} {_ORDER}"
READ_IN_STATE: Final = f"{_COLUMNS} {_WHERE} and c.state = $4 {_ORDER}"
READ_OF_TERMINAL: Final = (
    f"{_COLUMNS} {_WHERE} and c.terminal = $4 and ($5::text is null or c.state = $5) {_ORDER}"
)
READ_UNSETTLED: Final = f"{_COLUMNS} {_WHERE} and c.state not in ('resolved', 'closed') {_ORDER}"
READ_SETTLED: Final = f"{_COLUMNS} {_WHERE} and c.state in ('resolved', 'closed') {_ORDER}"
READ_ONE: Final = f"{_COLUMNS} where c.number = $1"
READ_HISTORY: Final = """
select number, at, actor, action, state_from, state_to, text, public
from case_history where number = any ($1::text[]) order by number, id
"""

NEWEST: Final = CaseKey(FOREVER, "")


async def read_cases(
    database: Database,
    wanted: CaseFilter,
    *,
    after: CaseKey | None = None,
    limit: int = LIMIT_DEFAULT,
) -> Page[Case, CaseKey]:
    """Return a page of cases that begins after a key."""
    if not storable(wanted.terminal, wanted.state):
        return Page((), None)
    bounds = (*(after or NEWEST), limit + 1)
    if wanted.terminal is not None:
        records = await database.fetch(READ_OF_TERMINAL, *bounds, wanted.terminal, wanted.state)
    elif wanted.state is not None:
        records = await database.fetch(READ_IN_STATE, *bounds, wanted.state)
    else:
        records = await database.fetch(READ_ALL, *bounds)
    rows = await _with_history(database, records[:limit])
    return Page(rows, rows[-1].key if len(records) > limit else None)


async def read_cases_open_first(
    database: Database,
    state: str | None,
    *,
    after: OpenFirstKey | None = None,
    limit: int = LIMIT_DEFAULT,
) -> Page[Case, OpenFirstKey]:
    """Return a page of all cases, or those in a state: unsettled ones first, then newest first.

    A case that is settled between two pages may show twice, and none is missed.
    """
    if state is not None:
        page = await read_cases(
            database, CaseFilter(state=state), after=after.case if after else None, limit=limit
        )
        return Page(page.items, OpenFirstKey(False, page.next) if page.next else None)
    records: list[Record] = []
    for settled, query in ((False, READ_UNSETTLED), (True, READ_SETTLED)):
        if after is not None and after.settled and not settled:
            continue
        key = after.case if after is not None and after.settled is settled else NEWEST
        wanted = limit - len(records)
        found = await database.fetch(query, *key, wanted + 1)
        records.extend(found[:wanted])
        if len(found) > wanted:
            rows = await _with_history(database, records)
            last = rows[-1].key if wanted else NEWEST
            return Page(rows, OpenFirstKey(settled, last))
    return Page(await _with_history(database, records), None)


async def read_case(database: Database, number: str) -> Case | None:
    """Return one case by its number."""
    if not storable(number):
        return None
    record = await database.fetchrow(READ_ONE, number)
    if record is None:
        return None
    return (await _with_history(database, [record]))[0]


async def _with_history(database: Database, records: Sequence[Record]) -> tuple[Case, ...]:
    numbers = [record["number"] for record in records]
    history: dict[str, list[CaseStep]] = {number: [] for number in numbers}
    for step in await database.fetch(READ_HISTORY, numbers) if numbers else ():
        fields = dict(step)
        history[fields.pop("number")].append(CaseStep(**fields))
    return tuple(_row(record, tuple(history[record["number"]])) for record in records)


def _row(record: Record, history: tuple[CaseStep, ...]) -> Case:
    fields = dict(record)
    for name in ("incidents", "reports"):
        fields[name] = tuple(str(each) for each in fields[name])
    return Case(**fields, history=history)
