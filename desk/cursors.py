"""Cursors: the key of a page's last row, as text that means nothing to a client.

Paging goes by key, never by offset: rows that arrive between two pages move nothing.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from desk.times import ALWAYS, FOREVER

Part = datetime | int | str

_LENGTH_MAX: Final = 1024
_INTEGER_MAX: Final = 2**63 - 1


def write(key: Sequence[Part]) -> str:
    """Return the cursor of a key."""
    parts = [_microseconds(part) if isinstance(part, datetime) else part for part in key]
    packed = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read(cursor: str, kinds: Sequence[type[Part]]) -> tuple[Part, ...] | None:
    """Return the key whose parts have these kinds; None if the text is no such cursor."""
    if len(cursor) > _LENGTH_MAX or not cursor.isascii():
        return None
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parts = json.loads(packed)
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(parts, list) or len(parts) != len(kinds):
        return None
    key = tuple(_part(value, kind) for value, kind in zip(parts, kinds, strict=True))
    known = tuple(part for part in key if part is not None)
    return known if len(known) == len(key) else None


def _part(value: object, kind: type[Part]) -> Part | None:
    if kind is str:
        return value if isinstance(value, str) and "\0" not in value and _utf8(value) else None
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _INTEGER_MAX:
        return None
    return _moment(value) if kind is datetime else value


def _utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _microseconds(moment: datetime) -> int:
    return (moment - ALWAYS) // timedelta(microseconds=1)


def _moment(microseconds: int) -> datetime | None:
    last = (FOREVER - ALWAYS) // timedelta(microseconds=1)
    if not 0 <= microseconds <= last:
        return None
    return ALWAYS + timedelta(microseconds=microseconds)
