"""What a report's sealed content says: a mail, or the fields that somebody filled in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from desk.mail.letter import AttachedFile, Letter, OwnAddresses
from desk.mail.reading import read_mail, with_files
from desk.reports.written import FILLED, ROBOT, FilledForm, field_facts, shown_text
from desk.times import rfc3339
from incidents.matching.identifiers import number_of
from incidents.matching.passage import Fact, Origin, Passage


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A report as the program and the staff see it."""

    text: str
    """Each passage is a slice of it at its `start`."""
    told_at: datetime
    """By when it was surely told: what was paid later it does not mean."""
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
    letter: Letter | None = None
    """The mail that it is, as read."""


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
    return _written(FILLED.validate_json(raw), received, zone=zone, file_texts=file_texts)


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
        told_at=mail.arrived_at,
        passages=mail.passages,
        files=tuple(_files(mail.letter)),
        subject=mail.letter.subject,
        sender=" ".join(filter(None, (writer.name, writer.address and f"<{writer.address}>"))),
        customer=writer.address or None,
        suspicion=None if mail.suspicion is None else mail.suspicion.reason.value,
        letter=mail.letter,
    )


def _files(letter: Letter) -> list[AttachedFile]:
    inner = [file for one in letter.enclosed for file in _files(one)]
    return [*letter.files, *inner]


def _written(
    form: FilledForm, received: Received, *, zone: ZoneInfo, file_texts: Sequence[str]
) -> Content:
    written_at = form.reported_at.astimezone(zone)
    text = shown_text(form)
    passages = [Passage(origin=Origin.NEW, text=form.text, written_at=written_at)]
    for found in filter(None, (each.strip() for each in file_texts)):
        start = len(text) + 2
        passages.append(
            Passage(origin=Origin.ATTACHMENT, text=found, written_at=written_at, start=start)
        )
        text = f"{text}\n\n{found}"
    return Content(
        text=text,
        told_at=min(form.reported_at, received.at),
        passages=tuple(passages),
        fields=tuple(field_facts(form, zone)),
        files=tuple(
            AttachedFile(name=each.name, media_type=each.media_type, content=each.content)
            for each in form.files
        ),
        sender=form.email or "",
        customer=(form.email or "").strip() or None,
        suspicion=ROBOT if form.trapped else None,
    )


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
