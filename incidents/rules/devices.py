"""When a device is bad, and which rule that is (contract, section 3; design, section 5)."""

from dataclasses import dataclass
from typing import Final

from incidents.findings import ACCEPTOR_UNAVAILABLE, PRINTER_UNAVAILABLE, Severity

BAD_STATUS: Final = {
    "offline": "offline",
    "power_off": "power",
    "no_device": "offline",
    "hardware_error": "hardware",
    "user_error": "unknown",
    "fraud_attempt": "cheated",
}
BAD_PAPER: Final = {"out": "paper_out", "jammed": "paper_jammed"}
BAD_STORAGE: Final = {
    "full": "cassette_full",
    "missing": "cassette_missing",
    "inoperative": "hardware",
}
"""What is bad → its cause where the event names none."""

SAYS_NOTHING: Final = frozenset({"starting", "device_busy", "unknown"})
"""Values that change nothing by themselves: the last that said something stays."""


@dataclass(frozen=True, slots=True)
class DeviceRule:
    """Holds while one of these devices is bad."""

    name: str
    severity: Severity
    devices: frozenset[str]


DEVICE_RULES: Final = (
    DeviceRule(PRINTER_UNAVAILABLE, "critical", frozenset({"receipt_printer"})),
    DeviceRule(ACCEPTOR_UNAVAILABLE, "critical", frozenset({"note_acceptor", "coin_acceptor"})),
)

RULE_OF: Final = {device: rule for rule in DEVICE_RULES for device in rule.devices}
"""Device → its rule."""


def badness(status: str | None, paper: str | None, storage: str | None) -> str | None:
    """Return the cause if these three make a device bad, else None."""
    return (
        BAD_PAPER.get(paper or "") or BAD_STORAGE.get(storage or "") or BAD_STATUS.get(status or "")
    )
