"""What every device driver is: bytes and time in, bytes and facts out; no I/O inside.

A `Machine` never reads a clock and never touches a line. Its caller hands it the bytes that came,
tells it when its deadline has passed, writes what it asks to `Send`, and journals the facts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NewType, Protocol

from wire.vocabulary import Cause, Device, Paper, ReceiptOutcome, Status, Storage

Instant = NewType("Instant", float)
"""Monotonic seconds; only differences mean anything."""


@dataclass(frozen=True, slots=True)
class Send:
    """Write these bytes to the line."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """What a device is now, in the contract's words (`device_changed` without time)."""

    device: Device
    status: Status
    paper: Paper | None = None
    storage: Storage | None = None
    cause: Cause | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The device's state is now this; sent only when it differs from the last one sent."""

    state: DeviceState


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteEscrowed:
    """A note is held and can still go either way; the machine stacks it by itself if enabled."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOrdered:
    """The note in escrow is about to be ordered into the cassette.

    Kept on disk until its verdict (`NoteStacked`, `NoteReturned`, `NoteUnaccounted`), it makes
    counting exact through a crash of the agent as well; who keeps nothing may ignore it.
    """

    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteStacked:
    """The note is in the cassette: the customer's money is taken.

    `recovered` marks a note found stacked after a power cut (CCNET 12, then 81).
    """

    amount: int
    currency: str
    recovered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteReturned:
    """The note in escrow went back to the customer."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteUnaccounted:
    """A note was last seen on its way to the cassette and the device has lost it: for a person.

    Without an amount the device named a bill type that its own table does not have.
    """

    amount: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class NoteRejected:
    """A note was refused before escrow; `code` is the device's own reason."""

    code: str


@dataclass(frozen=True, slots=True)
class CassetteReplaced:
    """The drop cassette is in place again, after its absence was told as a state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptFinished:
    """What became of a print job, by the name its asker gave it."""

    job: str
    outcome: ReceiptOutcome
    cause: Cause | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceIdentified:
    """What the device says it is: part, serial number, firmware."""

    device: Device
    text: str


Output = (
    Send
    | StateChanged
    | NoteEscrowed
    | StackOrdered
    | NoteStacked
    | NoteReturned
    | NoteUnaccounted
    | NoteRejected
    | CassetteReplaced
    | ReceiptFinished
    | DeviceIdentified
)


class Machine(Protocol):
    """A device driver without I/O."""

    def line_opened(self, now: Instant) -> Sequence[Output]:
        """Begin (again): the line has just been opened; nothing is known of the device."""
        ...

    def line_closed(self, now: Instant) -> Sequence[Output]:
        """Say what the loss of the line means; no `Send` until it is opened again."""
        ...

    def received(self, data: bytes, now: Instant) -> Sequence[Output]:
        """Take bytes from the line, in any portions."""
        ...

    def elapsed(self, now: Instant) -> Sequence[Output]:
        """Take note of the time; called at the deadline or later."""
        ...

    def deadline(self) -> Instant | None:
        """Return when `elapsed` must be called at the latest; None: not before the next input."""
        ...
