"""What a report's sealed content says: a mail, or the fields that somebody filled in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from desk.mail.letter import AttachedFile, Letter, OwnAddresses
from desk.mail.reading import read_mail, with_files
from desk.times import read as read_time
from desk.times import rfc3339
from incidents.matching.identifiers import number_of
from incidents.matching.passage import Fact, Origin, Passage
from wire.accounts import normalised

_MINOR_MAX: Final = 2**53
"""Money's bound in the contract."""
_FIELD_SURE: Final = 0.99
"""How surely a field says what it says: a person may still slip."""
_PAID_WITHIN: Final = timedelta(minutes=10)
"""How far a time that somebody typed may be from the kiosk's."""
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


WRITTEN: Final = TypeAdapter(WrittenReport)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A report as the program and the staff see it."""

    text: str
    """Each passage is a slice of it at its `start`."""
    passages: tuple[Passage, ...]
    fields: tuple[Fact, ...] = ()
    files: tuple[AttachedFile, ...] = ()
    subject: str = ""
    sender: str = ""
    """Who wrote it, as staff see it."""
    customer: str | None = None
    """The address where the customer can be reached, if the report's form vouches for one."""
    suspicion: str | None = None
    """Why it is set aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """How a report came."""

    channel: str
    at: datetime
    reported_at: datetime | None


def read_content(
    raw: bytes,
    received: Received,
    *,
    own: OwnAddresses,
    zone: ZoneInfo,
    file_texts: Sequence[str] = (),
) -> Content:
    """Read a report's content; `zone` is the clock of times that name none."""
    if received.channel == "mail":
        return _mail(raw, received, own=own, zone=zone, file_texts=file_texts)
    return _written(WRITTEN.validate_json(raw), zone)


def _mail(
    raw: bytes,
    received: Received,
    *,
    own: OwnAddresses,
    zone: ZoneInfo,
    file_texts: Sequence[str],
) -> Content:
    mail = with_files(read_mail(raw, received_at=received.at, own=own, zone=zone), list(file_texts))
    writer = mail.customer
    return Content(
        text=mail.text,
        passages=mail.passages,
        files=tuple(_files(mail.letter)),
        subject=mail.letter.subject,
        sender=" ".join(filter(None, (writer.name, writer.address and f"<{writer.address}>"))),
        customer=writer.address or None,
        suspicion=None if mail.suspicion is None else mail.suspicion.reason.value,
    )


def _files(letter: Letter) -> list[AttachedFile]:
    inner = [file for one in letter.enclosed for file in _files(one)]
    return [*letter.files, *inner]


def _written(written: WrittenReport, zone: ZoneInfo) -> Content:
    passage = Passage(
        origin=Origin.NEW, text=written.text, written_at=written.reported_at.astimezone(zone)
    )
    return Content(
        text=written.text,
        passages=(passage,),
        fields=tuple(_fields(written)),
        sender=written.email or "",
        customer=(written.email or "").strip() or None,
    )


def _fields(written: WrittenReport) -> list[Fact]:
    """Return what the fields say, as facts without a place in the text."""
    found: list[tuple[str, object]] = []
    if written.account and (digits := normalised(written.account)):
        form = "phone" if len(digits) == _PHONE_DIGITS and digits[0] == "9" else "contract"
        found.append(("account", {"digits": digits, "form": form, "role": "paid"}))
    if written.email and written.email.strip():
        found.append(("contact", written.email.strip()))
    if written.terminal and written.terminal.strip():
        found.append(("terminal", written.terminal.strip()))
    if written.amount:
        found.append(("amount", {"minor": written.amount, "role": "inserted"}))
    if written.paid_at is not None:
        around = {
            "from": rfc3339(written.paid_at - _PAID_WITHIN),
            "to": rfc3339(written.paid_at + _PAID_WITHIN),
            "best": rfc3339(written.paid_at),
            "precision": "exact",
        }
        found.append(("paid_at", around))
    return [
        Fact(
            kind=kind, value=value, text="", span=(0, 0), confidence=_FIELD_SURE,
            origin=Origin.FIELD,
        )
        for kind, value in found
    ]  # fmt: skip


def by_clock(fact: Fact, there: ZoneInfo, here: ZoneInfo) -> Fact:
    """Return a moment as the same wall time on another clock; other facts as they are."""
    value = fact.value
    if fact.kind != "paid_at" or not isinstance(value, dict):
        return fact

    def moved(interval: dict[str, str]) -> dict[str, str]:
        return interval | {
            name: rfc3339(
                datetime.fromisoformat(interval[name]).astimezone(there).replace(tzinfo=here)
            )
            for name in ("from", "to", "best")
        }

    others = [moved(each) for each in value.get("alternatives", ())]
    return replace(fact, value=moved(value) | ({"alternatives": others} if others else {}))


def joined(fields: Sequence[Fact], read: Sequence[Fact], fleet: frozenset[str]) -> list[Fact]:
    """Return all facts: what a field says is not said again by the text."""
    known = [
        replace(fact, value=number_of(str(fact.value), fleet)) if fact.kind == "terminal" else fact
        for fact in fields
    ]
    said = {_meaning(fact) for fact in known}
    return [*known, *(fact for fact in read if _meaning(fact) not in said)]


def _meaning(fact: Fact) -> tuple[str, str]:
    value = fact.value
    if isinstance(value, dict) and fact.kind == "account":
        return ("account", f"{value['digits']} {value['role']}")
    if isinstance(value, dict) and fact.kind == "amount":
        return ("amount", f"{value['minor']} {value['role']}")
    return (fact.kind, repr(value))
