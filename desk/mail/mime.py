"""Raw bytes of a mail to a `Letter`: whatever is broken in them, a letter comes out.

Laws: no input raises; every limit has a name here, and what it cut off is named in `faults`;
nothing is judged (that is `suspicion`) and no file is opened (that is `attachments`).
"""

import email
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from email.message import Message
from email.policy import compat32
from itertools import islice
from typing import Final

from desk.mail import headers
from desk.mail.charset import header_text, part_text
from desk.mail.letter import NOBODY, AttachedFile, Letter
from desk.mail.markup import html_text

DEPTH_MAX: Final = 12
"""Parts inside parts; a person's mail has four at most."""
ENCLOSED_DEPTH_MAX: Final = 3
PARTS_MAX: Final = 200
FILES_MAX: Final = 20
FILE_BYTES_MAX: Final = 26_214_400
TEXT_CHARS_MAX: Final = 200_000
_PARSED_BYTES_MAX: Final = 78_643_200
_BOUNDARIES_MAX: Final = 100
_SERVERS_MAX: Final = 20
_TOLD: Final = frozenset(
    {"auto-submitted", "authentication-results", "content-type", "list-id", "list-post",
     "list-unsubscribe", "precedence", "return-path", "x-auto-response-suppress", "x-autoreply",
     "x-autorespond", "x-autoresponse", "x-autorespond-from", "x-mail-autoreply",
     "x-rspamd-action", "x-spam", "x-spam-flag", "x-spam-status", "x-yandex-spam",
     "feedback-id", "x-kvitok", "x-failed-recipients"}
)  # fmt: skip
"""Headers that are kept for who judges."""
_NO_SENSE: Final = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064"
    r"\u2066-\u2069\ufeff\ufffe\uffff]"
)
_SPACES: Final = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_IS_HTML: Final = re.compile(
    r"\s*(?:<!doctype html|<html[\s>]|<head[\s>]|<body[\s>])", re.IGNORECASE
)
_QUESTIONS: Final = 0.3
"""The share of question marks from which a plain part was spoilt by its sender's program."""


def read_letter(raw: bytes) -> Letter:
    """Return the letter that the bytes are."""
    return _Reader().letter(raw[:_PARSED_BYTES_MAX], depth=0)


class _Reader:
    """Reads one mail: counts what the limits are about."""

    def __init__(self) -> None:
        self.parts = 0
        self.files: list[AttachedFile] = []
        self.enclosed: list[Letter] = []
        self.media_types: list[str] = []
        self.faults: dict[str, None] = {}

    def letter(self, raw: bytes, *, depth: int) -> Letter:
        """Parse and read; where the parser gives up, only the beginning is read as plain text."""
        try:
            return self.read(_parsed(raw), depth=depth)
        except (RecursionError, ValueError, LookupError, TypeError, AttributeError, AssertionError):
            # The standard parser has failed with each of these on bytes nobody sent in good faith.
            self.fault("not_parsed")
            return Letter(text=clean(part_text(raw[:TEXT_CHARS_MAX])), faults=tuple(self.faults))

    def read(self, message: Message, *, depth: int) -> Letter:
        """Read a parsed mail."""
        found = _raw_headers(message)
        senders = headers.addresses(found.get("from", ()))
        text = "\n\n".join(each for each in self.texts(message, depth=depth, nested=0) if each)
        return Letter(
            sender=senders[0] if senders else NOBODY,
            senders=len({each.address for each in senders} | {*found.get("from", ())[1:]}),
            reply_to=headers.addresses(found.get("reply-to", ())),
            to=headers.addresses(found.get("to", ())),
            cc=headers.addresses(found.get("cc", ())),
            subject=headers.decoded(next(iter(found.get("subject", ())), ""))[:1_000],
            sent_at=next((headers.date(each) for each in found.get("date", ())), None),
            passed_at=_passed_at(found.get("received", ())),
            message_id=next(iter(headers.ids(found.get("message-id", ()))), None),
            in_reply_to=headers.ids(found.get("in-reply-to", ())),
            references=headers.ids(found.get("references", ())),
            headers={
                name: tuple(headers.decoded(value) for value in values[:20])
                for name, values in found.items()
                if name in _TOLD
            },
            text=text[:TEXT_CHARS_MAX],
            files=tuple(self.files),
            enclosed=tuple(self.enclosed),
            media_types=tuple(self.media_types),
            faults=tuple(self.faults | ({"text_cut": None} if len(text) > TEXT_CHARS_MAX else {})),
        )

    def fault(self, name: str) -> None:
        """Note what was broken or left out."""
        self.faults[name] = None

    def texts(self, part: Message, *, depth: int, nested: int) -> list[str]:
        """Return the texts that a reader of this part sees, in order; files are put aside."""
        self.parts += 1
        if nested > DEPTH_MAX or self.parts > PARTS_MAX:
            self.fault("too_deep" if nested > DEPTH_MAX else "too_many_parts")
            return []
        kind = _media_type(part)
        self.media_types.append(kind + _report_type(part))
        payload = part.get_payload()
        if kind in {"message/rfc822", "message/global"}:
            self.enclose(part, depth=depth)
            return []
        if isinstance(payload, list) and kind.startswith("message/"):
            return []  # a delivery status: its media type says all that is needed
        if not isinstance(payload, list):
            return self.leaf(part, kind)
        inner = [each for each in payload if isinstance(each, Message)]
        if kind == "multipart/alternative":
            return self.chosen(inner, depth=depth, nested=nested)
        return [text for each in inner for text in self.texts(each, depth=depth, nested=nested + 1)]

    def chosen(self, versions: list[Message], *, depth: int, nested: int) -> list[str]:
        """Return one of several versions of the same text: the plain one, unless it is a stub."""
        read = [
            (_media_type(each), self.texts(each, depth=depth, nested=nested + 1))
            for each in versions
        ]
        plain = next((texts for kind, texts in read if kind == "text/plain"), [])
        rich = next((texts for kind, texts in reversed(read) if kind != "text/plain" and texts), [])
        return rich if rich and _is_stub("\n".join(plain), "\n".join(rich)) else plain or rich

    def leaf(self, part: Message, kind: str) -> list[str]:
        """Return a part's text, or put its file aside."""
        name = headers.decoded(_file_name(part))[:255]
        shown = (part.get_content_disposition() or "inline") == "inline"
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            content = b""
        if kind.startswith("text/") and shown and not name and kind != "text/calendar":
            return [_part_text(part, content, kind)]
        if not content:
            return []
        if len(content) > FILE_BYTES_MAX:
            self.fault("file_too_large")
        elif len(self.files) >= FILES_MAX:
            self.fault("too_many_files")
        else:
            inline = shown and "content-id" in part
            self.files.append(
                AttachedFile(name=name, media_type=kind, content=content, inline=inline)
            )
        return []

    def enclose(self, part: Message, *, depth: int) -> None:
        """Read a whole mail that came as a file; its files count as this mail's."""
        payload = part.get_payload()
        message = payload[0] if isinstance(payload, list) and payload else None
        if not isinstance(message, Message):
            return
        if depth >= ENCLOSED_DEPTH_MAX:
            self.fault("too_deep")
            return
        inner = _Reader()
        inner.parts = self.parts
        letter = inner.read(message, depth=depth + 1)
        self.parts = inner.parts
        room = FILES_MAX - len(self.files)
        self.files += letter.files[:room]
        self.faults |= inner.faults | ({"too_many_files": None} if len(letter.files) > room else {})
        self.enclosed.append(replace(letter, files=()))


def clean(text: str) -> str:
    """Return the text with plain spaces and line ends, and without what no eye sees."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    text = text.encode("utf-8", "replace").decode("utf-8")
    return _SPACES.sub(" ", _NO_SENSE.sub("", text)).replace("\u2029", "\n")


def _parsed(raw: bytes) -> Message:
    # Some gateways put an mbox line or empty lines before the first header.
    raw = raw.lstrip(b"\r\n\t ")
    if raw.startswith(b">From "):
        raw = raw.partition(b"\n")[2]
    if len(set(re.findall(rb'(?i)boundary\s*=\s*"?([^"\s;]+)', raw[:5_000_000]))) > _BOUNDARIES_MAX:
        raise ValueError
    return email.message_from_bytes(raw, policy=compat32)


def _raw_headers(message: Message) -> dict[str, list[str]]:
    """Return the headers as they came, by small name; at most a thousand."""
    found: dict[str, list[str]] = {}
    for name, value in list(message.raw_items())[:1_000]:
        found.setdefault(name.lower(), []).append(str(value))
    return found


def _passed_at(received: Iterable[str]) -> tuple[datetime, ...]:
    moments = (headers.date(each.rpartition(";")[2]) for each in islice(received, _SERVERS_MAX))
    return tuple(each for each in moments if each is not None)


def _media_type(part: Message) -> str:
    return header_text(part.get_content_type())[:100].lower()


def _report_type(part: Message) -> str:
    if part.get_content_type() != "multipart/report":
        return ""
    return f"; report-type={str(part.get_param('report-type', '')).lower()[:60]}"


def _file_name(part: Message) -> str:
    return part.get_filename("")


def _part_text(part: Message, content: bytes, kind: str) -> str:
    charset = part.get_param("charset")
    if isinstance(charset, tuple):
        charset = charset[2]
    text = part_text(content, charset if isinstance(charset, str) else None)
    if kind == "text/html" or _IS_HTML.match(text):
        return clean(html_text(text)).strip("\n")
    if str(part.get_param("format", "")).lower() == "flowed":
        text = _unflowed(text, delete=str(part.get_param("delsp", "")).lower() == "yes")
    return clean(text).strip("\n")


def _unflowed(text: str, *, delete: bool) -> str:
    """Return the text with the soft line ends of RFC 3676 taken out."""
    out: list[str] = []
    open_marks: str | None = None
    for line in text.replace("\r\n", "\n").split("\n"):
        marks = line[: len(line) - len(line.lstrip(">"))]
        body = line[len(marks) :]
        soft = body.endswith(" ") and body != "-- "
        body = body.removeprefix(" ") if not marks else body
        if open_marks == marks and body != "-- ":
            out[-1] += body.removeprefix(" ") if marks else body
        else:
            out.append(f"{marks}{body}")
        if soft and delete:
            out[-1] = out[-1][:-1]
        open_marks = marks if soft else None
    return "\n".join(out)


def _is_stub(plain: str, rich: str) -> bool:
    """Return whether the plain version is no full version of the HTML one."""
    words = len(re.findall(r"\w", plain))
    if plain.count("?") > _QUESTIONS * max(len(plain), 1):
        return True
    return words * 3 < len(re.findall(r"\w", rich))
