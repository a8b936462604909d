"""Terminals that are surely listed: a bounded memory that spares the database a question (pure).

It is true of one connection only: behind the next there may be a database restored from a backup.
"""

from collections.abc import Iterable
from typing import Final

KNOWN_MAX: Final = 500_000


class Known:
    """What is forgotten here is only asked again."""

    def __init__(self, most: int = KNOWN_MAX) -> None:
        self._most = most
        self._names: set[str] = set()
        self._connection = 0

    def strangers(self, names: Iterable[str], *, connection: int) -> set[str]:
        """Return those not known yet on the so-many-th connection."""
        if connection != self._connection:
            self._connection = connection
            self._names.clear()
        return {each for each in names if each not in self._names}

    def add(self, names: Iterable[str]) -> None:
        """Know them from now on."""
        self._names.update(names)
        if len(self._names) > self._most:
            self._names.clear()
