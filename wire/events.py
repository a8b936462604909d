"""The events of a journal (contract, section 3): frozen, one class a kind, `kind` a literal.

A field that is None is left out on the wire. Unknown kinds and unknown fields are no error for a
reader; these classes are what a writer writes and what a reader's rules understand.
"""

from dataclasses import dataclass, fields
from typing import Final, Literal, get_args

from wire.bounds import Count, Currency, Minor, Seq, SignedMinor, Tx, UnixMs
from wire.vocabulary import (
    Cause,
    Device,
    EndCause,
    FaultSeverity,
    Media,
    Outcome,
    Paper,
    ReceiptOutcome,
    ServiceWork,
    StartCause,
    Status,
    Storage,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStarted:
    """A new run of the agent; any open transaction is over."""

    at: UnixMs
    agent: str
    cause: StartCause
    app: str | None = None
    kind: Literal["agent_started"] = "agent_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionStarted:
    """A customer chose what to pay for."""

    at: UnixMs
    tx: Tx
    service: str
    service_name: str | None = None
    account: str | None = None
    kind: Literal["transaction_started"] = "transaction_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class CashAccepted:
    """The money is in the cassette and cannot come back by itself."""

    at: UnixMs
    tx: Tx
    amount: Minor
    currency: Currency
    media: Media
    kind: Literal["cash_accepted"] = "cash_accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class CashReturned:
    """Money given back."""

    at: UnixMs
    tx: Tx
    amount: Minor
    currency: Currency
    kind: Literal["cash_returned"] = "cash_returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentResult:
    """What processing said; `unknown`: no answer. `amount` is credited, `fee` comes on top."""

    at: UnixMs
    tx: Tx
    outcome: Outcome
    amount: Minor
    fee: Minor
    currency: Currency
    code: str | None = None
    reference: str | None = None
    kind: Literal["payment_result"] = "payment_result"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fiscal:
    """A fiscal receipt's three numbers, as printed (strings)."""

    fn: str
    fd: str
    fp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptResult:
    """What became of the receipt; `refused`: the customer chose to go without."""

    at: UnixMs
    tx: Tx
    outcome: ReceiptOutcome
    cause: Cause | None = None
    number: str | None = None
    fiscal: Fiscal | None = None
    kind: Literal["receipt_result"] = "receipt_result"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionEnded:
    """The screen is free again."""

    at: UnixMs
    tx: Tx
    cause: EndCause
    kind: Literal["transaction_ended"] = "transaction_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChanged:
    """A device's state is now this."""

    at: UnixMs
    device: Device
    status: Status
    paper: Paper | None = None
    storage: Storage | None = None
    cause: Cause | None = None
    code: str | None = None
    kind: Literal["device_changed"] = "device_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CassetteCollected:
    """The cassette was emptied; counted by the machine. `notes`: denomination → count."""

    at: UnixMs
    collection: str
    total: Minor
    currency: Currency
    notes: dict[str, Count] | None = None
    kind: Literal["cassette_collected"] = "cassette_collected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An operational failure that is no device state."""

    at: UnixMs
    component: str
    severity: FaultSeverity
    code: str
    text: str | None = None
    cut: bool | None = None
    kind: Literal["fault"] = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAction:
    """Somebody works on the terminal."""

    at: UnixMs
    action: ServiceWork
    person: str | None = None
    kind: Literal["service_action"] = "service_action"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStepped:
    """The terminal's clock was moved by so many milliseconds (negative: back)."""

    at: UnixMs
    step_ms: SignedMinor
    kind: Literal["clock_stepped"] = "clock_stepped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Stands for an event that the service refused even alone (rule 9): its size in bytes."""

    at: UnixMs
    size: Count
    kind: Literal["unreadable"] = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLost:
    """Written by the service, never sent: the terminal lost `seq … through` (rule 6)."""

    at: UnixMs
    through: Seq
    kind: Literal["journal_lost"] = "journal_lost"


Event = (
    AgentStarted
    | TransactionStarted
    | CashAccepted
    | CashReturned
    | PaymentResult
    | ReceiptResult
    | TransactionEnded
    | DeviceChanged
    | CassetteCollected
    | Fault
    | ServiceAction
    | ClockStepped
    | Unreadable
)
"""Every kind that a terminal sends."""

KINDS: Final[dict[str, type[Event]]] = {
    str(next(field.default for field in fields(kind) if field.name == "kind")): kind
    for kind in get_args(Event)
}
"""Kind → class, for every kind that a terminal sends."""

MONEY_KINDS: Final = frozenset(
    {
        "transaction_started",
        "cash_accepted",
        "cash_returned",
        "payment_result",
        "receipt_result",
        "transaction_ended",
        "cassette_collected",
    }
)
"""Events about money: the last that a full disk may drop (rule 6)."""
