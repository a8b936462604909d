"""`kvitok db …`: migrations, roles, partitions, as the database's owner."""

import os
from typing import Annotated, Final

import typer

from collector.settings import CollectorSettings
from kvitok.commands import now
from kvitok.place import Config, Data, settings_of
from kvitok.settings import DatabaseSettings
from kvitok.show import AsJson, as_json, as_table
from sql.migrate import MigrationStatus, migrate, status
from sql.partitions import keep_partitions
from sql.roles import ROLES, ensure_roles

db = typer.Typer(help="The database: migrations, roles, partitions, backups.", no_args_is_help=True)


STEP_DAYS: Final = 7
"""A partition holds a week, as the collector makes them."""


def owner_dsn(data: Data, config: Config) -> str:
    """Return the database's address as its owner has it."""
    return settings_of(data, config).section(DatabaseSettings).dsn


@db.command("migrate")
def db_migrate(data: Data = None, config: Config = None) -> None:
    """Bring the database up to this version, and set the rights of its roles."""
    dsn = owner_dsn(data, config)
    landed = migrate(dsn)
    for each in landed:
        typer.echo(f"landed {each.number:04}_{each.name}")
    ensure_roles(dsn, {})
    typer.echo(f"{len(landed)} migrations landed, rights of {len(ROLES)} roles set")


@db.command("status")
def db_status(*, json: AsJson = False, data: Data = None, config: Config = None) -> None:
    """Show which migrations have landed; exit status 1 when one has not."""
    rows = status(owner_dsn(data, config))
    if json:
        as_json(list[MigrationStatus], rows)
    else:
        as_table(
            ("NUMBER", "NAME", "LANDED"),
            ((f"{each.number:04}", each.name, each.landed_at) for each in rows),
        )
    if any(each.landed_at is None for each in rows):
        typer.echo("some have not landed: run `kvitok db migrate`", err=True)
        raise typer.Exit(1)


@db.command("partitions")
def db_partitions(data: Data = None, config: Config = None) -> None:
    """Make partitions ahead and drop those out of time; the collector does so by itself."""
    settings = settings_of(data, config)
    dsn = settings.section(DatabaseSettings).dsn
    keep_days = settings.one(CollectorSettings, "keep_days")
    kept = keep_partitions(dsn, now(), step_days=STEP_DAYS, keep_days=keep_days)
    typer.echo(f"{kept.made} partitions made, {kept.dropped} dropped")


@db.command("roles")
def db_roles(
    role: Annotated[
        str | None,
        typer.Option("--password-for", metavar="ROLE", help="Set this role's password."),
    ] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Make the roles and set exactly their rights; a password comes from KVITOK_ROLE_PASSWORD."""
    passwords: dict[str, str] = {}
    if role is not None:
        if role not in ROLES:
            raise typer.BadParameter(f"there is no role {role}; there are {', '.join(ROLES)}")
        password = os.environ.get("KVITOK_ROLE_PASSWORD")
        if not password:
            raise typer.BadParameter("set KVITOK_ROLE_PASSWORD to the new password")
        passwords[role] = password
    ensure_roles(owner_dsn(data, config), passwords)
    typer.echo(f"rights set: {', '.join(ROLES)}")
