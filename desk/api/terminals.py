"""Terminals: found, looked at, made known; and their incident log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter

from desk.api import API
from desk.api.asking import (
    Cursor,
    DeskNow,
    Limit,
    Times,
    Tongue,
    described,
    json_body,
    key_of,
    page_of,
)
from desk.api.problems import not_found
from desk.queries.database import LIMIT_DEFAULT
from desk.queries.log import LogKey, LogRange, LogRow, read_log
from desk.queries.terminals import (
    Terminal,
    TerminalKey,
    find_terminals,
    is_known,
    read_terminal,
    register_terminal,
)
from desk.registration import Registration

router = APIRouter(prefix=API, tags=["terminals"])

_REGISTRATION: Final = TypeAdapter(Registration)
_QUERY_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Terminals:
    """A page of terminals."""

    items: tuple[Terminal, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Log:
    """A page of a log."""

    items: tuple[LogRow, ...]
    next: str | None


@router.get("/terminals", response_model=Terminals)
async def list_terminals(
    desk: DeskNow,
    query: Annotated[
        str, Query(max_length=_QUERY_MAX, description="Words of a number, name or place.")
    ] = "",
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """List the terminals that have every word of the query, the best fitting number first."""
    key = key_of(cursor, (int, str))
    page = await find_terminals(
        desk.database, query, after=TerminalKey(*key) if key else None, limit=limit
    )
    return page_of(page.items, page.next)


@router.post(
    "/terminals",
    status_code=201,
    responses={200: {"model": Terminal, "description": "It was known; the changed row."}},
    openapi_extra=described(_REGISTRATION),
)
async def make_known(request: Request, response: Response, desk: DeskNow) -> Terminal:
    """Make a terminal known, or change what is known: 201 or 200, and the row."""
    registration = await json_body(request, _REGISTRATION)
    new = await register_terminal(desk.database, registration, now=desk.now())
    response.status_code = 201 if new else 200
    row = await read_terminal(desk.database, registration.terminal)
    assert row is not None
    return row


@router.get("/terminals/{terminal}")
async def show_terminal(desk: DeskNow, terminal: str) -> Terminal:
    """Return one terminal, registered or not."""
    row = await read_terminal(desk.database, terminal)
    if row is None:
        raise not_found("terminal")
    return row


@router.get("/terminals/{terminal}/log", response_model=Log)
async def show_log(
    *,
    desk: DeskNow,
    terminal: str,
    times: Times,
    language: Tongue,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """Return the incident log of a terminal."""
    key = key_of(cursor, (datetime, int, int))
    if not await is_known(desk.database, terminal):
        raise not_found("terminal")
    page = await read_log(
        desk.database,
        terminal,
        language=language,
        part=LogRange(since=times.since, until=times.until),
        after=LogKey(*key) if key else None,
        limit=limit,
    )
    return page_of(page.items, page.next)
