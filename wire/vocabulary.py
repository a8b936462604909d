"""The words of the contract's enumerations (section 3); device words are XFS4IoT's."""

from typing import Literal

Outcome = Literal["accepted", "declined", "failed", "unknown"]
ReceiptOutcome = Literal["printed", "failed", "refused", "unknown"]
StartCause = Literal["power_on", "restart", "watchdog", "update", "unknown"]
EndCause = Literal["completed", "cancelled", "timed_out", "error"]
Media = Literal["note", "coin"]
Device = Literal[
    "receipt_printer",
    "note_acceptor",
    "coin_acceptor",
    "card_reader",
    "fiscal_module",
    "modem",
    "ups",
    "display",
    "computer",
]
Status = Literal[
    "online",
    "offline",
    "power_off",
    "no_device",
    "hardware_error",
    "user_error",
    "device_busy",
    "fraud_attempt",
    "potential_fraud",
    "starting",
    "unknown",
]
Paper = Literal["full", "low", "out", "jammed", "unknown"]
Storage = Literal["ok", "high", "full", "missing", "inoperative", "unknown"]
Cause = Literal[
    "paper_out",
    "paper_jammed",
    "cutter",
    "cover_open",
    "overheated",
    "offline",
    "note_jammed",
    "cassette_full",
    "cassette_missing",
    "cheated",
    "hardware",
    "power",
    "unknown",
]
FaultSeverity = Literal["warning", "critical"]
ServiceWork = Literal[
    "door_opened", "door_closed", "paper_loaded", "cassette_replaced", "test_receipt"
]
OrderName = Literal[
    "report_now",
    "print_test_receipt",
    "restart_app",
    "restart_agent",
    "reboot",
    "suspend_sales",
    "resume_sales",
    "upload_log",
]
ReplyOutcome = Literal["done", "refused", "failed"]
