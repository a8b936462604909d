"""`kvitok terminal …` and `token …`."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import asyncpg
import typer

from desk.queries.database import Database
from desk.queries.log import LogRange, LogRow, read_log
from desk.queries.terminals import (
    REGISTER,
    Terminal,
    find_terminals,
    read_terminal,
)
from desk.queries.tokens import TokenRow, create_token, list_tokens, revoke_token
from desk.registration import COLUMNS, TIMEZONE_DEFAULT, Registration
from desk.settings import DeskSettings
from desk.times import ALWAYS, FOREVER
from desk.times import read as read_time
from kvitok.ask import NotFound, ask
from kvitok.listing import pages
from kvitok.place import Config, Data, settings_of
from kvitok.show import AsJson, Limit, as_fields, as_json, as_table
from kvitok.terminals import read_csv

terminal = typer.Typer(help="Terminals: made known, found, looked into.", no_args_is_help=True)
token = typer.Typer(help="Tokens of the JSON API.", no_args_is_help=True)

NO_TERMINALS: Final = "no terminals; `kvitok terminal import FILE.csv` makes them known"
SHOWN_ERRORS_MAX: Final = 20
CHUNK_ROWS: Final = 2000
PROGRESS_EVERY_S: Final = 1.0
COUNT_KNOWN: Final = """
select count(*) from terminal where registered and terminal = any ($1::text[])
"""


class ImportRefused(Exception):  # noqa: N818 - says what is, like every error of ours
    """The file has mistakes; nothing of it was taken."""


def now() -> datetime:
    """Return the time of the question."""
    return datetime.now(UTC)  # noqa: TID251 - the command line is a door


@terminal.command("import")
def terminal_import(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE.csv", help=f"UTF-8, with a header of: {', '.join(COLUMNS)}."),
    ],
    *,
    data: Data = None,
    config: Config = None,
) -> None:
    """Make terminals known, or change what is known: all of the file or nothing.

    Only the column `terminal` must be there; a column that is not there stays as it is. An empty
    cell clears what was known. lat, lon: 55.76; timezone: Europe/Moscow; opens, closes: 09:00.
    """
    settings = settings_of(data, config)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ImportRefused(f"cannot read {file}: {error.strerror}") from error
    reading = read_csv(content)
    if reading.wrong:
        shown = [f"  {each}" for each in reading.wrong[:SHOWN_ERRORS_MAX]]
        if len(reading.wrong) > SHOWN_ERRORS_MAX:
            shown.append(f"  and {len(reading.wrong) - SHOWN_ERRORS_MAX} more")
        raise ImportRefused("\n".join([f"{file}: nothing was imported", *shown]))

    async def write(connection: asyncpg.Connection) -> int:
        return await _register(connection, reading.rows)

    known = ask(settings, settings.section(DeskSettings).dsn, write)
    new = len(reading.rows) - known
    typer.echo(f"{len(reading.rows)} terminals imported: {new} new, {known} known before")


async def _register(connection: asyncpg.Connection, rows: Sequence[Registration]) -> int:
    """Write all rows in one commit and return how many were registered before."""
    at = now()
    told = time.monotonic()
    async with connection.transaction():
        numbers = [row.terminal for row in rows]
        known: int = await connection.fetchval(COUNT_KNOWN, numbers)
        for start in range(0, len(rows), CHUNK_ROWS):
            chunk = rows[start : start + CHUNK_ROWS]
            await connection.executemany(
                REGISTER,
                [
                    (
                        *(getattr(row, name) for name in COLUMNS),
                        at,
                        list(row.given),
                        TIMEZONE_DEFAULT,
                    )
                    for row in chunk
                ],
            )
            if time.monotonic() - told > PROGRESS_EVERY_S:
                told = time.monotonic()
                typer.echo(f"{start + len(chunk)} of {len(rows)} terminals", err=True)
    return known


@terminal.command("list")
def terminal_list(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORD", help="Of number, name or place.")
    ] = None,
    *,
    limit: Limit = 100,
    json: AsJson = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """List terminals with their health."""
    settings = settings_of(data, config)
    query = " ".join(words or ())

    async def read(database: Database) -> list[Terminal]:
        return await pages(
            lambda after, size: find_terminals(database, query, after=after, limit=size),
            limit,
        )

    rows = ask(settings, settings.section(DeskSettings).dsn, read)
    if json:
        as_json(list[Terminal], rows)
        return
    as_table(
        ("TERMINAL", "HEALTH", "LAST HEARD", "OPEN", "CITY", "ADDRESS"),
        (
            (
                each.terminal, each.health, each.last_heard_at,
                len(each.open_incidents) or None, each.city, each.address,
            )
            for each in rows
        ),
        empty=NO_TERMINALS,
    )  # fmt: skip


@terminal.command("show")
def terminal_show(
    number: Annotated[str, typer.Argument(metavar="TERMINAL")],
    *,
    json: AsJson = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show one terminal: place, health, devices, journal."""
    settings = settings_of(data, config)

    async def read(database: Database) -> Terminal | None:
        return await read_terminal(database, number)

    found = ask(settings, settings.section(DeskSettings).dsn, read)
    if found is None:
        raise _unknown(number)
    if json:
        as_json(Terminal, found)
        return
    shown = [name for name in Terminal.__slots__ if name not in {"devices", "journal"}]
    fields = [(name, getattr(found, name)) for name in shown]
    if found.journal is not None:
        fields.append(("journal", f"epoch {found.journal.epoch}, next {found.journal.next}"))
    as_fields(fields)
    if found.devices:
        typer.echo()
        as_table(
            ("DEVICE", "STATUS", "PAPER", "STORAGE", "SINCE"),
            ((d.device, d.status, d.paper, d.storage, d.since) for d in found.devices),
        )


@terminal.command("log")
def terminal_log(  # noqa: PLR0913 - one a filter
    number: Annotated[str, typer.Argument(metavar="TERMINAL")],
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From this time on: 2026-11-23T12:00:00Z.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before this time.")] = None,
    *,
    limit: Limit = 100,
    json: AsJson = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Show the incident log of a terminal, newest first."""
    settings = settings_of(data, config)
    desk = settings.section(DeskSettings)
    span = LogRange(
        since=_time("--since", since) or ALWAYS, until=_time("--until", until) or FOREVER
    )

    async def read(database: Database) -> list[LogRow]:
        if await read_terminal(database, number) is None:
            raise _unknown(number)
        return await pages(
            lambda after, size: read_log(
                database, number, part=span, language=desk.language, after=after, limit=size
            ),
            limit,
        )

    rows = ask(settings, desk.dsn, read)
    if json:
        as_json(list[LogRow], rows)
        return
    as_table(
        ("AT", "SEQ", "KIND", "TEXT"),
        ((each.at, each.seq, each.kind, each.text) for each in rows),
        empty="nothing in the log",
    )


def _unknown(number: str) -> NotFound:
    return NotFound(f"there is no terminal {number}; `kvitok terminal list` shows what there is")


def _time(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = read_time(text)
    if moment is None:
        raise typer.BadParameter(f"{option} is a time as 2026-11-23T12:00:00Z, not {text!r}")
    return moment


@token.command("create")
def token_create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for; shown in lists.")],
    *,
    data: Data = None,
    config: Config = None,
) -> None:
    """Make a token and print it, once: it is kept nowhere."""
    if not name.strip() or not name.isprintable():
        raise typer.BadParameter("a token needs a name by which people know it")
    settings = settings_of(data, config)

    async def write(database: Database) -> str | None:
        return await create_token(database, name, now=now())

    made = ask(settings, settings.section(DeskSettings).dsn, write)
    if made is None:
        raise NotFound(f"there is or was a token named {name!r}: choose another name")
    typer.echo(made)


@token.command("list")
def token_list(*, json: AsJson = False, data: Data = None, config: Config = None) -> None:
    """List tokens, newest first; never the tokens themselves."""
    settings = settings_of(data, config)

    async def read(database: Database) -> tuple[TokenRow, ...]:
        return await list_tokens(database)

    rows = ask(settings, settings.section(DeskSettings).dsn, read)
    if json:
        as_json(tuple[TokenRow, ...], rows)
        return
    as_table(
        ("NAME", "CREATED", "REVOKED"),
        ((each.name, each.created_at, each.revoked_at) for each in rows),
        empty="no tokens; `kvitok token create NAME` makes one",
    )


@token.command("revoke")
def token_revoke(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    data: Data = None,
    config: Config = None,
) -> None:
    """Make a token worthless."""
    settings = settings_of(data, config)

    async def write(database: Database) -> bool:
        return await revoke_token(database, name, now=now())

    if not ask(settings, settings.section(DeskSettings).dsn, write):
        raise NotFound(f"there is no token {name!r} in use; `kvitok token list` shows them")
    typer.echo(f"{name}: revoked")
