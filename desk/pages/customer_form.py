"""The customer's form: from what was typed to a report, or to what is wrong, in words."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from desk.pages.customer_topics import TOPICS, Question, Topic
from desk.queries.database import storable
from desk.words import Words, message

TRAP: Final = "homepage"
"""The field that people do not see: only a program fills it in."""
TEXT_MAX: Final = 5_000
AGE_MAX: Final = timedelta(days=400)
_FIELD_MAX: Final = 100
_EMAIL_MAX: Final = 254
_TERMINAL_MAX: Final = 64
_AHEAD: Final = timedelta(hours=14)
"""Where a day begins first: a customer there is not in the future."""
_SUM_MAX_MINOR: Final = 100_000_000
_ACCOUNT_MIN: Final = 4
_PHONE_DIGITS: Final = 11

_EMAIL: Final = re.compile(r"[^\s@<>\"(),:;\[\]\\]+@(?:[^\s@<>\"(),:;\[\]\\.]+\.)+[^\W\d_]{2,}")
_SUM: Final = re.compile(r"(\d{1,7})(?:[.,](\d{1,2}))?")
_CURRENCY: Final = re.compile(r"\s+|\u00a0|(?:руб(?:лей|ля|ль|\.)?|р\.?|₽|rub|rur)$", re.IGNORECASE)
_CLOCK: Final = re.compile(r"(\d{1,2})[:.\-\s](\d{2})(?::\d{2})?")
_DAY: Final = re.compile(r"(\d{1,2})[./\-](\d{1,2})[./\-](\d{4}|\d{2})")
_CENTURY: Final = 100


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was typed, and what is wrong with it by field (nothing: `values` hold)."""

    topic: str
    typed: Mapping[str, str]
    errors: Mapping[str, str]
    values: Mapping[str, Any]
    """As the report keeps them."""


class _Wrong(Exception):  # noqa: N818 - says what is
    """A field that is not understood; its text says what to do."""


@dataclass(slots=True)
class _Reading:
    """A form while it is read."""

    kept: Mapping[str, str]
    errors: dict[str, str]
    values: dict[str, Any]

    def text(self, name: str) -> str:
        return self.kept.get(name, "").strip()

    def take(self, name: str, reader: Callable[[str], Any], into: str = "") -> None:
        text = self.text(name)
        try:
            self.values[into or name] = reader(text) if text else None
        except _Wrong as wrong:
            self.errors[name] = str(wrong)


def read(topic: str, typed: Mapping[str, str], *, now: datetime, words: Words) -> Filled:
    """Read a form of a topic; `words`: of the staff, who read the answers."""
    about = TOPICS[topic]
    form = _Reading({name: _clean(value) for name, value in typed.items()}, {}, {})
    form.take("email", _email)
    form.take("account", _account)
    form.take("terminal", lambda text: _short(text, _TERMINAL_MAX))
    form.take("amount", _money)
    form.take("day", lambda text: _day(text, now), "paid_on")
    form.take("clock", _clock, "paid_clock")
    form.take("receipt", lambda text: _short(text, _FIELD_MAX))
    form.take("text", _text)
    for each in about.questions:
        if each.kind in _READERS:
            form.take(each.name, _READERS[each.kind])
    for name in ("email", "account", *(("text",) if about.tell else ())):
        if not form.text(name):
            form.errors[name] = _MISSING[name]
    if form.text("clock") and not form.text("day"):
        form.errors["day"] = _DAY_TOO
    note = form.values.pop("note", None)
    return Filled(
        topic,
        form.kept,
        form.errors,
        form.values
        | {
            "topic": topic if about.symptoms else None,
            "text": form.values.get("text") or "",
            "amount": form.values.get("amount") or note,
            "symptoms": _symptoms(about, form),
            "answers": _answers(about, form, words),
            "trapped": bool(form.text(TRAP)),
        },
    )


def _answers(about: Topic, form: _Reading, words: Words) -> tuple[tuple[str, str], ...]:
    told = ((words.say(each.label), _answer(each, form.text(each.name), words))
            for each in about.questions)  # fmt: skip
    return tuple((question, said) for question, said in told if said)


def _answer(question: Question, text: str, words: Words) -> str:
    """Return a chosen answer in words; what was typed into a field of its own is a fact there."""
    if question.choices is not None:
        return words.say(question.choices[text]) if text in question.choices else ""
    return text.strip()[:_FIELD_MAX] if question.kind == "text" else ""


def _symptoms(about: Topic, form: _Reading) -> tuple[str, ...]:
    asked = {each.name for each in about.questions}
    chosen = {(name, form.text(name)) for name in asked}
    return (*about.symptoms, *(said for answer, said in _SAYS.items() if answer in chosen))


def _clean(text: str) -> str:
    """Return a text without what no keyboard types."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(each for each in lines if each == "\n" or each.isprintable() or each.isspace())
    return kept if storable(kept) else ""


def _short(text: str, most: int) -> str:
    if len(text) > most:
        raise _Wrong(_TOO_LONG)
    return " ".join(text.split())


def _email(text: str) -> str:
    if len(text) > _EMAIL_MAX or not _EMAIL.fullmatch(text):
        raise _Wrong(message("This is no e-mail address. It looks like name@example.com."))
    return text


def _account(text: str) -> str:
    digits = sum(each.isalnum() for each in text)
    cut = text.startswith("+") and digits < _PHONE_DIGITS
    if digits < _ACCOUNT_MIN or cut or len(text) > _FIELD_MAX:
        raise _Wrong(message("Please write the whole number, such as +7 916 000-00-00."))
    return _short(text, _FIELD_MAX)


def _money(text: str) -> int:
    found = _SUM.fullmatch(_CURRENCY.sub("", _CURRENCY.sub("", text)))
    minor = int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0")) if found else 0
    if not 0 < minor <= _SUM_MAX_MINOR:
        raise _Wrong(message("Please write the sum in roubles, such as 500 or 1500,50."))
    return minor


def _day(text: str, now: datetime) -> str:
    try:
        found = _DAY.fullmatch(text)
        year = int(found[3]) if found else 0
        day = (
            date(year + (2000 if year < _CENTURY else 0), int(found[2]), int(found[1]))
            if found
            else date.fromisoformat(text)
        )
    except ValueError:
        raise _Wrong(message("Please write the day like 22.11.2026.")) from None
    if day > (now + _AHEAD).date():
        raise _Wrong(message("This day has not come yet."))
    if day < (now - AGE_MAX).date():
        raise _Wrong(message("This is longer ago than our records go."))
    return day.isoformat()


def _clock(text: str) -> str:
    found = _CLOCK.fullmatch(text)
    try:
        return time(int(found[1]), int(found[2])).isoformat() if found else _no_clock()
    except ValueError:
        return _no_clock()


def _no_clock() -> str:
    raise _Wrong(message("Please write the time like 14:30."))


def _text(text: str) -> str:
    if len(text) > TEXT_MAX:
        raise _Wrong(message("This is too long: 5000 characters at most."))
    return text


_SAYS: Final = {("arrived", "no"): "not_credited", ("screen", "dark"): "hung"}
"""Answers that are symptoms of their own."""
_READERS: Final[Mapping[str, Callable[[str], Any]]] = {"money": _money, "account": _account}
_TOO_LONG: Final = message("This is too long.")
_DAY_TOO: Final = message("Please say the day too.")
_MISSING: Final = {
    "email": message("We need your e-mail address to answer you."),
    "account": message("We need the number to find your payment."),
    "text": message("Please tell in a few words what happened."),
}
