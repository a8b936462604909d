"""`kvitok db backup` and `kvitok db restore` with the database that comes with the package."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from kvitok.cli import status_of
from kvitok.database import bring_up
from kvitok.embedded.alone import fresh, put_in_place, running
from kvitok.embedded.folder import held
from kvitok.embedded.postgres import Postgres
from kvitok.embedded.secrets import keep

pytestmark = pytest.mark.service

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADD = "insert into terminal (terminal) values (%s)"
READ = "select terminal from terminal order by terminal"


class Kept:
    """A folder as a service leaves it, and the command line about it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.folder.mkdir()

    @property
    def postgres(self) -> Postgres:
        """Return its database, with the password of now."""
        return Postgres(self.folder, keep(self.folder / "secrets.json").database_owner)

    def start_and_add(self, *terminals: str) -> list[str]:
        """Do what `serve` does to the database, add terminals, return all that are there."""
        postgres = self.postgres
        with running(postgres):
            bring_up(postgres.dsn(), keep(self.folder / "secrets.json"), NOW)
            with psycopg.connect(postgres.dsn()) as connection:
                for each in terminals:
                    connection.execute(ADD, [each])
                return [row[0] for row in connection.execute(READ)]

    def kvitok(self, *arguments: str) -> tuple[int, str]:
        """Run `kvitok db …` and return its status and what it said."""
        status = status_of(["db", *arguments, "--data", str(self.folder)])
        said = self._capsys.readouterr()
        return status, said.out + said.err

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Run it as a process that can be killed."""
        command = [sys.executable, "-m", "kvitok", "db", *arguments, "--data", str(self.folder)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Kept:
    """Return a folder in which a service with the terminal A was."""
    made = Kept(tmp_path / "data", capsys)
    assert made.start_and_add("A") == ["A"]
    return made


def test_a_stopped_service_comes_back_as_it_was(kept: Kept, tmp_path: Path) -> None:
    """The database of before is kept; passwords that were changed since are no bar."""
    status, said = kept.kvitok("backup", str(tmp_path / "backup"))
    assert status == 0, said
    assert "not in it: secrets.json" in said
    assert kept.start_and_add("B") == ["A", "B"]
    secrets = kept.folder / "secrets.json"
    changed = json.loads(secrets.read_text("utf-8"))
    before = Postgres(kept.folder, changed["database_owner"])
    changed |= {"database_owner": "new", "database_desk": "other", "token": "kvt_new"}
    secrets.write_text(json.dumps(changed), "utf-8")
    status, said = kept.kvitok("restore", str(tmp_path / "backup"))
    assert status == 0, said
    assert kept.start_and_add() == ["A"]
    (aside,) = kept.folder.glob("postgres.before-*")
    assert str(aside) in said
    (kept.folder / "old").mkdir()
    aside.rename(kept.folder / "old" / "postgres")
    old = Postgres(kept.folder / "old", before.password)
    with running(old), psycopg.connect(old.dsn()) as connection:
        assert [row[0] for row in connection.execute(READ)] == ["A", "B"]


def test_a_destroyed_database_is_replaced(kept: Kept, tmp_path: Path) -> None:
    """It is kept too; the numbers that it does not say any more are estimated."""
    assert kept.kvitok("backup", str(tmp_path / "backup"))[0] == 0
    (kept.postgres.data / "global" / "pg_control").unlink()
    status, said = kept.kvitok("restore", str(tmp_path / "backup"))
    assert status == 0, said
    assert "does not say how far its numbers went (the database in" in said
    assert "case numbers go on after 001001" in said
    assert "the database of before is in" in said
    assert kept.start_and_add() == ["A"]


def test_no_number_is_given_twice(kept: Kept, tmp_path: Path) -> None:
    """However many were given since the backup, and restored as often as one likes."""
    assert kept.kvitok("backup", str(tmp_path / "backup"))[0] == 0
    postgres = kept.postgres
    with running(postgres), psycopg.connect(postgres.dsn()) as connection:
        connection.execute("select setval('support_case_number', 50000)")
    for last in (50000, 50000, 60000):
        status, said = kept.kvitok("restore", str(tmp_path / "backup"), "--last-number", str(last))
        assert status == 0, said
        assert f"case numbers go on after {last:06}" in said


def test_a_folder_that_was_lost_comes_back(kept: Kept, tmp_path: Path) -> None:
    """On another machine: with its keys as it was, without them only when that is wanted."""
    assert kept.kvitok("backup", str(tmp_path / "backup"))[0] == 0
    other = Kept.__new__(Kept)
    other.__dict__.update(kept.__dict__ | {"folder": tmp_path / "other"})
    status, said = other.kvitok("restore", str(tmp_path / "backup"))
    assert status == 1
    assert "has not the account_key and report_key of the backup" in said
    assert not (other.folder / "secrets.json").exists()
    (other.folder / "secrets.json").write_bytes((kept.folder / "secrets.json").read_bytes())
    status, said = other.kvitok("restore", str(tmp_path / "backup"))
    assert status == 0, said
    assert "of before" not in said
    assert other.start_and_add() == ["A"]


def test_where_somebody_works_it_is_told(kept: Kept, tmp_path: Path) -> None:
    """A held folder is not restored into; a backup of it asks the running database."""
    backup = str(tmp_path / "backup")
    assert kept.kvitok("backup", backup)[0] == 0
    with held(kept.folder):
        status, said = kept.kvitok("restore", backup)
        assert (status, "another kvitok serve (process" in said) == (1, True)
        assert "stop it first" in said
        status, said = kept.kvitok("backup", str(tmp_path / "second"))
        assert (status, "its database does not answer: try again" in said) == (1, True)
        with running(kept.postgres):
            assert kept.kvitok("backup", str(tmp_path / "second"))[0] == 0
    assert kept.start_and_add() == ["A"]


def test_a_folder_without_a_service_is_told(tmp_path: Path) -> None:
    """There is nothing to back up."""
    assert status_of(["db", "backup", str(tmp_path / "b"), "--data", str(tmp_path / "gone")]) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_backup_changes_nothing(kept: Kept, tmp_path: Path) -> None:
    """It is found before anything is touched."""
    backup = tmp_path / "backup"
    assert kept.kvitok("backup", str(backup))[0] == 0
    dump = backup / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-1] + b"?")
    status, said = kept.kvitok("restore", str(backup))
    assert (status, "is damaged" in said) == (1, True)
    assert not list(kept.folder.glob("postgres.*"))
    assert not list(kept.folder.glob("restoring"))


def test_a_restore_may_be_killed_at_any_moment(kept: Kept, tmp_path: Path) -> None:
    """Afterwards the database is the one of before or the backup's, and the same again does it."""
    backup = str(tmp_path / "backup")
    assert kept.kvitok("backup", backup)[0] == 0
    assert kept.start_and_add("B") == ["A", "B"]
    for after_s in (0.0, 0.2, 0.5, 0.8, 1.1):
        process = kept.start("restore", backup)
        wait_for(kept.folder / "restoring")
        time.sleep(after_s)
        process.kill()
        process.wait()
        found = kept.start_and_add()
        assert found in (["A"], ["A", "B"]), after_s
        if found == ["A"]:
            kept.start_and_add("B")
    status, said = kept.kvitok("restore", backup)
    assert status == 0, said
    assert kept.start_and_add() == ["A"]
    assert not (kept.folder / "restoring").exists()
    assert not (kept.folder / "postgres.restored").exists()


def wait_for(path: Path) -> None:
    """Wait until there is something."""
    ends = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < ends, path
        time.sleep(0.005)


def test_a_restore_cut_between_two_renames_is_completed(kept: Kept, tmp_path: Path) -> None:
    """The next start takes what was ready, and never an empty database; so does a backup."""
    secret = kept.postgres.password
    with fresh(kept.folder, secret) as put:
        with running(put):
            bring_up(put.dsn(), keep(kept.folder / "secrets.json"), NOW)
            with psycopg.connect(put.dsn()) as connection:
                connection.execute(ADD, ["RESTORED"])
        # As `put_in_place` leaves it when it is killed before its last rename.
        put.data.rename(kept.postgres.restored)
        kept.postgres.data.rename(kept.folder / "postgres.before-x")
    assert kept.kvitok("backup", str(tmp_path / "backup"))[0] == 0
    assert kept.start_and_add() == ["RESTORED"]
    # Killed one rename earlier: the database of before is in place and stays.
    (kept.folder / "postgres.restored").mkdir()
    assert kept.start_and_add() == ["RESTORED"]
    with fresh(kept.folder, secret) as again:
        with running(again):
            pass
        aside = put_in_place(kept.folder, again, NOW)
    assert aside is not None
    assert aside.name == "postgres.before-20261123T120000Z"
    assert sorted(each.name for each in kept.folder.glob("postgres*")) == [
        "postgres", "postgres.before-20261123T120000Z", "postgres.before-x",
    ]  # fmt: skip


def test_a_killed_backup_of_a_stopped_service_is_none(kept: Kept, tmp_path: Path) -> None:
    """The target is whole or not there, and the service starts as before."""
    target = tmp_path / "backup"
    for after_s in (0.0, 0.1, 0.3):
        process = kept.start("backup", str(target))
        wait_for(kept.postgres.data / "postmaster.pid")
        time.sleep(after_s)
        process.kill()
        process.wait()
        assert not target.exists() or (target / "manifest.json").exists()
    assert kept.start_and_add() == ["A"]
    assert kept.kvitok("backup", str(tmp_path / "another"))[0] == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Have a file system with room for one database, where this user may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=70m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no right to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_leaves_the_database_of_before(
    small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A restore for which there is no room says so, changes nothing and leaves nothing."""
    kept = Kept(small_disk / "data", capsys)
    assert kept.start_and_add("A") == ["A"]
    assert kept.kvitok("backup", str(tmp_path / "backup"))[0] == 0
    status, said = kept.kvitok("restore", str(tmp_path / "backup"))
    assert status == 1
    assert said.count("\n") == 1, said
    assert "No space left on device" in said
    assert kept.start_and_add() == ["A"]
    assert not (kept.folder / "restoring").exists()
