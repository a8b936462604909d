"""`kvitok report …`: a customer's mail taken from a file, and what was understood of it."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from desk.queries.database import Database
from desk.queries.reports import Report, read_report, read_reports, report_number
from desk.reports.deciding import release_by_person
from desk.reports.taking import mailed, take, try_to_match
from desk.settings import DeskSettings
from desk.state import Clocks, Desk
from incidents.store import Connection
from kvitok.ask import NotFound, ask
from kvitok.listing import pages
from kvitok.place import Config, Data, settings_of
from kvitok.show import AsJson, Limit, as_fields, as_json, as_table

report = typer.Typer(help="Customers' reports: taken, looked into.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="As `report list` shows it.")]
Who = Annotated[
    str, typer.Option("--as", metavar="NAME", help="Who says so, for the report's page.")
]
Answer = TypeVar("Answer")


class MailUnreadable(Exception):  # noqa: N818 - says what is, like every error of ours
    """The file with the mail cannot be read; nothing was taken."""


class NotMatched(Exception):  # noqa: N818 - the same
    """The report is kept, but matching it failed; the line above says where."""


class NotReleased(Exception):  # noqa: N818 - the same
    """The report is not set aside; nothing was changed."""


class Status(StrEnum):
    """What became of a report."""

    ATTACHED = "attached"
    SUGGESTED = "suggested"
    NEEDS_FACTS = "needs_facts"
    SUSPENDED = "suspended"
    OTHER = "other"


@report.command("add")
def report_add(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.eml", help="One mail, as a mail program saves it.")
    ],
    *,
    json: AsJson = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Take a mail as a report and say what it is about; it is kept whatever it says, and once."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise MailUnreadable(f"cannot read {file}: {error.strerror}") from error
    if not raw.strip():
        raise MailUnreadable(f"{file} is empty")

    async def work(desk: Desk) -> Report | None:
        kept = await take(desk, mailed(raw, desk.now()))
        if not kept.is_new:
            typer.echo(f"this mail came before: it is report {kept.report}", err=True)
        return await read_report(desk.database, kept.report)

    _tell(_at_desk(work, data, config), json=json)


@report.command("list")
def report_list(
    status: Annotated[Status | None, typer.Option("--status", help="Of this status only.")] = None,
    *,
    limit: Limit = 100,
    json: AsJson = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """List reports, newest first."""
    settings = settings_of(data, config)
    wanted = status.value if status else None

    async def read(database: Database) -> list[Report]:
        return await pages(
            lambda after, size: read_reports(database, wanted, after=after, limit=size), limit
        )

    rows = ask(settings, settings.section(DeskSettings).dsn, read)
    if json:
        as_json(list[Report], rows)
        return
    as_table(
        ("ID", "RECEIVED", "CHANNEL", "STATUS", "TOPIC", "TERMINAL", "TRANSACTION", "CASE"),
        (
            (
                each.id, each.received_at, each.channel, each.set_aside or each.status,
                topic.value if (topic := each.first("topic")) else None,
                each.attached.terminal if each.attached else None,
                each.attached.tx if each.attached else None,
                each.attached.case if each.attached else None,
            )
            for each in rows
        ),
        empty="no reports",
    )  # fmt: skip


@report.command("show")
def report_show(
    number: Id, *, json: AsJson = False, data: Data = None, config: Config = None
) -> None:
    """Show what was understood of a report: its facts and the payments that it may mean."""
    settings = settings_of(data, config)

    async def read(database: Database) -> Report | None:
        known = report_number(number)
        return None if known is None else await read_report(database, known)

    _tell(_found(number, ask(settings, settings.section(DeskSettings).dsn, read)), json=json)


@report.command("match")
def report_match(
    number: Id, *, json: AsJson = False, data: Data = None, config: Config = None
) -> None:
    """Read and match a report anew; what a person has decided stays."""

    async def work(desk: Desk) -> Report | None:
        known = report_number(number)
        if known is None or await read_report(desk.database, known) is None:
            return None
        if not await try_to_match(desk, known):
            raise NotMatched(f"report {number} could not be matched")
        return await read_report(desk.database, known)

    _tell(_found(number, _at_desk(work, data, config)), json=json)


@report.command("release")
def report_release(
    number: Id,
    *,
    who: Who = "command line",
    json: AsJson = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Say that a customer wrote a suspended report: it is matched, and never suspended again."""

    async def work(desk: Desk) -> Report | None:
        known = report_number(number)
        if known is None or await read_report(desk.database, known) is None:
            return None
        refused = await release_by_person(desk, known, who)
        if refused is not None:
            raise NotReleased(refused.text)
        return await read_report(desk.database, known)

    _tell(_found(number, _at_desk(work, data, config)), json=json)


def _at_desk(work: Callable[[Desk], Awaitable[Answer]], data: Data, config: Config) -> Answer:
    """Do what the desk does, on one connection."""
    settings = settings_of(data, config)
    wanted = settings.section(DeskSettings)

    async def on(connection: Connection) -> Answer:
        return await work(Desk(wanted, connection, Clocks(_now, time.monotonic)))

    return ask(settings, wanted.dsn, on)


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the command line is a door


def _found(number: str, row: Report | None) -> Report:
    if row is None:
        raise NotFound(f"there is no report {number}; `kvitok report list` shows what there is")
    return row


def _shown(value: object) -> object:
    if not isinstance(value, dict):
        return value
    if "from" in value:
        return f"{value['from']} – {value['to']}"
    return " ".join(f"{name}={text}" for name, text in value.items())


def _tell(row: Report | None, *, json: bool) -> None:
    assert row is not None
    if json:
        as_json(Report, row)
        return
    shown = (
        "id", "channel", "received_at", "reported_at", "status", "set_aside", "released_by",
        "none_by", "case", "hint_case", "why", "ask",
    )  # fmt: skip
    fields: list[tuple[str, object]] = [(name, getattr(row, name)) for name in shown]
    if row.attached is not None:
        it = row.attached
        fields.append(("attached", f"{it.terminal} {it.tx}, case {it.case}, by {it.by}"))
    fields.append(("none", f"{row.none_probability:.1%}"))
    as_fields(fields)
    typer.echo()
    as_table(
        ("FACT", "ROLE", "VALUE", "SURE", "TEXT"),
        ((f.kind, f.role, _shown(f.value), f"{f.confidence:.0%}", f.text) for f in row.facts),
        empty="no facts",
    )
    typer.echo()
    as_table(
        ("PROBABILITY", "TERMINAL", "TRANSACTION", "EVIDENCE"),
        (
            (
                f"{one.probability:.1%}", one.terminal, one.tx,
                ", ".join(f"{e.fact} {e.level} {e.bits:+.1f}" for e in one.evidence),
            )
            for one in row.candidates
        ),
        empty="no payment fits",
    )  # fmt: skip
