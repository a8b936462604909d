"""The list of cases: what waits for somebody first, by state, page by page."""

from datetime import datetime
from typing import Final, get_args

from fastapi import APIRouter, Request
from starlette.datastructures import URL
from starlette.responses import Response

from desk import cursors
from desk.api.asking import DeskNow
from desk.api.cases import CaseState
from desk.pages.reader import Reading
from desk.queries.cases import CaseKey, OpenFirstKey, read_cases_open_first
from desk.queries.terminals import zones_of

router = APIRouter()

_ROWS: Final = 50
_KEY: Final = (int, datetime, str)
_STATES: Final[tuple[str, ...]] = get_args(CaseState)


@router.get("/cases")
async def page(
    *, request: Request, desk: DeskNow, reading: Reading, state: str = "", cursor: str = ""
) -> Response:
    """Show the whole page, or, for the next rows, only them; what cannot be meant is left out."""
    wanted = state if state in _STATES else None
    after = _key(cursors.read(cursor, _KEY)) if cursor else None
    found = await read_cases_open_first(desk.database, wanted, after=after, limit=_ROWS)
    terminals = [each.terminal for each in found.items if each.terminal]
    values = {
        "state": wanted or "",
        "states": _STATES,
        "cases": found.items,
        "zones": await zones_of(desk.database, terminals),
        "more": _address(wanted, cursors.write(_flat(found.next))) if found.next else None,
    }
    rows_only = after is not None and "hx-request" in request.headers
    return reading.view.page("case_rows.html" if rows_only else "cases.html", values)


def _address(state: str | None, cursor: str) -> str:
    kept = {"cursor": cursor} | ({"state": state} if state else {})
    return str(URL("/cases").include_query_params(**kept))


def _flat(key: OpenFirstKey) -> tuple[cursors.Part, ...]:
    return (int(key.settled), key.case.opened_at, key.case.number)


def _key(parts: tuple[cursors.Part, ...] | None) -> OpenFirstKey | None:
    if parts is None:
        return None
    settled, opened_at, number = parts
    assert isinstance(opened_at, datetime)
    assert isinstance(number, str)
    return OpenFirstKey(bool(settled), CaseKey(opened_at, number))
