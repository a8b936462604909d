"""CCNET frames: what goes on the line, and how bytes of any quality become frames again.

Layout (CCNET Rev 2.4.3, section 2.2): SYNC, ADR, LNG, body, CRC low byte, CRC high byte. LNG is
the length of the whole frame. LNG 0 means that the length stands in the two bytes after it, high
byte first. In an order the body begins with the command, in an answer with the state.

Laws of the decoder:
- It never raises, whatever comes. What fails its checksum is a value: `FrameDamaged`.
- What it returns depends on the bytes alone, never on how they were cut into portions.
- After damage it looks for a frame inside the damaged bytes: one bad length costs no good frame.
- One run of damaged bytes is told once, however many false starts it holds.
- It holds back at most one frame; `flush` gives up waiting for the rest of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

SYNC: Final = 0x02
FRAME_BYTES_MIN: Final = 6
"""SYNC, ADR, LNG, one byte of body, CRC."""
FRAME_BYTES_MAX: Final = 1024
"""Longest frame we believe in; the longest answer we ask for (the bill table) has 125."""
_SHORT_FRAME_BYTES_MAX: Final = 255
_CRC_BYTES: Final = 2
_LONG_HEAD_BYTES: Final = 5


def _crc_of_byte(byte: int) -> int:
    value = byte
    for _ in range(8):
        value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return value


_CRC_TABLE: Final = tuple(_crc_of_byte(byte) for byte in range(256))


def crc16(data: bytes | bytearray) -> int:
    """Return the CRC of the bytes: polynomial 0x8408 reflected, start 0 (section 2.2)."""
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame whose checksum holds: its address and its body."""

    address: int
    body: bytes


@dataclass(frozen=True, slots=True)
class FrameDamaged:
    """Bytes that began like a frame to us and are none."""


def encode(address: int, body: bytes) -> bytes:
    """Return the frame's bytes, the long form where the short one does not reach."""
    size = 3 + len(body) + _CRC_BYTES
    if size <= _SHORT_FRAME_BYTES_MAX:
        head = bytes((SYNC, address, size))
    else:
        head = bytes((SYNC, address, 0)) + (size + 2).to_bytes(2, "big")
    return head + body + crc16(head + body).to_bytes(_CRC_BYTES, "little")


class Decoder:
    """Finds the frames of one address in a stream of bytes."""

    def __init__(self, address: int) -> None:
        self._address = address
        self._buffer = bytearray()
        self._in_damage = False

    @property
    def held_bytes(self) -> int:
        """Return how many bytes wait for the rest of their frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Sequence[Frame | FrameDamaged]:
        """Return the frames, and the damage, that these bytes complete."""
        # In slices, so that the buffer stays within one frame and one slice, whatever comes.
        found: list[Frame | FrameDamaged] = []
        for start in range(0, len(data), FRAME_BYTES_MAX):
            self._buffer += data[start : start + FRAME_BYTES_MAX]
            found.extend(self._scan())
        return found

    def flush(self) -> Sequence[Frame | FrameDamaged]:
        """Return what is in the bytes held back, when no more of them will come."""
        found: list[Frame | FrameDamaged] = []
        while self._buffer:
            found.extend(self._damaged())
            found.extend(self._scan())
        self._in_damage = False
        return found

    def _scan(self) -> Iterator[Frame | FrameDamaged]:
        while True:
            start = self._buffer.find(SYNC)
            if start < 0:
                self._buffer.clear()
                return
            del self._buffer[:start]
            size = self._size()
            if size is None or (size and len(self._buffer) < size):
                return
            if not size:  # a byte that only looks like SYNC
                del self._buffer[0]
            elif crc16(self._buffer[: size - _CRC_BYTES]) == int.from_bytes(
                self._buffer[size - _CRC_BYTES : size], "little"
            ):
                head = 3 if self._buffer[2] else _LONG_HEAD_BYTES
                yield Frame(self._address, bytes(self._buffer[head : size - _CRC_BYTES]))
                del self._buffer[:size]
                self._in_damage = False
            else:
                yield from self._damaged()

    def _damaged(self) -> Iterator[FrameDamaged]:
        del self._buffer[0]
        if not self._in_damage:
            self._in_damage = True
            yield FrameDamaged()

    def _size(self) -> int | None:
        """Return the size of the frame at the front: None not known yet, 0 no frame."""
        buffer = self._buffer
        if len(buffer) > 1 and buffer[1] != self._address:
            return 0
        if len(buffer) < 3:  # noqa: PLR2004 - SYNC, ADR, LNG
            return None
        size, least = buffer[2], FRAME_BYTES_MIN
        if size == 0:
            if len(buffer) < _LONG_HEAD_BYTES:
                return None
            size, least = int.from_bytes(buffer[3:5], "big"), FRAME_BYTES_MIN + 2
        return size if least <= size <= FRAME_BYTES_MAX else 0
