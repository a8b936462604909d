from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from sql.checks import DatabaseUnfit
from sql.connect import DatabaseUnreachable
from sql.migrate import MigrationRefused, migrate, migrations, status
from tests.integration.postgres import PostgresServer, free_port

pytestmark = pytest.mark.service


def test_everything_lands_once(empty_database: str) -> None:
    """The first migration lands all files, the second none, and status says when."""
    assert migrate(empty_database) == migrations()
    assert migrate(empty_database) == []
    assert all(each.landed_at for each in status(empty_database))


def test_status_of_an_empty_database(empty_database: str) -> None:
    """Before the first migration everything is outstanding, and asking changes nothing."""
    assert not any(each.landed_at for each in status(empty_database))


def test_two_at_once_wait_for_each_other(empty_database: str) -> None:
    """Of programs that migrate at once, one lands the files and the others find them landed."""
    with ThreadPoolExecutor(4) as pool:
        landed = list(pool.map(migrate, [empty_database] * 4))
    assert sorted(len(each) for each in landed) == [0, 0, 0, len(migrations())]


def test_an_edited_file_is_refused(database: str) -> None:
    """A file that was changed after it landed stops the migration and is named."""
    with psycopg.connect(database) as connection:
        connection.execute("update schema_migration set checksum = 'x' where number = 1")
    with pytest.raises(MigrationRefused, match=r"0001_journal\.sql was edited"):
        migrate(database)


def test_a_newer_database_is_refused(database: str) -> None:
    """A database that a later version has migrated is left alone."""
    with psycopg.connect(database) as connection:
        connection.execute("insert into schema_migration values (9999, 'future', 'x')")
    with pytest.raises(MigrationRefused, match="newer than this version"):
        migrate(database)


def test_lc_ctype_c_is_refused(postgres_server: PostgresServer) -> None:
    """A database whose LC_CTYPE is C is refused before anything is made in it."""
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
        connection.execute("create database posix locale 'C' template template0")
    with pytest.raises(DatabaseUnfit, match=r"C\.UTF-8"):
        migrate(postgres_server.dsn("posix"))


def test_an_unreachable_database_is_named() -> None:
    """Where nothing listens, the error says so and what to look at."""
    with pytest.raises(DatabaseUnreachable, match=r"\[database\] dsn"):
        migrate(f"postgresql://nobody@127.0.0.1:{free_port()}/none")
