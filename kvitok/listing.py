"""`kvitok incident …` and `kvitok case …`: what the desk shows, on the command line."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import typer

from desk.queries.cases import Case, CaseFilter, read_case, read_cases
from desk.queries.database import LIMIT_MAX, Database, Page
from desk.queries.incidents import Incident, IncidentFilter, incident_id, read_incidents
from desk.settings import DeskSettings
from incidents.actions import Refused, clear_incident
from incidents.store import Connection
from incidents.thresholds import RULES
from kvitok.ask import NotFound, ask
from kvitok.place import Config, Data, settings_of
from kvitok.show import AsJson, Limit, as_fields, as_json, as_table

incident = typer.Typer(help="Incidents: what holds, and what held.", no_args_is_help=True)
case = typer.Typer(help="Support cases and work orders.", no_args_is_help=True)

OfTerminal = Annotated[
    str | None, typer.Option("--terminal", metavar="TERMINAL", help="Of this terminal only.")
]
Row = TypeVar("Row")


class State(StrEnum):
    """The life of a case."""

    NEW = "new"
    OPEN = "open"
    WAITING_CUSTOMER = "waiting_customer"
    RESOLVED = "resolved"
    CLOSED = "closed"


async def pages(read: Callable[[Any, int], Awaitable[Page[Row, Any]]], limit: int) -> list[Row]:
    """Return up to so many rows of a list that comes in pages."""
    rows: list[Row] = []
    after: Any = None
    while len(rows) < limit:
        page = await read(after, min(limit - len(rows), LIMIT_MAX))
        rows.extend(page.items)
        after = page.next
        if after is None:
            break
    return rows


@incident.command("list")
def incident_list(  # noqa: PLR0913 - one a filter
    terminal: OfTerminal = None,
    rule: Annotated[
        str | None, typer.Option("--rule", metavar="RULE", help="Of this rule only.")
    ] = None,
    *,
    open_: Annotated[
        bool | None,
        typer.Option("--open/--cleared", show_default=False, help="Only these; else both."),
    ] = None,
    limit: Limit = 100,
    json: AsJson = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """List incidents, newest first."""
    if rule is not None and rule not in RULES:
        raise typer.BadParameter(f"there is no rule {rule!r}; there are {', '.join(RULES)}")
    settings = settings_of(data, config)
    wanted = IncidentFilter(terminal=terminal, rule=rule, open=open_)

    async def read(database: Database) -> list[Incident]:
        return await pages(
            lambda after, size: read_incidents(database, wanted, after=after, limit=size), limit
        )

    rows = ask(settings, settings.section(DeskSettings).dsn, read)
    if json:
        as_json(list[Incident], rows)
        return
    as_table(
        ("ID", "OPENED", "CLEARED", "SEVERITY", "RULE", "TERMINAL", "SUBJECT", "CAUSE", "CASE"),
        (
            (
                each.id, each.opened_at, each.cleared_at,
                f"{each.severity}?" if each.provisional else each.severity,
                each.rule, each.terminal, each.subject, each.cause, each.case,
            )
            for each in rows
        ),
        empty="no incidents",
    )  # fmt: skip


@incident.command("clear")
def incident_clear(
    number: Annotated[str, typer.Argument(metavar="ID", help="As `incident list` shows it.")],
    *,
    data: Data = None,
    config: Config = None,
) -> None:
    """Clear an incident of a rule that only a person clears: journal_gap, identity_clash."""
    settings = settings_of(data, config)
    known = incident_id(number)

    async def write(connection: Connection) -> Refused | None:
        if known is None:
            return Refused("unknown", f"there is no incident {number}")
        at = datetime.now(UTC)  # noqa: TID251 - the command line is a door
        return await clear_incident(connection, known, actor="command line", now=at)

    refused = ask(settings, settings.section(DeskSettings).dsn, write)
    if refused is not None:
        raise NotFound(f"{refused.text}; `kvitok incident list` shows what there is")
    typer.echo(f"{number}: cleared")


@case.command("list")
def case_list(
    terminal: OfTerminal = None,
    state: Annotated[State | None, typer.Option("--state", help="In this state only.")] = None,
    *,
    limit: Limit = 100,
    json: AsJson = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """List cases, newest first."""
    settings = settings_of(data, config)
    wanted = CaseFilter(terminal=terminal, state=state.value if state else None)

    async def read(database: Database) -> list[Case]:
        return await pages(
            lambda after, size: read_cases(database, wanted, after=after, limit=size), limit
        )

    rows = ask(settings, settings.section(DeskSettings).dsn, read)
    if json:
        as_json(list[Case], rows)
        return
    as_table(
        ("NUMBER", "TOPIC", "STATE", "TERMINAL", "TRANSACTION", "OPENED", "DUE", "BY"),
        (
            (
                each.number, each.topic, each.state, each.terminal, each.tx,
                each.opened_at, each.due_at, each.opened_by,
            )
            for each in rows
        ),
        empty="no cases",
    )  # fmt: skip


@case.command("show")
def case_show(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="As K-2026-000123.")],
    *,
    json: AsJson = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show one case with its history."""
    settings = settings_of(data, config)

    async def read(database: Database) -> Case | None:
        return await read_case(database, number)

    found = ask(settings, settings.section(DeskSettings).dsn, read)
    if found is None:
        raise NotFound(f"there is no case {number}; `kvitok case list` shows what there is")
    if json:
        as_json(Case, found)
        return
    plain = replace(found, history=())
    as_fields((name, getattr(plain, name)) for name in Case.__slots__ if name != "history")
    typer.echo()
    as_table(
        ("AT", "WHO", "WHAT", "STATE", "TEXT"),
        ((step.at, step.actor, step.action, step.state_to, step.text) for step in found.history),
    )
