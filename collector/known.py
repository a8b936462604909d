"""Terminals that are surely listed: a bounded memory that spares the database a question (pure)."""

from collections.abc import Iterable
from typing import Final

KNOWN_MAX: Final = 500_000


class Known:
    """What is forgotten here is only asked again."""

    def __init__(self, most: int = KNOWN_MAX) -> None:
        self._most = most
        self._names: set[str] = set()

    def strangers(self, names: Iterable[str]) -> set[str]:
        """Return those not known yet."""
        return {each for each in names if each not in self._names}

    def add(self, names: Iterable[str]) -> None:
        """Know them from now on."""
        self._names.update(names)
        if len(self._names) > self._most:
            self._names.clear()
