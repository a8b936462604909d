"""Forward-only migrations: numbered files, each landed once, in one commit, never edited after.

A landed file is remembered with its checksum; a changed one is refused. Two programs that migrate
at once wait for each other on an advisory lock.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Final, cast

import psycopg

from sql.checks import check_database
from sql.connect import Connection, connected

LOCK: Final = 0x4B56_4954
"""The advisory lock of whoever migrates ("KVIT")."""

NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

CREATE_LANDED: Final = """
create table if not exists schema_migration (
  number integer primary key,
  name text not null,
  checksum text not null,
  landed_at timestamptz not null default now()
)
"""
HAS_LANDED: Final = "select to_regclass('schema_migration') is not null"
READ_LANDED: Final = "select number, name, checksum, landed_at from schema_migration order by 1"
LAND: Final = "insert into schema_migration (number, name, checksum) values (%s, %s, %s)"


class MigrationRefused(Exception):  # noqa: N818 - says what is, like every error of ours
    """The files and the database disagree; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `sql/migrations`."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """Return what a landed file is remembered by."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """One migration, and when it landed (None: not yet)."""

    number: int
    name: str
    landed_at: datetime | None


def migrations() -> list[Migration]:
    """Return every migration that this version brings, in order."""
    found = [
        Migration(int(match[1]), match[2], each.read_text("utf-8"))
        for each in files("sql").joinpath("migrations").iterdir()
        if (match := NAME.fullmatch(each.name))
    ]
    found.sort(key=lambda each: each.number)
    numbers = [each.number for each in found]
    assert numbers == list(range(1, len(found) + 1)), f"numbers with a hole: {numbers}"
    return found


def migrate(dsn: str) -> list[Migration]:
    """Bring the database up to this version and return what landed now.

    Raises:
        DatabaseUnreachable: see `sql.connect`.
        DatabaseUnfit: see `sql.checks`.
        MigrationRefused: a landed file was edited, or the database is newer than this version.
    """
    with connected(dsn) as connection:
        check_database(connection)
        connection.execute("select pg_advisory_lock(%s)", [LOCK])
        try:
            connection.execute(CREATE_LANDED)
            missing = _missing(connection, migrations())
            for each in missing:
                _land(connection, each)
        finally:
            connection.execute("select pg_advisory_unlock(%s)", [LOCK])
    return missing


def status(dsn: str) -> list[MigrationStatus]:
    """Return every migration of this version, and when it landed."""
    with connected(dsn) as connection:
        landed = {number: at for number, _, _, at in _landed(connection)}
    return [
        MigrationStatus(each.number, each.name, landed.get(each.number)) for each in migrations()
    ]


def _landed(connection: Connection) -> list[tuple[int, str, str, datetime]]:
    exists = connection.execute(HAS_LANDED).fetchone()
    if exists is None or not exists[0]:
        return []
    return cast("list[tuple[int, str, str, datetime]]", connection.execute(READ_LANDED).fetchall())


def _missing(connection: Connection, ours: list[Migration]) -> list[Migration]:
    landed = {number: (name, checksum) for number, name, checksum, _ in _landed(connection)}
    for each in ours:
        name, checksum = landed.get(each.number, (each.name, each.checksum))
        if checksum != each.checksum:
            raise MigrationRefused(
                f"migration {each.number:04}_{name}.sql was edited after it landed: restore the "
                "file, and put the change into a new migration"
            )
    if newer := [name for number, (name, _) in landed.items() if number > len(ours)]:
        raise MigrationRefused(
            f"the database is newer than this version (it has {', '.join(newer)}): install the "
            "version that made it, or a later one"
        )
    return [each for each in ours if each.number not in landed]


def _land(connection: Connection, migration: Migration) -> None:
    with connection.transaction():
        try:
            connection.execute(migration.text.encode())
        except psycopg.Error as error:
            raise MigrationRefused(
                f"migration {migration.number:04}_{migration.name}.sql failed and left nothing "
                f"behind: {error}"
            ) from error
        connection.execute(LAND, [migration.number, migration.name, migration.checksum])
