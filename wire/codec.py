"""Bytes to JSON objects and back (head of the contract): plain or zlib, bounded, never surprised.

`unpack` and `parse` are the only way in for bytes from outside; what they cannot read is a value
(`Unreadable…`), not an exception. `encode` is the only way out: compact UTF-8 JSON, None left out.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Final

from wire.limits import PAYLOAD_BYTES_MAX

_OBJECT: Final = 0x7B  # "{"
_SCALARS: Final = frozenset({str, int, bool, float})
"""Types that are JSON as they are: most of what is encoded, so looked for first."""


@dataclass(frozen=True, slots=True)
class PayloadRefused:
    """A payload that is not a readable message, and why, in one word of snake case."""

    reason: str


def unpack(payload: bytes) -> bytes | PayloadRefused:
    """Return the JSON bytes of a payload, inflated where it is a zlib stream; at most 1 MiB."""
    if not payload:
        return PayloadRefused("empty")
    if payload[0] == _OBJECT:
        return payload if len(payload) <= PAYLOAD_BYTES_MAX else PayloadRefused("too_large")
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(payload, PAYLOAD_BYTES_MAX + 1)
    except zlib.error:
        return PayloadRefused("not_json_not_zlib")
    reason = (
        "too_large"
        if len(inflated) > PAYLOAD_BYTES_MAX
        else "zlib_cut_short"
        if not inflater.eof
        else "bytes_after_zlib"
        if inflater.unused_data
        else "not_an_object"
        if inflated[:1] != b"{"
        else None
    )
    return PayloadRefused(reason) if reason else inflated


def parse(plain: bytes) -> dict[str, Any] | PayloadRefused:
    """Return the object that JSON bytes hold; `NaN` and the like are no JSON."""
    try:
        value = json.loads(plain.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError:
        return PayloadRefused("not_utf8")
    except RecursionError:
        return PayloadRefused("too_deep")
    except ValueError:
        return PayloadRefused("not_json")
    return value if isinstance(value, dict) else PayloadRefused("not_an_object")


def read(payload: bytes) -> dict[str, Any] | PayloadRefused:
    """Unpack and parse."""
    plain = unpack(payload)
    return plain if isinstance(plain, PayloadRefused) else parse(plain)


def _no_constant(name: str) -> None:
    raise ValueError(name)


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    names = [field.name for field in fields(kind)]
    return tuple(sorted(names, key=lambda name: (name != "kind", name != "at")))


def plain(value: Any) -> Any:  # noqa: ANN401 - JSON has no closed type in Python
    """Return a contract value as JSON types: a dataclass becomes an object without its Nones."""
    if type(value) in _SCALARS:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((name, getattr(value, name)) for name in _names(type(value)))
        return {name: plain(each) for name, each in pairs if each is not None}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(each) for each in value]
    return value


def encode(value: Any) -> bytes:  # noqa: ANN401 - any contract value or JSON object
    """Return the compact UTF-8 JSON bytes of a contract value.

    Raises:
        ValueError: the value holds NaN, an infinity or a lone surrogate: a bug of the caller.
    """
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")


def encode_batch(head: Any, events: Sequence[bytes]) -> bytes:  # noqa: ANN401 - a `Batch`
    """Return a batch's JSON bytes; the events go in exactly as journaled, so their marks hold."""
    return encode(head)[:-1] + b',"events":[' + b",".join(events) + b"]}"
