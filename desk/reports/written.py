"""Reports that somebody typed in, and what their fields say: an operator's note, the form."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Base64Bytes, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from desk.times import read as read_time
from desk.times import rfc3339
from incidents.matching.passage import Fact, Origin
from wire.accounts import normalised

ROBOT: Final = "robot"
"""Why a form is set aside whose hidden field somebody filled in: people do not see it."""

_MINOR_MAX: Final = 2**53
"""Money's bound in the contract."""
_FIELD_SURE: Final = 0.99
"""How surely a field says what it says: a person may still slip."""
_PAID_WITHIN: Final = timedelta(minutes=10)
"""How far a time that somebody typed may be from the kiosk's."""
_REMEMBERED_WITHIN: Final = timedelta(minutes=30)
"""The same for a customer who has no receipt to read it from."""
_PHONE_DIGITS: Final = 10


def _time(value: object) -> object:
    moment = read_time(value) if isinstance(value, str) else None
    if moment is None:
        raise ValueError("not an RFC 3339 time such as 2026-11-23T04:52:00Z")
    return moment


Time = Annotated[datetime, BeforeValidator(_time)]


class WrittenReport(BaseModel):
    """A report that somebody typed in: an operator on the phone, or the customer's form."""

    model_config = ConfigDict(frozen=True)

    channel: Literal["phone", "form"]
    text: Annotated[str, Field(max_length=100_000)]
    reported_at: Time
    email: Annotated[str, Field(max_length=320)] | None = None
    account: Annotated[str, Field(max_length=100)] | None = None
    terminal: Annotated[str, Field(max_length=64)] | None = None
    amount: Annotated[int, Field(ge=0, le=_MINOR_MAX, strict=True)] | None = None
    paid_at: Time | None = None


class FilledFile(BaseModel):
    """A file that came with a form; it is opened only by a program apart."""

    model_config = ConfigDict(frozen=True)

    name: str
    media_type: str
    content: Base64Bytes


class FilledForm(WrittenReport):
    """What the desk keeps of its own form: also what has no place in the contract's report."""

    topic: str | None = None
    """What the customer chose; one of the topics of facts."""
    symptoms: tuple[str, ...] = ()
    intended: str | None = None
    """The account that should have been paid to."""
    fee: int | None = None
    receipt: str | None = None
    paid_on: date | None = None
    """The day by the clock of the terminal, wherever it stands."""
    paid_clock: time | None = None
    answers: tuple[tuple[str, str], ...] = ()
    """Questions of the topic, as staff read them, and what was chosen: no facts are read there."""
    files: tuple[FilledFile, ...] = ()
    trapped: bool = False
    """The field that people do not see was filled in."""


WRITTEN: Final = TypeAdapter(WrittenReport)
FILLED: Final = TypeAdapter(FilledForm)
"""Reads both: a report without the form's own fields is one that leaves them out."""


def shown_text(form: FilledForm) -> str:
    """Return the report as staff see it: the customer's words, then the answers."""
    answers = "\n".join(f"{question} {answer}" for question, answer in form.answers)
    return "\n\n".join(filter(None, (form.text, answers)))


def field_facts(form: FilledForm, zone: ZoneInfo) -> list[Fact]:
    """Return what the fields say, as facts without a place in the text."""
    return [
        Fact(
            kind=kind, value=value, text="", span=(0, 0), confidence=_FIELD_SURE,
            origin=Origin.FIELD,
        )
        for kind, value in _said(form, zone)
    ]  # fmt: skip


def _said(form: FilledForm, zone: ZoneInfo) -> Iterator[tuple[str, object]]:
    yield from _accounts(form)
    for kind, text in (
        ("contact", form.email),
        ("terminal", form.terminal),
        ("receipt", form.receipt),
    ):
        if text and text.strip():
            yield kind, text.strip()
    for minor, role in ((form.amount, "inserted"), (form.fee, "fee")):
        if minor:
            yield "amount", {"minor": minor, "role": role}
    if form.paid_at is not None:
        yield "paid_at", _around(form.paid_at, _PAID_WITHIN, "exact")
    elif form.paid_on is not None:
        yield "paid_at", _by_wall_clock(form, form.paid_on, zone)
    for symptom in form.symptoms:
        yield "symptom", symptom
    if form.topic:
        yield "topic", form.topic


def _accounts(form: FilledForm) -> Iterator[tuple[str, object]]:
    for text, role in ((form.account, "paid"), (form.intended, "intended")):
        digits = normalised(text or "")
        if digits:
            phone = len(digits) == _PHONE_DIGITS and digits[0] == "9"
            kind = "phone" if phone else "contract"
            yield "account", {"digits": digits, "form": kind, "role": role}


def _by_wall_clock(form: FilledForm, day: date, zone: ZoneInfo) -> Mapping[str, str]:
    if form.paid_clock is None:
        begin = datetime.combine(day, time(), zone)
        end = datetime.combine(day, time(23, 59), zone)
        return _interval(begin, end, begin + (end - begin) / 2) | {"precision": "day"}
    moment = datetime.combine(day, form.paid_clock, zone)
    if form.receipt:
        return _around(moment, _PAID_WITHIN, "exact")
    return _around(moment, _REMEMBERED_WITHIN, "around")


def _around(moment: datetime, within: timedelta, precision: str) -> Mapping[str, str]:
    return _interval(moment - within, moment + within, moment) | {"precision": precision}


def _interval(begin: datetime, end: datetime, best: datetime) -> dict[str, str]:
    return {"from": rfc3339(begin), "to": rfc3339(end), "best": rfc3339(best)}
