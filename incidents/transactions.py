"""One customer's attempt to pay, as its events tell it.

Laws: every event of a transaction changes only it; money saturates far below what the database
holds; the last payment result counts; a receipt once printed stays printed, once refused stays
refused unless printed; what lies in a lost range proves nothing (`*_in_doubt`).
"""

from dataclasses import dataclass, field
from typing import Any, Final

from incidents.findings import Ms, Position

MONEY_MAX: Final = 2**62
"""Sums stop here; PostgreSQL's bigint ends at 2**63 - 1."""
CASH_PROOF_MAX: Final = 20
"""Positions of cash kept as proof; a hostile journal may hold any number."""

SETTLING: Final = frozenset({"printed", "refused"})
"""Receipt outcomes after which nothing is owed to the customer."""
FINAL: Final = frozenset({"accepted", "declined", "failed"})
"""Payment outcomes that are an answer."""


@dataclass(slots=True)
class Judgement:
    """What one rule has said of a transaction so far."""

    opened_at: Ms
    cleared_at: Ms | None
    times: int
    cause: str
    proof: tuple[Position, ...]


@dataclass(slots=True)
class Transaction:
    """A row of the table `transaction`; times are rule time in Unix milliseconds."""

    epoch: int
    tx: str
    started_at: Ms
    ended_at: Ms | None = None
    end_cause: str | None = None
    service: str | None = None
    service_name: str | None = None
    account_masked: str | None = None
    account_hash: str | None = None
    accepted: int = 0
    returned: int = 0
    currency: str | None = None
    payment: str | None = None
    payment_amount: int | None = None
    payment_fee: int | None = None
    payment_code: str | None = None
    payment_reference: str | None = None
    receipt: str | None = None
    receipt_cause: str | None = None
    receipt_number: str | None = None
    fiscal: dict[str, Any] | None = None
    proof: dict[str, list[list[int]]] = field(default_factory=dict)
    judged: dict[str, Judgement] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        """Money that went in and did not come out."""
        return self.accepted - self.returned

    @property
    def settled(self) -> bool:
        """Whether nothing more is expected of it: a later event of this id is another's."""
        if self.ended_at is None:
            return False
        return self.kept <= 0 or (self.payment == "accepted" and self.receipt in SETTLING)

    @property
    def payment_in_doubt(self) -> bool:
        """Whether a lost range may hold a payment result newer than the one known."""
        return "lost_payment" in self.proof

    @property
    def receipt_in_doubt(self) -> bool:
        """Whether a lost range may hold the receipt."""
        return "lost_receipt" in self.proof

    def is_open(self, rule: str) -> bool:
        """Whether this rule's incident is open."""
        said = self.judged.get(rule)
        return said is not None and said.cleared_at is None

    def copied(self) -> "Transaction":
        """Return one that shares nothing that a fold changes."""
        values = [getattr(self, name) for name in Transaction.__slots__]
        copy = Transaction(*values)
        copy.proof = {name: list(positions) for name, positions in self.proof.items()}
        copy.judged = {
            rule: Judgement(one.opened_at, one.cleared_at, one.times, one.cause, one.proof)
            for rule, one in self.judged.items()
        }
        return copy


def start(tx: Transaction, body: dict[str, Any], position: list[int]) -> None:
    """Take what the customer chose."""
    tx.service = body.get("service")
    tx.service_name = body.get("service_name")
    account = body.get("account")
    if isinstance(account, dict):
        tx.account_masked = account.get("masked")
        tx.account_hash = account.get("hash")
    tx.proof["started"] = [position]


def accept(tx: Transaction, body: dict[str, Any], position: list[int]) -> None:
    """Take money in."""
    tx.accepted = min(tx.accepted + body["amount"], MONEY_MAX)
    if tx.currency is None:
        tx.currency = body["currency"]
    cash = tx.proof.setdefault("cash", [])
    if len(cash) < CASH_PROOF_MAX:
        cash.append(position)


def give_back(tx: Transaction, body: dict[str, Any], position: list[int]) -> None:
    """Take that money went out."""
    tx.returned = min(tx.returned + body["amount"], MONEY_MAX)
    if tx.currency is None:
        tx.currency = body["currency"]
    tx.proof["returned"] = [position]


def settle(tx: Transaction, body: dict[str, Any], position: list[int]) -> None:
    """Take what processing said; the last word counts."""
    tx.payment = body["outcome"]
    tx.payment_amount = body.get("amount")
    tx.payment_fee = body.get("fee")
    tx.payment_code = body.get("code")
    tx.payment_reference = body.get("reference")
    if tx.currency is None:
        tx.currency = body.get("currency")
    tx.proof["payment"] = [position]
    tx.proof.pop("lost_payment", None)


def receive(tx: Transaction, body: dict[str, Any], position: list[int]) -> None:
    """Take what became of the receipt; printed outweighs refused, refused outweighs the rest."""
    outcome = body["outcome"]
    tx.proof.pop("lost_receipt", None)
    if tx.receipt == "printed" or (tx.receipt == "refused" and outcome != "printed"):
        return
    tx.receipt = outcome
    tx.receipt_cause = body.get("cause")
    tx.receipt_number = body.get("number", tx.receipt_number)
    tx.fiscal = body.get("fiscal", tx.fiscal)
    tx.proof["receipt"] = [position]


def end(tx: Transaction, *, at: Ms, cause: str, position: list[int]) -> None:
    """Take that it is over; its own end outweighs one that was only inferred."""
    tx.ended_at = at
    tx.end_cause = cause
    tx.proof["ended"] = [position]


def lose(tx: Transaction, position: list[int]) -> None:
    """Take that events which may be its own are gone: nothing is proved by what is lost."""
    tx.proof["lost_payment"] = [position]
    tx.proof["lost_receipt"] = [position]


APPLY: Final = {
    "transaction_started": start,
    "cash_accepted": accept,
    "cash_returned": give_back,
    "payment_result": settle,
    "receipt_result": receive,
}
"""Kind → what it does to its transaction."""
