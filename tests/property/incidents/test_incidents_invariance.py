"""However a journal comes: the same incidents and cases, and none that it does not prove."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.findings import DEVICE, MONEY
from incidents.fold import Row
from tests.property.incidents.incidents_reference import Told, devices, money
from tests.unit.incidents.incidents_story import EPOCH, NUMBERS, START, Service, Story, moved

TXS = ("a", "b", "c")
STEPS = st.sampled_from([0, 1, 5, 20, 59, 60, 61, 300, 1799, 1861])


@st.composite
def journals(draw: st.DrawFn, *, epochs: int = 2) -> Story:
    """Draw a journal of one or two epochs: payments and printer, in any sensible or silly order."""
    story, at = Story(), 0
    for number in range(draw(st.integers(1, epochs))):
        story.epoch = EPOCH + number * 1000
        if number:
            at += draw(STEPS)
            story.tell("agent_started", at, agent="1", cause="power_on")
        for _ in range(draw(st.integers(1, 14))):
            at += draw(STEPS)
            _event(draw, story, at)
    return story


def _event(draw: st.DrawFn, story: Story, at: int) -> None:
    tx = draw(st.sampled_from(TXS))
    known = any(row[0] == story.epoch and row[5].get("tx") == tx for row in story.rows)
    what = draw(
        st.sampled_from(["start", "cash", "back", "pay", "receipt", "end", "device", "run"])
    )
    if what == "device":
        state = draw(st.sampled_from([("online", "full"), ("online", "out"), ("offline", "full")]))
        story.device(at, status=state[0], paper=state[1])
    elif what == "run":
        story.tell("agent_started", at, agent="1", cause="restart")
    elif what == "start" and not known:
        story.started(at, tx)
    elif what == "cash" or not known:
        # A transaction opens by its start or by its money: what else names it is a fork's.
        story.cash(at, tx, draw(st.sampled_from([100, 200])))
    elif what == "back":
        story.returned(at, tx, 100)
    elif what == "pay":
        story.payment(at, draw(st.sampled_from(["accepted", "declined", "failed", "unknown"])), tx)
    elif what == "receipt":
        story.receipt(at, draw(st.sampled_from(["printed", "failed", "refused", "unknown"])), tx)
    else:
        story.ended(at, tx)


def told(service: Service) -> set[Told]:
    """Return the firm incidents in the reference's words."""
    return {
        (
            one.finding.rule,
            f"{one.finding.epoch}/{one.finding.subject}" if one.finding.epoch
            else one.finding.subject or "",
            one.finding.opened_at,
            one.finding.cleared_at,
            one.finding.times,
        )
        for one in service.incidents
    }  # fmt: skip


def everything(service: Service) -> tuple[Any, ...]:
    """Return all that must be the same however a journal came."""
    findings = sorted(str(one.finding) for one in service.incidents)
    return findings, service.cases, sorted(service.transactions.items())


def cut(rows: list[Row], lengths: list[int]) -> list[list[Row]]:
    """Return the rows in pieces of these lengths, what is left as the last."""
    pieces = []
    for length in lengths:
        pieces.append(rows[:length])
        rows = rows[length:]
    return [*pieces, rows]


@settings(deadline=None)
@given(journals(), st.lists(st.integers(0, 6), max_size=12))
def test_any_split_and_restart_gives_the_same(story: Story, lengths: list[int]) -> None:
    """Batches of any size, the state through JSON after each: same incidents, cases, rows."""
    whole = Service().fold(story.rows)
    parts = Service()
    for piece in cut(story.rows, lengths):
        parts.fold(piece)
    assert everything(parts) == everything(whole)


@settings(deadline=None)
@given(journals(epochs=1), st.lists(st.integers(0, 6), max_size=12))
def test_pulses_change_nothing_but_the_moment(story: Story, lengths: list[int]) -> None:
    """With a pulse after every piece that proves its time, the incidents are those without."""
    last = story.pulse((story.rows[-1][3] - START) / 1000 + 3600)
    whole = Service().fold(story.rows, last)
    parts = Service()
    for piece in cut(story.rows, lengths):
        pulse = None
        if piece:
            epoch, seq, _, at, _, _ = piece[-1]
            pulse = type(last)(epoch=epoch, next=seq + 1, unacked=0, at=at, received_at=at)
        parts.fold(piece, pulse)
    parts.fold([], last)
    assert everything(parts) == everything(whole)


@settings(deadline=None)
@given(journals(), st.integers(0, 100_000), st.lists(st.integers(0, 6), max_size=12))
def test_any_delay_gives_the_same_incidents(story: Story, delay: int, lengths: list[int]) -> None:
    """A backlog postpones telling: once it is through, the incidents are those without delay."""
    end = (story.rows[-1][3] - START) / 1000 + 3600
    prompt = Service().fold(story.rows, story.pulse(end))
    late = Service()
    for piece in cut(moved(story.rows, delay), lengths):
        late.fold(piece)
    late.fold([], story.pulse(end, received=end + delay))
    assert told(late) == told(prompt)


@settings(deadline=None)
@given(journals())
def test_a_second_opinion_finds_the_same(story: Story) -> None:
    """The slow reference, written the other way round, names the same incidents."""
    end = story.rows[-1][3] + 7200_000
    service = Service().fold(story.rows, story.pulse((end - START) / 1000))
    found = told(service)
    assert {one for one in found if one[0] in MONEY} == money(story.rows)
    reference = devices(
        story.rows,
        hold_s=int(NUMBERS.hold_s),
        window_s=int(NUMBERS.reopen_window_s),
        until=end,
    )
    assert {one for one in found if one[0] in DEVICE} == reference


@settings(deadline=None)
@given(journals(epochs=1), st.data())
def test_a_money_incident_needs_a_prefix_that_proves_it(story: Story, data: st.DataObject) -> None:
    """After any prefix, the open money incidents are those that the prefix proves, no more."""
    length = data.draw(st.integers(0, len(story.rows)))
    prefix = moved(story.rows[:length], data.draw(st.integers(0, 10_000_000)))
    service = Service().fold(prefix)
    firm = {one for one in told(service) if one[0] in MONEY}
    assert firm == money(prefix)


@settings(deadline=None)
@given(journals(), st.integers(0, 6))
def test_folding_changes_neither_state_nor_rows(story: Story, length: int) -> None:
    """`fold` is pure from outside: called twice with the same, it says the same."""
    service = Service().fold(story.rows[:length])
    before = everything(service)
    rest = story.rows[length:]
    again = Service()
    again.state, again.transactions = service.state, dict(service.transactions)
    again.fold(rest)
    assert everything(service) == before


def test_the_reference_can_tell_wrong_from_right() -> None:
    """A journal with each money incident is seen by the reference."""
    story = Story().started(1).cash(2).ended(3).started(4, "b").cash(5, "b")
    story.payment(6, "accepted", "b").ended(7, "b")
    assert {one[0] for one in money(story.rows)} == {"payment_uncertain", "no_receipt"}
