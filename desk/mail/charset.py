"""Bytes of a mail to text, whatever the mail says of its charset.

The order is: strict UTF-8, then what is declared, then what the bytes look like, then replacement.
A single-byte charset never fails to decode, so its result is weighed as Russian is written: another
Cyrillic charset wins over the label only by a clear margin.
"""

import codecs
import re
from itertools import pairwise
from math import log
from typing import Final

_CYRILLIC: Final = (("cp1251", 0.0), ("koi8_u", -0.5), ("cp866", -3.0), ("iso8859_5", -5.0))
"""What Russian mail is written in, with what speaks against each before a byte is seen."""
_SAMPLE_BYTES_MAX: Final = 16_384
"""How much of a text is looked at to guess its charset."""
_REFUSED: Final = frozenset(
    {"unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined", "mbcs", "oem"}
)
"""Codecs that Python has and no mail means."""
_MARGIN: Final = 8.0
"""Nats by which another charset must read better than the declared one."""

_REPAIRED_MIN: Final = 2
"""Letters that text must have to be taken for one that was read wrongly before."""

_PER_MILLE: Final = dict(
    zip(
        "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґў",
        (
            *(110, 85, 80, 74, 67, 63, 55, 47, 45, 44, 35, 32, 30, 28, 26, 20, 19, 17, 17),
            *(16, 16, 14, 12, 10, 9, 7, 6, 5, 4, 3, 3, 1, 2, 30, 5, 5, 1, 2),
        ),
        strict=True,
    )
)
_LETTER: Final = {letter: log(share / 1000) for letter, share in _PER_MILLE.items()}
_STRANGE: Final = -8.0
"""A letter or a sign that has no business where it stands."""
_TYPOGRAPHIC: Final = frozenset("«»№—–“”„…•’‘€§°₽\u00a0\u00ad")
_RUN: Final = re.compile(r"[^\W\d_]+|[^\w\s]|\u00a0")
_BESIDE: Final = re.compile(
    r"(?i)[a-z](?=[^\x00-\x7f\u00c0-\u024f«»—–“”„…’‘\s])|[^\x00-\x7f\u00c0-\u024f«»—–“”„…’‘\s](?=[a-z])"
)
"""A Latin letter beside one of another alphabet: Russian is not written so."""


def part_text(content: bytes, declared: str | None = None) -> str:
    """Return the text of the bytes; nothing in them, and no label, makes it fail."""
    text = _decoded(content, _codec(declared))
    # UTF-7 and UTF-16 can hold half a surrogate pair, which no database takes.
    return repaired(text.encode("utf-8", "replace").decode("utf-8"))


def header_text(value: str) -> str:
    """Return a header's raw value (as `email` keeps it: surrogates for 8-bit bytes) as text."""
    if value.isascii():
        return value
    return part_text(value.encode("utf-8", "surrogateescape"))


def repaired(text: str) -> str:
    """Return the text with UTF-8 that was once read as another charset put right."""
    if text.isascii():
        return text
    for wrong in ("cp1251", "cp1252", "latin-1"):
        try:
            candidate = text.encode(wrong).decode("utf-8")
        except UnicodeError:
            continue
        # Good Russian is hardly ever UTF-8 by accident, and then not that of a word of Europe.
        beyond = [char for char in candidate if char > "\x7f"]
        letters = sum(1 for char in beyond if char.isalpha() and char < "\u0530")
        if letters >= _REPAIRED_MIN and all(char < "\u2500" for char in beyond):
            return candidate
    return text


def _decoded(content: bytes, declared: str | None) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    if declared is not None and declared.startswith(("utf_7", "iso2022", "hz", "utf_16", "utf_32")):
        return content.decode(declared, "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode(_charset(content[:_SAMPLE_BYTES_MAX], declared), "replace")


def _charset(sample: bytes, declared: str | None) -> str:
    """Return the charset to believe for bytes that are no clean UTF-8."""
    if _mostly_utf8(sample):
        return "utf_8"
    worth, best = max((_worth(sample.decode(name, "replace")) + bias, name)
                      for name, bias in _CYRILLIC)  # fmt: skip
    if declared is not None and declared not in {"ascii", "utf_8"}:
        try:
            told = _worth(sample.decode(declared))
        except (UnicodeError, ValueError):
            pass
        else:
            return best if worth > told + _MARGIN else declared
    detected = _detected(sample)
    if detected is None or detected in {"ascii", "utf_8"}:
        return best
    return best if worth + _MARGIN > _worth(sample.decode(detected, "replace")) else detected


def _detected(sample: bytes) -> str | None:
    import chardet  # noqa: PLC0415 - 130 ms that mails with honest labels need not pay

    return _codec(chardet.detect(sample).get("encoding"))


def _mostly_utf8(sample: bytes) -> bool:
    """Return whether the bytes are UTF-8 with a few damaged places (a cut letter, a bad byte)."""
    text = sample.decode("utf-8", "replace")
    beyond = sum(1 for char in text if char > "\x7f" and char != "\ufffd")
    return text.count("\ufffd") * 10 <= beyond


def _codec(label: str | None) -> str | None:
    """Return Python's name of a text codec; None for what it does not know or no mail means."""
    if not label:
        return None
    name = re.sub(r"[^a-z0-9]+", "_", label[:80].lower()).strip("_")
    name = re.sub(r"^(?:x_)?(?:cp|win|windows)_?(125\d)$", r"cp\1", name)
    try:
        found = codecs.lookup(name).name.replace("-", "_")
        b"".decode(found)
    except (LookupError, ValueError, UnicodeError):
        return None
    return None if found in _REFUSED else found


def _worth(text: str) -> float:
    """Return the nats of everything beyond ASCII, as a reader of Russian would give them."""
    beside = sum(1 for _ in _BESIDE.finditer(text))
    runs = (found.group() for found in _RUN.finditer(text) if not found[0].isascii())
    return beside * _STRANGE + sum(_run_worth(run) for run in runs)


def _run_worth(run: str) -> float:
    if not run[0].isalpha():
        return -4.0 if run in _TYPOGRAPHIC else _STRANGE
    beyond = sum(1 for char in run if char > "\x7f")
    if beyond < len(run):  # Latin with accents, or two alphabets in one word
        accents = all(char < "\u0250" for char in run) and beyond * 2 <= len(run)
        return (-4.0 if accents else _STRANGE) * beyond
    worth = sum(_LETTER.get(char, _STRANGE) for char in run.lower())
    # A capital after a small letter is how KOI8-R and Windows-1251 look through each other.
    mixed = any(a.islower() and b.isupper() for a, b in pairwise(run))
    capitals = sum(1 for char in run[1:] if char.isupper())
    return worth - 2.0 * len(run) * mixed - 0.2 * capitals
