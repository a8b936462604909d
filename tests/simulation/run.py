"""One seed, from its scenario to what came of it."""

import gc
import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.simulation import mutations, scenario
from tests.simulation.checks import Violation
from tests.simulation.house import House, Line
from tests.simulation.scenario import Scenario
from tests.simulation.services import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a run."""

    scenario: Scenario
    violations: list[Violation]
    faults: Counter[str]
    events: int
    """Rows in the copies at the end."""
    incidents: int
    steps: int
    took_s: float
    lines: list[Line] = field(default_factory=list, repr=False)

    @property
    def holds(self) -> bool:
        """Say that nothing was violated."""
        return not self.violations


def run(what: Scenario, *, mutation: str | None = None, tell: bool = False) -> Result:
    """Live through a scenario, with a deliberate bug or without, and return what came of it."""
    began = time.process_time()
    with _quiet(), mutations.applied(mutation, Parts()) as parts:
        house = House(what, parts, tell=tell)
        violations = house.run()
        for process in house.services.all:
            process.end()
    return Result(
        scenario=what,
        violations=violations,
        faults=house.applied,
        events=house.database.count("event"),
        incidents=house.database.count("incident"),
        steps=house.world.steps,
        took_s=time.process_time() - began,
        lines=house.lines,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the programs' logs to themselves, and the garbage where it is: a sixth of the time."""
    loggers = [logging.getLogger(name) for name in ("collector", "incidents", "asyncio")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.CRITICAL + 1)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)


def run_seed(seed: int, *, mutation: str | None = None, tell: bool = False) -> Result:
    """Run what a seed stands for."""
    return run(scenario.draw(seed), mutation=mutation, tell=tell)
