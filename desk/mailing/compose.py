"""Writes our mails to customers: pure, from what we know, never from what a customer wrote.

Laws: no text of a report, no account, sum, terminal, name or address of it stands in a mail; all
of it is one plain text; every header value is ours or was checked letter by letter. A program that
reads it sees at once that a program wrote it (RFC 3834).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from desk.mailing.phrases import PHRASES, Phrases
from desk.mailing.settings import AnswerLanguage

ASKED_MAX: Final = 2
TEXT_CHARS_MAX: Final = 10_000
"""Of the public history in a resolution; what was said first is left out."""
REFERENCES_MAX: Final = 10
_ID: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\[\]:-]+@[A-Za-z0-9.\[\]:_-]+")
_ID_CHARS_MAX: Final = 250
_NO_TEXT: Final = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """By when a person answers: a day, or so many working days, or, both None, soon."""

    day: date | None = None
    working_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What stands in a mail's header."""

    case: str
    own_id: str
    """Its signed Message-ID, without angle brackets."""
    to: str
    """As `addressee.usable` returned it."""
    sender: str
    sender_name: str
    answered: str | None
    """The Message-ID of the letter that it answers, without angle brackets."""
    references: Sequence[str] = ()
    """The ids before that, the oldest first."""
    at: datetime


def answer(
    heading: Heading,
    *,
    language: AnswerLanguage,
    term: Term,
    ask: Sequence[str],
) -> bytes:
    """Return an automatic answer: number, term, and what is missing, as it goes over the wire."""
    words = PHRASES[language]
    parts = [f"{words.received % {'case': heading.case}}\n{_term(words, term)}"]
    wanted = [words.ask[fact] for fact in ask if fact in words.ask][:ASKED_MAX]
    if wanted:
        lines = "\n".join(f"- {each}" for each in _listed(wanted))
        parts.append(f"{words.please}\n{lines}\n{words.if_lost}")
    parts += [words.reply, words.automatic]
    mail = _mail(heading, words.answer_subject)
    mail["Auto-Submitted"] = "auto-replied"
    mail["Precedence"] = "auto_reply"
    return _finished(mail, words, parts, heading)


def resolution(heading: Heading, *, language: AnswerLanguage, texts: Sequence[str]) -> bytes:
    """Return the mail that tells of a case's end: its number and what staff said publicly."""
    words = PHRASES[language]
    parts = [words.resolved % {"case": heading.case}]
    said = "\n\n".join(each for text in texts if (each := plain(text)))
    if said:
        parts.append(said[-TEXT_CHARS_MAX:])
    parts.append(words.not_settled)
    mail = _mail(heading, words.resolution_subject)
    mail["Auto-Submitted"] = "auto-generated"
    return _finished(mail, words, parts, heading)


def plain(text: str) -> str:
    """Return what staff wrote as lines that every mail program shows, controls gone."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(_NO_TEXT.sub("", line.replace("\t", " ")).rstrip() for line in lines).strip()


def safe_id(message_id: str | None) -> str | None:
    """Return a Message-ID that may stand in our header; None for what only looks like one."""
    if message_id is None or len(message_id) > _ID_CHARS_MAX or not _ID.fullmatch(message_id):
        return None
    return message_id


def _listed(wanted: Sequence[str]) -> list[str]:
    bare = [each.rstrip(";.") for each in wanted]
    return [*(f"{each};" for each in bare[:-1]), f"{bare[-1]}."]


def _term(words: Phrases, term: Term) -> str:
    if term.day is not None:
        return words.by_date % {"date": words.day(term.day)}
    if term.working_days is None:
        return words.soon
    return (
        words.by_one_day if term.working_days == 1 else words.by_days % {"days": term.working_days}
    )


def _mail(heading: Heading, subject: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(heading.sender_name, addr_spec=heading.sender)
    mail["Subject"] = f"[{heading.case}] {subject}"
    mail["Date"] = format_datetime(heading.at)
    # Whoever answers by program should know at once, and we know our own mail when it comes back.
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Kvitok"] = heading.own_id.partition("@")[0]
    return mail


def _finished(mail: EmailMessage, words: Phrases, parts: Sequence[str], heading: Heading) -> bytes:
    ending = f"{words.regards}\n{plain(heading.sender_name)}"
    text = "\n\n".join([words.greeting, *parts, ending]) + "\n"
    mail.set_content(text, charset="utf-8", cte="base64")
    return _checked(heading) + mail.as_bytes()


def _checked(heading: Heading) -> bytes:
    """Return the lines of addresses and ids: the standard library would encode the long ones."""
    lines = [f"To: {heading.to}", f"Message-ID: <{heading.own_id}>"]
    answered = safe_id(heading.answered)
    if answered is not None:
        lines.append(f"In-Reply-To: <{answered}>")
        before = [each for each in heading.references if safe_id(each) and each != answered]
        each_own_line = "\r\n ".join(f"<{each}>" for each in (*before[-REFERENCES_MAX:], answered))
        lines.append(f"References: {each_own_line}")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")
