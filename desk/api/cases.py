"""Support cases and work orders."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter

from desk.api import API
from desk.api.asking import Cursor, DeskNow, Limit, Word, key_of, page_of
from desk.api.problems import not_found
from desk.queries.cases import Case, CaseFilter, CaseKey, read_case, read_cases
from desk.queries.database import LIMIT_DEFAULT

router = APIRouter(prefix=API, tags=["cases"])

CaseState = Literal["new", "open", "waiting_customer", "resolved", "closed"]


@dataclass(frozen=True, slots=True)
class Cases:
    """A page of cases."""

    items: tuple[Case, ...]
    next: str | None


@router.get("/cases", response_model=Cases)
async def list_cases(
    *,
    desk: DeskNow,
    terminal: Word = None,
    state: CaseState | None = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """List cases, the latest opened first."""
    key = key_of(cursor, (datetime, str))
    page = await read_cases(
        desk.database,
        CaseFilter(terminal=terminal, state=state),
        after=CaseKey(*key) if key else None,
        limit=limit,
    )
    return page_of(page.items, page.next)


@router.get("/cases/{number}")
async def show_case(desk: DeskNow, number: str) -> Case:
    """Return one case with its history."""
    row = await read_case(desk.database, number)
    if row is None:
        raise not_found("case")
    return row
