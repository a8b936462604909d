"""The model: how often each level holds of the payment that a report is about, and of any other.

A weight is `m / u`: `m` of the true transaction, `u` of a random one. They are data with a version
(`weights-*.json`); what depends on the fleet and its traffic is measured at each match (`Scene`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from math import log2
from typing import Final

BITS_MAX: Final = 20.0
"""No fact but a fiscal key says more."""
MEASURED_DAYS: Final = 30.0
"""The stretch of time in which the weights' own `u` of times were measured."""
AMOUNT_BITS_MAX: Final = 12.0
PAYMENTS_OF_ONE: Final = 2
"""Payments of one customer to expect beside those seen, at which a number is worth less."""
SHARE_SURE: Final = 20
"""A sum's share of the traffic begins as if so many payments had been seen."""

FINE: Final = frozenset({"exact", "around", "part_of_day", "day", "age"})
"""Facts whose `u` grows as the stretch of the transactions shrinks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What there is to choose from."""

    transactions: int
    """In the window that reports may be about."""
    days: float
    """How long a stretch they cover."""
    terminals: int
    sums: Mapping[int, int] = field(default_factory=dict)
    """Accepted sum → how often, in a sample of recent transactions."""
    sampled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Weights with their version, and what a decision needs."""

    version: str
    in_fleet: float
    """Share of reports whose payment is really among ours."""
    attach_min: float
    suggest_min: float
    levels: Mapping[str, Mapping[str, tuple[float, float]]]
    amount_shares: tuple[tuple[int, float], ...]

    def bits(self, fact: str, level: str, scene: Scene) -> float:
        """Return what a level says, in bits."""
        m, u = self.levels[fact][level]
        if fact in FINE and scene.days < MEASURED_DAYS:
            wider = min(0.95, u * MEASURED_DAYS / max(scene.days, 1 / 24))
            return min(max(log2(m / wider), min(0.0, log2(m / u))), BITS_MAX)
        return min(log2(m / u), 32.0 if fact == "fiscal" else BITS_MAX)

    def key_bits(self, fact: str, level: str, scene: Scene, alike: int) -> float:
        """Return what a number says that `alike` candidates share."""
        m, u = self.levels[fact][level]
        share = (PAYMENTS_OF_ONE + alike) / max(scene.transactions, 1)
        return max(0.0, min(log2(m / max(u, min(share, 0.95))), BITS_MAX))

    def terminal_bits(self, level: str, scene: Scene) -> float:
        """Return what it says that the transaction is of the terminal that is named."""
        m, u = self.levels["terminal"][level]
        if level == "other":
            return log2(m / u)
        return max(0.0, min(log2(m * max(scene.terminals, 1)), BITS_MAX))

    def place_bits(self, weight: float, scene: Scene) -> float:
        """Return what a terminal's weight among those that a place may mean says."""
        m, u = self.levels["place"]["other"]
        if weight <= 0:
            return log2(m / u)
        inside = self.levels["place"]["in"][0] * weight * max(scene.terminals, 1)
        return max(log2(m / u), min(log2(inside), BITS_MAX))

    def amount_bits(self, level: str, minor: int, scene: Scene) -> float:
        """Return what a sum says: an odd one more than one that everybody puts in."""
        m, u = self.levels["amount"][level]
        if level == "other":
            return log2(m / u)
        usual = next((share for unit, share in self.amount_shares if minor % unit == 0), 1.0)
        seen = scene.sums.get(minor, 0)
        share = (seen + usual * SHARE_SURE) / (scene.sampled + SHARE_SURE)
        return max(0.0, min(log2(m / share), AMOUNT_BITS_MAX))

    def period_bits(self, days: float, scene: Scene) -> float:
        """Return what it says to lie in a period of so many days."""
        m, _ = self.levels["period"]["in"]
        return max(0.0, log2(m / min(1.0, days / max(scene.days, 1 / 24))))


def load(version: str) -> Model:
    """Return the weights of a version."""
    return parse((files(__package__) / f"weights-{version}.json").read_text(encoding="utf-8"))


def parse(text: str) -> Model:
    """Return the model that a file of weights describes."""
    read = json.loads(text)
    return Model(
        version=read["version"],
        in_fleet=read["in_fleet"],
        attach_min=read["attach_min"],
        suggest_min=read["suggest_min"],
        levels={
            fact: {level: (float(m), float(u)) for level, (m, u) in levels.items()}
            for fact, levels in read["levels"].items()
        },
        amount_shares=tuple((int(unit), float(share)) for unit, share in read["amount_shares"]),
    )


STANDARD: Final = load("2")
"""The weights in use."""
