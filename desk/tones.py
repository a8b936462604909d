"""How an event should strike its reader: a colour that always comes with words."""

from collections.abc import Mapping
from typing import Any, Final, Literal

Tone = Literal["good", "bad", "warn", "plain"]
Group = Literal["money", "device", "service", "other"]

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
DEVICE_KINDS: Final = frozenset({"device_changed", "fault"})
SERVICE_KINDS: Final = frozenset(
    {
        "agent_started",
        "clock_stepped",
        "journal_lost",
        "quarantined",
        "service_action",
        "unreadable",
    }
)
SHOWN: Final[Mapping[str, frozenset[str]]] = {
    "money": MONEY_KINDS,
    "devices": DEVICE_KINDS,
    "service": SERVICE_KINDS,
}
"""The filters of the log page: their name, and the kinds they let through."""

_FIELD: Final = {
    "payment_result": "outcome",
    "receipt_result": "outcome",
    "transaction_ended": "cause",
    "agent_started": "cause",
    "fault": "severity",
}
_TONES: Final[Mapping[tuple[str, str], Tone]] = {
    ("payment_result", "accepted"): "good",
    ("payment_result", "declined"): "bad",
    ("payment_result", "failed"): "bad",
    ("payment_result", "unknown"): "bad",
    ("receipt_result", "printed"): "good",
    ("receipt_result", "failed"): "bad",
    ("receipt_result", "unknown"): "warn",
    ("transaction_ended", "error"): "bad",
    ("transaction_ended", "timed_out"): "warn",
    ("agent_started", "watchdog"): "warn",
    ("agent_started", "unknown"): "warn",
    ("fault", "warning"): "warn",
    ("fault", "critical"): "bad",
}
_WARN_KINDS: Final = frozenset({"journal_lost", "quarantined", "unreadable", "clock_stepped"})
_BAD_STATUS: Final = frozenset(
    {"offline", "power_off", "no_device", "hardware_error", "user_error", "fraud_attempt"}
)
_DOUBTFUL_STATUS: Final = frozenset({"unknown", "potential_fraud", "starting"})
_BAD_PAPER: Final = frozenset({"out", "jammed"})
_BAD_STORAGE: Final = frozenset({"full", "missing", "inoperative"})


def group_of(kind: str) -> Group:
    """Return which part of the terminal's life an event belongs to."""
    if kind in MONEY_KINDS:
        return "money"
    if kind in DEVICE_KINDS:
        return "device"
    return "service" if kind in SERVICE_KINDS else "other"


def tone_of(event: Mapping[str, Any]) -> Tone:
    """Return the tone of an event; what nobody knows is plain."""
    kind = str(event.get("kind"))
    if kind in _WARN_KINDS:
        return "warn"
    if kind == "device_changed":
        return device_tone(event.get("status"), event.get("paper"), event.get("storage"))
    value = event.get(_FIELD.get(kind, ""))
    return _TONES.get((kind, value), "plain") if isinstance(value, str) else "plain"


def device_tone(status: object, paper: object, storage: object) -> Tone:
    """Return the tone of a device's state."""
    state, left, cassette = (str(value) for value in (status, paper, storage))
    if state in _BAD_STATUS or left in _BAD_PAPER or cassette in _BAD_STORAGE:
        return "bad"
    if left == "low" or cassette == "high" or state in _DOUBTFUL_STATUS:
        return "warn"
    return "good" if state == "online" else "plain"
