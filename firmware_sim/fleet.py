"""A fleet with a known truth: full kiosks and light terminals, faults by seed, in wall time.

    fleet = Fleet(seed=7, full=8, light=12, mqtt=Broker(port=1883), folder=folder)
    fleet.start() … fleet.progress() … fleet.stop_faults(); fleet.drain(60); … fleet.stop()

Read what the service found before `stop`: a stopped fleet is silent, and would rightly be found so.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware_sim.agent_process import AGENT
from firmware_sim.clock import monotonic, sleep, unix_ms
from firmware_sim.hall import Hall
from firmware_sim.kiosk import Kiosk
from firmware_sim.life import settle_in
from firmware_sim.line import Bench
from firmware_sim.pace import Pace
from firmware_sim.places import Place, places, write_csv
from firmware_sim.resident import Resident
from firmware_sim.session import Broker
from firmware_sim.truth import Expected, Truth
from firmware_sim.words import counted
from wire.topics import TerminalId

__all__ = ["Broker", "Fleet", "Pace", "Progress", "Truth"]

FIRST_NUMBER: Final = 20_100_001
"""Of the first full kiosk; the others follow."""
_DRAIN_LOOK_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is, for a line of summary."""

    terminals: int
    connected: int
    transactions: int
    faults: int
    expected: int
    unacked: int
    crashes: int
    """Agents that went away and were not killed: always a mistake."""

    def __str__(self) -> str:
        """Return the line."""
        return (
            f"{self.connected}/{counted(self.terminals, 'terminal')} connected, "
            f"{counted(self.transactions, 'transaction')}, "
            f"{counted(self.faults, 'fault')} injected, "
            f"{counted(self.expected, 'incident')} expected, "
            f"{counted(self.unacked, 'event')} not yet acked"
        )

    @property
    def short(self) -> str:
        """Return half a line of a small screen."""
        return (
            f"{self.connected}/{self.terminals} up, {self.transactions} tx, "
            f"{counted(self.faults, 'fault')}, {self.expected} expected"
        )


class Fleet:
    """Terminals with seeds of their own; the numbers of the full kiosks come first."""

    def __init__(  # noqa: PLR0913 - what a run decides about its fleet
        self,
        *,
        seed: int,
        full: int,
        light: int,
        mqtt: Broker,
        folder: Path,
        pace: Pace | None = None,
        agent: tuple[str, ...] = AGENT,
    ) -> None:
        """Put a fleet together; `agent` is what Python runs as the agent of a full kiosk."""
        self.truth = Truth(seed)
        self.pace = pace or Pace()
        self._started_at = 0
        numbers = [TerminalId(str(FIRST_NUMBER + index)) for index in range(full + light)]
        self.places: list[Place] = places(numbers, seed)
        self.csv = folder / "fleet.csv"
        folder.mkdir(parents=True, exist_ok=True)
        write_csv(self.csv, self.places)
        at = unix_ms()
        residents = list[Resident]()
        for index, number in enumerate(numbers[full:]):
            resident = Resident(number, seed=seed, pace=self.pace, truth=self.truth, at=at)
            settle_in(resident, index, at)
            residents.append(resident)
        self._bench = Bench()
        self.kiosks = [
            Kiosk(
                place,
                index,
                bench=self._bench,
                broker=mqtt,
                folder=folder / place.terminal,
                truth=self.truth,
                pace=self.pace,
                agent=agent,
            )
            for index, place in enumerate(self.places[:full])
        ]
        self._hall = Hall(mqtt, f"kvitok-sim-{seed}", residents)

    @property
    def terminals(self) -> list[TerminalId]:
        """The numbers of all terminals."""
        return [place.terminal for place in self.places]

    @property
    def residents(self) -> list[Resident]:
        """The light terminals."""
        return self._hall.residents

    def start(self) -> None:
        """Begin: connect, serve customers, make faults; returns at once."""
        self._started_at = unix_ms()
        self._bench.start()
        for kiosk in self.kiosks:
            kiosk.start()
        self._hall.start()

    def progress(self) -> Progress:
        """Return the counts of now."""
        return Progress(
            terminals=len(self.places),
            connected=self._hall.connected + sum(kiosk.connected for kiosk in self.kiosks),
            transactions=len(self.truth.courses),
            faults=len(self.truth.injected),
            expected=sum(1 for each in self.truth.expected if each.must),
            unacked=sum(each.unacked for each in self._all()),
            crashes=sum(len(kiosk.crashes) for kiosk in self.kiosks),
        )

    def stop_faults(self) -> None:
        """Begin no more transactions and faults; what has begun goes on to its end."""
        for each in self._all():
            each.stopping = True

    def drain(self, timeout: float) -> bool:
        """Wait until every transaction is over and all is acked; False if that took too long."""
        self.stop_faults()
        ends = monotonic() + timeout
        while monotonic() < ends:
            if self._settled():
                break
            sleep(_DRAIN_LOOK_S)
        self._judge_silence()
        return self._settled()

    def stop(self) -> None:
        """End everything that was started."""
        for kiosk in self.kiosks:
            kiosk.stopping = True
        with ThreadPoolExecutor(max_workers=max(1, len(self.kiosks))) as pool:
            for kiosk in self.kiosks:
                pool.submit(kiosk.stop)
        self._hall.stop()
        self._bench.stop()

    def _settled(self) -> bool:
        return all(each.over for each in self._all())

    def _all(self) -> list[Resident | Kiosk]:
        return [*self._hall.residents, *self.kiosks]

    def _judge_silence(self) -> None:
        """Say who must be called silent: 3 pulses missed, after the grace of a service's start."""
        now, limit_s = unix_ms(), 3 * self.pace.pulse_interval_s
        grace_over = now - self._started_at > 1100 * (self.pace.silence_grace_s + limit_s)
        for resident in self._hall.residents:
            if resident.silent:
                long = now - resident.heard_at > 1300 * limit_s
                self.truth.device_expectations.append(
                    Expected(
                        rule="terminal_silent",
                        terminal=resident.number,
                        must=long and grace_over,
                        why="silence",
                    )
                )
