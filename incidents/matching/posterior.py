"""From evidence to probabilities: over the candidates and "none of these", summing to one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Final

from incidents.matching.levels import Evidence
from incidents.matching.model import Model, Scene
from incidents.matching.payment import Payment

BITS_BOUND: Final = 200.0
"""Beyond this nothing changes any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A payment with its probability and what it rests on."""

    payment: Payment
    probability: float
    evidence: tuple[Evidence, ...]

    @property
    def bits(self) -> float:
        """Return all evidence together."""
        return sum(each.bits for each in self.evidence)


@dataclass(frozen=True, slots=True)
class Posterior:
    """The candidates, best first, and the probability that it is none of them."""

    scored: tuple[Scored, ...]
    none_probability: float

    @property
    def terminals(self) -> Mapping[str, float]:
        """Return each terminal's probability, the likeliest first."""
        sums: dict[str, float] = {}
        for each in self.scored:
            sums[each.payment.terminal] = sums.get(each.payment.terminal, 0.0) + each.probability
        return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def posterior(
    weighed: Iterable[tuple[Payment, Sequence[Evidence]]], *, model: Model, scene: Scene
) -> Posterior:
    """Return the probabilities; the order of the candidates changes nothing."""
    prior = log2(model.in_fleet / max(scene.transactions, 1))
    before = Evidence("prior", "one of all", prior)
    kept = sorted(
        ((payment, (*evidence, before)) for payment, evidence in weighed),
        key=lambda each: (-sum(one.bits for one in each[1]), each[0].key),
    )
    odds = [2 ** max(-BITS_BOUND, min(sum(e.bits for e in some), BITS_BOUND)) for _, some in kept]
    none = 1 - model.in_fleet
    whole = none + sum(odds)
    return Posterior(
        tuple(
            Scored(payment=payment, probability=each / whole, evidence=some)
            for (payment, some), each in zip(kept, odds, strict=True)
        ),
        none / whole,
    )
