"""How long after each fault's end the service had caught up again, watched from the database.

What is measured. At the end of a fault all that the journals hold so far is noted: the `next` of
each light terminal, and for full kiosks the highest cursor ever seen. The fleet has recovered when
the database's cursors *and* the fold's positions have reached all of it, the desk is ready, and
a kiosk that the fault kept from working has pulsed with nothing unacknowledged. Other faults go on
meanwhile and count: the time is what one who waits would have waited.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any, Final

import psycopg

from firmware_sim.fleet import Fleet
from tests.chaos.house import House
from tests.chaos.schedule import Fault

_LOOK_S: Final = 0.25
_CURSORS: Final = """
select j.terminal, j.epoch, j.next_seq, coalesce(f.next_seq, 1)
from journal j left join fold_position f using (terminal, epoch)
"""
_PULSES: Final = """
select terminal, extract(epoch from pulse_received_at)::float8 from terminal_now
where pulse is not null and (pulse ->> 'unacked')::int = 0
"""
_COUNT: Final = "select (select count(*) from event), (select count(*) from incident)"

Journal = tuple[str, int]


@dataclass(slots=True)
class Wait:
    """A fault that is over, and what must be there before all is well again."""

    fault: Fault
    since: float
    since_unix: float
    goals: Mapping[Journal, int]
    terminal: str | None
    took_s: float | None = None


@dataclass(slots=True)
class Counts:
    """How the database stood when it was last seen."""

    events: int = 0
    incidents: int = 0
    behind: int = 0
    """Events that the fleet holds and the database does not, as far as is known."""


@dataclass(slots=True)
class _Seen:
    cursors: dict[Journal, int] = field(default_factory=dict)
    folded: dict[Journal, int] = field(default_factory=dict)
    pulsed: dict[str, float] = field(default_factory=dict)


class Recovery:
    """The thread that watches."""

    def __init__(self, house: House, fleet: Fleet) -> None:
        self._house, self._fleet = house, fleet
        self._highest: dict[Journal, int] = {}
        self._lock = Lock()
        self._ending = Event()
        self.waits: list[Wait] = []
        self.counts = Counts()
        self.settled = False
        """Everything known was stored and folded when last looked."""
        self._thread = Thread(target=self._run, name="chaos-recovery", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ending.set()
        self._thread.join(20)

    def ended(self, fault: Fault, terminal: str | None) -> None:
        """Take note that a fault is over: from here its recovery counts."""
        with self._lock:
            goals = self._goals()
            self.waits.append(Wait(fault, time.monotonic(), time.time(), goals, terminal))

    def _goals(self) -> dict[Journal, int]:
        goals = dict(self._highest)
        for resident in self._fleet.residents:
            journal = resident.terminal.journal
            goals[resident.number, journal.epoch] = journal.next
        return goals

    def _run(self) -> None:
        connection: psycopg.Connection[Any] | None = None
        while not self._ending.wait(_LOOK_S):
            try:
                if connection is None or connection.closed:
                    connection = psycopg.connect(
                        self._house.dsn, autocommit=True, connect_timeout=2,
                        options="-c statement_timeout=5000",
                    )  # fmt: skip
                self._look(connection)
            except psycopg.Error:
                self.settled = False
                if connection is not None:
                    connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def _look(self, connection: psycopg.Connection[Any]) -> None:
        seen = _Seen()
        for terminal, epoch, stored, folded in connection.execute(_CURSORS):
            seen.cursors[terminal, epoch] = stored
            seen.folded[terminal, epoch] = folded
        seen.pulsed = dict(connection.execute(_PULSES).fetchall())
        row = connection.execute(_COUNT).fetchone()
        assert row is not None
        desk = self._house.is_ready("desk")
        with self._lock:
            for journal, stored in seen.cursors.items():
                self._highest[journal] = max(stored, self._highest.get(journal, 1))
            goals = self._goals()
            behind = sum(max(0, goal - seen.cursors.get(key, 1)) for key, goal in goals.items())
            self.counts = Counts(row[0], row[1], behind)
            self.settled = desk and _reached(goals, seen)
            for wait in self.waits:
                if wait.took_s is None and desk and _is_over(wait, seen):
                    wait.took_s = time.monotonic() - wait.since


def _is_over(wait: Wait, seen: _Seen) -> bool:
    if wait.terminal and seen.pulsed.get(wait.terminal, 0.0) < wait.since_unix:
        return False
    return _reached(wait.goals, seen)


def _reached(goals: Mapping[Journal, int], seen: _Seen) -> bool:
    return all(
        goal <= 1 or (seen.cursors.get(key, 1) >= goal and seen.folded.get(key, 1) >= goal)
        for key, goal in goals.items()
    )
