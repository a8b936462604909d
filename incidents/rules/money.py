"""The rules about a customer's money: each says whether it holds of an ended transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from incidents.findings import NO_RECEIPT, PAYMENT_FAILED, PAYMENT_UNCERTAIN, Severity
from incidents.transactions import SETTLING, Transaction


@dataclass(frozen=True, slots=True)
class MoneyRule:
    """Holds or not, of an ended transaction; `proof` names the positions that show it."""

    name: str
    severity: Severity
    holds: Callable[[Transaction], bool]
    cause: Callable[[Transaction, str | None], str]
    proof: tuple[str, ...]


def no_receipt(tx: Transaction) -> bool:
    """Money was taken and the payment accepted, but the customer holds no proof of it."""
    return (
        tx.kept > 0
        and tx.payment == "accepted"
        and tx.receipt not in SETTLING
        and not tx.receipt_in_doubt
    )


def payment_failed(tx: Transaction) -> bool:
    """The payment was refused or broke, and the money stayed."""
    return tx.kept > 0 and tx.payment in {"declined", "failed"} and not tx.payment_in_doubt


def payment_uncertain(tx: Transaction) -> bool:
    """Money stayed and nobody knows whether it was paid."""
    return tx.kept > 0 and tx.payment in {None, "unknown"} and not tx.payment_in_doubt


def cause_of_no_receipt(tx: Transaction, printer: str | None) -> str:
    """Return the receipt's own cause, else what ails the printer."""
    known = tx.receipt_cause if tx.receipt_cause != "unknown" else None
    return known or printer or "unknown"


def cause_of_failure(tx: Transaction, _printer: str | None) -> str:
    """Return what processing said."""
    return tx.payment or "failed"


def cause_of_doubt(tx: Transaction, _printer: str | None) -> str:
    """Return whether processing said that it does not know, or said nothing."""
    return tx.payment or "no_result"


MONEY_RULES: Final = (
    MoneyRule(
        NO_RECEIPT,
        "warning",
        no_receipt,
        cause_of_no_receipt,
        ("cash", "payment", "receipt", "ended"),
    ),
    MoneyRule(
        PAYMENT_FAILED, "critical", payment_failed, cause_of_failure, ("cash", "payment", "ended")
    ),
    MoneyRule(
        PAYMENT_UNCERTAIN,
        "critical",
        payment_uncertain,
        cause_of_doubt,
        ("cash", "payment", "ended"),
    ),
)
