"""The serial door: a port that never blocks, by pyserial."""

import contextlib
import os
from typing import Final, Protocol

import serial

READ_BYTES_MAX: Final = 4096


class LineLost(Exception):  # noqa: N818 - it names what is, not an error of ours
    """The port cannot be opened, or is gone."""


class Port(Protocol):
    """An open serial port that never blocks."""

    def fileno(self) -> int | None:
        """Return what can be waited for; None where the system cannot."""
        ...

    def read(self) -> bytes:
        """Return what came, perhaps nothing; raise `LineLost` when the line is gone."""
        ...

    def write(self, data: bytes) -> int:
        """Write what fits and return how much; raise `LineLost` when the line is gone."""
        ...

    def close(self) -> None:
        """Let the port go."""
        ...


class SerialPort:
    """A port by its path: 8N1, and raw as it is where the baud rate is refused (a pty)."""

    def __init__(self, path: str, baud: int) -> None:
        try:
            self._serial = _open(path, baud)
        except (OSError, ValueError) as error:  # SerialException is an OSError
            # pyserial wraps the system's words in its own, with the path and the number twice.
            number = getattr(error, "errno", None)
            raise LineLost(f"{path}: {os.strerror(number) if number else error}") from error
        self._by_file = hasattr(self._serial, "fd")

    def fileno(self) -> int | None:
        """Return the file that can be waited for; None on Windows."""
        return int(self._serial.fileno()) if self._by_file else None

    def read(self) -> bytes:
        """Return what came, perhaps nothing."""
        try:
            if self._by_file:
                return _unless_gone(os.read(self._serial.fileno(), READ_BYTES_MAX))
            return bytes(self._serial.read(min(self._serial.in_waiting, READ_BYTES_MAX)))
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LineLost(str(error)) from error

    def write(self, data: bytes) -> int:
        """Write what fits now."""
        try:
            if self._by_file:
                return os.write(self._serial.fileno(), data)
            return int(self._serial.write(data) or 0)
        except (BlockingIOError, serial.SerialTimeoutException):
            return 0
        except OSError as error:
            raise LineLost(str(error)) from error

    def close(self) -> None:
        """Let the port go, gone or not."""
        with contextlib.suppress(OSError):
            self._serial.close()


def _open(path: str, baud: int) -> serial.Serial:
    # Exclusive: a second program on the same device would take half of the answers.
    try:
        return serial.Serial(path, baud, timeout=0, write_timeout=0, exclusive=True)
    except ValueError:  # the rate is refused by this port: leave it as it is
        return serial.Serial(path, timeout=0, write_timeout=0, exclusive=True)


def _unless_gone(data: bytes) -> bytes:
    if not data:
        raise LineLost("the other end hung up")
    return data
