"""Everything of a run, joined by hand: the models, the real programs, the terminals, the checks."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Final

from tests.simulation import faults
from tests.simulation.broker import Broker
from tests.simulation.checks import Violation, Watcher
from tests.simulation.database import Backup, Database, Fate
from tests.simulation.hostile import EVERY_S, Hostile
from tests.simulation.loop import Node, World
from tests.simulation.scenario import Scenario
from tests.simulation.services import Numbers, Parts, Services
from tests.simulation.terminal import Terminal
from tests.simulation.weather import CALM, Weather

BEGAN_AT: Final = datetime(2026, 11, 23, 6, tzinfo=UTC)
DRAIN_S_MAX: Final = 1800.0
DRAIN_TURNS: Final = 4
"""After the last fault everything is stored, folded and acknowledged within the first, and so many
turns of what a service does by itself. A terminal pauses for 375 s at most, a fold for 300 s."""
DRAIN_LOOK_S: Final = 15.0
HOSTILE_DEEDS: Final = 150
"""What a hostile terminal does in a long run."""
LOOKS: Final = 100
"""How often in a run it is seen whether to go on: after a violation nothing more is worth it."""
SETTLE_INTERVALS: Final = 4
"""Pulses after the drain, by which hold times are proved and silences are over."""

Line = tuple[float, str, str]
"""When, who, what."""


class House:
    """One run."""

    def __init__(self, scenario: Scenario, parts: Parts, *, tell: bool = False) -> None:
        self.scenario = scenario
        self.lines: list[Line] = []
        self.applied: Counter[str] = Counter()
        self._tell = tell
        self._fuses: dict[str, list[tuple[int, Fate]]] = {}
        self._leave: dict[str, list[Terminal]] = {}
        self.world = World(BEGAN_AT)
        seed = scenario.seed
        self.database = Database(self.world, random=Random(f"{seed}:database"))
        self.database.on_statement = self._fate
        self.broker: Broker = Broker(
            self.world, seed=seed, shares=scenario.shares, story=self.story
        )
        numbers = Numbers(
            collectors=scenario.collectors,
            workers=scenario.workers,
            connections=scenario.connections,
            poll_s=scenario.poll_s,
            listening_s=scenario.listening_s,
            thresholds=scenario.thresholds,
        )
        self.services = Services(
            self.world,
            self.database,
            self.broker,
            numbers=numbers,
            parts=parts,
            story=self.story,
        )
        self.terminals = [
            self._terminal(number, parts) for number in range(1, scenario.terminals + 1)
        ]
        self.hostile = [
            Hostile(
                self.world,
                self.broker,
                f"H-{number}",
                seed=seed,
                every_s=max(EVERY_S, scenario.horizon_s / HOSTILE_DEEDS),
                story=self.story,
            )
            for number in range(1, scenario.hostile + 1)
        ]
        self.watcher = Watcher(self)

    def story(self, who: str, what: str) -> None:
        """Note a line of the story, where somebody wants to read it."""
        if self._tell:
            self.lines.append((self.world.now, who, what))

    # --- what faults ask for

    def fuse(self, process: str, statements: int, fate: Fate) -> None:
        """Let a process meet a fate at its so-many-th statement from now."""
        self._fuses.setdefault(process, []).append((statements, fate))

    def later(self, delay_s: float, action: Callable[[], object]) -> None:
        """Do something that belongs to a fault, unless the time of faults is over by then."""
        if self.world.now + delay_s < self.scenario.horizon_s:
            self.world.after(delay_s, action)

    def start_database(self) -> None:
        """Start it, unless it runs."""
        self.story("database", "starts")
        self.database.start()

    def restore(self, backup: Backup) -> None:
        """Put an earlier state of the database in place."""
        self.story("database", "is an earlier one now")
        self.database.restore(backup)

    def clear_up(self, weather: Weather) -> None:
        """End a storm, unless another one has begun since."""
        if self.broker.weather is weather:
            self.story("weather", "is calm")
            self.broker.weather = CALM

    def clone(self, terminal: Terminal, *, lives_s: float) -> None:
        """Let a second terminal with the same number and the same journal live for a while."""
        twin = terminal.clone()
        self.story(terminal.name, f"its disk is cloned; the twin lives for {lives_s:.0f} s")
        twins = self._leave.setdefault(terminal.name, [])
        twins.append(twin)
        twin.start()
        self.later(lives_s, twin.switch_off)

    @property
    def twins(self) -> Sequence[Terminal]:
        """Return the clones."""
        return [each for twins in self._leave.values() for each in twins]

    # --- the run

    def run(self) -> list[Violation]:
        """Live through the scenario, let everything drain, and judge."""
        scenario, world = self.scenario, self.world
        for fault in scenario.plan:
            world.at(fault.at, self._doing(fault))
        self.services.start()
        for each in self.terminals:
            each.start()
        for hostile in self.hostile:
            hostile.start()
        for look in range(1, LOOKS + 1):
            world.run_until(scenario.horizon_s * look / LOOKS)
            if self.watcher.violations:
                return self.watcher.violations
        self._calm_down()
        drained_s = self._drain()
        if drained_s is None:
            return self.watcher.stuck(self._drain_s_max)
        world.run_until(world.now + SETTLE_INTERVALS * scenario.pulse_interval_s + 60)
        return self.watcher.final()

    @property
    def _drain_s_max(self) -> float:
        return DRAIN_S_MAX + DRAIN_TURNS * self.scenario.poll_s

    def _doing(self, fault: faults.Fault) -> Callable[[], None]:
        def do() -> None:
            self.applied[fault.kind] += 1
            faults.apply(self, fault)

        return do

    def _terminal(self, number: int, parts: Parts) -> Terminal:
        scenario = self.scenario
        return Terminal(
            self.world,
            self.broker,
            f"T-{number}",
            seed=scenario.seed,
            pulse_interval_s=scenario.pulse_interval_s,
            customers_per_hour=scenario.customers * 3600 / scenario.horizon_s,
            parts=parts,
            story=self.story,
        )

    def _fate(self, node: Node, _statement: str) -> Fate:
        fuses = self._fuses.get(node.name)
        if not fuses:
            return Fate.GO
        left = [(count - 1, fate) for count, fate in fuses]
        self._fuses[node.name] = [each for each in left if each[0] > 0]
        burnt = next((fate for count, fate in left if count <= 0), Fate.GO)
        if burnt is not Fate.GO:
            self.story(node.name, f"meets {burnt.name}")
        return burnt

    def _calm_down(self) -> None:
        """End every fault; what runs out by itself later (a frozen process) is ended now."""
        self.story("world", "no more faults; everything must drain")
        self._fuses.clear()
        self.broker.calm()
        self.database.start()
        for process in self.services.all:
            process.node.thaw()
        for hostile in self.hostile:
            hostile.stop()
        for each in self.terminals:
            each.calm()
        for each in self.twins:
            each.calm()

    def _drain(self) -> float | None:
        """Wait until nothing is unacknowledged or unfolded; None: it takes too long.

        Twins share a number, so only one of them can be connected: each in turn.
        """
        began = self.world.now
        for name in list(self._leave):
            original = next(each for each in self.terminals if each.name == name)
            for each in (original, *self._leave[name]):
                each.switch_off()
            for twin in self._leave[name]:
                twin.switch_on()
                if not self._until(lambda twin=twin: _drained(twin)):  # type: ignore[misc]  # bound now
                    return None
                twin.switch_off()
            original.switch_on()
        done = self._until(lambda: all(map(_drained, self.terminals)) and self.watcher.folded())
        return self.world.now - began if done else None

    def _until(self, question: Callable[[], bool]) -> bool:
        end = self.world.now + self._drain_s_max
        while not question():
            if self.world.now >= end:
                return False
            self.world.run_until(self.world.now + DRAIN_LOOK_S)
        return True


def _drained(terminal: Terminal) -> bool:
    return terminal.drained and terminal.run is not None and terminal.run.uplink.settled
