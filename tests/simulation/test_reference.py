"""The naive reference and the fold agree on journals that no fault has touched, and on forks."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.findings import DEVICE, MONEY
from tests.property.incidents.test_incidents_invariance import STEPS, TXS, journals
from tests.simulation import reference
from tests.simulation.told import Row, Told
from tests.unit.incidents.incidents_story import EPOCH, START, Service, Story

OUTCOMES = ("accepted", "declined", "failed", "unknown")
RECEIPTS = ("printed", "failed", "refused", "unknown")
CAUSES = (None, "paper_out", "unknown")


def found(service: Service) -> list[Told]:
    """Return what stands in the service's table."""
    return [
        Told(
            rule=one.finding.rule,
            epoch=one.finding.epoch,
            subject=one.finding.subject,
            cause=one.finding.cause,
            severity=one.finding.severity,
            opened_at=one.finding.opened_at,
            cleared_at=one.finding.cleared_at,
            times=one.finding.times,
        )
        for one in service.incidents
    ]


def of(rules: Any, incidents: list[Told]) -> list[str]:
    """Return the incidents of these rules, in one order."""
    return sorted(str(one) for one in incidents if one.rule in rules)


@st.composite
def wild(draw: st.DrawFn) -> Story:
    """Draw journals of up to four epochs with lost ranges; anything may come at any moment."""
    story, at = Story(), 0
    epochs = sorted(draw(st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True)))
    for number in epochs:
        story.epoch = EPOCH + number * 1000
        for _ in range(draw(st.integers(0, 10))):
            at += draw(STEPS)
            _anything(draw, story, at)
    return story


def _anything(draw: st.DrawFn, story: Story, at: int) -> None:
    tx = draw(st.sampled_from(TXS))
    what = draw(st.integers(0, 9))
    if what == 0:
        story.started(at, tx)
    elif what in {1, 2}:
        story.cash(at, tx, draw(st.sampled_from([100, 200])))
    elif what == 3:
        story.returned(at, tx, draw(st.sampled_from([100, 200])))
    elif what == 4:
        story.payment(at, draw(st.sampled_from(OUTCOMES)), tx)
    elif what == 5:
        cause = draw(st.sampled_from(CAUSES))
        more = {} if cause is None else {"cause": cause}
        story.receipt(at, draw(st.sampled_from(RECEIPTS)), tx, **more)
    elif what == 6:
        story.ended(at, tx)
    elif what == 7:
        _device(draw, story, at)
    elif what == 8:
        story.tell("agent_started", at, agent="1", cause="restart")
    else:
        own = [row for row in story.rows if row[0] == story.epoch]
        last = own[-1][5].get("through", own[-1][1]) if own else 0
        story.tell("journal_lost", at, through=last + 1 + draw(st.integers(0, 3)))


def _device(draw: st.DrawFn, story: Story, at: int) -> None:
    name = draw(st.sampled_from(["receipt_printer", "note_acceptor", "modem"]))
    state: dict[str, Any] = {"status": draw(st.sampled_from(["online", "offline", "starting"]))}
    aspect = "paper" if name == "receipt_printer" else "storage"
    value = draw(st.sampled_from([None, "full", "out", "unknown", "inoperative"]))
    if value is not None:
        state[aspect] = value
    cause = draw(st.sampled_from(CAUSES))
    if cause is not None:
        state["cause"] = cause
    story.device(at, name, **state)


@settings(deadline=None)
@given(journals() | wild())
def test_the_reference_and_the_fold_agree(story: Story) -> None:
    """Money, devices, gaps: rule, subject, cause, severity, times and how often."""
    end = story.rows[-1][3] + 7_200_000 if story.rows else START
    service = Service().fold(story.rows, story.pulse((end - START) / 1000))
    rows = story.rows
    assert of(MONEY, found(service)) == of(MONEY, reference.money(rows))
    if not reference.clock_was_touched(rows):
        until = end if service.state.epoch == story.epoch else 0
        assert of(DEVICE, found(service)) == of(DEVICE, reference.devices(rows, until=until))
    gap = reference.gaps(rows)
    assert of({"journal_gap"}, found(service)) == ([str(gap)] if gap else [])


@settings(deadline=None)
@given(journals(), wild(), st.randoms(use_true_random=False))
def test_it_agrees_where_two_journals_speak_in_turn(one: Story, two: Story, random: Any) -> None:
    """A smaller epoch that goes on after a larger one began: in the order of the fold."""
    later = [(row[0] + 500, *row[1:]) for row in two.rows]
    rows: list[Row] = []
    waiting = [list(one.rows), later]
    while any(waiting):
        some = random.choice([each for each in waiting if each])
        rows.append(some.pop(0))
    service = Service().fold(rows)
    assert of(MONEY, found(service)) == of(MONEY, reference.money(rows))


def test_a_fork_goes_on_with_its_customer() -> None:
    """What a fork moved belongs to the transaction it went on with: nothing is opened."""
    story = Story().started(1).cash(2)
    story.epoch += 1000
    story.payment(3, "accepted").receipt(4, "printed").ended(5)
    assert reference.money(story.rows) == []


def test_a_fork_that_forgets_its_customer_is_told() -> None:
    """The first event of a larger epoch ends what was open in the smaller one."""
    story = Story().started(1).cash(2)
    story.epoch += 1000
    story.tell("agent_started", 3, agent="1", cause="power_on")
    (told,) = reference.money(story.rows)
    assert (told.rule, told.cause, told.opened_at) == (
        "payment_uncertain",
        "no_result",
        START + 3000,
    )


def test_what_is_lost_proves_nothing() -> None:
    """No word about money across a gap, until the journal says one."""
    story = Story().started(1).cash(2).tell("journal_lost", 3, through=9).ended(10)
    assert reference.money(story.rows) == []
    story.payment(11, "declined")
    assert [one.rule for one in reference.money(story.rows)] == ["payment_failed"]


def test_too_many_open_transactions_are_not_judged() -> None:
    """The reference says where it can say nothing."""
    story = Story()
    for number in range(17):
        story.cash(number, f"tx{number}")
    with pytest.raises(reference.TooMany):
        reference.money(story.rows)


def test_stretches_shorter_than_the_hold_time_say_nothing() -> None:
    """59 s bad is nothing, 60 s is; what is bad again within 30 minutes is the same incident."""
    story = Story().device(0, status="offline").device(59)
    assert reference.devices(story.rows, until=START + 9_000_000) == []
    story.device(100, status="offline").device(160).device(300, status="offline")
    (told,) = reference.devices(story.rows, until=START + 9_000_000)
    assert (told.opened_at, told.cleared_at, told.times) == (START + 100_000, None, 2)


def test_a_touched_clock_is_seen() -> None:
    """Devices are not judged to the second where the clock was set."""
    story = Story().device(5)
    assert not reference.clock_was_touched(story.rows)
    story.tell("clock_stepped", 6, step_ms=1000)
    assert reference.clock_was_touched(story.rows)
