"""Commands to a terminal and what became of them (contract, section 5)."""

from dataclasses import dataclass

from wire.bounds import UnixMs
from wire.vocabulary import OrderName, ReplyOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """An order, signed with Ed25519 over its canonical JSON and the terminal's number."""

    id: str
    at: UnixMs
    expires: UnixMs
    order: OrderName
    args: dict[str, object]
    by: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of an order."""

    id: str
    outcome: ReplyOutcome
    text: str | None = None
