"""The truth's own judgement, against a table written from docs/rules by hand."""

from random import Random

import pytest

from firmware_sim import story
from firmware_sim.pace import Pace
from firmware_sim.truth import (
    Course,
    Expected,
    Found,
    Injected,
    Standing,
    Truth,
    money_expectations,
    money_rule,
)
from wire.events import Event

PAID = 50_000


@pytest.mark.parametrize(
    ("standing", "rule"),
    [
        (Standing(), None),
        (Standing(accepted=PAID, outcome="accepted", receipt="printed"), None),
        (Standing(accepted=PAID, outcome="accepted", receipt="refused"), None),
        (Standing(accepted=PAID, outcome="accepted", receipt="failed"), "no_receipt"),
        (Standing(accepted=PAID, outcome="accepted", receipt="unknown"), "no_receipt"),
        (Standing(accepted=PAID, outcome="accepted"), "no_receipt"),
        (Standing(accepted=PAID, outcome="declined"), "payment_failed"),
        (Standing(accepted=PAID, outcome="failed", receipt="printed"), "payment_failed"),
        (Standing(accepted=PAID, returned=PAID, outcome="declined"), None),
        (Standing(accepted=PAID, returned=100, outcome="failed"), "payment_failed"),
        (Standing(accepted=PAID, outcome="unknown"), "payment_uncertain"),
        (Standing(accepted=PAID), "payment_uncertain"),
        (Standing(accepted=PAID, returned=PAID), None),
        (Standing(outcome="accepted"), None),
    ],
)
def test_each_standing_has_its_rule(standing: Standing, rule: str | None) -> None:
    """Money kept, what processing said, and the receipt decide; nothing else."""
    assert money_rule(standing) == rule


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("good", set()),
        ("went_away", set()),
        ("changed_mind", set()),
        ("receipt_refused", set()),
        ("declined_returned", set()),
        ("restart_idle", set()),
        ("receipt_failed", {"no_receipt"}),
        ("receipt_late", {"no_receipt"}),
        ("receipt_forgotten", {"no_receipt"}),
        ("declined", {"payment_failed"}),
        ("failed_returned_late", {"payment_failed"}),
        ("uncertain", {"payment_uncertain"}),
        ("uncertain_then_accepted", {"payment_uncertain"}),
        ("uncertain_then_no_receipt", {"payment_uncertain", "no_receipt"}),
        ("accepted_then_declined", {"payment_failed"}),
        ("restart_with_money", {"payment_uncertain"}),
        ("restart_before_receipt", {"no_receipt"}),
        ("overtaken", {"payment_uncertain"}),
    ],
)
def test_each_story_has_its_incidents(name: str, rules: set[str]) -> None:
    """What holds at the end and at every later event, however the customer's sums fall."""
    for seed in range(5):
        told, at = list[Event](), 0
        for step in story.story(name, "tx", Random(seed)).steps:
            at += round(step.delay_s * 1000)
            told.append(step.event(at))
        course = story.course("T", name, "tx", told)
        assert course is not None
        assert {each.rule for each in money_expectations(course)} == rules


def _truth() -> Truth:
    truth = Truth(1)
    lost = Standing(accepted=PAID, outcome="accepted", receipt="failed", cause="paper_out")
    truth.transaction(
        Course(terminal="T", tx="a", story="receipt_failed", ended_at=0, standings=(lost,))
    )
    truth.fault(
        Injected(terminal="T", fault="paper_out", at=0),
        Expected(
            rule="printer_unavailable", terminal="T", device="receipt_printer",
            cause="paper_out", must=False, why="device_fault",
        ),
    )  # fmt: skip
    return truth


def test_what_must_be_found_is_missed_when_it_is_not() -> None:
    """`must` is asked for, `may` is not."""
    verdict = _truth().verdict([])
    assert [each.rule for each in verdict.missed] == ["no_receipt"]
    assert not verdict.holds


def test_both_sides_agree() -> None:
    """The lost receipt once, and what may be found besides."""
    found = [
        Found(rule="no_receipt", terminal="T", tx="a", cause="paper_out"),
        Found(rule="printer_unavailable", terminal="T", device="receipt_printer",
              cause="paper_out"),
    ]  # fmt: skip
    verdict = _truth().verdict(found)
    assert verdict.holds
    assert verdict.confirmed == 1


@pytest.mark.parametrize(
    "wrong",
    [
        Found(rule="no_receipt", terminal="T", tx="b", cause="paper_out"),
        Found(rule="no_receipt", terminal="U", tx="a", cause="paper_out"),
        Found(rule="no_receipt", terminal="T", tx="a", cause="cutter"),
        Found(rule="payment_failed", terminal="T", tx="a"),
    ],
)
def test_another_transaction_terminal_cause_or_rule_is_made_up(wrong: Found) -> None:
    """Nearly right is wrong."""
    right = Found(rule="no_receipt", terminal="T", tx="a", cause="paper_out")
    assert _truth().verdict([right, wrong]).made_up == (wrong,)


def test_one_transaction_has_one_incident_of_a_rule() -> None:
    """Twice the same is a mistake of its own."""
    right = Found(rule="no_receipt", terminal="T", tx="a", cause="paper_out")
    assert _truth().verdict([right, right]).duplicated == (right, right)


@pytest.mark.parametrize(("lasted", "must"), [(5.0, None), (9.0, False), (11.0, False), (14, True)])
def test_a_duration_near_the_hold_time_proves_nothing(lasted: float, must: object) -> None:
    """Within 30 % either answer is right."""
    assert Pace(hold_s=10.0).must_hold(lasted) is must


def test_the_report_holds_no_account() -> None:
    """What customers typed stays in memory."""
    assert "account" not in str(_truth().report())
