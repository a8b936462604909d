"""Reading mail: raw bytes to passages that facts are read from, and whether to read them at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from desk.mail.letter import NOBODY, Address, Letter, OwnAddresses
from desk.mail.mime import read_letter
from desk.mail.quoting import Piece, Setting, bare, local, split
from desk.mail.suspicion import Suspicion, suspicion
from incidents.matching.passage import Origin, Passage

MOSCOW: Final = ZoneInfo("Europe/Moscow")
AGE_MAX: Final = timedelta(days=400)
"""A letter that says to be older than we keep journals is as old as its arrival."""
PIECES_MAX: Final = 400
"""Of one letter; what follows is one quote, for no person answers in so many places."""
_SAID: Final = frozenset({Origin.NEW, Origin.FORWARDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMail:
    """A mail as the program and the staff see it.

    `text` is what staff see; each passage is a slice of it at its `start`.
    """

    letter: Letter
    text: str
    passages: tuple[Passage, ...]
    written_at: datetime
    """By its own date, if that can be; else when it arrived."""
    arrived_at: datetime
    """When the last mail server took it, or its own date where none says: by then it was written,
    however much later it is read here."""
    customer: Address
    """Whose report it is: who wrote what is passed on, if staff pass it on; else the sender."""
    suspicion: Suspicion | None


def read_mail(
    raw: bytes, *, received_at: datetime, own: OwnAddresses, zone: tzinfo = MOSCOW
) -> ReadMail:
    """Read a mail; no bytes make it fail. `zone` is the clock of dates that name none."""
    letter = read_letter(raw)
    passed_at = [each for each in letter.passed_at if _can_be(each, received_at)]
    arrived_at = max(passed_at, default=received_at)
    written_at = sane(letter.sent_at, received_at=received_at, zone=zone, instead=arrived_at)
    pieces = _pieces(letter, written_at, own, zone)
    text, passages = _laid_out(pieces)
    said = "\n".join(piece.text for piece in pieces if piece.origin in _SAID)
    return ReadMail(
        letter=letter,
        text=text,
        passages=passages,
        written_at=written_at,
        arrived_at=max([written_at, *passed_at]),
        customer=_customer(letter, pieces, own),
        suspicion=suspicion(letter, own, said=said),
    )


def with_files(mail: ReadMail, texts: Iterable[str]) -> ReadMail:
    """Return the mail with the texts found in its files at its end."""
    found = [
        Piece(origin=Origin.ATTACHMENT, text=text.strip(), written_at=mail.written_at)
        for text in texts
        if text.strip()
    ]
    text, passages = _laid_out(found, after=mail.text)
    return replace(mail, text=text, passages=mail.passages + passages)


def sane(
    moment: datetime | None,
    *,
    received_at: datetime,
    zone: tzinfo,
    instead: datetime | None = None,
) -> datetime:
    """Return when a letter was written, as its writer's clock showed it.

    A date that cannot be still tells by which clock its writer lives: `instead` is shown by it.
    """
    if moment is None or not _can_be(moment, received_at):
        where = None if moment is None else moment.tzinfo
        moment = (instead or received_at).astimezone(where or zone)
    return local(moment, zone)


def _can_be(moment: datetime, received_at: datetime) -> bool:
    return received_at - AGE_MAX <= moment <= received_at


def _pieces(letter: Letter, written_at: datetime, own: OwnAddresses, zone: tzinfo) -> list[Piece]:
    found = []
    if bare(letter.subject):
        found.append(Piece(origin=Origin.SUBJECT, text=letter.subject, written_at=written_at))
    setting = Setting(
        written_at=written_at,
        zone=zone,
        own=own,
        author=letter.sender,
        subject=letter.subject,
        is_reply=bool(letter.in_reply_to),
    )
    found += split(letter.text, setting)
    for inner in letter.enclosed:
        found += _enclosed(inner, setting)
    if len(found) > PIECES_MAX:
        rest = "\n".join(piece.text for piece in found[PIECES_MAX - 1 :])
        last = Piece(origin=Origin.QUOTED, text=rest, written_at=written_at)
        return [*found[: PIECES_MAX - 1], last]
    return found


def _enclosed(letter: Letter, outer: Setting) -> list[Piece]:
    """Return the pieces of a mail that came as a file: passed on, by its own date."""
    setting = replace(
        outer,
        written_at=sane(letter.sent_at, received_at=outer.written_at, zone=outer.zone),
        author=letter.sender,
        subject=letter.subject,
        is_reply=bool(letter.in_reply_to),
        origin=Origin.FORWARDED,
        depth=outer.depth + 1,
    )
    found = []
    if bare(letter.subject) and bare(letter.subject) != bare(outer.subject):
        found.append(Piece(origin=Origin.SUBJECT, text=letter.subject,
                           written_at=setting.written_at))  # fmt: skip
    found += split(letter.text, setting)
    for inner in letter.enclosed:
        found += _enclosed(inner, setting)
    return found


def _laid_out(pieces: Sequence[Piece], *, after: str = "") -> tuple[str, tuple[Passage, ...]]:
    """Return one whole text, and each piece as a passage at its place in it."""
    parts = [after] if after else []
    start = len(after)
    passages = []
    for piece in pieces:
        gap = "\n\n" if parts else ""
        start += len(gap)
        parts.append(f"{gap}{piece.text}")
        passages.append(
            Passage(origin=piece.origin, text=piece.text, written_at=piece.written_at, start=start)
        )
        start += len(piece.text)
    return "".join(parts), tuple(passages)


def _customer(letter: Letter, pieces: Iterable[Piece], own: OwnAddresses) -> Address:
    if own.is_staff(letter.sender.address):
        for piece in pieces:
            writer = piece.author
            if piece.origin is Origin.FORWARDED and not own.is_staff(writer.address):
                return writer
        return letter.sender
    robot = letter.reply_to and letter.reply_to[0].address != letter.sender.address
    if robot and letter.sender.address.partition("@")[0].replace("-", "") in {"noreply", "robot"}:
        return letter.reply_to[0]
    return letter.sender if letter.sender.address else NOBODY
