"""`kvitok db backup` and `kvitok db restore` with a server of one's own."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from kvitok.cli import status_of
from sql.partitions import keep_partitions
from sql.roles import ensure_roles

pytestmark = pytest.mark.service

KEYS = f'[secrets]\naccount_key = "{"a" * 64}"\nreport_key = "{"b" * 64}"\n'
CASE = """
insert into support_case (number, topic, state, terminal, opened_at, due_at, opened_by, changed_at)
values ('K-2026-' || lpad(nextval('support_case_number')::text, 6, '0'), 'work_order', 'closed',
  'T1', now() - interval '3 days', now(), 'detector', now())
"""
EVENT = """
insert into event (terminal, epoch, seq, kind, at, received_at, body)
select 'T1', 1, n, 'fault', now(), now(), jsonb_build_object('text', 'Чек ' || md5(n::text))
from generate_series(1, 2000) n
"""
CONTENT = "select seq, body from event order by seq"
MAY = """
select has_function_privilege(role, 'keep_event_partitions(timestamptz,interval,interval,interval)',
  'execute') from unnest(array['kvitok_collector', 'kvitok_desk']) with ordinality t (role, n)
order by n
"""


class Kvitok:
    """The command line on one database."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._config, self._capsys = folder / "kvitok.toml", capsys

    def __call__(self, dsn: str, *arguments: str, keys: str = KEYS) -> tuple[int, str]:
        """Run `kvitok db …` and return its status and what it said."""
        self._config.write_text(f'[database]\ndsn = "{dsn}"\n{keys}', "utf-8")
        status = status_of(["db", *arguments, "--config", str(self._config)])
        said = self._capsys.readouterr()
        return status, said.out + said.err


@pytest.fixture
def kvitok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Kvitok:
    """Return the command line."""
    return Kvitok(tmp_path, capsys)


@pytest.fixture
def filled(database: str) -> str:
    """Return a database with events, a case and a token."""
    ensure_roles(database, {})
    with psycopg.connect(database) as connection:
        connection.execute(EVENT.encode())
        for _ in range(100):
            connection.execute(CASE.encode())
        connection.execute("insert into api_token (name, hash, created_at) values ('a', '', now())")
    return database


@pytest.fixture
def backup(filled: str, kvitok: Kvitok, tmp_path: Path) -> Path:
    """Return a backup of it."""
    assert kvitok(filled, "backup", str(tmp_path / "backup"))[0] == 0
    return tmp_path / "backup"


def query(dsn: str, text: str) -> list[tuple[object, ...]]:
    """Return the rows of a query."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(text.encode()).fetchall()


def test_a_database_comes_back_whole(
    filled: str, backup: Path, empty_database: str, kvitok: Kvitok
) -> None:
    """Rows, tables and exact rights; numbers given since are not given again."""
    made_two_days_ago(backup)
    status, said = kvitok(empty_database, "restore", str(backup))
    assert status == 0, said
    assert f"restored {backup}, made 2" in said
    assert "case numbers go on after 00310" in said, "100 a day before it, ten times that since"
    assert "API tokens are as they were, 1 in use" in said
    assert query(empty_database, CONTENT) == query(filled, CONTENT)
    assert query(empty_database, MAY) == [(True,), (False,)], "not everybody may drop partitions"
    assert query(empty_database, "select to_regclass('restore_unfinished')") == [(None,)]
    assert kvitok(empty_database, "status")[0] == 0
    assert kvitok(empty_database, "partitions")[0] == 0
    ids = "insert into quarantine (terminal, epoch, seq, received_at, reason, body) values "
    ids += "('T1', 1, 1, now(), '', '') returning id"
    assert query(empty_database, ids) > [(1000,)], "every id that is told goes on behind a gap"


def made_two_days_ago(backup: Path) -> None:
    """Let a backup say that it is of two days ago."""
    manifest = json.loads((backup / "manifest.json").read_text("utf-8"))
    made_at = datetime.fromisoformat(manifest["origin"]["made_at"]) - timedelta(days=2)
    manifest["origin"]["made_at"] = made_at.isoformat()
    (backup / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def test_nothing_is_restored_over_another(filled: str, backup: Path, kvitok: Kvitok) -> None:
    """A database with tables is refused, with what to do, and stays as it is."""
    before = query(filled, CONTENT)
    status, said = kvitok(filled, "restore", str(backup))
    assert status == 1
    assert "is not empty" in said
    assert "_before" in said
    assert query(filled, CONTENT) == before


def test_a_restore_that_was_killed_goes_on(
    backup: Path, empty_database: str, kvitok: Kvitok, tmp_path: Path
) -> None:
    """Killed at any moment: the same restore, run again, ends it; another backup's is refused."""
    config = tmp_path / "kvitok.toml"
    config.write_text(f'[database]\ndsn = "{empty_database}"\n{KEYS}', "utf-8")
    for after_s in (0.9, 1.1, 1.3, 1.5):
        process = subprocess.Popen(
            [sys.executable, "-m", "kvitok", "db", "restore", str(backup), "--config", str(config)]
        )
        time.sleep(after_s)
        process.kill()
        process.wait()
    time.sleep(0.5)
    status, said = kvitok(empty_database, "restore", str(backup))
    assert status == 0 or "is not empty" in said, "the last one killed had done all of it"
    assert query(empty_database, "select count(*) from event") == [(2000,)]
    assert query(empty_database, "select last_value > 1000 from support_case_number") == [(True,)]


def test_the_rows_of_a_killed_restore_are_not_taken_twice(
    backup: Path, empty_database: str, kvitok: Kvitok
) -> None:
    """Killed after the rows came: they stay, and the rest is done; only by the same backup."""
    assert kvitok(empty_database, "restore", str(backup))[0] == 0
    manifest = json.loads((backup / "manifest.json").read_text("utf-8"))
    with psycopg.connect(empty_database) as connection:
        connection.execute("create table restore_unfinished (sha256 text)")
        connection.execute("insert into restore_unfinished values ('other')")
    status, said = kvitok(empty_database, "restore", str(backup))
    assert (status, "unfinished restore of another backup" in said) == (1, True)
    with psycopg.connect(empty_database) as connection:
        connection.execute("update restore_unfinished set sha256 = %s", [manifest["sha256"]])
    assert kvitok(empty_database, "restore", str(backup))[0] == 0
    assert query(empty_database, "select count(*) from event") == [(2000,)]


def test_what_cannot_be_restored_is_told(
    backup: Path, empty_database: str, kvitok: Kvitok, tmp_path: Path
) -> None:
    """A newer schema or server, other keys, a changed byte, half a copy: each in one sentence."""
    text = (backup / "manifest.json").read_text("utf-8")

    def refused(old: str = "", new: str = "", *, keys: str = KEYS) -> str:
        (backup / "manifest.json").write_text(text.replace(old, new) if old else text, "utf-8")
        status, said = kvitok(empty_database, "restore", str(backup), keys=keys)
        assert status == 1
        return said

    (schema,) = re.findall('"schema": [0-9]+', text)
    assert "newer than this version: it has migration 0099" in refused(schema, '"schema": 99')
    assert "comes from PostgreSQL 99 and" in refused('"postgres": 18', '"postgres": 99')
    assert "is not what `kvitok db backup` wrote" in refused("{", "[")
    other = KEYS.replace("a" * 64, "c" * 64)
    assert "has not the account_key of the backup" in refused(keys=other)
    dump = backup / "database.dump"
    whole = dump.read_bytes()
    dump.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    assert "is damaged (its SHA-256 differs)" in refused()
    dump.write_bytes(whole[:-1])
    assert "it was not copied whole" in refused()
    assert query(empty_database, "select to_regclass('public.event')") == [(None,)]
    dump.write_bytes(whole)
    nothing = kvitok(empty_database, "restore", str(tmp_path))
    assert (nothing[0], "is no backup" in nothing[1]) == (1, True)
    status, said = kvitok(empty_database, "restore", str(backup), "--other-keys", keys=other)
    assert status == 0, said


def test_keys_that_a_backup_does_not_know_are_told(
    filled: str, empty_database: str, kvitok: Kvitok, tmp_path: Path
) -> None:
    """Where only the database was named, nobody can compare."""
    assert kvitok(filled, "backup", str(tmp_path / "backup"), keys="")[0] == 0
    status, said = kvitok(empty_database, "restore", str(tmp_path / "backup"))
    assert status == 0
    assert "does not say of which account_key and report_key it is" in said


def test_the_partitions_of_an_old_backup_are_made_up(
    database: str, empty_database: str, kvitok: Kvitok, tmp_path: Path
) -> None:
    """What comes before the collector's first upkeep waits in the default partition, then moves."""
    now = datetime.now(UTC)
    old = now - timedelta(days=100)
    keep_partitions(database, old, step_days=7, keep_days=400)
    assert kvitok(database, "backup", str(tmp_path / "backup"))[0] == 0
    assert kvitok(empty_database, "restore", str(tmp_path / "backup"))[0] == 0
    with psycopg.connect(empty_database) as connection:
        connection.execute(EVENT.encode())
    assert query(empty_database, "select count(*) from event_default") == [(2000,)]
    assert keep_partitions(empty_database, now, step_days=7, keep_days=400).made > 0
    assert query(empty_database, "select count(*) from event_default") == [(0,)]
    assert query(empty_database, "select count(*) from event") == [(2000,)]


def test_a_backup_has_its_name_when_it_is_whole(
    filled: str, backup: Path, kvitok: Kvitok, tmp_path: Path
) -> None:
    """A folder that is there is not touched; what a killed one left is neither taken nor a bar."""
    status, said = kvitok(filled, "backup", str(backup))
    assert (status, "is there already" in said) == (1, True)
    status, said = kvitok(filled, "backup", str(tmp_path / "gone" / "backup"))
    assert (status, "No such file or directory; no backup was made" in said) == (1, True)
    half = tmp_path / "second.partial"
    half.mkdir()
    (half / "database.dump").write_bytes(b"half")
    assert kvitok(filled, "restore", str(half))[0] == 1
    assert kvitok(filled, "backup", str(tmp_path / "second"))[0] == 0
    assert not half.exists()
    assert {each.name for each in (tmp_path / "second").iterdir()} == {
        "database.dump", "manifest.json",
    }  # fmt: skip
    assert (tmp_path / "second").stat().st_mode & 0o077 == 0, "it holds what customers wrote"


def test_a_database_that_is_not_there_is_told(
    empty_database: str, kvitok: Kvitok, tmp_path: Path
) -> None:
    """Nothing to back up, nobody who answers: nothing is left."""
    status, said = kvitok(empty_database, "backup", str(tmp_path / "backup"))
    assert (status, "the database is empty" in said) == (1, True)
    status, said = kvitok(f"{empty_database}_gone", "backup", str(tmp_path / "backup"))
    assert (status, "cannot connect to PostgreSQL" in said) == (1, True)
    assert not list(tmp_path.glob("backup*"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Have a file system of 64 KiB, where this user may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if made.returncode:
        pytest.skip("no right to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told(filled: str, kvitok: Kvitok, small_disk: Path) -> None:
    """One sentence, and nothing of the backup that was not made."""
    status, said = kvitok(filled, "backup", str(small_disk / "backup"))
    assert status == 1
    assert "No space left on device" in said
    assert list(small_disk.iterdir()) == []


def test_a_missing_right_is_told(filled: str, kvitok: Kvitok, tmp_path: Path) -> None:
    """A role that may not read all tables makes no backup."""
    dsn = filled.replace("postgres@", "kvitok_grafana@")
    status, said = kvitok(dsn, "backup", str(tmp_path / "backup"))
    assert status == 1
    assert "permission denied" in said
    assert not list(tmp_path.glob("backup*"))


def test_a_killed_backup_is_none(filled: str, tmp_path: Path) -> None:
    """Killed at any moment: the target is whole or not there."""
    config = tmp_path / "kvitok.toml"
    config.write_text(f'[database]\ndsn = "{filled}"\n{KEYS}', "utf-8")
    target = tmp_path / "backup"
    command = [sys.executable, "-m", "kvitok", "db", "backup", str(target), "--config", str(config)]
    for turn in range(4):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        partial = tmp_path / "backup.partial" / "database.dump"
        ends = time.monotonic() + 20
        while not partial.exists() and time.monotonic() < ends:
            time.sleep(0.001)
        time.sleep(0.005 * turn)
        process.kill()
        process.wait()
        assert not target.exists() or (target / "manifest.json").exists()
