"""The contract's words as people say them: English msgids in tables, one table a field."""

from collections.abc import Mapping
from typing import Final

from desk.words import Words, message

DEVICE: Final = {
    "receipt_printer": message("Receipt printer"),
    "note_acceptor": message("Note acceptor"),
    "coin_acceptor": message("Coin acceptor"),
    "card_reader": message("Card reader"),
    "fiscal_module": message("Fiscal module"),
    "modem": message("Modem"),
    "ups": message("Backup power"),
    "display": message("Display"),
    "computer": message("Computer"),
}
STATUS: Final = {
    "online": message("online"),
    "offline": message("does not answer"),
    "power_off": message("has no power"),
    "no_device": message("is not found"),
    "hardware_error": message("is broken"),
    "user_error": message("needs a hand"),
    "device_busy": message("is busy"),
    "fraud_attempt": message("reports a fraud attempt"),
    "potential_fraud": message("suspects fraud"),
    "starting": message("is starting"),
    "unknown": message("state unknown"),
}
PAPER: Final = {
    "full": message("enough paper"),
    "low": message("paper is low"),
    "out": message("out of paper"),
    "jammed": message("paper is jammed"),
    "unknown": message("paper unknown"),
}
STORAGE: Final = {
    "ok": message("cassette in order"),
    "high": message("cassette is almost full"),
    "full": message("cassette is full"),
    "missing": message("cassette is missing"),
    "inoperative": message("cassette does not work"),
    "unknown": message("cassette unknown"),
}
CAUSE: Final = {
    "paper_out": message("out of paper"),
    "paper_jammed": message("paper is jammed"),
    "cutter": message("the cutter is stuck"),
    "cover_open": message("the cover is open"),
    "overheated": message("overheated"),
    "offline": message("does not answer"),
    "note_jammed": message("a note is jammed"),
    "cassette_full": message("cassette is full"),
    "cassette_missing": message("cassette is missing"),
    "cheated": message("an attempt to cheat"),
    "hardware": message("broken hardware"),
    "power": message("power failure"),
    "unknown": message("cause unknown"),
    "no_answer": message("no answer from processing"),
    "declined": message("declined by processing"),
    "failed": message("processing failed"),
    "no_result": message("no word from processing"),
    "fork": message("the journal split in two"),
    "old_epoch": message("an old journal goes on"),
}
PAYMENT: Final = {
    "accepted": message("accepted"),
    "declined": message("declined"),
    "failed": message("failed"),
    "unknown": message("no answer"),
}
RECEIPT: Final = {
    "printed": message("printed"),
    "failed": message("not printed"),
    "refused": message("not wanted"),
    "unknown": message("unknown"),
}
SEVERITY: Final = {
    "info": message("note"),
    "warning": message("warning"),
    "critical": message("critical"),
}
HEALTH: Final = {
    "ok": message("In order"),
    "attention": message("Needs attention"),
    "down": message("Out of service"),
    "silent": message("Silent"),
    "unknown": message("Never heard"),
}
CASE_STATE: Final = {
    "new": message("new"),
    "open": message("open"),
    "waiting_customer": message("waiting for the customer"),
    "resolved": message("resolved"),
    "closed": message("closed"),
}
CASE_ACTION: Final = {
    "opened": message("The case was opened"),
    "incident_opened": message("An incident was added"),
    "incident_reopened": message("An incident came back"),
    "incident_cleared": message("An incident was cleared"),
    "incident_withdrawn": message("An incident proved wrong"),
    "due_guessed": message("The due date is a guess"),
    "comment": message("Comment"),
    "take": message("Taken up"),
    "ask_customer": message("The customer was asked"),
    "answered": message("The customer answered"),
    "resolve": message("Resolved"),
    "close": message("Closed"),
    "reopen": message("Reopened"),
}
OPENED_BY: Final = {
    "detector": message("by Kvitok itself"),
    "mail": message("by e-mail"),
    "phone": message("by phone"),
    "form": message("by the form"),
}


def word(words: Words, table: Mapping[str, str], value: object) -> str:
    """Say a word of the contract; one that the table does not know stays as it is."""
    known = table.get(value) if isinstance(value, str) else None
    return words.say(known) if known else plain(value)


def plain(value: object) -> str:
    """Return any JSON value as a short text for a sentence."""
    text = str(value)
    return text if len(text) <= _TEXT_MAX else text[: _TEXT_MAX - 1] + "…"


_TEXT_MAX: Final = 200
