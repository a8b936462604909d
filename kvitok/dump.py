"""The door to `pg_dump` and `pg_restore`: a database into a file, and a file into an empty one.

Laws of a restore: the rows come in one commit; then, before any program of ours has a right to
them, numbers are moved on; until all is done a table `restore_unfinished` says so, and the same
restore, run again, goes on from there.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.json import Json

from kvitok.backup import Backup, BackupFailed, Tell, size
from kvitok.database import SERVE_TOKEN
from kvitok.embedded import launch
from kvitok.embedded.errors import EmbeddedError, first_error
from kvitok.embedded.postgres import binary
from sql.checks import check_database
from sql.connect import Connection, connected
from sql.migrate import migrate, migrations
from sql.roles import ensure_roles

LOOK_EVERY_S: Final = 0.5
END_WAIT_S: Final = 10.0
GAP_MIN: Final = 1000
GAP_TIMES: Final = 10
RATE_MIN: Final = 1 / 3600
"""Cases a second that are allowed for where there were fewer."""

FACTS: Final = """
select current_setting('server_version_num')::int / 10000, max(number) from schema_migration
"""
MAJOR: Final = "select current_setting('server_version_num')::int / 10000"
SIZE: Final = "select pg_database_size(current_database())"
STATE: Final = """
select current_database(), to_regclass('public.restore_unfinished') is not null,
  coalesce(to_regclass('public.schema_migration'), to_regclass('public.event')) is not null
"""
BEGIN: Final = "create table if not exists restore_unfinished (sha256 text)"
FORGET: Final = "delete from restore_unfinished"
REMEMBER: Final = "insert into restore_unfinished values (%s)"
BEGUN: Final = "select max(sha256) from restore_unfinished"
END: Final = "drop table restore_unfinished"

RATE: Final = """
select coalesce(count(*) / greatest(60, extract(epoch from %(made)s - min(opened_at))), 0)::float8
from support_case where opened_at >= %(since)s
"""
"""Cases a second before the backup; of less than a minute nothing can be said."""
ADVANCE: Final = """
select setval(format('%%I.%%I', schemaname, sequencename)::regclass, greatest(
  coalesce(last_value, 0) + %s, (%s::jsonb ->> sequencename::text)::bigint))
from pg_sequences where schemaname = 'public'
"""
GIVEN: Final = """
select sequencename, coalesce(last_value, 0) from pg_sequences where schemaname = 'public'
"""
CASE_NUMBER: Final = "support_case_number"
NUMBERS: Final = "select last_value from support_case_number"
TOKENS: Final = "select count(*) from api_token where revoked_at is null and name <> %s"


@dataclass(frozen=True)
class Facts:
    """What a database says of itself before it is dumped."""

    postgres: int
    schema: int


@dataclass(frozen=True)
class Restored:
    """What a person should know of a restored database."""

    case_number: int
    """Case numbers go on after it."""
    tokens: int
    """API tokens in use, beside the service's own."""


def facts_of(dsn: str) -> Facts:
    """Return what there is to dump.

    Raises:
        BackupFailed: no Kvitok has been there.
        DatabaseUnreachable: see `sql.connect`.
    """
    with connected(dsn) as connection:
        if not _state(connection)[2]:
            raise BackupFailed("the database is empty: run `kvitok db migrate` first")
        row = connection.execute(FACTS).fetchone()
    assert row is not None
    return Facts(*row)


def dump(dsn: str, file: Path, tell: Tell) -> None:
    """Write the database, as it is at one moment, into the file; others go on working.

    Raises:
        BackupFailed: `pg_dump` could not; the text is its own.
    """
    with connected(dsn) as connection:
        program = _program("pg_dump", _major(connection))
    _run(
        [program, "--format=custom", "--no-password", f"--file={file}"],
        dsn,
        lambda: tell(f"dumping: {size(file.stat().st_size)} written"),
    )


def numbers_of(dsn: str) -> dict[str, int]:
    """Return how far each sequence of numbers and ids has come.

    Raises:
        BackupFailed: the database is damaged.
        DatabaseUnreachable: see `sql.connect`.
    """
    with connected(dsn) as connection:
        try:
            return {str(name): int(last) for name, last in connection.execute(GIVEN)}
        except psycopg.Error as error:
            raise BackupFailed(f"cannot read its numbers: {error}") from error


def restore(
    dsn: str, backup: Backup, now: datetime, *, given: Mapping[str, int], tell: Tell
) -> Restored:
    """Put a backup into an empty database, and its numbers beyond those that are known as given.

    Raises:
        BackupFailed: the database is not empty, or too old, or `pg_restore` could not.
        DatabaseUnfit, DatabaseUnreachable, MigrationRefused: see `sql`.
    """
    with connected(dsn) as connection:
        check_database(connection)
        _check_fits(backup, _major(connection))
        if _must_be_filled(connection, backup.manifest.sha256):
            program = _program("pg_restore", _major(connection))
            # Rights come from `sql.roles`; a role that is not here is no reason to fail.
            options = ["--single-transaction", "--no-owner", "--no-privileges", "--no-password"]
            _run(
                [program, *options, str(backup.dump)],
                dsn,
                lambda: tell(f"restoring: database of {size(_number(connection, SIZE))}"),
            )
        migrate(dsn)
        gap = _gap(connection, backup.manifest.origin.made_at, now)
        with connection.transaction():
            connection.execute(ADVANCE, [gap, Json(dict(given))])
        ensure_roles(dsn, {})
        connection.execute(END)
        return Restored(
            case_number=_number(connection, NUMBERS),
            tokens=_number(connection, TOKENS, SERVE_TOKEN),
        )


def _check_fits(backup: Backup, postgres: int) -> None:
    """Return when a server of this major version, and we, can read the backup.

    Raises:
        BackupFailed: one of us is too old.
    """
    origin = backup.manifest.origin
    if origin.schema > len(migrations()):
        raise BackupFailed(
            f"{backup.folder} is newer than this version: it has migration {origin.schema:04} of "
            f"kvitok {origin.kvitok}; install that version, or a later one"
        )
    if origin.postgres > postgres:
        raise BackupFailed(
            f"{backup.folder} comes from PostgreSQL {origin.postgres} and cannot go into "
            f"PostgreSQL {postgres}: use a server of version {origin.postgres} or newer"
        )


def _must_be_filled(connection: Connection, sha256: str) -> bool:
    """Return whether the rows must come yet; False where a killed restore had them all."""
    name, begun, filled = _state(connection)
    if not begun and filled:
        new = sql.SQL("alter database {0} rename to {1}; create database {0} …").format(
            sql.Identifier(name), sql.Identifier(f"{name}_before")
        )
        raise BackupFailed(
            f'database "{name}" is not empty, and nothing is ever restored over another: stop the '
            f"service, put it aside and make a new one ({new.as_string()}, as in "
            "docs/operations.md), or name an empty one in [database] dsn"
        )
    if not filled:
        with connection.transaction():
            for query in (BEGIN, FORGET):
                connection.execute(query)
            connection.execute(REMEMBER, [sha256])
        return True
    row = connection.execute(BEGUN).fetchone()
    if row is None or row[0] != sha256:
        raise BackupFailed(
            f'database "{name}" has the unfinished restore of another backup: restore that one '
            "again to end it, or use an empty database"
        )
    return False


def _state(connection: Connection) -> tuple[str, bool, bool]:
    """Return the database's name, whether a restore is under way, and whether there is anything."""
    row = connection.execute(STATE).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def _gap(connection: Connection, made_at: datetime, now: datetime) -> int:
    """Return by how much numbers jump: ten times what may have been given since the backup.

    An estimate, for where the database of before cannot be asked any more.
    """
    age = max(now - made_at, timedelta())
    row = connection.execute(RATE, {"made": made_at, "since": made_at - age}).fetchone()
    assert row is not None
    return GAP_MIN + ceil(GAP_TIMES * age.total_seconds() * max(float(row[0]), RATE_MIN))


def _major(connection: Connection) -> int:
    return _number(connection, MAJOR)


def _number(connection: Connection, query: str, *values: object) -> int:
    row = connection.execute(query.encode(), values or None).fetchone()
    assert row is not None
    return int(row[0])


def _program(name: str, major: int) -> str:
    """Return the oldest program of the name that knows servers of this version."""
    found: dict[int, str] = {}
    for path in (shutil.which(name), _packaged(name)):
        if path is not None:
            said = subprocess.run([path, "--version"], check=False, capture_output=True, text=True)  # noqa: S603 - PostgreSQL's own
            if match := re.search(r"\(PostgreSQL\) (\d+)", said.stdout):
                found[int(match[1])] = path
    fitting = [each for each in found if each >= major]
    if not fitting:
        raise BackupFailed(
            f"no {name} for PostgreSQL {major} here: install its client programs (on Debian: "
            f"postgresql-client-{major})"
        )
    return found[min(fitting)]


def _packaged(name: str) -> str | None:
    try:
        return str(binary(name))
    except EmbeddedError:
        return None


def _run(command: list[str], dsn: str, look: Callable[[], None]) -> None:
    """Run one of PostgreSQL's programs on a database; it never outlives us."""
    address = conninfo_to_dict(dsn)
    password = str(address.pop("password", None) or "")
    # In the environment a password is for us alone; on the command line everybody would see it.
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    command = [command[0], "--dbname", make_conninfo("", **address), *command[1:]]
    process = subprocess.Popen(  # noqa: S603 - PostgreSQL's own
        launch.command(command, parent=os.getpid(), stop=signal.SIGTERM),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment,
        process_group=0,
    )
    try:
        while True:
            try:
                said = process.communicate(timeout=LOOK_EVERY_S)[1]
                break
            except subprocess.TimeoutExpired:
                look()
    except BaseException:
        process.terminate()
        process.communicate(timeout=END_WAIT_S)
        raise
    if process.returncode:
        raise BackupFailed(f"{Path(command[0]).name}: {first_error(said)}")
