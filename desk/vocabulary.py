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
    "report_attached": message("A report was attached"),
    "report_detached": message("A report was taken away"),
    "report_joined": message("A report came into the case"),
    "report_released": message("A report set aside was found to be a customer's"),
    "report_none": message("A report was found to be about none of the payments"),
    "placed": message("It was found where it happened"),
    "unplaced": message("It is open again where it happened"),
    "merged": message("Cases were joined into one"),
    "parted": message("Cases were parted again"),
    "mail_sent": message("A mail was sent to the customer"),
    "mail_failed": message("A mail to the customer could not be delivered"),
    "mail_withheld": message("The customer was not written to"),
}
OPENED_BY: Final = {
    "detector": message("by Kvitok itself"),
    "mail": message("by e-mail"),
    "phone": message("by phone"),
    "form": message("by the form"),
}
CHANNEL: Final = {
    "mail": message("E-mail"),
    "phone": message("Phone call"),
    "form": message("Form"),
}
REPORT_STATUS: Final = {
    "attached": message("attached"),
    "suggested": message("suggested"),
    "needs_facts": message("too little known"),
    "suspended": message("set aside"),
    "other": message("about something else"),
}
SET_ASIDE: Final = {
    "own_mail": message("our own mail came back"),
    "bounce": message("a mail server could not deliver"),
    "automatic_reply": message("an automatic reply"),
    "list": message("a mailing list"),
    "no_reply": message("a sender that reads no answers"),
    "spam_like": message("looks like spam"),
    "empty": message("nothing in it"),
    "no_sender": message("no sender, or more than one"),
    "robot": message("a program filled in the form"),
}
MAIL: Final = {
    "answer": message("confirmation that the report came"),
    "resolution": message("letter about the outcome"),
}
MAIL_WITHHELD: Final = {
    "no_address": message("there is no address"),
    "unusable_address": message("the address does not work"),
    "ours": message("the address is our own"),
    "robot": message("nobody reads that address"),
    "automatic": message("a program wrote"),
    "suppressed": message("automatic answers are not wanted"),
    "forged": message("the sender is forged"),
    "suspended": message("the report is set aside"),
    "switched_off": message("such mails are switched off"),
    "address_cap": message("the address has had enough automatic answers"),
    "too_late": message("it would have come too late"),
    "unreadable": message("the report cannot be opened"),
}
FACT: Final = {
    "amount": message("Sum"),
    "paid_at": message("Time of payment"),
    "account": message("Account"),
    "contact": message("Contact"),
    "terminal": message("Terminal number"),
    "receipt": message("Receipt number"),
    "operation": message("Operation number"),
    "fiscal": message("Fiscal receipt"),
    "place": message("Place"),
    "service": message("Paid for"),
    "symptom": message("What went wrong"),
    "request": message("Request"),
    "topic": message("Topic"),
}
ROLE: Final = {
    "inserted": message("put in"),
    "credited": message("arrived"),
    "fee": message("fee"),
    "intended": message("meant"),
    "returned": message("given back"),
    "paid": message("was paid"),
}
SAID: Final = {
    "no_receipt": message("no receipt"),
    "not_credited": message("money did not arrive"),
    "partly_credited": message("less money arrived"),
    "note_swallowed": message("a note was swallowed"),
    "hung": message("the terminal hung"),
    "rebooted": message("the terminal started anew"),
    "wrong_number": message("wrong number"),
    "wrong_service": message("wrong service"),
    "wrong_amount": message("wrong sum"),
    "double_payment": message("paid twice"),
    "no_change": message("no change was given"),
    "note_misread": message("a note was misread"),
    "money_not_returned": message("money was not given back"),
    "out_of_order": message("the terminal does not work"),
    "receipt_copy": message("wants a copy of the receipt"),
    "refund": message("wants the money back"),
    "correction": message("wants a correction"),
    "status": message("asks how it stands"),
    "fee": message("fee"),
    "declined": message("declined"),
    "report": message("A customer's report"),
}
"""What a report complains of and asks for; also the topic of a case that a customer opened."""
FILE_REASON: Final = {
    "unknown_type": message("unknown type"),
    "not_readable": message("not readable"),
    "encrypted": message("encrypted"),
    "too_many_pixels": message("picture too large"),
    "too_much_memory": message("needed too much memory"),
    "too_much_time": message("took too long"),
    "too_large": message("too large"),
    "died": message("broke its reader"),
    "too_many_files": message("too many files"),
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
