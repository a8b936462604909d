"""From a failing scenario to a small one that fails by the same law."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from tests.simulation.faults import Fault
from tests.simulation.scenario import Scenario

TRIES_MAX: Final = 400

Fails = Callable[[Scenario], bool]


def shrunk(scenario: Scenario, fails: Fails) -> Scenario:
    """Return a scenario with as few faults, terminals and processes as still fails."""
    budget = [TRIES_MAX]

    def tried(smaller: Scenario) -> bool:
        budget[0] -= 1
        return budget[0] >= 0 and fails(smaller)

    for field, least in (
        ("hostile", 0),
        ("terminals", 1),
        ("collectors", 1),
        ("workers", 1),
        ("connections", 1),
    ):
        smaller = replace(scenario, **{field: least})  # type: ignore[arg-type]  # all are numbers
        if getattr(scenario, field) > least and tried(smaller):
            scenario = smaller
    scenario = replace(scenario, plan=_fewer(scenario, tried))
    while scenario.customers > 1:
        smaller = replace(scenario, customers=scenario.customers // 2)
        if not tried(smaller):
            break
        scenario = smaller
    return replace(scenario, plan=_fewer(scenario, tried))


def _fewer(scenario: Scenario, fails: Fails) -> tuple[Fault, ...]:
    """Leave out ever smaller pieces of the plan as long as it still fails (delta debugging)."""
    plan: Sequence[Fault] = scenario.plan
    size = len(plan)
    while size >= 1:
        start, left_out = 0, False
        while start < len(plan):
            rest = (*plan[:start], *plan[start + size :])
            if fails(replace(scenario, plan=rest)):
                plan, left_out = rest, True
            else:
                start += size
        if size == 1 and not left_out:
            break
        size = max(1, size // 2)
    return tuple(plan)
