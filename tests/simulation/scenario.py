"""What a seed stands for: how many of everything, for how long, and what goes wrong."""

from dataclasses import dataclass, replace
from random import Random
from typing import Final

from incidents.thresholds import Thresholds
from tests.simulation import faults
from tests.simulation.faults import Fault

MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0
HORIZONS: Final = {
    4 * MINUTE_S: 8,
    12 * MINUTE_S: 6,
    40 * MINUTE_S: 2,
    3 * HOUR_S: 1,
    20 * HOUR_S: 1,
    9 * DAY_S: 1,
}
"""How long, and how often so long: short runs are cheap, long ones see what only time brings."""
TURNS: Final = 60
"""How often in a run an idle service looks around, where that is less than usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that a run is made of; the seed draws the rest as it is needed."""

    seed: int
    horizon_s: float
    """How long faults happen; then everything must drain."""
    terminals: int
    hostile: int
    customers: int
    """Customers at each terminal, on average, in the whole time."""
    pulse_interval_s: int
    collectors: int
    workers: int
    connections: int
    shares: bool
    """Whether the broker shares work among collectors, or gives all of it to each."""
    poll_s: float
    listening_s: float
    """How often a collector says that it listens; with `poll_s` what an idle service costs."""
    thresholds: Thresholds
    plan: tuple[Fault, ...]

    def __str__(self) -> str:
        """Return it in a line."""
        return (
            f"seed {self.seed}: {self.horizon_s / HOUR_S:.2f} h, {self.terminals} terminals "
            f"({self.hostile} hostile), {self.customers} customers each, {self.collectors} "
            f"collectors, {self.workers} folds, {len(self.plan)} faults"
        )


def draw(seed: int) -> Scenario:
    """Return what a seed stands for."""
    random = Random(f"{seed}:scenario")
    horizon_s = random.choices(tuple(HORIZONS), weights=tuple(HORIZONS.values()))[0]
    what = Scenario(
        seed=seed,
        horizon_s=horizon_s,
        terminals=random.choice((1, 1, 2, 4)),
        hostile=random.choice((0, 0, 0, 1)),
        customers=random.choice((2, 5, 15)),
        pulse_interval_s=60,
        collectors=random.choice((1, 2, 2)),
        workers=random.choice((1, 2, 2)),
        connections=random.choice((1, 2)),
        shares=random.choice((True, False)),
        poll_s=5.0,
        listening_s=5.0,
        thresholds=Thresholds(),
        plan=(),
    )
    return lasting(what, horizon_s)


def lasting(what: Scenario, horizon_s: float) -> Scenario:
    """Return the scenario drawn out, or pressed, to another length."""
    # Long runs would otherwise consist of what an idle service does.
    every_s = max(horizon_s / TURNS, 5.0)
    return replace(
        what,
        horizon_s=horizon_s,
        pulse_interval_s=max(60, int(2 * every_s)),
        poll_s=every_s,
        listening_s=every_s,
        thresholds=replace(what.thresholds, deaf_s=3 * every_s),
        plan=faults.draw(what.seed, horizon_s=horizon_s),
    )
