"""A note validator's firmware at the byte level, without I/O (CCNET).

Laws. The controller speaks, the validator answers; it never begins. An answer to a poll is repeated
until the controller has ACKed it, whatever has happened since. What has to be known (stacked,
returned, rejected, cheated) waits in `_news` and is told once. Money is where the metal is: a note
is in the cassette when stacking ends, whether or not anybody was told; `ledger` is the truth.

A power cut leaves the note where it was. In the transport (accepting, escrow, returning) the next
power-up says 11 and RESET gives the note back. In the stacker, or stacked and not yet ACKed, it
says 12, and after RESET and initialization 81 + type: what was told but not ACKed is told again.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

from firmware_sim.ccnet import BILL_VALIDATOR, Damaged, Frame, Reader, encode, encode_answer

ACK: Final = encode(0x00)
NAK: Final = encode(0xFF)
ILLEGAL_COMMAND: Final = encode(0x30)

RUBLES: Final[Mapping[int, int]] = {
    2: 10,
    3: 50,
    4: 100,
    5: 500,
    6: 1000,
    7: 5000,
    12: 200,
    13: 2000,
}
"""Bill type → rubles, one of the numberings met in the field."""
RUBLES_FROM_ZERO: Final[Mapping[int, int]] = {
    0: 10, 1: 50, 2: 100, 3: 200, 4: 500, 5: 1000, 6: 2000, 7: 5000,
}  # fmt: skip
"""Another firmware's."""

_TYPES: Final = 24
_FRAME_TIME_S: Final = 0.25
"""An unfinished frame is dropped after this; a real line needs a fiftieth, a pty may stutter."""
ESCROW_S: Final = 10.0
"""A note in escrow goes back by itself after this."""


class State(IntEnum):
    """What a poll is answered with, as long as there is no news."""

    POWER_UP = 0x10
    POWER_UP_NOTE_IN_VALIDATOR = 0x11
    POWER_UP_NOTE_IN_STACKER = 0x12
    INITIALIZE = 0x13
    IDLING = 0x14
    ACCEPTING = 0x15
    STACKING = 0x17
    RETURNING = 0x18
    DISABLED = 0x19
    HOLDING = 0x1A
    REJECTING = 0x1C
    ESCROW = 0x80


_STACKED: Final = 0x81
_RETURNED: Final = 0x82
_POWERING_UP: Final = frozenset(
    {State.POWER_UP, State.POWER_UP_NOTE_IN_VALIDATOR, State.POWER_UP_NOTE_IN_STACKER}
)
_LASTS_S: Final[Mapping[State, float]] = {
    State.INITIALIZE: 2.0,
    State.ACCEPTING: 1.2,
    State.STACKING: 0.9,
    State.RETURNING: 0.9,
    State.REJECTING: 0.6,
}
"""How long the motors take, at speed 1."""

CASSETTE_FULL: Final = b"\x41"
CASSETTE_REMOVED: Final = b"\x42"
JAMMED: Final = b"\x43"
CASSETTE_JAMMED: Final = b"\x44"
CHEATED: Final = b"\x45"
PAUSE: Final = b"\x46"


def failure(sub: int) -> bytes:
    """Return the state of a failed unit: 50 stack motor … 5F capacitance canal."""
    return bytes((0x47, sub))


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a note ended: in the cassette, or in the customer's hand again (how)."""

    where: Literal["stacked", "returned", "rejected"]
    rubles: int


class Validator:
    """The firmware; `speed` makes its motors faster."""

    def __init__(
        self, table: Mapping[int, int] = RUBLES, *, speed: float = 1.0, serial: str = "00000001"
    ) -> None:
        self.ledger: list[Moved] = []
        self.trouble: bytes | None = None
        """A state that hides all others while it lasts: jammed, cassette out, failed …"""
        self.powered = False
        self._table = table
        self._speed = speed
        self._serial = serial
        self._reader = Reader()
        self._heard_at = 0.0
        self._enabled, self._escrowed = 0, 0
        self._state = State.POWER_UP
        self._until: float | None = None
        self._note: int | None = None
        self._reject: int | None = None
        self._news: deque[bytes] = deque()
        self._answer: bytes | None = None
        self._credit: int | None = None

    @property
    def state(self) -> State:
        """What the motors are doing."""
        return self._state

    @property
    def busy(self) -> bool:
        """Say if a note is inside, or what became of one is not yet told."""
        return self._note is not None or bool(self._news)

    @property
    def ready(self) -> bool:
        """Say if the bezel lights: a note would be drawn in."""
        return self.powered and self.trouble is None and self._state is State.IDLING

    @property
    def cassette(self) -> int:
        """Rubles that ever went into the cassette."""
        return sum(moved.rubles for moved in self.ledger if moved.where == "stacked")

    def power_on(self) -> None:
        """Give it power: it says how it found itself, until RESET."""
        self.powered = True
        self._reader.forget()
        self._state = (
            State.POWER_UP_NOTE_IN_STACKER
            if self._credit is not None
            else State.POWER_UP_NOTE_IN_VALIDATOR
            if self._note is not None
            else State.POWER_UP
        )

    def power_off(self, now: float) -> None:
        """Take the power: masks and news are forgotten, notes stay where they are."""
        self.elapsed(now)
        if self._state is State.STACKING and self._note is not None:
            self._credit = self._note
            self._drop("stacked")
        for news in self._news:
            if news[0] == _STACKED:
                self._credit = news[1]
        self.powered, self._enabled, self._until = False, 0, None
        self._answer, self._reject = None, None
        self._news.clear()

    def insert(self, rubles: int, now: float, *, reject: int | None = None) -> bool:
        """Offer a note to the slot; False if it is not drawn in. `reject`: why it is refused."""
        self.elapsed(now)
        if not self.ready:
            return False
        self._note = next(bill for bill, value in self._table.items() if value == rubles)
        self._reject = reject if self._enabled >> self._note & 1 else 0x68
        self._enter(State.ACCEPTING, now)
        return True

    def received(self, data: bytes, now: float) -> bytes:
        """Take bytes from the line; return the answer."""
        self.elapsed(now)
        if not self.powered:
            return b""
        if now - self._heard_at > _FRAME_TIME_S:
            self._reader.forget()
        self._heard_at = now
        answers = (
            NAK if isinstance(frame, Damaged) else self._obey(frame, now)
            for frame in self._reader.feed(data)
        )
        return b"".join(answers)

    def elapsed(self, now: float) -> bytes:
        """Let the motors run until now; there is never anything to say."""
        while self._until is not None and now >= self._until:
            self._finish(self._until)
        return b""

    def fix(self, now: float) -> None:
        """End the trouble: the unit initializes by itself, and is disabled after it."""
        self.trouble = None
        if self.powered and self._state not in _POWERING_UP:
            self._enabled = 0
            self._enter(State.INITIALIZE, now)

    def _obey(  # noqa: C901, PLR0911, PLR0912 - the table of commands
        self, frame: Frame, now: float
    ) -> bytes:
        if frame.address != BILL_VALIDATOR:
            return b""
        match frame.command:
            case 0x00:
                self._acked()
                return b""
            case 0xFF:
                return self._answer or b""
            case 0x33:
                return self._poll()
            case 0x30:
                return self._reset(now)
            case 0x31:
                return encode_answer(self._enabled.to_bytes(3, "big") + bytes(3))
            case 0x34 if len(frame.data) == 6 and self._state not in _POWERING_UP:  # noqa: PLR2004
                return self._enable(frame.data)
            case 0x35 if self._state in {State.ESCROW, State.HOLDING}:
                self._enter(State.STACKING, now)
                return ACK
            case 0x36 if self._state in {State.ESCROW, State.HOLDING}:
                self._enter(State.RETURNING, now)
                return ACK
            case 0x38 if self._state in {State.ESCROW, State.HOLDING}:
                self._state, self._until = State.HOLDING, now + ESCROW_S
                return ACK
            case 0x32:
                return ACK
            case 0x37:
                return encode_answer(f"SM-RU{1353:<10}{self._serial:>12}".encode() + bytes(7))
            case 0x41:
                return encode_answer(self._bill_table())
            case _:
                return ILLEGAL_COMMAND

    def _poll(self) -> bytes:
        if self._answer is None:
            self._answer = encode_answer(self._now())
        return self._answer

    def _now(self) -> bytes:
        if self._state in _POWERING_UP or self._state is State.INITIALIZE:
            return bytes((self._state,))
        if self._news:
            return self._news[0]
        if self.trouble is not None:
            return self.trouble
        if self._state in {State.ESCROW, State.REJECTING}:
            detail = self._note if self._state is State.ESCROW else self._reject
            return bytes((self._state, detail or 0))
        return bytes((self._state,))

    def _acked(self) -> None:
        if self._news and self._answer == encode_answer(self._news[0]):
            self._news.popleft()
        self._answer = None

    def _reset(self, now: float) -> bytes:
        if self._state is State.POWER_UP_NOTE_IN_VALIDATOR or (
            self._note is not None and self._state not in {State.STACKING, *_POWERING_UP}
        ):
            self._drop("returned")
        self._enabled, self._answer = 0, None
        self._enter(State.INITIALIZE, now)
        return ACK

    def _enable(self, data: bytes) -> bytes:
        self._enabled = int.from_bytes(data[:3], "big")
        self._escrowed = int.from_bytes(data[3:], "big")
        if self._state in {State.IDLING, State.DISABLED}:
            self._rest()
        return ACK

    def _enter(self, state: State, now: float) -> None:
        self._state = state
        self._until = now + _LASTS_S[state] / self._speed

    def _rest(self) -> None:
        self._state = State.IDLING if self._enabled else State.DISABLED
        self._until = None

    def _finish(self, now: float) -> None:
        match self._state:
            case State.INITIALIZE:
                if self._credit is not None:
                    self._news.append(bytes((_STACKED, self._credit)))
                    self._credit = None
                self._rest()
            case State.ACCEPTING if self._reject is not None:
                self._enter(State.REJECTING, now)
            case State.ACCEPTING if self._note is not None and self._escrowed >> self._note & 1:
                self._state, self._until = State.ESCROW, now + ESCROW_S
            case State.ACCEPTING:
                self._enter(State.STACKING, now)
            case State.STACKING:
                self._news.append(bytes((_STACKED, self._note or 0)))
                self._drop("stacked")
                self._rest()
            case State.RETURNING:
                self._news.append(bytes((_RETURNED, self._note or 0)))
                self._drop("returned")
                self._rest()
            case State.REJECTING:
                self._news.append(bytes((State.REJECTING, self._reject or 0)))
                self._reject = None
                self._drop("rejected")
                self._rest()
            case State.ESCROW | State.HOLDING:
                self._enter(State.RETURNING, now)
            case _:
                self._until = None

    def _drop(self, where: Literal["stacked", "returned", "rejected"]) -> None:
        if self._note is not None:
            self.ledger.append(Moved(where, self._table[self._note]))
        self._note = None

    def _bill_table(self) -> bytes:
        rows = list[bytes]()
        for bill in range(_TYPES):
            digits = str(self._table.get(bill, 0))
            zeros = len(digits) - 1 if self._table.get(bill) else 0
            row = bytes((int(digits[0]),)) + b"RUS" + bytes((zeros,))
            rows.append(row if bill in self._table else bytes(5))
        return b"".join(rows)
