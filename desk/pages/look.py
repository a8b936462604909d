"""Which part of a terminal's log a reader looks at, as the page's address has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from fastapi import Depends
from starlette.datastructures import URL

from desk import clocktime
from desk.queries.log import LogRange
from desk.tones import SHOWN


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of the log a reader looks at."""

    terminal: str
    show: str
    day: date | None
    tx: str | None

    def address(self, **change: str | None) -> str:
        """Return the address of this view with something changed (None: taken out)."""
        now = {
            "show": self.show or None,
            "day": self.day.isoformat() if self.day else None,
            "tx": self.tx,
        }
        return self._at("", now | change)

    def live_address(self, **more: str) -> str:
        """Return the address that a live page asks."""
        query = {
            "show": self.show,
            "day": self.day.isoformat() if self.day else "",
            "tx": self.tx or "",
        } | more
        return self._at("/live", query)

    def _at(self, below: str, query: Mapping[str, str | None]) -> str:
        kept = {name: value for name, value in query.items() if value}
        return str(URL(f"/terminals/{self.terminal}{below}").include_query_params(**kept))

    def part(self, zone: str) -> LogRange:
        """Return what to read."""
        kinds = tuple(sorted(SHOWN[self.show])) if self.show else None
        if self.day is None:
            return LogRange(kinds=kinds, tx=self.tx)
        span = clocktime.day_span(self.day, clocktime.zone(zone))
        return LogRange(since=span.since, until=span.until, kinds=kinds, tx=self.tx)


def wanted(terminal: str, show: str = "", day: str = "", tx: str = "") -> Wanted:
    """Read an address; what it cannot mean is left out."""
    try:
        when = date.fromisoformat(day) if day else None
    except ValueError:
        when = None
    if when is not None and not _FIRST_DAY <= when <= _LAST_DAY:
        when = None
    clean = tx if tx and "\0" not in tx else None
    return Wanted(terminal, show if show in SHOWN else "", when, clean)


_FIRST_DAY: Final = date(2000, 1, 1)
_LAST_DAY: Final = date(2200, 1, 1)

Look = Annotated[Wanted, Depends(wanted)]
