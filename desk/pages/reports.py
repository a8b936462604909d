"""The list of reports: the latest first, by what became of them; masked."""

from datetime import datetime
from typing import Final, get_args

from fastapi import APIRouter, Request
from starlette.datastructures import URL
from starlette.responses import Response

from desk import cursors
from desk.api.asking import DeskNow
from desk.pages.reader import Reading
from desk.queries.reports import ReportKey, ReportStatus, read_reports

router = APIRouter()

_ROWS: Final = 50
_KEY: Final = (datetime, int)
_STATUSES: Final[tuple[str, ...]] = get_args(ReportStatus)


@router.get("/reports")
async def page(
    *, request: Request, desk: DeskNow, reading: Reading, status: str = "", cursor: str = ""
) -> Response:
    """Show the whole page, or, for the next rows, only them; what cannot be meant is left out."""
    wanted = status if status in _STATUSES else None
    after = _key(cursors.read(cursor, _KEY)) if cursor else None
    found = await read_reports(desk.database, wanted, after=after, limit=_ROWS)
    values = {
        "status": wanted or "",
        "statuses": _STATUSES,
        "reports": found.items,
        "more": _address(wanted, cursors.write(found.next)) if found.next else None,
    }
    rows_only = after is not None and "hx-request" in request.headers
    return reading.view.page("report_rows.html" if rows_only else "reports.html", values)


def _address(status: str | None, cursor: str) -> str:
    kept = {"cursor": cursor} | ({"status": status} if status else {})
    return str(URL("/reports").include_query_params(**kept))


def _key(parts: tuple[cursors.Part, ...] | None) -> ReportKey | None:
    if parts is None:
        return None
    at, number = parts
    assert isinstance(at, datetime)
    assert isinstance(number, int)
    return ReportKey(at, number)
