"""What follows from the probabilities: attach, suggest, ask, or nothing; and what to ask for."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Final, Literal

from incidents.matching.claims import Claims
from incidents.matching.levels import Evidence
from incidents.matching.model import Model
from incidents.matching.pairs import is_paired, is_twin
from incidents.matching.payment import Payment
from incidents.matching.posterior import Posterior, Scored

Status = Literal["attached", "suggested", "needs_facts", "other"]

STRONG_BITS: Final = 3.0
"""From so many bits on a time, sum or place is strong."""
TOGETHER_BITS: Final = 4.5
"""A time and a sum are as good as a strong fact if they say so much together."""
AGAINST_BITS: Final = -2.0
"""A fact that says so much against a candidate contradicts it."""
UNUSUAL_BITS: Final = 9.0
"""From so many bits on a sum is so unusual that it tells one payment of a customer from another."""
LEAD: Final = 2.0
"""A candidate is suggested alone only if it is so many times likelier than the next."""
SECONDS_MAX: Final = 6
"""Candidates looked at for a second payment of the same report."""
ASKED: Final = 2
"""Facts to ask a customer for."""

KEYS: Final = frozenset({("account", "equal"), ("account", "near"), ("terminal", "equal"),
                         ("receipt", "equal"), ("operation", "equal"),
                         ("tail", "whole")})  # fmt: skip
"""Strong in any fleet."""
BY_BITS: Final = frozenset({"paid_at", "amount", "place", "contact"})
"""Strong by what they weigh."""
WHO_OR_WHERE: Final = frozenset(
    {"account", "tail", "terminal", "place", "receipt", "operation", "contact"}
)
CLOCKS: Final = frozenset({"exact", "around"})
"""Times of which an hour is told: they tell two payments of a day apart."""
DECIDING: Final = frozenset(
    {"account", "terminal", "place", "receipt", "operation", "amount", "paid_at", "tail", "fiscal"}
)
"""Facts that can contradict."""

_Value = Callable[[Payment], Hashable]
WORTH: Final[Mapping[str, tuple[float, _Value]]] = {
    "receipt": (10.0, lambda payment: payment.receipt_number or payment.payment_reference),
    "account": (17.5, lambda payment: payment.account_hash),
    "terminal": (9.8, lambda payment: payment.terminal),
    "paid_at": (8.9, lambda payment: payment.started_at.replace(minute=0, second=0, microsecond=0)),
    "amount": (3.2, lambda payment: payment.accepted),
}
"""What may be asked for → bits that it usually gives, and what of a candidate it tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is done with a report, why, and what to ask its sender for."""

    status: Status
    terminal: str | None
    epoch: int | None
    tx: str | None
    why: str
    ask: tuple[str, ...]


def decide(
    found: Posterior,
    claims: Claims,
    model: Model,
    *,
    suspended: bool,
    existing: frozenset[str],
    terminals: Mapping[str, float] | None = None,
) -> Decision:
    """Return what to do; a message of an automaton is never attached by itself."""
    chances = found.terminals if terminals is None else terminals
    best = found.scored[0] if found.scored else None
    if claims.is_empty and not claims.contacts:
        return Decision(status="other", terminal=None, epoch=None, tx=None, why="no_facts", ask=())
    meant, share = _meant(found)
    if meant is not None and share >= model.attach_min:
        held = "automaton" if suspended else objection(meant.evidence)
        if held is None and _are_several(meant, found, claims):
            held = "several_payments"
        if held is None and _is_elsewhere(meant, claims, existing):
            held = "foreign_terminal"
        if held is None:
            sure = meant.probability >= model.attach_min
            return _of(meant, "attached", "sure" if sure else "one_of_twins", ())
        if meant.probability >= model.attach_min:
            return _of(meant, "suggested", held, asked(found, claims))
    ask = asked(found, claims)
    if best is not None and best.probability >= model.suggest_min:
        second = found.scored[1].probability if len(found.scored) > 1 else 0.0
        if best.probability >= LEAD * second:
            return _of(best, "suggested", "likely", ask)
    terminal, chance = next(iter(chances.items()), (None, 0.0))
    if terminal is not None and chance >= model.suggest_min:
        why = "twins" if _are_twins(found, model) else "terminal_only"
        return Decision(
            status="suggested", terminal=terminal, epoch=None, tx=None, why=why, ask=ask
        )
    why = "several" if found.none_probability < 0.5 else "nothing_fits"
    return Decision(status="needs_facts", terminal=None, epoch=None, tx=None, why=why, ask=ask)


def _of(best: Scored, status: Status, why: str, ask: tuple[str, ...]) -> Decision:
    terminal, epoch, tx = best.payment.key
    return Decision(status=status, terminal=terminal, epoch=epoch, tx=tx, why=why, ask=ask)


def _are_twins(found: Posterior, model: Model) -> bool:
    pair = found.scored[:2]
    return (
        len(pair) == 2
        and pair[0].probability < LEAD * pair[1].probability
        and sum(each.probability for each in pair) >= model.suggest_min
    )


def _meant(found: Posterior) -> tuple[Scored | None, float]:
    """Return the payment that is meant, and how likely it or a twin of it is.

    Of twins the symptom decides; where it does not, the one with an incident, else the last.
    """
    if not found.scored:
        return None, 0.0
    best = found.scored[0]
    near = found.scored[1:SECONDS_MAX]
    twins = [best, *(each for each in near if is_twin(best.payment, each.payment))]
    alike = [each for each in twins if each.probability * LEAD > best.probability]
    meant = max(alike, key=lambda each: (bool(each.payment.incidents), each.payment.started_at))
    return meant, sum(each.probability for each in twins)


def _are_several(meant: Scored, found: Posterior, claims: Claims) -> bool:
    """Tell whether a report that names two sums, times or keys fits a second payment too."""
    inserted = {each.minor for each in claims.amounts if each.role == "inserted"}
    told = (inserted, claims.times, claims.paid, claims.fiscal, claims.numbers, claims.terminals)
    others = [each for each in found.scored if not is_twin(meant.payment, each.payment)]
    if is_paired(meant.payment, (each.payment for each in others), claims):
        return True
    if all(len(each) < 2 for each in told):
        return False
    return any(
        objection(each.evidence) is None and each.bits > 0
        for each in others[:SECONDS_MAX]
        if each.payment.key != meant.payment.key
    )


def _is_elsewhere(best: Scored, claims: Claims, existing: frozenset[str]) -> bool:
    """Tell whether a report names a terminal or street of others, and not the candidate's."""
    by_fact = {each.fact: each.level for each in best.evidence}
    if "equal" in {by_fact.get(key) for key in ("fiscal", "receipt", "operation")}:
        return False
    named = {name.text for name in claims.terminals}
    own = best.payment.terminal
    if own in named or own in claims.near_terminals:
        return False
    return claims.elsewhere or bool(named - existing)


def is_strong(evidence: Evidence) -> bool:
    """Tell whether a fact by itself points to few transactions."""
    if (evidence.fact, evidence.level) in KEYS:
        return True
    return evidence.fact in BY_BITS and evidence.bits >= STRONG_BITS


def objection(evidence: Sequence[Evidence]) -> str | None:
    """Return why a sure candidate is not attached by itself, if anything speaks against it."""
    by_fact = {each.fact: each for each in evidence}
    if any(each.fact in DECIDING and each.bits <= AGAINST_BITS for each in evidence):
        return "contradiction"
    fiscal = by_fact.get("fiscal")
    if fiscal is not None and fiscal.level == "equal":
        return None
    strong = _strong(by_fact)
    if len(strong) < 2 or not strong & WHO_OR_WHERE:
        return "one_strong_fact"
    return None if _is_told_apart(by_fact, strong) else "no_time"


def _strong(by_fact: Mapping[str, Evidence]) -> set[str]:
    strong = {each.fact for each in by_fact.values() if is_strong(each)}
    moment, money = _said(by_fact.get("paid_at")), _said(by_fact.get("amount"))
    if money > 0 and moment > 0 and moment + money >= TOGETHER_BITS:
        strong.add("time and sum")
    if money > 0 and _is(by_fact.get("symptom"), "incident"):
        strong.add("symptom")
    return strong


def _is_told_apart(by_fact: Mapping[str, Evidence], strong: set[str]) -> bool:
    """Tell whether it is this time: customers use one terminal again and again."""
    if strong & {"receipt", "operation"}:
        return True
    where = bool(strong & {"terminal", "place"})
    whose_and_where = where and "account" in strong
    time, money = by_fact.get("paid_at"), _said(by_fact.get("amount"))
    failed = _is(by_fact.get("symptom"), "incident")
    if time is not None and time.bits > 0:
        kind, _, level = time.level.partition(": ")
        if level == "day_off":
            return whose_and_where or failed
        return kind in CLOCKS or money > 0 or where
    if money <= 0:
        return False
    recent = _said(by_fact.get("age")) > 0
    if whose_and_where and (failed or recent):
        return True
    told = "terminal" in strong or money >= UNUSUAL_BITS
    return told and _is(by_fact.get("symptom"), "incident", "state")


def _is(evidence: Evidence | None, *levels: str) -> bool:
    return evidence is not None and evidence.level in levels


def _said(evidence: Evidence | None) -> float:
    return 0.0 if evidence is None else evidence.bits


def asked(found: Posterior, claims: Claims) -> tuple[str, ...]:
    """Return the two facts, not yet told, that would decide most."""
    told = {
        "receipt": bool(claims.numbers or claims.fiscal) or "no_receipt" in claims.symptoms,
        "account": bool(claims.paid),
        "terminal": bool(claims.terminals) or any(len(p.weights) == 1 for p in claims.places),
        "paid_at": any(time.precision in {"exact", "around"} for time in claims.times),
        "amount": bool(claims.amounts),
    }
    gains = {
        name: _spread(found, value) + found.none_probability * bits
        for name, (bits, value) in WORTH.items()
        if not told[name]
    }
    best = sorted(gains, key=lambda name: (-gains[name], list(WORTH).index(name)))
    return tuple(best[:ASKED])


def _spread(found: Posterior, value: _Value) -> float:
    """Return how many bits it would tell to know this of the right candidate."""
    shares: dict[Hashable, float] = {}
    for each in found.scored[:50]:
        of = value(each.payment)
        shares[of] = shares.get(of, 0.0) + each.probability
    return -sum(share * log2(share) for share in shares.values() if share > 0)
