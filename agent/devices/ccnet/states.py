"""What a validator's answer to POLL means, as tables (CCNET Rev 2.4.3, section 5).

Here lives the translation of states into the contract's words. What a state means for the *note*
inside lives in `passage`, what is sent next in `machine`.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from wire.vocabulary import Cause, Status, Storage


class Poll(IntEnum):
    """First byte of an answer to POLL."""

    POWER_UP = 0x10
    POWER_UP_BILL_IN_VALIDATOR = 0x11
    POWER_UP_BILL_IN_STACKER = 0x12
    INITIALIZE = 0x13
    IDLING = 0x14
    ACCEPTING = 0x15
    STACKING = 0x17
    RETURNING = 0x18
    UNIT_DISABLED = 0x19
    HOLDING = 0x1A
    BUSY = 0x1B
    REJECTING = 0x1C
    CASSETTE_FULL = 0x41
    CASSETTE_OUT = 0x42
    VALIDATOR_JAMMED = 0x43
    CASSETTE_JAMMED = 0x44
    CHEATED = 0x45
    PAUSE = 0x46
    FAILURE = 0x47
    BILL_TO_BILL_JAM = 0x48
    ESCROW = 0x80
    STACKED = 0x81
    RETURNED = 0x82
    SUSPECTED = 0x84
    COUNTERFEIT_HELD = 0x90


@dataclass(frozen=True, slots=True)
class Meaning:
    """A poll state in the contract's words; `storage` None: says nothing of the cassette."""

    status: Status
    storage: Storage | None = None
    cause: Cause | None = None


_RUNNING: Final = Meaning("online", "ok")
_STARTING: Final = Meaning("starting")
_FAILED: Final = Meaning("hardware_error", cause="hardware")

MEANINGS: Final[dict[int, Meaning]] = {
    Poll.POWER_UP: _STARTING,
    Poll.POWER_UP_BILL_IN_VALIDATOR: _STARTING,
    Poll.POWER_UP_BILL_IN_STACKER: _STARTING,
    Poll.INITIALIZE: _STARTING,
    Poll.IDLING: _RUNNING,
    Poll.ACCEPTING: _RUNNING,
    Poll.STACKING: _RUNNING,
    Poll.RETURNING: _RUNNING,
    Poll.UNIT_DISABLED: _RUNNING,  # disabled by us: nothing is wrong with it
    Poll.HOLDING: _RUNNING,
    Poll.REJECTING: _RUNNING,
    Poll.ESCROW: _RUNNING,
    Poll.STACKED: _RUNNING,
    Poll.RETURNED: _RUNNING,
    Poll.CASSETTE_FULL: Meaning("online", "full", "cassette_full"),
    Poll.CASSETTE_OUT: Meaning("user_error", "missing", "cassette_missing"),
    Poll.VALIDATOR_JAMMED: Meaning("hardware_error", cause="note_jammed"),
    Poll.CASSETTE_JAMMED: Meaning("hardware_error", "inoperative", "note_jammed"),
    Poll.CHEATED: Meaning("fraud_attempt", cause="cheated"),
    Poll.PAUSE: Meaning("user_error"),  # a second note is pushed in behind the first
    Poll.FAILURE: _FAILED,
    Poll.BILL_TO_BILL_JAM: Meaning("hardware_error", cause="note_jammed"),
    Poll.SUSPECTED: Meaning("potential_fraud"),
    Poll.COUNTERFEIT_HELD: Meaning("potential_fraud"),
}
"""Every state but BUSY, which says nothing."""

_CASSETTE_FAILURES: Final = frozenset({0x54})
"""Second byte of FAILURE, the part that failed, where it says that the cassette cannot work."""

BUSY_UNIT_S: Final = 0.1
"""Second byte of BUSY counts these."""

POWERED_UP: Final = frozenset(
    {Poll.POWER_UP, Poll.POWER_UP_BILL_IN_VALIDATOR, Poll.POWER_UP_BILL_IN_STACKER}
)
"""Waits for RESET and does nothing before it."""
READY: Final = frozenset({Poll.IDLING, Poll.UNIT_DISABLED})
"""Nothing moves inside; orders are taken."""
FAULTY: Final = frozenset(
    {
        Poll.VALIDATOR_JAMMED,
        Poll.CASSETTE_JAMMED,
        Poll.CHEATED,
        Poll.FAILURE,
        Poll.BILL_TO_BILL_JAM,
    }
)
"""Does not come back by itself: RESET now and then is worth a try."""


def meaning_of(state: int, detail: int | None) -> Meaning | None:
    """Return a state in the contract's words; None for one that says nothing new (BUSY)."""
    if state == Poll.BUSY:
        return None
    if state == Poll.FAILURE and detail in _CASSETTE_FAILURES:
        return Meaning("hardware_error", "inoperative", "hardware")
    return MEANINGS.get(state, Meaning("unknown"))


def code_of(state: int, detail: int | None) -> str | None:
    """Return the device's own code for a state that somebody may have to look up."""
    if MEANINGS.get(state) in {_RUNNING, _STARTING}:
        return None
    return f"{state:02X}" if detail is None else f"{state:02X}{detail:02X}"


def rejection_code(detail: int | None) -> str:
    """Return the code of a refused note."""
    return f"{Poll.REJECTING:02X}" if detail is None else f"{Poll.REJECTING:02X}{detail:02X}"
