"""What a rule says once; under its key it becomes an incident."""

from dataclasses import dataclass
from typing import Final, Literal

Ms = int
"""Unix milliseconds of rule time: the terminal's clock, or ours where that is untrusted."""
Position = tuple[int, int]
"""Epoch and seq of a journal event."""
Severity = Literal["info", "warning", "critical"]

NO_RECEIPT: Final = "no_receipt"
PAYMENT_FAILED: Final = "payment_failed"
PAYMENT_UNCERTAIN: Final = "payment_uncertain"
PRINTER_UNAVAILABLE: Final = "printer_unavailable"
ACCEPTOR_UNAVAILABLE: Final = "acceptor_unavailable"
TERMINAL_SILENT: Final = "terminal_silent"
JOURNAL_GAP: Final = "journal_gap"
IDENTITY_CLASH: Final = "identity_clash"

MONEY: Final = frozenset({NO_RECEIPT, PAYMENT_FAILED, PAYMENT_UNCERTAIN})
"""Rules whose subject is a transaction; they open a support case."""
DEVICE: Final = frozenset({PRINTER_UNAVAILABLE, ACCEPTOR_UNAVAILABLE})
"""Rules whose subject is a device; they open a work order."""
CLEARED_BY_PERSON: Final = frozenset({JOURNAL_GAP, IDENTITY_CLASH})
"""Rules that no event clears."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How an incident now stands: the newest of one key replaces those before it.

    The key is terminal, rule, epoch and subject; for rules without an epoch `opened_at` too.
    `counted`: one more occurrence of whatever is open under the key (nothing replaces it).
    `withdrawn`: it was provisional and has not come true.
    """

    rule: str
    epoch: int | None
    subject: str | None
    cause: str | None
    severity: Severity
    opened_at: Ms
    cleared_at: Ms | None
    times: int
    proof: tuple[Position, ...]
    provisional: bool = False
    counted: bool = False
    withdrawn: bool = False


def bounded(proof: tuple[Position, ...], most: int) -> tuple[Position, ...]:
    """Return the proof with its middle left out where it is longer than `most`."""
    return proof if len(proof) <= most else proof[: most // 2] + proof[-(most - most // 2) :]
