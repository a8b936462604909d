"""Payloads become rows: what can be read is stored, what cannot is kept apart or refused (pure).

Laws. One bad event never stops a journal: it becomes a row of kind `quarantined` beside its masked
text. A payload that is no batch at all is refused by its digest. Accounts are masked here, in the
same walk that looks for what jsonb cannot hold, and nothing leaves this module unmasked.

orjson reads most payloads. Where it would refuse more than the one event (a lone surrogate, a
number out of a double's range) or round an integer, the standard library's exact parser reads.
"""

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, NamedTuple

import orjson
from pydantic import ValidationError

from collector import validators
from wire import codec
from wire.accounts import FIELD, stored_account
from wire.journal import Batch, digest
from wire.limits import BATCH_BYTES_MAX, BATCH_EVENTS_MAX, NUMBER_MAX

KIND_CHARACTERS_MAX: Final = 64
DEPTH_MAX: Final = 100
"""Objects and lists inside each other in one event; orjson writes 254, jsonb some thousands."""
PULSE_BYTES_MAX: Final = 16 * 1024

CLOCK_BEHIND_MAX: Final = timedelta(days=365)
CLOCK_AHEAD_MAX: Final = timedelta(minutes=5)
"""Outside of these, an event's time is not the terminal's but the time received (section 3)."""

RESERVED: Final = frozenset({"quarantined", "journal_lost"})
"""Kinds that only the service writes."""

_DOUBLE_MAX: Final = sys.float_info.max
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_DIGITS: Final = bytes(0x30 if 0x30 <= byte <= 0x39 else byte for byte in range(256))  # noqa: PLR2004 - ASCII digits
_LONG_NUMBER: Final = b"0" * 19
"""orjson rounds an integer beyond 64 bits to a float silently; such have 19 digits at least."""


class Row(NamedTuple):
    """One event as it is stored."""

    kind: str
    at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An event that could not be read: its seq, why, and its masked ASCII JSON text."""

    seq: int
    reason: str
    body: str


@dataclass(frozen=True, slots=True)
class Readable:
    """A batch that may be admitted: its rows in order, and what of it is quarantined."""

    batch: Batch
    rows: list[Row]
    quarantined: list[Quarantined]


@dataclass(frozen=True, slots=True)
class Refused:
    """A payload that is refused whole; only its digest and size are known of it afterwards."""

    reason: str
    digest: str


@dataclass(frozen=True, slots=True)
class Told:
    """A pulse or presence that can be read: its fields, and its masked text where it is kept.

    `left_out` is why parts that need not be there are not: they could not be read.
    """

    fields: dict[str, Any]
    body: str
    left_out: str | None = None


def read_batch(payload: bytes, received_at: datetime, key: bytes) -> Readable | Refused:
    """Read a `journal` payload; `key` is that of the account hashes."""
    plain = codec.unpack(payload)
    if isinstance(plain, codec.PayloadRefused):
        return Refused(plain.reason, digest(payload))
    if len(plain) > BATCH_BYTES_MAX:
        return Refused("too_large", digest(payload))
    value, fast = _parse(plain)
    if isinstance(value, codec.PayloadRefused):
        return Refused(value.reason, digest(payload))
    events = value.get("events")
    head = _head(value, events)
    if isinstance(head, str) or not isinstance(events, list):
        return Refused(str(head), digest(payload))
    objects = sum(type(event) is dict for event in events)
    reader = _EventReader(key, received_at, _texture(plain, objects, fast=fast))
    rows = [reader.read(seq, event) for seq, event in enumerate(events, head.first)]
    return Readable(head, rows, reader.quarantined)


def read_told(payload: bytes, check: validators.Validator, key: bytes) -> Told | Refused:
    """Read a pulse or presence payload with its validator."""
    plain = codec.unpack(payload)
    value: dict[str, Any] | codec.PayloadRefused
    if isinstance(plain, codec.PayloadRefused):
        value = plain
    elif len(plain) > PULSE_BYTES_MAX:
        value = codec.PayloadRefused("too_large")
    else:
        value, _ = _parse(plain)
    if isinstance(value, codec.PayloadRefused):
        return Refused(value.reason, digest(payload))
    left_out: str | None = None
    checked: dict[str, Any] | None
    try:
        checked = check(value)
    except ValidationError as error:
        left_out = validators.fault_of(error)
        checked = _without(value, error, check)
        if checked is None:
            return Refused(left_out, digest(payload))
    if reason := _settle(value, key):
        return Refused(reason, digest(payload))
    return Told(checked, _dump(value), left_out)


def _without(
    value: dict[str, Any], error: ValidationError, check: validators.Validator
) -> dict[str, Any] | None:
    """Take out of a pulse what cannot be read, and return its fields; None: it is needed.

    A terminal of tomorrow that names a device we do not know is not silent.
    """
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        place = fault["loc"]
        parent, name = value, str(place[0]) if place else ""
        if name == "devices" and len(place) > 1 and isinstance(value.get(name), dict):
            parent, name = value[name], str(place[1])
        parent.pop(name, None)
    try:
        return check(value)
    except ValidationError:
        return None


def rule_time(at_ms: int, received_at: datetime) -> datetime | None:
    """Return the time of a terminal's clock, or None where it cannot be trusted (section 3)."""
    earliest = (received_at - CLOCK_BEHIND_MAX - _EPOCH) // _MS
    latest = (received_at + CLOCK_AHEAD_MAX - _EPOCH) // _MS
    return _EPOCH + timedelta(milliseconds=at_ms) if earliest <= at_ms <= latest else None


def unix_ms(moment: datetime) -> int:
    """Return a moment as the wire says it."""
    return (moment - _EPOCH) // _MS


def _parse(plain: bytes) -> tuple[dict[str, Any] | codec.PayloadRefused, bool]:
    """Return the object that JSON bytes hold, and whether the fast parser read it."""
    if _LONG_NUMBER in plain.translate(_DIGITS):
        return codec.parse(plain), False
    try:
        value = orjson.loads(plain)
    except orjson.JSONDecodeError:
        return codec.parse(plain), False
    return (value if isinstance(value, dict) else codec.PayloadRefused("not_an_object")), True


def _head(value: dict[str, Any], events: Any) -> Batch | str:  # noqa: ANN401 - JSON
    """Return the head of a batch within its limits, or the reason for which it is refused."""
    try:
        batch = Batch(**validators.BATCH(value))
    except ValidationError as error:
        return f"bad_batch: {validators.fault_of(error)}"
    if not isinstance(events, list):
        return "bad_batch: events"
    lost = batch.lost_from is not None
    faults = (
        (len(events) > BATCH_EVENTS_MAX, "too_many_events"),
        (not events and not lost, "no_events"),
        (lost and (batch.lost_from or 0) >= batch.first, "bad_batch: lost_from"),
        (not events and batch.last != batch.prev, "bad_batch: last"),
        (batch.first + len(events) > NUMBER_MAX, "bad_batch: first"),
    )
    return next((reason for bad, reason in faults if bad), batch)


class _Texture(Enum):
    """What the bytes of a batch say about its events before one is looked at."""

    FLAT = 0
    """No object or list inside an event, no escape: nothing to walk for."""
    NESTED = 1
    """Objects or lists inside some events, maybe."""
    RISKY = 2
    """Any event may hold what jsonb cannot, or an account under an escaped name."""


def _texture(plain: bytes, objects: int, *, fast: bool) -> _Texture:
    # What orjson read has no number out of range; without \u there is no NUL and no surrogate.
    if not fast or b"\\u" in plain:
        return _Texture.RISKY
    # Braces inside of texts only make this more careful than it must be.
    flat = plain.count(b"{") == objects + 1 and plain.count(b"[") == 1
    return _Texture.FLAT if flat else _Texture.NESTED


class _EventReader:
    """Reads the events of one batch into rows, and collects what is quarantined."""

    def __init__(self, key: bytes, received_at: datetime, texture: _Texture) -> None:
        self.quarantined: list[Quarantined] = []
        self._key = key
        self._texture = texture
        self._received_at = received_at
        self._received_ms = unix_ms(received_at)
        self._earliest = self._received_ms - CLOCK_BEHIND_MAX // _MS
        self._latest = self._received_ms + CLOCK_AHEAD_MAX // _MS

    def read(self, seq: int, event: Any) -> Row:  # noqa: ANN401 - JSON
        reason = _fault(event)
        if reason is not None or self._must_walk(event):
            reason = _settle(event, self._key) or reason
        elif FIELD in event:
            event[FIELD] = stored_account(event[FIELD], self._key)
        if reason is not None:
            return self._quarantine(seq, event, reason)
        at: int = event["at"]
        if self._earliest <= at <= self._latest:
            return Row(event["kind"], datetime.fromtimestamp(at / 1000, UTC), _dump(event))
        event["clock"] = "untrusted"
        return Row(event["kind"], self._received_at, _dump(event))

    def _must_walk(self, event: dict[str, Any]) -> bool:
        if self._texture is _Texture.NESTED:
            return any(type(each) in _CONTAINERS for each in event.values())
        return self._texture is _Texture.RISKY

    def _quarantine(self, seq: int, event: Any, reason: str) -> Row:  # noqa: ANN401 - JSON
        self.quarantined.append(Quarantined(seq, reason, _ascii(event)))
        body = {"kind": "quarantined", "at": self._received_ms, "reason": reason}
        return Row("quarantined", self._received_at, _dump(body))


_CONTAINERS: Final = frozenset({dict, list})


def _fault(event: Any) -> str | None:  # noqa: ANN401 - JSON
    """Return why an event is none of the contract's, or None."""
    if type(event) is not dict:
        return "not_an_object"
    kind = event.get("kind")
    check = validators.EVENTS.get(kind) if type(kind) is str else None
    if check is not None:
        try:
            check(event)
        except ValidationError as error:
            return validators.fault_of(error)
        return None
    if type(kind) is not str or not 0 < len(kind) <= KIND_CHARACTERS_MAX:
        return "kind"
    if kind in RESERVED:
        return "kind: written by the service only"
    at = event.get("at")
    return None if type(at) is int and 0 <= at <= NUMBER_MAX else "at"


def _settle(value: Any, key: bytes) -> str | None:  # noqa: ANN401 - JSON
    """Mask every account in place, and return why PostgreSQL cannot hold the value, or None.

    Without recursion: the depth is the sender's.
    """
    reason: str | None = None
    waiting: list[tuple[Any, int]] = [([value], 0)]
    while waiting:
        container, depth = waiting.pop()
        if depth > DEPTH_MAX:
            reason = "too_deep"
        children = container
        if type(container) is dict:
            if FIELD in container:
                container[FIELD] = stored_account(container[FIELD], key)
            children = [*container.keys(), *container.values()]
        for each in children:
            if type(each) in _CONTAINERS:
                waiting.append((each, depth + 1))
            elif reason is None:
                reason = _unstorable(each)
    return reason


def _unstorable(value: Any) -> str | None:  # noqa: ANN401 - JSON
    # jsonb would hold more than a double; the readers behind it would not.
    if type(value) is float or type(value) is int:
        return None if abs(value) <= _DOUBLE_MAX else "number_out_of_range"
    if type(value) is not str or value.isascii():
        return "nul_in_text" if type(value) is str and "\0" in value else None
    if any("\ud800" <= each <= "\udfff" for each in value):
        return "lone_surrogate"
    return "nul_in_text" if "\0" in value else None


def _dump(value: Any) -> str:  # noqa: ANN401 - JSON
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # an integer beyond 64 bits
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _ascii(value: Any) -> str:  # noqa: ANN401 - JSON
    try:
        return json.dumps(value, separators=(",", ":"))
    except RecursionError:
        return '"(too deep to keep)"'
