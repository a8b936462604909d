"""The database and the broker that come with the package, each on its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from kvitok.embedded.errors import EmbeddedError
from kvitok.embedded.folder import Ports, free_port, held
from kvitok.embedded.nats import Nats
from kvitok.embedded.postgres import Postgres
from kvitok.embedded.secrets import keep

pytestmark = pytest.mark.service

ROW = "select value from kept"
WAIT_S = 20.0


@contextmanager
def running(server: Postgres | Nats) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends."""
    server.prepare()
    process = subprocess.Popen(server.command(), stderr=subprocess.DEVNULL)
    try:
        wait_for(server.is_ready)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(2)
        process.wait(WAIT_S)


def wait_for(question: Callable[[], bool]) -> None:
    """Wait until the answer is yes."""
    ends = time.monotonic() + WAIT_S
    while not question():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_the_database_keeps_what_was_committed_through_a_kill(tmp_path: Path) -> None:
    """UTF-8, Cyrillic in both cases, durable; a killed server's workers and pid file are no bar."""
    postgres = Postgres(tmp_path, keep(tmp_path / "secrets.json").database_owner)
    with running(postgres) as process:
        with psycopg.connect(postgres.dsn()) as connection:
            connection.execute("create table kept (value text)")
            connection.execute("insert into kept values (lower('КВИТОК'))")
            assert connection.execute("show fsync").fetchone() == ("on",)
            assert connection.execute("show listen_addresses").fetchone() == ("",)
        process.kill()
        process.wait()
    with running(postgres), psycopg.connect(postgres.dsn()) as connection:
        assert connection.execute(ROW).fetchone() == ("квиток",)


def test_a_server_that_was_left_running_is_ended(tmp_path: Path) -> None:
    """A predecessor's server in the same folder gives way; a foreign pid in its file is no bar."""
    postgres = Postgres(tmp_path, keep(tmp_path / "secrets.json").database_owner)
    with running(postgres) as left:
        postgres.prepare()
        assert left.wait(WAIT_S) is not None
    (postgres.data / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.data}\n")
    with running(postgres):
        pass


def test_a_long_path_is_no_bar(tmp_path: Path) -> None:
    """Where a socket's path would be too long, it is elsewhere, and nothing of it stays there."""
    folder = tmp_path / ("long-" * 20)
    folder.mkdir()
    postgres = Postgres(folder, keep(folder / "secrets.json").database_owner)
    with running(postgres), psycopg.connect(postgres.dsn()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
        postgres.tidy()
        assert postgres.socket_folder.exists(), "not while the server runs"
    assert len(str(postgres.socket_folder)) < 80
    postgres.tidy()
    assert not postgres.socket_folder.exists()


def test_a_lost_password_is_told(tmp_path: Path) -> None:
    """A secrets file that does not fit the database is named, with what to do."""
    with running(Postgres(tmp_path, "first")):
        pass
    postgres = Postgres(tmp_path, "second")
    postgres.prepare()
    process = subprocess.Popen(postgres.command(), stderr=subprocess.DEVNULL)
    try:
        with pytest.raises(EmbeddedError, match=r"secrets\.json: that file was changed"):
            wait_for(postgres.is_ready)
    finally:
        process.send_signal(2)
        process.wait(WAIT_S)


def test_servers_end_with_whoever_started_them(tmp_path: Path) -> None:
    """A starter that is killed takes its database with it."""
    script = (
        "import subprocess, sys, time\n"
        "from pathlib import Path\n"
        "from kvitok.embedded.postgres import Postgres\n"
        "server = Postgres(Path(sys.argv[1]), 'secret')\n"
        "server.prepare()\n"
        "process = subprocess.Popen(server.command(), stderr=subprocess.DEVNULL)\n"
        "print(process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE)
    with starter:
        assert starter.stdout is not None
        server = psutil.Process(int(starter.stdout.readline()))
        wait_for(Postgres(tmp_path, "secret").is_ready)
        starter.kill()
    psutil.wait_procs([server], timeout=WAIT_S)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE


def test_the_broker_lets_in_who_knows_a_password(tmp_path: Path) -> None:
    """Both users are let in, a wrong password is not, and its file is for its owner only."""
    nats = Nats(tmp_path, free_port(), "test-secret", "collector-secret")
    with running(nats):
        assert not Nats(tmp_path, nats.port, "wrong", "wrong").is_ready()
    assert nats.configuration.stat().st_mode & 0o077 == 0


def test_one_service_has_a_folder(tmp_path: Path) -> None:
    """A second one is told who has it."""
    refused = pytest.raises(EmbeddedError, match=f"process {os.getpid()}")
    with held(tmp_path), refused, held(tmp_path):
        pass
    with held(tmp_path):
        pass


def test_a_port_stays_what_it_was(tmp_path: Path) -> None:
    """Without a wish: the one used last; with one: that, or an error."""
    ports = Ports(tmp_path)
    first = ports.choose("mqtt", 0, "--mqtt-port")
    assert ports.choose("mqtt", 0, "--mqtt-port") == first
    other = free_port()
    assert ports.choose("mqtt", other, "--mqtt-port") == other
    assert ports.choose("mqtt", 0, "--mqtt-port") == other
