"""The counts that the demo shows while it runs, read from the database."""

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import psycopg

from desk.settings import DeskSettings
from firmware_sim.words import counted
from kvitok.settings import Settings

READ: Final = """
select (select count(*) from event),
       (select coalesce(sum(next_seq - 1), 0)::bigint from journal),
       (select count(*) from transaction),
       (select count(*) from incident where cleared_at is null),
       (select count(*) from incident),
       (select count(*) from support_case)
"""


@dataclass(frozen=True)
class Counts:
    """What the service holds."""

    events: int
    acknowledged: int
    transactions: int
    open_incidents: int
    incidents: int
    cases: int

    def __str__(self) -> str:
        """Return it as part of the summary line."""
        return (
            f"{counted(self.events, 'event')} stored, "
            f"{counted(self.open_incidents, 'incident')} open ({self.incidents} in all), "
            f"{counted(self.cases, 'case')}"
        )

    @property
    def short(self) -> str:
        """Return half a line of a small screen."""
        return (
            f"{counted(self.events, 'event')}, {self.incidents} found, "
            f"{counted(self.cases, 'case')}"
        )


class Watch:
    """One connection that counts."""

    def __init__(self, settings: Settings) -> None:
        self._dsn = settings.section(DeskSettings).dsn
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def __enter__(self) -> Self:
        """Connect."""
        self._connection = psycopg.connect(self._dsn, autocommit=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect."""
        if self._connection is not None:
            self._connection.close()

    def counts(self) -> Counts:
        """Count."""
        assert self._connection is not None
        row = self._connection.execute(READ).fetchone()
        assert row is not None
        return Counts(*row)
