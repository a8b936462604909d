"""Who said what in a letter's text: pieces of new, forwarded and quoted text, and signatures.

Laws: the pieces hold all the text, in order, except quote marks of what is passed on; what a
sender wrote between quotes is new; a forwarded mail counts by its own date; where it is in doubt
whether a mail below is passed on or answered, the subject's first "Fwd:" or "Re:" decides, then
who wrote it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from desk.mail.letter import NOBODY, Address, OwnAddresses
from desk.mail.marks import (
    Heading,
    Separator,
    attribution,
    header_block,
    is_program_line,
    is_rule,
    opens_signature,
    separator,
    unquoted,
)
from desk.mail.payment_words import speaks_of_payment
from desk.mail.written_dates import written_date
from incidents.matching.passage import Origin

_DEPTH_MAX: Final = 6
_PREFIX: Final = re.compile(
    r"[\s\[(]*(?:(?P<re>re|отв|ответ|aw|на)|fwd?|пересл|пер|перенапр\w{0,12}|вн)"
    r"\s*(?:\[\d+\]|\(\d+\))?\s*:\s*",
    re.IGNORECASE,
)
_AFTERWORD: Final = re.compile(
    r"\s*(?:p\.? ?s\.?|з\.? ?ы\.?|пс|постскриптум)\b[.:]?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Text of one origin; `author` is who wrote what is passed on."""

    origin: Origin
    text: str
    written_at: datetime
    author: Address = NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the splitter knows of the mail whose text it reads."""

    written_at: datetime
    zone: tzinfo
    own: OwnAddresses
    author: Address = NOBODY
    subject: str = ""
    is_reply: bool = False
    origin: Origin = Origin.NEW
    depth: int = 0


def split(text: str, setting: Setting) -> list[Piece]:
    """Return the pieces of a text, in its order."""
    return _Splitter(text.split("\n"), setting).run()


def prefix(subject: str) -> str:
    """Return `re` or `fwd` by the subject's first prefix, else nothing."""
    found = _PREFIX.match(subject)
    return "" if found is None else "re" if found["re"] else "fwd"


def bare(subject: str) -> str:
    """Return a subject without the prefixes of replies and forwards."""
    for _ in range(20):
        found = _PREFIX.match(subject)
        if found is None or found.end() == 0:
            break
        subject = subject[found.end() :]
    return subject.strip()


def local(moment: datetime, zone: tzinfo) -> datetime:
    """Return the moment as its writer's clock showed it; UTC is a server's, not a person's."""
    if moment.utcoffset() == timedelta(0):
        try:
            return moment.astimezone(zone)
        except OverflowError:
            return moment.replace(tzinfo=UTC)
    return moment


class _Splitter:
    """Walks the lines of one mail once."""

    def __init__(self, lines: Sequence[str], setting: Setting) -> None:
        self.lines = lines
        self.setting = setting
        self.pieces: list[Piece] = []
        self.buffer: list[str] = []
        self.signing = False
        self.has_end = any(separator(line) is Separator.END for line in lines)

    def run(self) -> list[Piece]:
        """Walk to the end."""
        at = 0
        while at < len(self.lines):
            at = self.step(at)
        self.flush()
        return self.pieces

    def step(self, at: int) -> int:
        """Take what begins at a line, and return where the next begins."""
        line = self.lines[at]
        mark = separator(line)
        if mark is Separator.END:
            self.quote(at, at + 1)
            return at + 1
        if mark is not None:
            return self.below(at, at + 1, announced=True, passed_on=mark is Separator.FORWARD)
        if unquoted(line) is not None:
            return self.quoted_run(at)
        head = self.next_text(at + 1) if is_rule(line) else at
        if header_block(self.lines, head, announced=False) is not None:
            return self.below(at, head, announced=False, passed_on=False)
        said = attribution(self.lines, at)
        if said is None:
            said = attribution(self.lines, at, quote_follows=True)
            if said is not None and not self.is_quoted(self.next_text(at + said.lines)):
                said = None
        if said is not None:
            return self.answered(at, said)
        return self.plain(at)

    def plain(self, at: int) -> int:
        """Take a line of the mail's own text, or of its signature."""
        line = self.lines[at]
        if is_program_line(line):
            end = at + 1
            while end < len(self.lines) and self.lines[end].strip() and len(line) > 60:  # noqa: PLR2004 - a notice goes on to its paragraph's end
                end += 1
            self.flush()
            self.add(Origin.SIGNATURE, self.lines[at:end])
            return end
        begins = at == 0 or not self.lines[at - 1].strip()
        if self.signing and line.strip() and (begins or _AFTERWORD.match(line)):
            paragraph = self.paragraph(at)
            if _AFTERWORD.match(line) or speaks_of_payment(paragraph):
                self.flush()
                self.signing = False
        elif not self.signing and self.is_signature(at):
            self.flush()
            self.signing = True
        self.buffer.append(line)
        return at + 1

    def is_signature(self, at: int) -> bool:
        """Return whether a signature begins here: its mark, and no word of a payment behind it."""
        if not opens_signature(self.lines[at]) or speaks_of_payment(self.lines[at]):
            return False
        return not speaks_of_payment(self.paragraph(at + 1)) or self.lines[at] == "-- "

    def paragraph(self, at: int) -> str:
        """Return the lines up to the next empty one, twenty at most."""
        taken = []
        for line in self.lines[at : at + 20]:
            if not line.strip():
                break
            taken.append(line)
        return "\n".join(taken)

    def quoted_run(self, at: int) -> int:
        """Take lines that carry quote marks, with empty ones between them."""
        end = self.end_of_run(at)
        inner = _without_marks(self.lines[at:end])
        first = next((i for i, line in enumerate(inner) if line.strip()), 0)
        mark = separator(inner[first])
        whole = not self.pieces and not "".join(self.buffer).strip() and end >= len(self.lines)
        if mark is Separator.FORWARD:
            self.flush()
            self.inside(inner, self.setting)
            return end
        if whole and prefix(self.setting.subject) == "fwd":
            self.inside(inner, replace(self.setting, origin=Origin.FORWARDED, subject=""))
            return end
        said = attribution(inner, first, quote_follows=True)
        if said is not None:
            self.quote(at, end, said)
        elif header_block(inner, first, announced=False) is not None:
            self.flush()
            self.inside(inner, self.setting)
        else:
            self.quote(at, end)
        return end

    def answered(self, at: int, said: Heading) -> int:
        """Take a "wrote:" line and the mail below it."""
        body = self.next_text(at + said.lines)
        passed_on = self.is_passed_on(said)
        if self.is_quoted(body):
            end = self.end_of_run(body)
            if passed_on:
                self.quote(at, body)
                self.inside(_without_marks(self.lines[body:end]), self.within(said))
            else:
                self.quote(at, end, said)
            return end
        if passed_on:
            self.quote(at, body)
            self.inside(self.lines[body:], self.within(said))
        else:
            self.quote(at, len(self.lines), said)
        return len(self.lines)

    def below(self, at: int, head: int, *, announced: bool, passed_on: bool) -> int:
        """Take a separator, the header block under it and the mail that they announce."""
        head = self.next_text(head)
        lines, end, shift = self.lines, len(self.lines), 0
        if self.is_quoted(head):
            end = self.end_of_run(head)
            lines, shift = _without_marks(self.lines[head:end]), head
        start = head - shift
        heading = header_block(lines, start, announced=announced)
        if heading is None and announced:
            heading = attribution(lines, start, quote_follows=True)
        if heading is None:
            heading = Heading(0, NOBODY, "")
        body = start + heading.lines
        while body < len(lines) and not lines[body].strip():
            body += 1
        self.quote(at, head)
        self.head_lines(lines[start:body], heading)
        if lines is self.lines:
            end = self.end_of_mail(body, passed_on=passed_on)
            inner = list(lines[body:end])
            if inner and unquoted(inner[0]) is not None and end > body:
                end = self.end_of_run(body)
                inner = _without_marks(self.lines[body:end])
        else:
            inner = list(lines[body:])
        if passed_on or self.is_passed_on(heading):
            self.inside(inner, self.within(heading))
        else:
            self.add(Origin.QUOTED, inner, self.within(heading).written_at)
        return end

    def head_lines(self, lines: Sequence[str], heading: Heading) -> None:
        """Keep a header block: quoted, but for a subject that says something new."""
        at = heading.subject_line
        known = bare(self.setting.subject).casefold()
        if at is None or not bare(heading.subject) or bare(heading.subject).casefold() == known:
            self.add(Origin.QUOTED, lines)
            return
        self.add(Origin.QUOTED, lines[:at])
        self.add(Origin.SUBJECT, lines[at : at + 1], self.within(heading).written_at)
        self.add(Origin.QUOTED, lines[at + 1 :])

    def end_of_mail(self, start: int, *, passed_on: bool) -> int:
        """Return where a mail below ends: at the mark of its end, or with the text."""
        if passed_on and self.has_end:
            for at in range(start, len(self.lines)):
                if separator(self.lines[at]) is Separator.END:
                    return at
        return len(self.lines)

    def is_passed_on(self, heading: Heading) -> bool:
        """Return whether the mail below is given to us to read, rather than answered."""
        setting, writer = self.setting, heading.sender.address
        first = prefix(setting.subject)
        if first == "fwd":
            return True
        customer = bool(writer) and not setting.own.is_staff(writer)
        by_staff = setting.own.is_staff(setting.author.address)
        if setting.depth and by_staff and customer:
            return True
        if first == "re" or setting.is_reply:
            return False
        return heading.subject_line is not None and (customer or not writer)

    def within(self, heading: Heading) -> Setting:
        """Return the setting of the mail that a heading announces."""
        moment = written_date(heading.date, zone=self.setting.zone, before=self.setting.written_at)
        return replace(
            self.setting,
            written_at=self.setting.written_at
            if moment is None
            else local(moment, self.setting.zone),
            author=heading.sender if heading.lines else self.setting.author,
            subject=heading.subject,
            is_reply=False,
            origin=Origin.FORWARDED,
            depth=self.setting.depth + 1,
        )

    def inside(self, lines: Sequence[str], setting: Setting) -> None:
        """Split a mail inside the mail; beyond all reason, it is only a quote."""
        if setting.depth == self.setting.depth:
            setting = replace(setting, depth=setting.depth + 1)
        if setting.depth > _DEPTH_MAX:
            self.add(Origin.QUOTED, lines, setting.written_at)
        else:
            self.pieces += _Splitter(lines, setting).run()

    def quote(self, start: int, end: int, said: Heading | None = None) -> None:
        """Take lines as a quote."""
        moment = self.setting.written_at if said is None else self.within(said).written_at
        self.flush()
        self.add(Origin.QUOTED, self.lines[start:end], moment)

    def flush(self) -> None:
        """Make a piece of the mail's own lines so far; a signature ends with it."""
        self.add(Origin.SIGNATURE if self.signing else self.setting.origin, self.buffer)
        self.buffer = []
        self.signing = False

    def add(self, origin: Origin, lines: Sequence[str], moment: datetime | None = None) -> None:
        """Add a piece unless it is empty; one like the last goes on with it."""
        text = "\n".join(lines).strip("\n")
        if not text.strip():
            return
        piece = Piece(
            origin=origin,
            text=text.rstrip(),
            written_at=moment or self.setting.written_at,
            author=self.setting.author,
        )
        last = self.pieces[-1] if self.pieces else None
        if last and (last.origin, last.written_at) == (origin, piece.written_at):
            self.pieces[-1] = replace(last, text=f"{last.text}\n{piece.text}")
        else:
            self.pieces.append(piece)

    def is_quoted(self, at: int) -> bool:
        """Return whether a line carries a quote mark."""
        return at < len(self.lines) and unquoted(self.lines[at]) is not None

    def next_text(self, at: int) -> int:
        """Return the first line from here that is not empty."""
        while at < len(self.lines) and not self.lines[at].strip():
            at += 1
        return at

    def end_of_run(self, at: int) -> int:
        """Return where quoted lines end; empty lines between them belong to them."""
        end = at
        while end < len(self.lines) and self.is_quoted(end):
            after = self.next_text(end + 1)
            end = after if self.is_quoted(after) else end + 1
        return end


def _without_marks(lines: Sequence[str]) -> list[str]:
    """Return quoted lines one level up."""
    return [line if (inner := unquoted(line)) is None else inner for line in lines]
