"""What a printer's status bytes say, and what that is in the contract's words.

A profile lists its queries; a query lists the bits of its answer; a bit is a `Sign`. From the set
of signs one table (`VERDICTS`) makes status, paper and cause. Nothing here knows a model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from agent.devices.machine import DeviceState
from wire.vocabulary import Cause, Paper, Status


class Sign(Enum):
    """One thing that a printer can say of itself."""

    NEAR_END = auto()
    PAPER_END = auto()
    PAPER_JAM = auto()
    COVER_OPEN = auto()
    CUTTER = auto()
    OVERHEATED = auto()
    UNRECOVERABLE = auto()
    ERROR = auto()
    OFFLINE = auto()
    """Does not print now, for whatever reason."""
    TICKET = auto()
    """A ticket is at the presenter: out of the slot, in the customer's reach."""


Signs = frozenset[Sign]


@dataclass(frozen=True, slots=True)
class Bit:
    """Bits of an answer's byte and what any of them says; `clear`: what none of them says."""

    mask: int
    sign: Sign
    byte: int = 0
    clear: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A status request: its bytes, the fixed bytes its answer begins with, and its bits.

    Without a head the answer is one byte with the fixed bits of DLE EOT. An `optional` query that
    stays unanswered says nothing against the printer.
    """

    request: bytes
    bits: Sequence[Bit]
    head: bytes = b""
    answer_bytes: int = 1
    optional: bool = False


_FIXED_BITS: Final = 0x93
_FIXED_VALUE: Final = 0x12


def is_status(byte: int) -> bool:
    """Return whether a byte can be an answer to DLE EOT: bits 0, 1, 4, 7 are fixed."""
    return byte & _FIXED_BITS == _FIXED_VALUE


def find_answer(query: Query, data: bytes) -> tuple[bytes | None, int]:
    """Return the first answer in the bytes (or None) and how many bytes are done with."""
    if not query.head:
        for position, byte in enumerate(data):
            if is_status(byte):
                return bytes((byte,)), position + 1
        return None, len(data)
    start = data.find(query.head)
    if start < 0:
        # The head's first bytes may be the last that came.
        keep = next(
            (n for n in range(len(query.head) - 1, 0, -1) if data[-n:] == query.head[:n]), 0
        )
        return None, len(data) - keep
    end = start + query.answer_bytes
    return (data[start + len(query.head) : end], end) if len(data) >= end else (None, start)


def read_signs(query: Query, answer: bytes) -> Signs:
    """Return what an answer says."""
    return frozenset(
        bit.sign for bit in query.bits if bool(answer[bit.byte] & bit.mask) != bit.clear
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a sign makes of the printer; the printer prints nothing while one holds."""

    sign: Sign
    status: Status
    cause: Cause


VERDICTS: Final = (
    Verdict(Sign.PAPER_JAM, "hardware_error", "paper_jammed"),
    Verdict(Sign.CUTTER, "hardware_error", "cutter"),
    # An open cover lifts the paper off its sensor: the cover is the reason, the paper follows.
    Verdict(Sign.COVER_OPEN, "user_error", "cover_open"),
    Verdict(Sign.PAPER_END, "online", "paper_out"),
    Verdict(Sign.OVERHEATED, "hardware_error", "overheated"),
    Verdict(Sign.UNRECOVERABLE, "hardware_error", "hardware"),
    Verdict(Sign.ERROR, "hardware_error", "hardware"),
    Verdict(Sign.OFFLINE, "offline", "unknown"),
)
"""The first that holds gives the cause."""


def verdict(signs: Signs) -> Verdict | None:
    """Return why the printer does not print; None: it does."""
    return next((each for each in VERDICTS if each.sign in signs), None)


def device_state(signs: Signs, code: str | None) -> DeviceState:
    """Return the printer's state in the contract's words."""
    bad = verdict(signs)
    return DeviceState(
        device="receipt_printer",
        status=bad.status if bad else "online",
        paper=_paper(signs),
        cause=bad.cause if bad else None,
        code=code if bad else None,
    )


def silent_state(code: str, *, offline: bool) -> DeviceState:
    """Return the state of a printer that says nothing: of its paper nothing is known."""
    return DeviceState(
        device="receipt_printer",
        status="offline" if offline else "unknown",
        paper="unknown",
        cause="offline" if offline else None,
        code=code if offline else None,
    )


def _paper(signs: Signs) -> Paper:
    for sign, paper in _PAPERS:
        if sign in signs:
            return paper
    return "full"


_PAPERS: Final[tuple[tuple[Sign, Paper], ...]] = (
    (Sign.PAPER_JAM, "jammed"),
    (Sign.PAPER_END, "out"),
    (Sign.NEAR_END, "low"),
)
