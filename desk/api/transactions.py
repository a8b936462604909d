"""Transactions over the fleet or of a terminal, and what could not be read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter

from desk.api import API
from desk.api.asking import Cursor, DeskNow, Limit, Times, Word, key_of, page_of
from desk.queries.database import LIMIT_DEFAULT
from desk.queries.quarantine import Quarantined, QuarantineKey, read_quarantine
from desk.queries.transactions import (
    Transaction,
    TransactionFilter,
    TransactionKey,
    read_transactions,
)

router = APIRouter(prefix=API, tags=["journals"])


@dataclass(frozen=True, slots=True)
class Transactions:
    """A page of transactions."""

    items: tuple[Transaction, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A page of unreadable events."""

    items: tuple[Quarantined, ...]
    next: str | None


@router.get("/transactions", response_model=Transactions)
async def list_transactions(
    *,
    desk: DeskNow,
    times: Times,
    terminal: Word = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """List transactions, newest start first."""
    key = key_of(cursor, (datetime, int, int, str, str))
    page = await read_transactions(
        desk.database,
        TransactionFilter(terminal=terminal, since=times.since, until=times.until),
        after=TransactionKey(*key) if key else None,
        limit=limit,
    )
    return page_of(page.items, page.next)


@router.get("/quarantine", response_model=Quarantine)
async def list_quarantine(
    desk: DeskNow, terminal: Word = None, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> dict[str, Any]:
    """List what could not be read, newest first, with the reason."""
    key = key_of(cursor, (datetime, int))
    page = await read_quarantine(
        desk.database,
        terminal=terminal,
        after=QuarantineKey(*key) if key else None,
        limit=limit,
    )
    return page_of(page.items, page.next)
