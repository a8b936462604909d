"""A mail's raw headers to text, addresses, ids and dates; anything at all may stand in them."""

import base64
import binascii
import quopri
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import getaddresses, parsedate_to_datetime
from typing import Final

from desk.mail.charset import header_text, part_text
from desk.mail.letter import Address
from desk.times import ALWAYS, FOREVER

VALUE_CHARS_MAX: Final = 20_000
"""Of one header's value, more is cut off: nobody writes it, and parsers choke on it."""
ADDRESSES_MAX: Final = 200
IDS_MAX: Final = 100
_ENCODED: Final = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN: Final = re.compile(r"(\?=)[ \t\r\n]+(=\?)")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_ID: Final = re.compile(r"<([^<>\s]{1,500})>")
_ADDRESS: Final = re.compile(r"[^\s<>\"(),;:@]+@[^\s<>\"(),;:@]+")


def decoded(value: str) -> str:
    """Return a header's value on one line, encoded words read, controls and CR LF gone."""
    text = header_text(value[:VALUE_CHARS_MAX])
    return " ".join(_CONTROLS.sub(" ", _words_read(text)).split())


def addresses(values: Iterable[str]) -> tuple[Address, ...]:
    """Return all addresses of the headers, names decoded."""
    texts = [header_text(value[:VALUE_CHARS_MAX]) for value in values]
    try:
        found = getaddresses([re.sub(r"[\r\n]+", " ", text) for text in texts])
    except (ValueError, IndexError, RecursionError):
        found = []
    people = [
        Address(decoded(name), address.lower())
        for name, given in found[:ADDRESSES_MAX]
        if (address := _plain(given))
    ]
    if people:
        return tuple(people)
    # An address inside an encoded word, or in a form that no parser takes.
    loose = _ADDRESS.findall(" ".join(decoded(text) for text in texts))
    return tuple(Address("", each.lower()) for each in loose[:ADDRESSES_MAX])


def ids(values: Iterable[str]) -> tuple[str, ...]:
    """Return the message ids of the headers, each once, without angle brackets."""
    found: dict[str, None] = {}
    for value in values:
        # The newest ids stand last; those of a long history are not needed.
        for match in _ID.findall(header_text(value[-VALUE_CHARS_MAX:])):
            found[_CONTROLS.sub("", match)] = None
    return tuple(found)[-IDS_MAX:]


def date(value: str) -> datetime | None:
    """Return the aware moment of a Date header; None if no calendar knows it."""
    try:
        moment = parsedate_to_datetime(header_text(value[:200]).strip())
        if moment.tzinfo is None:  # "-0000": the sender does not tell where the clock stands
            moment = moment.replace(tzinfo=UTC)
        inside = ALWAYS <= moment <= FOREVER
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return moment if inside else None


def _plain(address: str) -> str:
    """Return the address, or nothing if it is none."""
    address = _CONTROLS.sub("", address.strip())
    return address if _ADDRESS.fullmatch(address) and len(address) <= 320 else ""  # noqa: PLR2004 - RFC 3696: 64 @ 255


def _words_read(text: str) -> str:
    """Return the text with its encoded words (RFC 2047) read, also where a letter was cut."""
    if "=?" not in text:
        return text
    text = _BETWEEN.sub(r"\1\2", text)
    out: list[str] = []
    waiting: list[bytes] = []
    charset = ""
    end = 0
    for word in _ENCODED.finditer(text):
        between = text[end : word.start()]
        if waiting and (between or word[1].lower() != charset):
            out.append(part_text(b"".join(waiting), charset))
            waiting = []
        out.append(between)
        charset = word[1].lower().partition("*")[0]
        waiting.append(_word_bytes(word[2].lower(), word[3]))
        end = word.end()
    if waiting:
        out.append(part_text(b"".join(waiting), charset))
    out.append(text[end:])
    return "".join(out)


def _word_bytes(encoding: str, content: str) -> bytes:
    plain = content.encode("utf-8", "surrogateescape")
    if encoding == "q":
        return quopri.decodestring(plain.replace(b"_", b"=20"))
    try:
        return base64.b64decode(re.sub(rb"[^A-Za-z0-9+/]", b"", plain) + b"==")
    except binascii.Error:
        return base64.b64decode(re.sub(rb"[^A-Za-z0-9+/]", b"", plain)[:-1] + b"==")
