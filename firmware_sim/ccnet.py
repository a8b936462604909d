"""CCNET frames as the firmware sees them: SYNC, address, length, command, data, CRC."""

from dataclasses import dataclass
from typing import Final

SYNC: Final = 0x02
BILL_VALIDATOR: Final = 0x03
_LEAST: Final = 6
_POLYNOMIAL: Final = 0x8408


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole frame with a right CRC."""

    address: int
    command: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Damaged:
    """Bytes that began like a frame and are none."""


def crc16(data: bytes) -> int:
    """Return the CRC-16 of the protocol: reflected, polynomial 8408, from 0."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
    return crc


def encode(command: int, data: bytes = b"", address: int = BILL_VALIDATOR) -> bytes:
    """Return a frame's bytes; an answer carries its state or data in the same place."""
    head = bytes((SYNC, address, _LEAST + len(data), command)) + data
    return head + crc16(head).to_bytes(2, "little")


def encode_answer(body: bytes) -> bytes:
    """Return an answer's bytes: states and tables have no command byte of their own."""
    return encode(body[0], body[1:])


class Reader:
    """Takes bytes in any portions and gives frames; a damaged start costs what is buffered."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame | Damaged]:
        """Take bytes; return what they complete."""
        self._buffer += data
        out = list[Frame | Damaged]()
        while (found := self._next()) is not None:
            out.append(found)
        return out

    def forget(self) -> bool:
        """Drop an unfinished frame (its time is over); says if there was one."""
        had = bool(self._buffer)
        self._buffer.clear()
        return had

    def _next(self) -> Frame | Damaged | None:
        start = self._buffer.find(SYNC)
        del self._buffer[: len(self._buffer) if start < 0 else start]
        if len(self._buffer) < 3:  # noqa: PLR2004 - sync, address, length
            return None
        length = self._buffer[2]
        if length < _LEAST:
            self._buffer.clear()
            return Damaged()
        if len(self._buffer) < length:
            return None
        raw = bytes(self._buffer[:length])
        if crc16(raw[:-2]) != int.from_bytes(raw[-2:], "little"):
            self._buffer.clear()
            return Damaged()
        del self._buffer[:length]
        return Frame(raw[1], raw[3], raw[4:-2])
