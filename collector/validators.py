"""Strict validators made of the contract's classes: nothing is coerced, unknown fields are let by.

pydantic takes no plain object for a dataclass in strict mode, so each class is read as the typed
dictionary it stands for.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import (
    Annotated,
    Any,
    Final,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from wire.events import KINDS
from wire.journal import Batch
from wire.pulse import Presence, Pulse

_MAKE: Final[Any] = TypedDict
"""The maker of typed dictionaries, called at run time with a dataclass's fields."""

Validator = Callable[[Any], dict[str, Any]]


def validator(kind: type[Any]) -> Validator:
    """Return what raises `ValidationError` for anything that is not such an object."""
    adapter: TypeAdapter[dict[str, Any]] = TypeAdapter(_dictionary(kind))
    return adapter.validator.validate_python


def fault_of(error: ValidationError) -> str:
    """Return the first fault in a word or two, without a value of the sender's."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    # Only the first step of the place: further ones may be keys that the sender chose.
    return f"{first['loc'][0]}: {first['type']}" if first["loc"] else str(first["type"])


def _dictionary(kind: type[Any]) -> Any:  # noqa: ANN401 - a type made at run time
    hints = get_type_hints(kind, include_extras=True)
    entries: dict[str, Any] = {}
    for field in fields(kind):
        needed = field.default is MISSING or field.name == "kind"
        form = Required if needed else NotRequired
        entries[field.name] = form[_plain(hints[field.name])]
    made = _MAKE(kind.__name__, entries)
    made.__pydantic_config__ = ConfigDict(strict=True, extra="ignore")
    return made


def _plain(hint: Any) -> Any:  # noqa: ANN401 - any type of a field
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        return Union[tuple(_plain(each) for each in get_args(hint))]  # noqa: UP007 - made at run time
    if origin is dict:
        return dict.__class_getitem__(tuple(_plain(each) for each in get_args(hint)))
    if origin is Annotated or not is_dataclass(hint):
        return hint
    return _dictionary(hint)  # type: ignore[arg-type]  # a dataclass's type


EVENTS: Final[dict[str, Validator]] = {name: validator(kind) for name, kind in KINDS.items()}
BATCH: Final = validator(Batch)
PULSE: Final = validator(Pulse)
PRESENCE: Final = validator(Presence)
