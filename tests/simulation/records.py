"""Rows as asyncpg gives them: by number, by name, unpacked, or as a dict."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any


class Record(tuple[Any, ...]):
    """One row of an answer."""

    __slots__ = ()
    places: dict[str, int] = {}  # noqa: RUF012 - each subclass has its own

    def __getitem__(self, place: Any) -> Any:
        """Return a value by its number or column."""
        if isinstance(place, str):
            place = self.places[place]
        return tuple.__getitem__(self, place)

    def keys(self) -> Iterator[str]:
        """Iterate over the columns."""
        return iter(self.places)

    def values(self) -> Iterator[Any]:
        """Iterate over the values."""
        return iter(self)

    def items(self) -> Iterator[tuple[str, Any]]:
        """Iterate over columns and values."""
        return zip(self.places, self, strict=True)

    def get(self, column: str, default: object = None) -> Any:
        """Return a value by its column, if there is one."""
        return self[column] if column in self.places else default


@cache
def _record_type(columns: tuple[str, ...]) -> type[Record]:
    places = {name: number for number, name in enumerate(columns)}
    return type("Record", (Record,), {"__slots__": (), "places": places})


def records_of(columns: str) -> type[Record]:
    """Return the type of rows with these columns, parted by blanks."""
    return _record_type(tuple(columns.split()))


def records_with(columns: Sequence[str]) -> type[Record]:
    """Return the type of rows with these columns."""
    return _record_type(tuple(columns))
