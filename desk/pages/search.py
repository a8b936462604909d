"""The front page: find a terminal or a case by its number, and what is open over the fleet."""

import re
from typing import Final

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from desk.api.asking import DeskNow
from desk.pages.reader import Reading
from desk.queries.cases import read_case
from desk.queries.database import Database, Page
from desk.queries.incidents import IncidentFilter, count_open, read_incidents
from desk.queries.terminals import Terminal, TerminalKey, find_terminals, zones_of

router = APIRouter()

_FOUND_MAX: Final = 30
_OPEN_MAX: Final = 50
_QUERY_MAX: Final = 200
_CASE: Final = re.compile(r"[KkКк][-\s]?(\d{4})[-\s](\d{1,9})")
"""A case's number as people write it down: in Cyrillic too, and without its zeros."""


@router.get("/")
async def front(desk: DeskNow, reading: Reading, query: str = "") -> Response:
    """Show the search and the open incidents; a full number leads straight there."""
    asked = query.strip()[:_QUERY_MAX]
    number = case_number(asked)
    if number is not None and await read_case(desk.database, number) is not None:
        return RedirectResponse(f"/cases/{number}", 303)
    found = await _found(desk.database, asked)
    if asked and [row.terminal.lower() for row in found.items] == [asked.lower()]:
        return RedirectResponse(f"/terminals/{found.items[0].terminal}", 303)
    opened = await read_incidents(desk.database, IncidentFilter(open=True), limit=_OPEN_MAX)
    values = {
        "query": asked,
        "found": found,
        "opened": opened.items,
        "more": opened.next is not None,
        "counts": await count_open(desk.database),
        "zones": await zones_of(desk.database, [row.terminal for row in opened.items]),
    }
    return reading.view.page("search.html", values)


@router.get("/search")
async def search(desk: DeskNow, reading: Reading, query: str = "") -> Response:
    """Return only what was found, while somebody types."""
    asked = query.strip()[:_QUERY_MAX]
    found = await _found(desk.database, asked)
    return reading.view.page("found.html", {"query": asked, "found": found})


def case_number(text: str) -> str | None:
    """Return the number of a case that a text is, as the tables have it."""
    found = _CASE.fullmatch(text)
    return None if found is None else f"K-{found[1]}-{int(found[2]):06d}"


async def _found(database: Database, asked: str) -> Page[Terminal, TerminalKey]:
    return await find_terminals(database, asked, limit=_FOUND_MAX)
