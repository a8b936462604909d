import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from incidents.matching.claims import claims_of
from incidents.matching.levels import Judge, alike_of
from incidents.matching.matcher import Match, weigh
from incidents.matching.model import STANDARD, Scene
from incidents.matching.passage import Fact, Origin
from incidents.matching.payment import Payment

NOW: Final = datetime(2026, 11, 23, 7, 15, tzinfo=UTC)
TERMINALS: Final = ("10001", "10002", "20001", "77777")
PHONES: Final = ("9161234567", "9161234576", "9035554433")
SUMS: Final = (10000, 50000, 95000, 100000)
FISCAL: Final = ({"fn": "9", "fd": "1", "fp": "1234567"}, {"fn": "9", "fd": "2", "fp": "7654321"})

moments = st.integers(0, 60 * 24 * 30).map(lambda minutes: NOW - timedelta(minutes=minutes))
payments = st.builds(
    Payment,
    terminal=st.sampled_from(TERMINALS),
    epoch=st.just(1),
    tx=st.integers(0, 10**6).map(str),
    started_at=moments,
    account_hash=st.none() | st.sampled_from(PHONES),
    account_masked=st.none() | st.sampled_from(("+7 916 ***-**-67", "***")),
    accepted=st.sampled_from(SUMS),
    payment=st.sampled_from((None, "accepted", "failed")),
    payment_amount=st.none() | st.sampled_from(SUMS),
    payment_fee=st.none() | st.just(5000),
    receipt=st.sampled_from((None, "printed", "failed")),
    receipt_number=st.none() | st.sampled_from(("001", "002")),
    fiscal=st.none() | st.sampled_from(FISCAL),
    incidents=st.sampled_from((frozenset[str](), frozenset({"no_receipt"}))),
)


def _time(at: datetime, minutes: int, precision: str, *, other: bool) -> dict[str, Any]:
    room = timedelta(minutes=minutes)
    value: dict[str, Any] = {"from": (at - room).isoformat(), "to": (at + room).isoformat()}
    earlier = {name: value[name] for name in value} if other else None
    return value | {"precision": precision} | ({"alternatives": [earlier]} if earlier else {})


values: Final = st.one_of(
    st.tuples(st.just("terminal"), st.sampled_from(TERMINALS)),
    st.tuples(st.just("receipt"), st.sampled_from(("1", "2", "3"))),
    st.tuples(st.just("symptom"), st.sampled_from(("no_receipt", "not_credited", "wrong_number"))),
    st.tuples(st.just("contact"), st.sampled_from(PHONES)),
    st.tuples(st.just("place"), st.dictionaries(st.sampled_from(TERMINALS), st.just(0.4)).map(
        lambda named: {"words": "", "terminals": named, "bits": 3.0})),
    st.tuples(st.just("account"), st.builds(
        lambda digits, role: {"digits": digits, "role": role, "form": "phone"},
        st.sampled_from(PHONES), st.sampled_from(("paid", "intended")))),
    st.tuples(st.just("amount"), st.builds(
        lambda minor, role: {"minor": minor, "role": role},
        st.sampled_from(SUMS), st.sampled_from(("inserted", "credited", "fee", "returned")))),
    st.tuples(st.just("paid_at"), st.builds(
        _time, moments, st.sampled_from((5, 60, 300)),
        st.sampled_from(("exact", "around", "part_of_day", "day", "period")), other=st.booleans())),
    st.tuples(st.just("fiscal"), st.sampled_from(FISCAL).map(
        lambda key: {"fn": key["fn"], "i": key["fd"], "fp": key["fp"]})),
)  # fmt: skip
facts = st.builds(
    lambda named, confidence: Fact(
        kind=named[0], value=named[1], text="", span=(0, 0), confidence=confidence,
        origin=Origin.NEW,
    ),
    values, st.sampled_from((0.4, 0.8, 0.95)),
)  # fmt: skip
scenes = st.builds(
    Scene, transactions=st.sampled_from((10, 1000, 10**6)), days=st.sampled_from((0.1, 3.0, 30.0)),
    terminals=st.sampled_from((4, 1000)),
)  # fmt: skip
worlds = st.lists(payments, max_size=8, unique_by=lambda payment: payment.key)


def _weighed(
    told: list[Fact], some: list[Payment], scene: Scene, *, suspended: bool = False
) -> Match:
    claims = claims_of(told, received_at=NOW, hash_of=str)
    return weigh(claims, some, model=STANDARD, scene=scene, suspended=suspended)


@given(st.lists(facts, max_size=6), worlds, scenes)
def test_probabilities_add_up_to_one(told: list[Fact], some: list[Payment], scene: Scene) -> None:
    """Of the candidates and of none of them; those of terminals to no more."""
    found = _weighed(told, some, scene)
    whole = sum(each.probability for each in found.candidates) + found.none_probability
    assert abs(whole - 1) < 1e-9
    assert sum(chance for _, chance in found.terminals) <= 1 + 1e-9
    assert all(0 <= each.probability <= 1 for each in found.candidates)


@given(st.lists(facts, max_size=6), worlds, scenes, st.randoms(use_true_random=False))
def test_order_changes_nothing(
    told: list[Fact], some: list[Payment], scene: Scene, chance: random.Random
) -> None:
    """Neither that of the facts nor that of the candidates."""
    found = _weighed(told, some, scene)
    chance.shuffle(told)
    chance.shuffle(some)
    assert _weighed(told, some, scene) == found


@given(st.lists(facts, max_size=6), worlds, scenes)
def test_an_automaton_is_never_attached(
    told: list[Fact], some: list[Payment], scene: Scene
) -> None:
    """Whatever it says."""
    assert _weighed(told, some, scene, suspended=True).decision.status != "attached"


@given(st.lists(facts, max_size=5), payments, scenes)
def test_a_matching_fact_never_lowers_its_candidate(
    told: list[Fact], payment: Payment, scene: Scene
) -> None:
    """Its own terminal, sum, account or moment, told beside anything else."""
    own: list[tuple[str, object]] = [
        ("terminal", payment.terminal),
        ("amount", {"minor": payment.accepted, "role": "inserted"}),
        ("paid_at", _time(payment.started_at, 5, "exact", other=False)),
    ]
    if payment.account_hash:
        account = {"digits": payment.account_hash, "role": "paid", "form": "phone"}
        own.append(("account", account))
    before = _bits(told, payment, scene)
    for kind, value in own:
        more = Fact(kind=kind, value=value, text="", span=(0, 0), confidence=0.99,
                    origin=Origin.NEW)  # fmt: skip
        assert _bits([*told, more], payment, scene) >= before - 1e-9, kind


def _bits(told: list[Fact], payment: Payment, scene: Scene) -> float:
    claims = claims_of(told, received_at=NOW, hash_of=str)
    judge = Judge(claims, STANDARD, scene, alike_of(claims, [payment]))
    return sum(each.bits for each in judge.evidence(payment))


@given(st.lists(facts, max_size=6), payments, scenes)
def test_twins_share_equally(told: list[Fact], payment: Payment, scene: Scene) -> None:
    """Two payments that differ in nothing but their tx are never told apart.

    Of one customer's, either stands for both; of two payments without an account neither does.
    """
    pair = [replace(payment, tx=name) for name in ("twin-a", "twin-b")]
    found = _weighed(told, pair, scene)
    first, second = found.candidates
    assert abs(first.probability - second.probability) < 1e-9
    if found.decision.status == "attached":
        assert payment.account_hash is not None
        assert found.decision.why == "one_of_twins"
        assert first.probability + second.probability >= STANDARD.attach_min
