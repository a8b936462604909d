"""The bytes of ESC/POS, cut into what a printer does: text, feeds, cuts, and what it only skips.

Real-time requests are taken out as soon as they are whole, whatever waits before them, as real
printers do. A command that is not in the table is skipped byte by byte: a firmware never fails.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Ask:
    """DLE EOT n: answer at once."""

    n: int


@dataclass(frozen=True, slots=True)
class Clear:
    """DLE ENQ 2 or ESC @: forget what waits, try again after an error."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text is complete (LF): print and feed."""

    text: str


@dataclass(frozen=True, slots=True)
class Feed:
    """Feed this much paper."""

    mm: float


@dataclass(frozen=True, slots=True)
class Cut:
    """Cut the ticket off; a presenter then shows it to the customer."""


@dataclass(frozen=True, slots=True)
class Eject:
    """Let go of what the presenter holds."""


@dataclass(frozen=True, slots=True)
class Report:
    """GS r 1: say how the paper is, in its turn."""


Work = Line | Feed | Cut | Eject | Report
Read = Ask | Clear | Work

_DOTS_MM: Final = 25.4 / 203
_LINE_MM: Final = 3.75
_DLE: Final = 0x10
_PREFIXES: Final = frozenset({0x1B, 0x1C, 0x1D})
_ARGUMENTS: Final = {
    (0x1B, 0x40): 0, (0x1B, 0x64): 1, (0x1B, 0x4A): 1, (0x1B, 0x69): 0, (0x1B, 0x6D): 0,
    (0x1B, 0x21): 1, (0x1B, 0x2D): 1, (0x1B, 0x32): 0, (0x1B, 0x33): 1, (0x1B, 0x45): 1,
    (0x1B, 0x47): 1, (0x1B, 0x4D): 1, (0x1B, 0x52): 1, (0x1B, 0x61): 1, (0x1B, 0x74): 1,
    (0x1B, 0x20): 1, (0x1B, 0x24): 2, (0x1B, 0x5C): 2, (0x1B, 0x63): 2, (0x1B, 0x70): 3,
    (0x1B, 0x76): 0, (0x1B, 0x7B): 1, (0x1B, 0x25): 1,
    (0x1C, 0x2E): 0, (0x1C, 0x26): 0, (0x1C, 0x50): 1, (0x1C, 0x43): 1,
    (0x1D, 0x21): 1, (0x1D, 0x42): 1, (0x1D, 0x4C): 2, (0x1D, 0x57): 2, (0x1D, 0x50): 2,
    (0x1D, 0x61): 1, (0x1D, 0x72): 1, (0x1D, 0x49): 1, (0x1D, 0x48): 1,
    (0x1D, 0x68): 1, (0x1D, 0x77): 1, (0x1D, 0x66): 1, (0x1D, 0xF8): 0,
}  # fmt: skip
"""How many argument bytes follow; GS V, GS e, GS ( and GS v 0 have lengths of their own."""
_PRESENT: Final = 3
"""GS e 3 n presents so many steps; GS e 2 and 5 (retract, eject) have no argument."""


class Reader:
    """Takes bytes in any portions."""

    def __init__(self, encoding: str = "cp866") -> None:
        self._encoding = encoding
        self._buffer = bytearray()
        self._text = bytearray()

    def feed(self, data: bytes) -> list[Read]:
        """Take bytes; return what they complete, real-time requests first."""
        out = list[Read]()
        self._buffer += data
        self._take_real_time(out)
        while (length := self._length()) and length <= len(self._buffer):
            command = bytes(self._buffer[:length])
            del self._buffer[:length]
            done = self._meaning(command)
            if done is not None:
                out.append(done)
        return out

    def forget(self) -> None:
        """Lose what was not complete: power was lost."""
        self._buffer.clear()
        self._text.clear()

    def _take_real_time(self, out: list[Read]) -> None:
        at = 0
        while (at := self._buffer.find(_DLE, at)) >= 0:
            kind = bytes(self._buffer[at + 1 : at + 2])
            if kind not in {b"\x04", b"\x05"}:
                at += 1
                continue
            if len(self._buffer) < at + 3:
                return
            n = self._buffer[at + 2]
            out.append(Ask(n) if kind == b"\x04" else Clear())
            del self._buffer[at : at + 3]

    def _length(self) -> int:
        """Return the length of the command at the front; 0 when that cannot be said yet."""
        data = self._buffer
        if not data:
            return 0
        if data[0] == _DLE:
            # A real-time request may be cut here: wait for its end.
            waits = len(data) == 1 or (data[1] in {4, 5} and len(data) < 3)  # noqa: PLR2004
            return 0 if waits else 1
        if data[0] not in _PREFIXES:
            return 1
        if len(data) < 3:  # noqa: PLR2004 - prefix, command, first argument
            known = len(data) > 1 and _ARGUMENTS.get((data[0], data[1])) == 0
            return 2 if known else 0
        return self._long(data)

    @staticmethod
    def _long(data: bytearray) -> int:
        match data[0], data[1]:
            case 0x1D, 0x56:
                return 4 if data[2] in {65, 66} else 3
            case 0x1D, 0x65:
                return 4 if data[2] == _PRESENT else 3
            case 0x1D, 0x28:
                return 5 + data[3] + 256 * data[4] if len(data) > 4 else 0  # noqa: PLR2004
            case 0x1D, 0x76:
                if len(data) < 8:  # noqa: PLR2004 - GS v 0 m xL xH yL yH
                    return 0
                return 8 + (data[4] + 256 * data[5]) * (data[6] + 256 * data[7])
            case pair:
                return 2 + _ARGUMENTS.get(pair, 0)

    def _meaning(self, command: bytes) -> Read | None:  # noqa: PLR0911 - a table
        match command[0], command[1:2]:
            case 0x0A, _:
                text = self._text.decode(self._encoding, "replace")
                self._text.clear()
                return Line(text)
            case 0x1B, b"@":
                self._text.clear()
                return None
            case 0x1B, b"d":
                return Feed(command[2] * _LINE_MM)
            case 0x1B, b"J":
                return Feed(command[2] * _DOTS_MM)
            case (0x1B, b"i" | b"m") | (0x1D, b"V"):
                return Cut()
            case 0x1D, b"r":
                return Report()
            case 0x1D, b"e" if command[2] in {2, 5}:
                return Eject()
            case first, _ if len(command) == 1 and first >= 0x20:  # noqa: PLR2004 - a space
                self._text.append(first)
        return None
