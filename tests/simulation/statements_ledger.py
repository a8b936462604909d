"""What each SQL statement of the ledger means, written again in Python."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg

from incidents import store_ledger
from tests.simulation.pending import Pending, Waits
from tests.simulation.records import Record, records_of, records_with
from tests.simulation.tables import SHAPES, Row, jsonb

_SHAPES: Final = {shape.name: shape for shape in SHAPES}
_FINISHED: Final = {"resolved", "closed"}
_INCIDENT: Final = records_of(
    "id terminal rule epoch subject cause severity provisional opened_at detected_at cleared_at"
    " times proof case_number"
)
_CASE: Final = records_with((*_SHAPES["support_case"].columns, "reported"))
_ZONE: Final = records_of("terminal timezone")
_NUMBER: Final = records_of("nextval")


def _incident(row: Row) -> Record:
    return _INCIDENT(row.values())


def _locked(
    pending: Pending, table: str, rows: Sequence[Row], holds: Callable[[Row], bool]
) -> Waits[list[Row]]:
    """Lock rows one after the other; those that no longer fit are left out."""
    of = _SHAPES[table].key
    found = []
    for each in rows:
        row = yield from pending.lock(table, of(each))
        if row is not None and holds(row):
            found.append(row)
    return found


def money_incidents(  # noqa: PLR0917 - the statement's arguments
    pending: Pending,
    names: Sequence[str],
    epochs: Sequence[int],
    subjects: Sequence[str],
    rules: Sequence[str],
) -> Waits[list[Record]]:
    """Lock the incidents of these transactions."""
    wanted = dict.fromkeys(zip(names, epochs, subjects, strict=True))

    def holds(row: Row) -> bool:
        key = (row["terminal"], row["epoch"], row["subject"])
        return key in wanted and row["rule"] in rules

    rows = [
        row
        for name in dict.fromkeys(names)
        for row in pending.under("incident", "terminal", name)
        if holds(row)
    ]
    return [_incident(row) for row in (yield from _locked(pending, "incident", rows, holds))]


def other_incidents(
    pending: Pending, names: Sequence[str], began: Sequence[datetime]
) -> Waits[list[Record]]:
    """Lock the terminals' open and provisional incidents, and those that opened at these times."""

    def holds(row: Row) -> bool:
        is_open = row["cleared_at"] is None
        if row["epoch"] is None and (is_open or row["opened_at"] in began):
            return True
        return bool(row["provisional"] and is_open)

    rows = [
        row
        for name in dict.fromkeys(names)
        for row in pending.under("incident", "terminal", name)
        if holds(row)
    ]
    rows.sort(key=lambda row: row["id"])
    return [_incident(row) for row in (yield from _locked(pending, "incident", rows, holds))]


def cases(  # noqa: PLR0917 - the statement's arguments
    pending: Pending,
    numbers: Sequence[str],
    names: Sequence[str],
    of_terminals: Sequence[str],
    epochs: Sequence[int],
    txs: Sequence[str],
) -> Waits[list[Record]]:
    """Lock cases: by number, the work orders of terminals, those of transactions."""
    wanted: dict[str, Row | None] = {each: pending.row("support_case", each) for each in numbers}
    for name in names:
        for row in pending.under("support_case", "terminal", name):
            if row["topic"] == "work_order" and row["state"] not in _FINISHED:
                wanted[row["number"]] = row
    for key in zip(of_terminals, epochs, txs, strict=True):
        for row in pending.under("support_case", "transaction", key):
            wanted[row["number"]] = row
    found = []
    reported = {number for number in wanted if pending.under("report", "case_number", number)}
    for number in sorted(wanted):
        found_there = wanted[number]
        if found_there is None or found_there["terminal"] is None:
            continue
        row_now = yield from pending.lock("support_case", number)
        if row_now is not None:
            found.append(_CASE((*row_now.values(), number in reported)))
    return found


def of_cases(pending: Pending, numbers: Sequence[str], known: Sequence[int]) -> list[Record]:
    """Return the other incidents of cases."""
    return [
        _incident(row)
        for number in dict.fromkeys(numbers)
        for row in pending.under("incident", "case_number", number)
        if row["id"] not in known
    ]


def zones(pending: Pending, names: Sequence[str]) -> list[Record]:
    """Return the time zones of terminals."""
    rows = (pending.row("terminal", name) for name in names)
    return [_ZONE((row["terminal"], row["timezone"])) for row in rows if row is not None]


def case_numbers(pending: Pending, count: int) -> list[Record]:
    """Return fresh numbers."""
    return [_NUMBER((pending.next_value("support_case_number"),)) for _ in range(count)]


def new_case(pending: Pending, *values: Any) -> Waits[None]:
    """Open a case."""
    shape = _SHAPES["support_case"]
    told = shape.columns[: len(values)]
    row = shape.row(dict(zip(told, values, strict=True)))
    yield from pending.insert_new(shape.name, row)


def change_case(pending: Pending, number: str, state: str, at: datetime) -> Waits[None]:
    """Move a case."""
    row = yield from pending.lock("support_case", number)
    if row is not None:
        changed = {**row, "state": state, "changed_at": at}
        yield from pending.write("support_case", number, changed)


def history(pending: Pending, *values: Any) -> Waits[None]:
    """Add a line to a case's history."""
    shape = _SHAPES["case_history"]
    number = pending.next_value("case_history")
    row = dict(zip(shape.columns, (number, *values), strict=True))
    _must_be(pending, row["number"])
    yield from pending.insert_new(shape.name, row)


def new_incident(pending: Pending, *values: Any) -> Waits[None]:
    """Open an incident."""
    columns = [
        "terminal",
        "rule",
        "epoch",
        "subject",
        "cause",
        "severity",
        "provisional",
        "opened_at",
        "cleared_at",
        "times",
        "proof",
        "case_number",
        "detected_at",
    ]
    given = dict(zip(columns, values, strict=True))
    given["id"] = pending.next_value("incident")
    given["proof"] = jsonb(given["proof"])
    _must_be(pending, given["case_number"])
    yield from pending.insert_new("incident", _SHAPES["incident"].row(given))


def change_incident(pending: Pending, number: int, *values: Any) -> Waits[None]:
    """Change an incident."""
    columns = [
        "cause",
        "severity",
        "provisional",
        "opened_at",
        "cleared_at",
        "times",
        "proof",
        "case_number",
    ]
    given = dict(zip(columns, values, strict=True))
    given["proof"] = jsonb(given["proof"])
    row = yield from pending.lock("incident", number)
    if row is not None:
        _must_be(pending, given["case_number"])
        yield from pending.write("incident", number, {**row, **given})


def delete_incident(pending: Pending, number: int) -> Waits[None]:
    """Delete an incident that was provisional."""
    before = pending.row("incident", number)
    if before is None or not before["provisional"]:
        return
    row = yield from pending.lock("incident", number)
    if row is not None and row["provisional"]:
        yield from pending.write("incident", number, None)


def _must_be(pending: Pending, number: str | None) -> None:
    """Refuse what names a case that does not exist."""
    if number is not None and pending.row("support_case", number) is None:
        raise asyncpg.ForeignKeyViolationError(f"there is no case {number}")


STATEMENTS: Final[dict[str, Callable[..., Any]]] = {
    store_ledger.MONEY_INCIDENTS: money_incidents,
    store_ledger.OTHER_INCIDENTS: other_incidents,
    store_ledger.CASES: cases,
    store_ledger.OF_CASES: of_cases,
    store_ledger.ZONES: zones,
    store_ledger.NUMBERS: case_numbers,
    store_ledger.NEW_CASE: new_case,
    store_ledger.CHANGE_CASE: change_case,
    store_ledger.HISTORY: history,
    store_ledger.NEW_INCIDENT: new_incident,
    store_ledger.CHANGE_INCIDENT: change_incident,
    store_ledger.DELETE_INCIDENT: delete_incident,
}
