"""What the queries need of asyncpg, and what a page of rows is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, Generic, Protocol, TypeVar

LIMIT_DEFAULT: Final = 100
LIMIT_MAX: Final = 1000
"""Rows on one page (contract, section 6)."""

INTEGER_MAX: Final = 2**63 - 1

Row = TypeVar("Row", covariant=True)  # noqa: PLC0105 - reads better than Row_co
Key = TypeVar("Key", covariant=True)  # noqa: PLC0105 - the same

Record = Mapping[str, Any]


class Database(Protocol):
    """An asyncpg pool or connection."""

    async def fetch(self, query: str, /, *args: object) -> Sequence[Record]:
        """Return all rows."""

    async def fetchrow(self, query: str, /, *args: object) -> Record | None:
        """Return the first row or None."""

    async def fetchval(self, query: str, /, *args: object) -> Any:  # noqa: ANN401 - any column
        """Return the first column of the first row."""

    async def execute(self, query: str, /, *args: object) -> str:
        """Run a statement."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row, Key]):
    """Some rows of a list, and the key after which it goes on (None: this was the end)."""

    items: tuple[Row, ...]
    next: Key | None


def json_value(text: str | None) -> Any:  # noqa: ANN401 - JSON has no closed type in Python
    """Read a jsonb column that was selected as text."""
    return None if text is None else json.loads(text, parse_int=_whole, parse_float=_real)


def _whole(digits: str) -> int | str:
    # What no JSON reader holds as a number goes out as the text that it was.
    return int(digits) if len(digits) <= _DIGITS_MAX else digits


def _real(digits: str) -> float | str:
    value = float(digits)
    return value if isfinite(value) else digits


_DIGITS_MAX: Final = 300


def storable(*texts: str | None) -> bool:
    """Tell whether PostgreSQL can hold these texts at all; one that it cannot matches nothing."""
    return all(
        text is None
        or ("\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text))
        for text in texts
    )
