"""One plain sentence for each event of a journal: what happened, for people.

Every kind has a function in `_TELLERS`; a kind that nobody knows gets a sentence too, and no
event, however odd its fields, is ever without one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from desk.money import money
from desk.vocabulary import CAUSE, DEVICE, PAPER, STATUS, STORAGE, plain, word
from desk.words import Language, Words, message, words

_START: Final = {
    "power_on": message("The terminal was switched on."),
    "restart": message("The terminal's program was restarted."),
    "watchdog": message("The watchdog restarted a hung program."),
    "update": message("The terminal's program was updated and restarted."),
    "unknown": message("The terminal started, cause unknown."),
}
_END: Final = {
    "completed": message("The payment was completed."),
    "cancelled": message("The customer cancelled the payment."),
    "timed_out": message("The customer went away: the payment timed out."),
    "error": message("The payment broke off with an error."),
}
_WORK: Final = {
    "door_opened": message("The door was opened."),
    "door_closed": message("The door was closed."),
    "paper_loaded": message("New paper was loaded."),
    "cassette_replaced": message("The cassette was replaced."),
    "test_receipt": message("A test receipt was printed."),
}
_COMPONENT_SEVERITY: Final = {
    "warning": message("Warning"),
    "critical": message("Critical fault"),
}


@dataclass(frozen=True, slots=True)
class _Told:
    """An event being told: its fields, its seq, and the words to tell it in."""

    event: Mapping[str, Any]
    seq: int | None
    words: Words

    def has(self, name: str) -> bool:
        return self.event.get(name) not in (None, "")

    def text(self, name: str) -> str:
        return plain(self.event.get(name))

    def money(self, name: str) -> str:
        minor = self.event.get(name)
        currency = self.event.get("currency")
        if not isinstance(minor, int) or isinstance(minor, bool):
            return plain(minor)
        code = currency if isinstance(currency, str) else ""
        return money(minor, code, self.words.language)

    def say(self, text: str, **values: object) -> str:
        return self.words.say(text, **values)

    def word(self, table: Mapping[str, str], name: str) -> str:
        return word(self.words, table, self.event.get(name))

    def whole(self, table: Mapping[str, str], name: str) -> str | None:
        value = self.event.get(name)
        known = table.get(value) if isinstance(value, str) else None
        return self.words.say(known) if known else None


def sentence(event: Mapping[str, Any], language: Language, *, seq: int | None = None) -> str:
    """Return what an event says, in one sentence."""
    told = _Told(event, seq, words(language))
    kind = event.get("kind")
    teller = _TELLERS.get(kind) if isinstance(kind, str) else None
    text = (teller or _unknown)(told)
    if event.get("clock") == "untrusted":
        wrong = told.say("(The terminal's clock was wrong.)")
        return f"{text} {wrong}"
    return text


def _unknown(told: _Told) -> str:
    return told.say("An event of an unknown kind: “%(kind)s”.", kind=told.text("kind"))


def _agent_started(told: _Told) -> str:
    started = told.whole(_START, "cause") or told.say(_START["unknown"])
    versions = [told.text(name) for name in ("app", "agent") if told.has(name)]
    return f"{started[:-1]} ({', '.join(versions)})." if versions else started


def _transaction_started(told: _Told) -> str:
    service = told.text("service_name") if told.has("service_name") else told.text("service")
    account = told.event.get("account")
    masked = account.get("masked") if isinstance(account, Mapping) else account
    if masked is None:
        return told.say("A payment was started: %(service)s.", service=service)
    return told.say(
        "A payment was started: %(service)s, account %(account)s.",
        service=service,
        account=plain(masked),
    )


def _cash_accepted(told: _Told) -> str:
    if told.event.get("media") == "coin":
        return told.say("A coin was taken: %(amount)s.", amount=told.money("amount"))
    return told.say("A note was taken: %(amount)s.", amount=told.money("amount"))


def _cash_returned(told: _Told) -> str:
    return told.say("Money was given back: %(amount)s.", amount=told.money("amount"))


def _payment_result(told: _Told) -> str:
    amount, fee = told.money("amount"), told.money("fee")
    code = told.say(" (code %(code)s)", code=told.text("code")) if told.has("code") else ""
    match told.event.get("outcome"):
        case "accepted" if told.event.get("fee") in (0, None):
            return told.say("The payment went through: %(amount)s credited.", amount=amount)
        case "accepted":
            return told.say(
                "The payment went through: %(amount)s credited, fee %(fee)s.",
                amount=amount,
                fee=fee,
            )
        case "declined":
            return told.say(
                "The payment was declined%(code)s: %(amount)s.", code=code, amount=amount
            )
        case "failed":
            return told.say("The payment failed%(code)s: %(amount)s.", code=code, amount=amount)
        case _:
            return told.say(
                "Processing gave no answer about the payment%(code)s: %(amount)s.",
                code=code,
                amount=amount,
            )


def _receipt_result(told: _Told) -> str:
    match told.event.get("outcome"):
        case "printed" if told.has("number"):
            return told.say("The receipt was printed, No. %(number)s.", number=told.text("number"))
        case "printed":
            return told.say("The receipt was printed.")
        case "refused":
            return told.say("The customer chose to go without a receipt.")
        case "failed" if told.event.get("cause") not in (None, "unknown"):
            return told.say(
                "The receipt was not printed: %(cause)s.", cause=told.word(CAUSE, "cause")
            )
        case "failed":
            return told.say("The receipt was not printed, cause unknown.")
        case _:
            return told.say("Nobody knows whether the receipt was printed.")


def _transaction_ended(told: _Told) -> str:
    return told.whole(_END, "cause") or told.say("The payment ended.")


def _device_changed(told: _Told) -> str:
    parts = [told.word(STATUS, "status")]
    parts += [told.word(PAPER, "paper")] if _worth_saying(told, "paper") else []
    parts += [told.word(STORAGE, "storage")] if _worth_saying(told, "storage") else []
    cause = told.word(CAUSE, "cause") if _worth_saying(told, "cause") else None
    if cause and cause not in parts:
        parts.append(cause)
    if told.has("code"):
        parts.append(told.say("code %(code)s", code=told.text("code")))
    return f"{told.word(DEVICE, 'device')}: {', '.join(parts)}."


def _worth_saying(told: _Told, name: str) -> bool:
    return told.has(name) and told.event.get(name) != "unknown"


def _cassette_collected(told: _Told) -> str:
    notes = told.event.get("notes")
    counts = notes.values() if isinstance(notes, Mapping) else ()
    number = sum(count for count in counts if isinstance(count, int))
    collected = told.say(
        "The cassette was collected: %(total)s, collection %(collection)s",
        total=told.money("total"),
        collection=told.text("collection"),
    )
    if number == 0:
        return f"{collected}."
    counted = told.words.count("%(num)d note", "%(num)d notes", number)
    return f"{collected}, {counted}."


def _fault(told: _Told) -> str:
    severity = told.word(_COMPONENT_SEVERITY, "severity")
    text = f": {told.text('text')}" if told.has("text") else ""
    component = told.word(DEVICE, "component")
    return f"{severity}, {component}, {told.text('code')}{text}."


def _service_action(told: _Told) -> str:
    work = told.whole(_WORK, "action") or told.say(
        "Service work: %(action)s.", action=told.text("action")
    )
    return f"{work[:-1]} ({told.text('person')})." if told.has("person") else work


def _clock_stepped(told: _Told) -> str:
    step_ms = told.event.get("step_ms")
    if not isinstance(step_ms, int):
        return told.say("The terminal's clock was moved.")
    if step_ms < 0:
        return told.say("The clock was moved back by %(span)s.", span=_span(told.words, -step_ms))
    return told.say("The clock was moved forward by %(span)s.", span=_span(told.words, step_ms))


def _span(tongue: Words, milliseconds: int) -> str:
    seconds = milliseconds // 1000
    for size, text in (
        (86_400, message("%(n)s d")),
        (3_600, message("%(n)s h")),
        (60, message("%(n)s min")),
        (1, message("%(n)s s")),
    ):
        if seconds >= 2 * size:
            return tongue.say(text, n=seconds // size)
    return tongue.say("%(n)s ms", n=milliseconds)


def _journal_lost(told: _Told) -> str:
    through = told.text("through")
    if told.seq is None:
        return told.say("The terminal lost its records up to No. %(through)s.", through=through)
    return told.say(
        "The terminal lost its records No. %(first)s to %(through)s.",
        first=told.seq,
        through=through,
    )


def _unreadable(told: _Told) -> str:
    return told.say(
        "The terminal had a record of %(size)s bytes that could not be sent.",
        size=told.text("size"),
    )


def _quarantined(told: _Told) -> str:
    return told.say(
        "An unreadable event was put into quarantine: %(reason)s.", reason=told.text("reason")
    )


_TELLERS: Final[Mapping[str, Callable[[_Told], str]]] = {
    "agent_started": _agent_started,
    "transaction_started": _transaction_started,
    "cash_accepted": _cash_accepted,
    "cash_returned": _cash_returned,
    "payment_result": _payment_result,
    "receipt_result": _receipt_result,
    "transaction_ended": _transaction_ended,
    "device_changed": _device_changed,
    "cassette_collected": _cassette_collected,
    "fault": _fault,
    "service_action": _service_action,
    "clock_stepped": _clock_stepped,
    "journal_lost": _journal_lost,
    "unreadable": _unreadable,
    "quarantined": _quarantined,
}
TOLD_KINDS: Final = frozenset(_TELLERS)
"""Every kind that has words of its own."""
