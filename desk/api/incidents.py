"""Incidents: listed, and cleared by a person."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter

from desk.api import API
from desk.api.asking import Asker, Cursor, DeskNow, Limit, Word, key_of, page_of
from desk.api.problems import Problem, not_found
from desk.database import one_connection
from desk.queries.database import LIMIT_DEFAULT
from desk.queries.incidents import (
    Incident,
    IncidentFilter,
    IncidentKey,
    incident_id,
    read_incident,
    read_incidents,
)
from incidents.actions import clear_incident

router = APIRouter(prefix=API, tags=["incidents"])


@dataclass(frozen=True, slots=True)
class Incidents:
    """A page of incidents."""

    items: tuple[Incident, ...]
    next: str | None


@router.get("/incidents", response_model=Incidents)
async def list_incidents(
    *,
    desk: DeskNow,
    terminal: Word = None,
    rule: Word = None,
    open: bool | None = None,  # noqa: A002 - the contract's name
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """List incidents, the latest opened first."""
    key = key_of(cursor, (datetime, int, int))
    page = await read_incidents(
        desk.database,
        IncidentFilter(terminal=terminal, rule=rule, open=open),
        after=IncidentKey(*key) if key else None,
        limit=limit,
    )
    return page_of(page.items, page.next)


@router.get("/incidents/{incident}")
async def show_incident(desk: DeskNow, incident: str) -> Incident:
    """Return one incident."""
    number = incident_id(incident)
    row = None if number is None else await read_incident(desk.database, number)
    if row is None:
        raise not_found("incident")
    return row


@router.post("/incidents/{incident}/clear", responses={409: {}})
async def clear(desk: DeskNow, asker: Asker, incident: str) -> Incident:
    """Clear an incident by a person's word; one that is cleared already stays as it is."""
    number = incident_id(incident)
    row = None if number is None else await read_incident(desk.database, number)
    if number is None or row is None:
        raise not_found("incident")
    async with one_connection(desk.database) as connection:
        refused = await clear_incident(connection, number, actor=asker.name, now=desk.now())
    if refused is not None and refused.reason == "clears_itself":
        raise Problem(409, f"{refused.text}.")
    row = await read_incident(desk.database, number)
    assert row is not None
    return row
