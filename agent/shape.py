"""An event's bytes: what PostgreSQL and the contract can hold, at most 32 KiB (rule 9)."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from wire.codec import plain
from wire.events import MONEY_KINDS, Event
from wire.limits import EVENT_BYTES_MAX

_UNHOLDABLE: Final = re.compile("[\x00\ud800-\udfff]")
_TEXT_LEAST: Final = 64
"""A text this short is never cut: ids and codes stay whole."""
_ELLIPSIS: Final = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An event as it will be journaled."""

    at: int
    money: bool
    event: bytes


@dataclass(frozen=True, slots=True)
class EntryTooLarge:
    """An event that is over its limit with all its texts cut."""

    size: int


def entry(event: Event) -> Entry | EntryTooLarge:
    """Return the event as journaled: NUL and lone surrogates replaced, long texts cut."""
    value: dict[str, Any] = _cleaned(plain(event))
    data = _encoded(value)
    while len(data) > EVENT_BYTES_MAX:
        value["cut"] = True
        if not _cut_longest(value, excess=len(data) - EVENT_BYTES_MAX + len(',"cut":true')):
            return EntryTooLarge(len(data))
        data = _encoded(value)
    return Entry(at=event.at, money=event.kind in MONEY_KINDS, event=data)


def _encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _cleaned(value: Any) -> Any:  # noqa: ANN401 - JSON has no closed type in Python
    if isinstance(value, str):
        return _UNHOLDABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return value


def _cut_longest(value: dict[str, Any], *, excess: int) -> bool:
    """Shorten the longest text by at least one character; False if none may be cut."""
    holder, name, text = max(_texts(value), key=lambda found: len(_encoded(found[2])))
    if len(text) <= _TEXT_LEAST:
        return False
    # A character is at most as many bytes as its share; cutting too little only means once more.
    share = len(_encoded(text)) / len(text)
    keep = max(_TEXT_LEAST - 1, min(len(text) - 2, len(text) - int(excess / share) - 2))
    holder[name] = text[:keep] + _ELLIPSIS
    return True


def _texts(value: dict[str, Any]) -> list[tuple[dict[str, Any], str, str]]:
    found: list[tuple[dict[str, Any], str, str]] = []
    for name, each in value.items():
        if isinstance(each, str):
            found.append((value, name, each))
        elif isinstance(each, dict):
            found.extend(_texts(each))
    return found
