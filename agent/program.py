"""The payment program's door: JSON lines over a Unix socket, or over TCP on loopback.

It lives in the main loop's selector. Whatever comes in, a connection holds at most one line of
input and a bounded output, and there are at most a few connections.
"""

import contextlib
import json
import logging
import os
import selectors
import socket
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.checking import Wrong
from agent.effects import Client
from agent.requests import LINE_BYTES_MAX
from agent.settings import ProgramSettings

log: Final = logging.getLogger("agent.program")

CLIENTS_MAX: Final = 8
OUTPUT_BYTES_MAX: Final = 1024 * 1024
"""What a program that does not read may leave waiting; then it is cut off."""
_READ_BYTES: Final = 65_536


class DoorBusy(Exception):  # noqa: N818 - it names what is
    """The address cannot be listened on; the text says why."""


@dataclass(slots=True)
class _Connection:
    client: Client
    socket: socket.socket
    input: bytearray = field(default_factory=bytearray)
    output: bytearray = field(default_factory=bytearray)
    skipping: bool = False
    """A line too long is being read to its end."""
    told: bool = False
    """It has said hello and is told what happens."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that a program sent, or what was wrong with it as a line."""

    client: Client
    data: bytes | Wrong


@dataclass(frozen=True, slots=True)
class Gone:
    """A connection has ended."""

    client: Client


class ProgramDoor:
    """Listens for payment programs."""

    def __init__(
        self,
        settings: ProgramSettings,
        selector: selectors.BaseSelector,
        heard: Callable[[Line | Gone], None],
    ) -> None:
        """Listen.

        Raises:
            DoorBusy: the address cannot be had.
        """
        self._selector, self._heard = selector, heard
        self._connections: dict[Client, _Connection] = {}
        self._named = 0
        self._path = settings.socket
        try:
            self._listener = _listener(settings)
        except OSError as error:
            where = settings.socket or f"{settings.host}:{settings.port}"
            raise DoorBusy(f"cannot listen on {where}: {error.strerror or error}") from error
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    @property
    def port(self) -> int | None:
        """The TCP port listened on, None for a Unix socket."""
        return None if self._path else int(self._listener.getsockname()[1])

    @property
    def clients(self) -> int:
        """How many programs are connected and have said hello."""
        return sum(each.told for each in self._connections.values())

    def answer(self, client: Client, message: Mapping[str, object]) -> None:
        """Send a message to one connection, if it is still there."""
        connection = self._connections.get(client)
        if connection is not None:
            self._send(connection, _line(message))

    def hello(self, client: Client) -> None:
        """From now on, tell this connection what happens."""
        connection = self._connections.get(client)
        if connection is not None:
            connection.told = True

    def tell(self, message: Mapping[str, object]) -> None:
        """Send a message to every connection that said hello."""
        line = _line(message)
        for connection in list(self._connections.values()):
            if connection.told:
                self._send(connection, line)

    def close(self) -> None:
        """Hang up and stop listening."""
        for connection in list(self._connections.values()):
            self._drop(connection, tell=False)
        self._selector.unregister(self._listener)
        self._listener.close()
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _accept(self, _mask: int) -> None:
        try:
            accepted, _ = self._listener.accept()
        except OSError:
            return
        if len(self._connections) >= CLIENTS_MAX:
            log.warning("too many programs are connected; one more was turned away")
            accepted.close()
            return
        accepted.setblocking(False)
        self._named += 1
        connection = _Connection(Client(self._named), accepted)
        self._connections[connection.client] = connection
        self._watch(connection, register=True)

    def _watch(self, connection: _Connection, *, register: bool = False) -> None:
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.output else 0)

        def ready(mask: int) -> None:
            self._ready(connection, mask)

        if register:
            self._selector.register(connection.socket, mask, ready)
        else:
            self._selector.modify(connection.socket, mask, ready)

    def _ready(self, connection: _Connection, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            self._flush(connection)
        if mask & selectors.EVENT_READ and connection.client in self._connections:
            self._read(connection)

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        connection.input += data
        for line in _taken(connection):
            if connection.client in self._connections:
                self._heard(Line(connection.client, line))
        if not data:
            self._drop(connection)

    def _send(self, connection: _Connection, line: bytes) -> None:
        connection.output += line
        if len(connection.output) > OUTPUT_BYTES_MAX:
            log.warning("a program does not read what it is told; it is cut off")
            self._drop(connection)
            return
        self._flush(connection)

    def _flush(self, connection: _Connection) -> None:
        try:
            sent = connection.socket.send(connection.output)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(connection)
            return
        del connection.output[:sent]
        self._watch(connection)

    def _drop(self, connection: _Connection, *, tell: bool = True) -> None:
        if self._connections.pop(connection.client, None) is None:
            return
        self._selector.unregister(connection.socket)
        connection.socket.close()
        if tell:
            self._heard(Gone(connection.client))


def _taken(connection: _Connection) -> Sequence[bytes | Wrong]:
    """Take the whole lines out of the input; of one too long, only that it was."""
    lines: list[bytes | Wrong] = []
    *whole, rest = bytes(connection.input).split(b"\n")
    for line in whole:
        if connection.skipping:
            connection.skipping = False
        elif len(line) > LINE_BYTES_MAX:
            lines.append(_TOO_LONG)
        elif line.strip():
            lines.append(line)
    if len(rest) > LINE_BYTES_MAX and not connection.skipping:
        connection.skipping = True
        lines.append(_TOO_LONG)
    connection.input = bytearray() if connection.skipping else bytearray(rest)
    return lines


_TOO_LONG: Final = Wrong("too_long", f"a line may have {LINE_BYTES_MAX} bytes")


def _line(message: Mapping[str, object]) -> bytes:
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate that the program sent goes back as it came: as the escape that JSON has.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _listener(settings: ProgramSettings) -> socket.socket:
    if settings.socket is not None:
        return _unix_listener(settings.socket)
    assert settings.port is not None, "settings name a socket or a port"
    listener = socket.create_server((settings.host, settings.port))
    listener.setblocking(False)
    return listener


def _unix_listener(path: Path) -> socket.socket:
    """Listen on a path; only a socket that nobody serves is taken over."""
    if not hasattr(socket, "AF_UNIX"):
        raise OSError("this system has no Unix sockets; set [program] port instead")
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.stat().st_mode):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(1)
                if probe.connect_ex(str(path)) == 0:
                    raise OSError("another agent serves it")
            path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o117)
    try:
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    listener.listen(CLIENTS_MAX)
    listener.setblocking(False)
    return listener
