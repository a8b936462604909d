"""What the payment program may ask, read from one JSON line; whatever it sends, no exception."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.checking import Wrong, read_event
from wire.events import Event, Fiscal
from wire.limits import TX_CHARACTERS_MAX

LINE_BYTES_MAX: Final = 64 * 1024
REF_CHARACTERS_MAX: Final = 128
PROGRAM_KINDS: Final = frozenset(
    {
        "transaction_started",
        "payment_result",
        "receipt_result",
        "cash_returned",
        "transaction_ended",
        "fault",
        "service_action",
        "cassette_collected",
    }
)
"""What the program knows; notes and devices are the agent's own to report."""

Ref = str | int | None
"""The program's own name for a request, given back with the answer."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The program says who it is."""

    program: str


@dataclass(frozen=True, slots=True)
class Record:
    """Journal this event."""

    event: Event


@dataclass(frozen=True, slots=True)
class AcceptCash:
    """Take notes for this transaction."""

    tx: str


@dataclass(frozen=True, slots=True)
class StopCash:
    """Take no more notes."""


@dataclass(frozen=True, slots=True)
class PrintReceipt:
    """Print this text and journal what became of it."""

    tx: str
    text: str
    number: str | None = None
    fiscal: Fiscal | None = None


@dataclass(frozen=True, slots=True)
class AskStatus:
    """Say how things are (asked by `kvitok-agent status`)."""


Request = Hello | Record | AcceptCash | StopCash | PrintReceipt | AskStatus


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, or what is wrong with it, under the program's own name for it."""

    what: Request | Wrong
    ref: Ref = None


def read_line(line: bytes, *, at: int) -> Asked:
    """Return what a line asks; an event in it gets `at` as its time."""
    try:
        value = json.loads(line.decode("utf-8"))
    except (UnicodeDecodeError, RecursionError, ValueError):
        return Asked(Wrong("bad_json", "a line must be one JSON object in UTF-8"))
    if not isinstance(value, dict):
        return Asked(Wrong("bad_json", "a line must be one JSON object in UTF-8"))
    ref = value.get("ref")
    if isinstance(ref, bool) or not isinstance(ref, str | int | None):
        return Asked(Wrong("bad_ref", "ref must be a text or an integer"))
    if len(str(ref)) > REF_CHARACTERS_MAX:
        return Asked(Wrong("bad_ref", f"ref may have {REF_CHARACTERS_MAX} characters"))
    return Asked(_read_request(value, at), ref)


def _read_request(value: Mapping[str, Any], at: int) -> Request | Wrong:
    do = value.get("do")
    reader = _READERS.get(do) if isinstance(do, str) else None
    if reader is None:
        return Wrong("unknown_do", f"do must be one of {', '.join(_READERS)}")
    return reader(value, at)


def _read_hello(value: Mapping[str, Any], _at: int) -> Request | Wrong:
    program = value.get("program")
    return Hello(program[:128]) if isinstance(program, str) else _no_text("program")


def _read_record(value: Mapping[str, Any], at: int) -> Request | Wrong:
    event = read_event(value.get("event"), at=at, kinds=PROGRAM_KINDS)
    return event if isinstance(event, Wrong) else Record(event)


def _read_accept(value: Mapping[str, Any], _at: int) -> Request | Wrong:
    tx = value.get("tx")
    if not isinstance(tx, str):
        return _no_text("tx")
    if not 0 < len(tx) <= TX_CHARACTERS_MAX:
        return Wrong("bad_value", f"tx must have 1 to {TX_CHARACTERS_MAX} characters")
    return AcceptCash(tx)


def _read_print(value: Mapping[str, Any], at: int) -> Request | Wrong:
    """Read number and fiscal as the receipt's own event would be read."""
    text = value.get("text")
    if not isinstance(text, str):
        return _no_text("text")
    like = {"kind": "receipt_result", "outcome": "unknown"}
    like.update((name, value[name]) for name in ("tx", "number", "fiscal") if name in value)
    event = read_event(like, at=at, kinds=PROGRAM_KINDS)
    if isinstance(event, Wrong):
        return Wrong(event.error, event.text.removeprefix("event."))
    assert event.kind == "receipt_result"
    return PrintReceipt(event.tx, text, event.number, event.fiscal)


def _no_text(name: str) -> Wrong:
    return Wrong("bad_type", f"{name} must be a text")


_READERS: Final[dict[str, Callable[[Mapping[str, Any], int], Request | Wrong]]] = {
    "hello": _read_hello,
    "record": _read_record,
    "accept_cash": _read_accept,
    "stop_cash": lambda _value, _at: StopCash(),
    "print_receipt": _read_print,
    "status": lambda _value, _at: AskStatus(),
}
