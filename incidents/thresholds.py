"""Every number that a rule uses, each with its reason; times in the unit of their suffix."""

from dataclasses import dataclass
from typing import Final

RULES: Final = (
    "no_receipt",
    "payment_failed",
    "payment_uncertain",
    "printer_unavailable",
    "acceptor_unavailable",
    "terminal_silent",
    "journal_gap",
    "identity_clash",
)
"""Every rule, as it stands in the table `incident`; each has a runbook in `docs/rules/`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The numbers of the rules; the defaults are the design's."""

    hold_s: float = 60.0
    """A device must be bad so long before it is an incident, and good so long before it is over."""

    reopen_window_s: float = 1800.0
    """Bad again within this time after it was good: the same incident, its count up by one."""

    backlog_age_s: float = 600.0
    """While events arrive that are older than this, device rules open nothing: nobody is sent out
    for what may long be over."""

    silent_intervals: int = 3
    """A terminal is silent when it misses so many of its own pulses."""

    pulse_interval_s: int = 60
    """The pulse interval of a terminal that does not name another."""

    grace_s: float = 120.0
    """No silence so soon after a start of the service, or after it began to listen again."""

    deaf_s: float = 15.0
    """A collector that has not said for so long that it listens does not listen."""

    provisional_case_s: float = 1800.0
    """A payment left open by silence becomes a person's work only after this."""

    clash_window_s: float = 86_400.0
    """A smaller epoch that moves twice within this time is a second living journal."""

    due_working_days: int = 5
    """A case is due at the end of this working day after the day it was opened."""

    open_transactions_max: int = 16
    """A kiosk serves one customer; of more open transactions the oldest counts as over."""

    proof_max: int = 24
    """Journal positions kept as proof of one incident: the first half and the newest."""
