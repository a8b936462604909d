"""A terminal's page: how it is, what is open, the day's payments, and its log, live."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk import clocktime, cursors
from desk.api.asking import DeskNow
from desk.api.problems import not_found
from desk.pages.logview import by_day
from desk.pages.look import Look, Wanted
from desk.pages.reader import Reader, Reading
from desk.queries.incidents import IncidentFilter, read_incidents
from desk.queries.liveness import signature
from desk.queries.log import (
    OLDEST,
    LogKey,
    LogRow,
    positions,
    read_log,
    read_log_from,
)
from desk.queries.terminals import Terminal, read_terminal
from desk.queries.transactions import TransactionFilter, read_transactions
from desk.state import Desk

router = APIRouter()

_ROWS: Final = 100
_LIVE_ROWS_MAX: Final = 500
"""A live page that has grown beyond this is drawn anew."""
_INCIDENTS_MAX: Final = 50
_TRANSACTIONS_MAX: Final = 60
_DAYS: Final = timedelta(days=1)
_KEY: Final = (datetime, int, int)


@router.get("/terminals/{terminal}")  # noqa: FAST003 - `Look` reads it
async def page(
    *, request: Request, desk: DeskNow, reading: Reading, look: Look, cursor: str = ""
) -> Response:
    """Show the whole page, or, for the next rows of the log, only them."""
    row = await read_terminal(desk.database, look.terminal)
    if row is None:
        return reading.view.page("no_terminal.html", {"query": look.terminal}, status=404)
    after = _key(cursors.read(cursor, _KEY)) if cursor else None
    # Before the rows: what comes between the two is then drawn twice, never missed.
    state = await _state(desk, look)
    log = await read_log(
        desk.database,
        look.terminal,
        language=reading.view.language,
        part=look.part(row.timezone),
        after=after,
        limit=_ROWS,
    )
    values: dict[str, object] = {
        "terminal": row,
        "look": look,
        "days": by_day(log.items, clocktime.zone(row.timezone)),
        "more": cursors.write(log.next) if log.next else None,
        "going_on": False,
    }
    if after is not None and "hx-request" in request.headers:
        values["going_on"] = _goes_on(log.items, after, row.timezone)
        return reading.view.page("log_rows.html", values)
    bottom = cursors.write(log.next or OLDEST)
    values["live"] = look.live_address(**state, bottom=bottom) if after is None else None
    return reading.view.page("terminal.html", values | await _around(desk, reading, row, look))


@router.get("/terminals/{terminal}/live")  # noqa: FAST003 - the same
async def live(
    *,
    desk: DeskNow,
    reading: Reading,
    look: Look,
    seen: str = "",
    bottom: str = "",
    next: str = "",  # noqa: A002 - the contract's word for it
) -> Response:
    """Return the head, and whatever else has changed since the page was drawn."""
    row = await read_terminal(desk.database, look.terminal)
    if row is None:
        raise not_found("terminal")
    state = await _state(desk, look)
    floor = _key(cursors.read(bottom, _KEY)) or OLDEST
    values: dict[str, object] = {
        "terminal": row,
        "look": look,
        "live": look.live_address(**state, bottom=cursors.write(floor)),
        "changed": state["seen"] != seen,
        "going_on": False,
    }
    if not values["changed"]:
        return reading.view.page("live.html", values)
    log = await read_log_from(
        desk.database,
        look.terminal,
        language=reading.view.language,
        bottom=floor,
        part=look.part(row.timezone),
        limit=_LIVE_ROWS_MAX,
    )
    if log.next is not None:
        return Response(headers={"HX-Refresh": "true"})
    values["days"] = by_day(log.items, clocktime.zone(row.timezone), seen=_places(next))
    return reading.view.page("live.html", values | await _around(desk, reading, row, look))


async def _state(desk: Desk, look: Wanted) -> dict[str, str]:
    """Return what a live page sends back: what it has seen, and where its journals stood."""
    places = await positions(desk.database, look.terminal)
    return {
        "seen": await signature(desk.database, look.terminal),
        "next": ",".join(f"{epoch}:{seq}" for epoch, seq in places.items()),
    }


async def _around(desk: Desk, reading: Reader, row: Terminal, look: Wanted) -> dict[str, object]:
    there = clocktime.zone(row.timezone)
    today = clocktime.day_of(reading.view.now, there)
    day = look.day or today
    span = clocktime.day_span(day, there)
    incidents = await read_incidents(
        desk.database, IncidentFilter(terminal=row.terminal, open=True), limit=_INCIDENTS_MAX
    )
    transactions = await read_transactions(
        desk.database,
        TransactionFilter(terminal=row.terminal, since=span.since, until=span.until),
        limit=_TRANSACTIONS_MAX,
    )
    return {
        "incidents": incidents.items,
        "transactions": transactions.items,
        "transactions_more": transactions.next is not None,
        "day": day,
        "today": today,
        "day_before": (day - _DAYS).isoformat(),
        "day_after": (day + _DAYS).isoformat() if day < today else None,
    }


def _goes_on(rows: Sequence[LogRow], after: LogKey, zone: str) -> bool:
    """Tell whether rows belong to the day that the reader already has a heading of."""
    there = clocktime.zone(zone)
    return bool(rows) and clocktime.day_of(rows[0].at, there) == clocktime.day_of(after.at, there)


def _key(parts: tuple[cursors.Part, ...] | None) -> LogKey | None:
    if parts is None:
        return None
    at, epoch, seq = parts
    assert isinstance(at, datetime)
    assert isinstance(epoch, int)
    assert isinstance(seq, int)
    return LogKey(at, epoch, seq)


def _places(text: str) -> dict[int, int]:
    pairs = (each.partition(":") for each in text.split(",")[:16])
    return {
        int(epoch): int(seq)
        for epoch, _, seq in pairs
        if epoch.isascii() and epoch.isdigit() and seq.isascii() and seq.isdigit()
    }
