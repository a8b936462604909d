"""Reads a contract event from an object that someone else wrote, by the contract's own types.

The kiosk has no pydantic; this walks the same annotations (`wire.events`, `wire.bounds`) and says
in words which field is wrong.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from wire.bounds import Within
from wire.events import KINDS, Event


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why an object is not what it should be: a word for programs, a text for people."""

    error: str
    text: str


def read_event(value: object, *, at: int, kinds: frozenset[str]) -> Event | Wrong:
    """Return the event that the object describes, with `at` as its time."""
    if not isinstance(value, Mapping):
        return Wrong("bad_type", "event must be an object")
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        return Wrong("unknown_kind", f"event.kind must be one of {', '.join(sorted(kinds))}")
    rest = {name: each for name, each in value.items() if name not in {"kind", "at"}}
    try:
        made = _read_object(KINDS[kind], rest, "event", {"at": at})
    except _Mismatch as mismatch:
        return mismatch.wrong
    assert isinstance(made, KINDS[kind])
    return made


class _Mismatch(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, error: str, text: str) -> None:
        super().__init__(text)
        self.wrong = Wrong(error, text)


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _read_object(
    kind: Any,  # noqa: ANN401 - a dataclass
    value: Mapping[str, object],
    path: str,
    known: dict[str, object],
) -> object:
    hints = {name: hint for name, hint in _hints(kind).items() if name not in {"kind", *known}}
    for name in value:
        if name not in hints:
            raise _Mismatch("unknown_field", f"{path}.{name} is no field of this kind")
    made = dict(known)
    for field in fields(kind):
        if field.name not in hints:
            continue
        if value.get(field.name) is None:
            if field.default is MISSING:
                raise _Mismatch("missing_field", f"{path}.{field.name} is missing")
            continue
        made[field.name] = _read_value(hints[field.name], value[field.name], f"{path}.{field.name}")
    return kind(**made)


def _read_value(hint: Any, value: object, path: str) -> object:  # noqa: ANN401 - a type expression
    bounds: Within | None = None
    if get_origin(hint) in {Union, UnionType}:
        (hint,) = (each for each in get_args(hint) if each is not NoneType)
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        bounds = next((each for each in extras if isinstance(each, Within)), None)
    if get_origin(hint) is Literal:
        return _read_word(get_args(hint), value, path)
    if get_origin(hint) is dict:
        return _read_counts(get_args(hint)[1], value, path)
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise _Mismatch("bad_type", f"{path} must be an object")
        return _read_object(hint, value, path, {})
    if type(value) is not hint:
        name = {"int": "an integer", "str": "a text", "bool": "true or false"}[hint.__name__]
        raise _Mismatch("bad_type", f"{path} must be {name}")
    if bounds is not None:
        _check_bounds(bounds, value, path)
    return value


def _read_word(words: tuple[object, ...], value: object, path: str) -> object:
    if not isinstance(value, str) or value not in words:
        raise _Mismatch("bad_value", f"{path} must be one of {', '.join(map(str, words))}")
    return value


def _read_counts(hint: Any, value: object, path: str) -> dict[str, object]:  # noqa: ANN401 - the same
    if not isinstance(value, Mapping):
        raise _Mismatch("bad_type", f"{path} must be an object")
    return {str(name): _read_value(hint, each, f"{path}.{name}") for name, each in value.items()}


def _check_bounds(bounds: Within, value: object, path: str) -> None:
    if isinstance(value, int):
        if bounds.least is not None and value < bounds.least:
            raise _Mismatch("bad_value", f"{path} must be at least {bounds.least}")
        if bounds.most is not None and value > bounds.most:
            raise _Mismatch("bad_value", f"{path} must be at most {bounds.most}")
    if isinstance(value, str):
        if bounds.characters and not bounds.characters[0] <= len(value) <= bounds.characters[1]:
            least, most = bounds.characters
            raise _Mismatch("bad_value", f"{path} must have {least} to {most} characters")
        if bounds.pattern and not re.fullmatch(bounds.pattern.strip("^$"), value):
            raise _Mismatch("bad_value", f"{path} must match {bounds.pattern}")
