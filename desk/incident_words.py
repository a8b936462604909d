"""What an incident is called, and what it means for the person who reads it."""

from typing import Final

from desk.vocabulary import CAUSE, DEVICE, plain, word
from desk.words import Language, message, words

_RULES: Final = {
    "no_receipt": (
        message("No receipt"),
        message(
            "Money was taken and the payment went through, but the customer got no receipt. "
            "The payment needs no refund; offer a copy of the receipt."
        ),
    ),
    "payment_failed": (
        message("Payment failed, money kept"),
        message(
            "The payment did not go through and the terminal still holds the customer's money. "
            "It has to be credited or given back."
        ),
    ),
    "payment_uncertain": (
        message("Payment uncertain"),
        message(
            "Money was taken and nobody knows yet whether the payment went through. "
            "Ask processing before promising anything."
        ),
    ),
    "printer_unavailable": (
        message("Printer out of service"),
        message("Customers get no receipts until the printer works again."),
    ),
    "acceptor_unavailable": (
        message("Acceptor out of service"),
        message("The terminal takes no cash until the acceptor works again."),
    ),
    "device_fault": (
        message("Device fault"),
        message("A device does not work as it should."),
    ),
    "paper_low": (
        message("Paper is low"),
        message("The paper will run out soon: take a new roll along."),
    ),
    "cassette_high": (
        message("Cassette is almost full"),
        message("The cassette will be full soon: plan a collection."),
    ),
    "terminal_silent": (
        message("Terminal is silent"),
        message("Nothing is heard from the terminal: no power, no network, or it hangs."),
    ),
    "cash_mismatch": (
        message("Cash does not add up"),
        message("The collected total differs from what was taken since the last collection."),
    ),
    "restart_loop": (
        message("Restarts again and again"),
        message("The terminal's program keeps restarting; payments may break off."),
    ),
    "clock_wrong": (
        message("Wrong clock"),
        message("The terminal's clock is wrong; times of its events are those of arrival."),
    ),
    "journal_gap": (
        message("Records are lost"),
        message("The terminal lost a part of its journal: what happened then is not known."),
    ),
    "identity_clash": (
        message("Two terminals under one number"),
        message(
            "Two journals speak under this number: a cloned or rolled-back disk. "
            "A person checks it on the spot and clears it."
        ),
    ),
    "no_sales": (
        message("No sales"),
        message("The terminal seems healthy, yet nobody pays as usual: have a look at it."),
    ),
    "outage": (
        message("Outage"),
        message("Many terminals fail at once: one provider, carrier or region."),
    ),
}
KNOWN_RULES: Final = frozenset(_RULES)


def title(rule: str, language: Language) -> str:
    """Return what a rule's incident is called; an unknown rule keeps its own name."""
    known = _RULES.get(rule)
    return words(language).say(known[0]) if known else rule


def meaning(rule: str, language: Language) -> str:
    """Return what such an incident means for its reader; empty for an unknown rule."""
    known = _RULES.get(rule)
    return words(language).say(known[1]) if known else ""


def incident_sentence(
    rule: str, language: Language, *, subject: str | None, cause: str | None
) -> str:
    """Return one plain sentence: what, on which device, why."""
    tongue = words(language)
    parts = [title(rule, language)]
    if subject in DEVICE:
        parts.append(word(tongue, DEVICE, subject))
    if cause is not None and cause != "unknown":
        parts.append(word(tongue, CAUSE, plain(cause)))
    return ": ".join([parts[0], ", ".join(parts[1:])]) + "." if parts[1:] else f"{parts[0]}."
