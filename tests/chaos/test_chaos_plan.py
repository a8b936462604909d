"""The plan of a chaos run is a pure function of its seed; the judge sees each kind of wrong."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chaos.judge import Held, Judgement, judge_journal, same
from tests.chaos.schedule import QUIET_S, Fault, plan

KINDS = {
    "kill", "freeze", "wipe", "cut", "stall", "throttle", "database_stopped", "restore",
    "disk_full", "clock",
}  # fmt: skip
NOTE = b'{"kind":"service_action","at":1,"action":"door_opened"}'


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), seconds=st.floats(30, 700), full=st.integers(0, 30))
def test_a_plan_keeps_its_laws(seed: int, seconds: float, full: int) -> None:
    """Same seed, same plan; nothing outlasts the time; each restore has its backup before it."""
    faults = plan(seed=seed, seconds=seconds, full=full, light=20)
    assert faults == plan(seed=seed, seconds=seconds, full=full, light=20)
    assert all(each.at_s >= QUIET_S and each.ends_s <= seconds for each in faults)
    for each in faults:
        assert (each.backup_s is not None) is (each.kind == "restore")
        assert each.backup_s is None or QUIET_S <= each.backup_s < each.at_s
        assert each.lasts_s <= 30
        kind, _, number = each.target.partition(":")
        assert not number or int(number) < {"kiosk": full, "light": 20}[kind]
    for index, one in enumerate(faults):
        assert not any(_at_once(one, other) for other in faults[index + 1 :])


def _at_once(one: Fault, other: Fault) -> bool:
    return one.target == other.target and max(one.at_s, other.at_s) < min(one.ends_s, other.ends_s)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_no_kiosks_disk_is_full_between_a_backup_and_its_restore(seed: int) -> None:
    """What a full disk drops then would be lost by the contract's own word."""
    faults = plan(seed=seed, seconds=600, full=30, light=300)
    for restore in (each for each in faults if each.kind == "restore"):
        assert restore.backup_s is not None
        for full in (each for each in faults if each.kind == "disk_full"):
            assert full.ends_s <= restore.backup_s or full.at_s >= restore.ends_s


@pytest.mark.parametrize("seed", range(10))
def test_ten_minutes_have_every_kind(seed: int) -> None:
    """A long run leaves nothing out."""
    faults = plan(seed=seed, seconds=600, full=30, light=300)
    assert {each.kind for each in faults} == KINDS
    assert len(faults) > 100


def test_the_judge_compares_all_but_accounts() -> None:
    """A stored event is what was written, with each account masked, and nothing else changed."""
    written = b'{"kind":"transaction_started","at":1,"tx":"t","service":"s","account":"9161234567"}'
    masked = {"masked": "+7 916 ***-**-67", "hash": "00"}
    body = {"kind": "transaction_started", "at": 1, "tx": "t", "service": "s", "account": masked}
    assert same(written, "transaction_started", body)
    assert same(written, "transaction_started", body | {"clock": "untrusted"})
    assert not same(written, "transaction_started", body | {"account": "9161234567"})
    assert not same(written, "transaction_started", body | {"tx": "u"})
    assert not same(written, "fault", body)
    assert not same(written, "quarantined", {"kind": "quarantined", "at": 1, "reason": "x"})


def judged(rows: list[tuple[int, str, object]], *, starved: bool = False) -> Judgement:
    """Judge these rows against a journal of four events."""
    held = Held("T1", 7, 5, "m", 5, dict.fromkeys(range(1, 5), NOTE))
    result = Judgement()
    judge_journal(held, rows, {"T1"} if starved else set(), result)
    return result


def test_the_judge_sees_what_is_lost_twice_different_or_made_up() -> None:
    """Each kind of wrong is counted, and none holds."""
    body = json.loads(NOTE)
    good: list[tuple[int, str, object]] = [(seq, "service_action", body) for seq in range(1, 5)]
    assert judged(good).holds
    assert judged(good[:2] + good[3:]).lost == 1
    assert judged([*good, good[1]]).duplicates == 1
    assert judged([*good[:3], (4, "service_action", body | {"at": 2})]).different == 1
    assert judged([*good, (5, "service_action", body)]).unknown == 1
    gap: list[tuple[int, str, object]] = [
        good[0], (2, "journal_lost", {"through": 3}), good[3],
    ]  # fmt: skip
    assert not judged(gap).holds
    assert judged(gap, starved=True).holds
    assert judged(gap, starved=True).given_up == 2
