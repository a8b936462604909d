"""From the facts of a report to the transaction it means: candidates, probabilities, a decision."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import asyncpg

from incidents.matching.blocking import candidates
from incidents.matching.claims import Claims, claims_of
from incidents.matching.decision import Decision, decide
from incidents.matching.levels import Evidence, Judge, alike_of
from incidents.matching.model import STANDARD, Model, Scene
from incidents.matching.passage import Fact, Origin
from incidents.matching.payment import Payment
from incidents.matching.posterior import Posterior, posterior
from incidents.matching.scenes import Scenes, scene
from incidents.matching.tails import checked

__all__ = ["Asked", "Candidate", "Decision", "Evidence", "Match", "match", "weigh"]

CANDIDATES_MAX: Final = 10
TERMINALS_MAX: Final = 10
CHANCE_MIN: Final = 0.0005
"""Less likely terminals are not told."""
NAMED: Final = 0.5
"""How likely a report means the terminal it names if its payment is none that we have."""

_NOTHING: Final = frozenset({"needs_facts", "other"})
"""Decisions that point at no transaction and no terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is matched."""

    facts: Sequence[Fact]
    received_at: datetime
    hash_of: Callable[[str], str]
    """Digits → keyed hash, as stored in `transaction.account_hash`."""
    suspended: bool = False
    """An automaton wrote it: it is never attached by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A transaction that the report may mean."""

    terminal: str
    epoch: int
    tx: str
    probability: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What was found for a report."""

    candidates: tuple[Candidate, ...]
    """Best first, at most ten."""
    none_probability: float
    terminals: tuple[tuple[str, float], ...]
    decision: Decision
    model: str
    """The version of the weights."""


async def match(
    connection: asyncpg.Connection,
    asked: Asked,
    model: Model = STANDARD,
    *,
    scenes: Scenes | None = None,
) -> Match:
    """Find what a report means; reads only. Those who match many reports keep the `scenes`.

    Where it says too little by itself, what it quotes may suggest something, and no more.
    """
    found = await _match(connection, asked, model, scenes)
    if found.decision.status not in _NOTHING or not _quotes(asked.facts):
        return found
    facts = [replace(fact, origin=Origin.NEW) for fact in asked.facts]
    again = await _match(connection, replace(asked, facts=facts), model, scenes)
    decision = again.decision
    if decision.status in _NOTHING:
        return found
    return replace(again, decision=replace(decision, status="suggested", why="quoted"))


def _quotes(facts: Iterable[Fact]) -> bool:
    return any(fact.origin == Origin.QUOTED for fact in facts)


async def _match(
    connection: asyncpg.Connection, asked: Asked, model: Model, scenes: Scenes | None
) -> Match:
    claims = claims_of(asked.facts, received_at=asked.received_at, hash_of=asked.hash_of)
    looked = scenes.get if scenes is not None else scene
    seen, zones = await looked(connection, claims.received_at)
    found, existing = await candidates(connection, claims, seen, zones)
    claims = with_ends(claims, found, hash_of=asked.hash_of, model=model, scene=seen)
    return weigh(
        claims, found, model=model, scene=seen, existing=existing, suspended=asked.suspended
    )


def with_ends(
    claims: Claims,
    found: Sequence[Payment],
    *,
    hash_of: Callable[[str], str],
    model: Model,
    scene: Scene,
) -> Claims:
    """Return the claims with the last digits of the likeliest phones checked whole."""
    if not claims.tails or "whole" not in model.levels["tail"]:
        return claims
    likeliest = [each.payment for each in _scored(claims, found, model, scene).scored]
    ends = {
        (tail.digits, account): ends
        for tail in claims.tails
        for account, ends in checked(tail.digits, likeliest, hash_of).items()
    }
    return replace(claims, ends=ends)


def _scored(claims: Claims, found: Sequence[Payment], model: Model, scene: Scene) -> Posterior:
    judge = Judge(claims, model, scene, alike_of(claims, found))
    weighed = ((payment, judge.evidence(payment)) for payment in found)
    return posterior(weighed, model=model, scene=scene)


def weigh(
    claims: Claims,
    found: Iterable[Payment],
    *,
    model: Model,
    scene: Scene,
    existing: frozenset[str] = frozenset(),
    suspended: bool = False,
) -> Match:
    """Return the match among these payments; `existing`: named terminals that are of the fleet."""
    payments = list(found)
    result = _scored(claims, payments, model, scene)
    chances = _terminals(result, claims, existing)
    known = existing | {payment.terminal for payment in payments}
    decision = decide(result, claims, model, suspended=suspended, terminals=chances, existing=known)
    return Match(
        candidates=tuple(
            Candidate(
                terminal=each.payment.terminal,
                epoch=each.payment.epoch,
                tx=each.payment.tx,
                probability=each.probability,
                evidence=each.evidence,
            )
            for each in result.scored[:CANDIDATES_MAX]
        ),
        none_probability=result.none_probability,
        terminals=tuple(
            item for item in list(chances.items())[:TERMINALS_MAX] if item[1] >= CHANCE_MIN
        ),
        decision=decision,
        model=model.version,
    )


def _terminals(found: Posterior, claims: Claims, existing: frozenset[str]) -> dict[str, float]:
    """Return the terminals' probabilities: a report may mean one, and no transaction of it."""
    chances = dict(found.terminals)
    named = [name for name in claims.terminals if name.text in existing]
    for name in named:
        share = NAMED * name.confidence / len(named) * found.none_probability
        chances[name.text] = chances.get(name.text, 0.0) + share
    return dict(sorted(chances.items(), key=lambda item: (-item[1], item[0])))
