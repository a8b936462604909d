"""The folder of one embedded service: its lock, its ports, the processes it started.

Laws: one service at a time; what a killed predecessor left running is ended before anything starts;
a port that was given is used or the start fails; one that was not given stays what it was.
"""

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from kvitok.embedded.errors import EmbeddedError, FolderTaken
from kvitok.embedded.secrets import write_private

HOST: Final = "127.0.0.1"
END_WAIT_S: Final = 10.0
_SAME_START_S: Final = 1.0
"""How far two readings of one process's start may differ."""


@contextlib.contextmanager
def held(folder: Path, who: str = "kvitok serve") -> Iterator[None]:
    """Hold the folder for this process; it is made when it is not there.

    Raises:
        FolderTaken: another process has it.
        EmbeddedError: it cannot be used.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise EmbeddedError(
            f"cannot use {folder} for data: {error.strerror}; name another folder with --data"
        ) from error
    with os.fdopen(handle, "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = lock.read().strip() or "process"
            raise FolderTaken(
                f"another {owner} has {folder}: stop it first, or name another folder with --data"
            ) from None
        lock.truncate(0)
        lock.write(f"{who} (process {os.getpid()})\n")
        lock.flush()
        yield


def sync_folder(folder: Path) -> None:
    """Return when the names in the folder are on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Children:
    """The processes that this folder's service started, remembered across its own death."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "processes.json"
        self._known: dict[str, tuple[int, float]] = {}

    def remember(self, name: str, pid: int) -> None:
        """Note a process that was just started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._known[name] = (pid, psutil.Process(pid).create_time())
            write_private(self._file, json.dumps(self._known))

    def end_left_overs(self) -> None:
        """End what a killed predecessor left: it ends anyway, and must be gone first."""
        try:
            known = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        left = []
        for name, (pid, started) in known.items():
            if name == "database":
                continue  # it recovers best when asked, and knows its own (see postgres.py)
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                if abs(process.create_time() - started) < _SAME_START_S:
                    process.kill()
                    left.append(process)
        psutil.wait_procs(left, timeout=END_WAIT_S)
        self._file.unlink(missing_ok=True)


class Ports:
    """The ports of this folder's service, the same ones as long as they are free."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ports.json"

    def choose(self, name: str, given: int, option: str) -> int:
        """Return the given port, or for 0 the one used last, or any free one.

        Raises:
            EmbeddedError: the given port is taken.
        """
        known = self._read()
        if given:
            if not is_free(given):
                raise EmbeddedError(
                    f"port {given} on {HOST} is in use{_by_whom(given)}: end that program, "
                    f"or choose another port with {option} (0: any free one)"
                )
            port = given
        else:
            port = known.get(name, 0)
            if not port or not is_free(port):
                port = free_port()
        write_private(self._file, json.dumps(known | {name: port}))
        return port

    def _read(self) -> dict[str, int]:
        try:
            ports: dict[str, int] = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return ports


def is_free(port: int) -> bool:
    """Return whether a server could listen on this port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _by_whom(port: int) -> str:
    """Return who listens there, where the system tells."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            here = connection.laddr
            if connection.status == psutil.CONN_LISTEN and here and here.port == port:
                if connection.pid is None:
                    break
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""
