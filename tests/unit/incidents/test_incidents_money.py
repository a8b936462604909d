"""Each money rule and each sentence of the design's 'Precisely' about money, as an example."""

import pytest

from tests.unit.incidents.incidents_story import Story, folded


def paid(outcome: str | None = "accepted", receipt: str | None = "printed") -> Story:
    """Tell of a payment of 500.00 that has its own end at second 5."""
    story = Story().started(1).cash(2)
    if outcome:
        story.payment(3, outcome)
    if receipt:
        story.receipt(4, receipt)
    return story.ended(5)


@pytest.mark.parametrize(
    ("outcome", "receipt", "rule", "cause"),
    [
        ("accepted", None, "no_receipt", "unknown"),
        ("accepted", "failed", "no_receipt", "unknown"),
        ("accepted", "unknown", "no_receipt", "unknown"),
        ("declined", None, "payment_failed", "declined"),
        ("failed", "printed", "payment_failed", "failed"),
        (None, None, "payment_uncertain", "no_result"),
        ("unknown", "printed", "payment_uncertain", "unknown"),
    ],
)
def test_what_is_wrong_at_the_end_is_an_incident(
    outcome: str | None, receipt: str | None, rule: str, cause: str
) -> None:
    """Each rule opens at the transaction's end, at the end's time, with its cause and a case."""
    service = folded(paid(outcome, receipt))
    assert service.told == [(rule, "a", cause, 5.0, None, 1)]
    assert service.cases == [(rule, "a", "new")]


@pytest.mark.parametrize("receipt", ["printed", "refused"])
def test_a_good_payment_is_nothing(receipt: str) -> None:
    """A payment accepted with its receipt printed or refused opens nothing."""
    assert folded(paid("accepted", receipt)).told == []


def test_nothing_is_judged_before_the_end() -> None:
    """With money inside and no end, no rule has spoken."""
    assert folded(Story().started(1).cash(2).payment(3, "declined")).told == []


def test_without_money_there_is_no_incident() -> None:
    """A payment from a balance (no cash) may be declined or go without receipt."""
    assert folded(Story().started(1).payment(3, "declined").ended(4)).told == []
    assert folded(Story().started(1).payment(3, "accepted").ended(4)).told == []


@pytest.mark.parametrize(
    "end",
    [
        lambda story: story.tell("agent_started", 9, agent="1", cause="power_on"),
        lambda story: story.started(9, tx="b"),
    ],
)
def test_a_transaction_also_ends_when_something_else_begins(end: object) -> None:
    """A new run of the agent and the next transaction end an open one."""
    story = Story().started(1).cash(2)
    assert callable(end)
    end(story)
    assert folded(story).told == [("payment_uncertain", "a", "no_result", 9.0, None, 1)]


def test_a_larger_epoch_ends_what_was_open() -> None:
    """The first event of a larger epoch ends the transaction; its incident keeps its epoch."""
    story = Story().started(1).cash(2)
    old = story.epoch
    story.epoch += 1000
    story.tell("device_changed", 9, device="receipt_printer", status="online")
    service = folded(story)
    assert service.told == [("payment_uncertain", "a", "no_result", 9.0, None, 1)]
    assert service.incidents[0].finding.epoch == old


def test_a_fork_goes_on_with_the_open_transaction() -> None:
    """What a fork moved into a new epoch belongs to the transaction it was about."""
    story = Story().started(1).cash(2)
    story.epoch += 1000
    story.payment(3, "accepted").receipt(4, "printed").ended(5)
    service = folded(story)
    assert service.told == []
    assert len(service.transactions) == 1


def test_two_forks_in_a_row_go_on_with_the_open_transaction() -> None:
    """Each fork carries the customer over; the money and its receipt stay one transaction."""
    story = Story().started(10).cash(20)
    story.epoch += 1
    story.payment(30, "accepted")
    story.epoch += 1
    story.cash(40).receipt(50, "printed").ended(60)
    service = folded(story)
    assert service.told == []
    (tx,) = service.transactions.values()
    assert (tx.accepted, tx.payment, tx.receipt) == (100_000, "accepted", "printed")


def test_an_open_transaction_whose_row_is_gone_stops_nothing() -> None:
    """A row that somebody deleted is no reason to read no row of the terminal any more."""
    service = folded(Story().started(10).cash(20))
    service.transactions.clear()
    story = Story()
    story.epoch += 1
    service.fold(
        story.started(30, "b").cash(40, "b").payment(50, "declined", "b").ended(60, "b").rows
    )
    assert service.changes.unreadable == []
    assert service.open == ["payment_failed"]


def test_a_late_result_moved_by_a_fork_finds_its_transaction() -> None:
    """A result in the new epoch settles an ended but unsettled transaction of the one before."""
    story = paid("unknown", None)
    story.epoch += 1000
    story.tell("agent_started", 6, agent="1", cause="restart").payment(7, "accepted")
    story.receipt(8, "printed")
    service = folded(story)
    assert service.open == []
    assert len(service.transactions) == 1


def test_the_same_number_in_a_new_journal_is_another_transaction() -> None:
    """`tx` is unique per terminal and epoch only."""
    story = paid()
    story.epoch += 1000
    story.started(10).cash(11).payment(12, "declined").ended(13)
    assert folded(story).told == [("payment_failed", "a", "declined", 13.0, None, 1)]


def test_a_late_acceptance_opens_no_receipt_in_the_same_case() -> None:
    """Uncertain at the end, accepted later: one case, whose incident changes its rule."""
    service = folded(paid(None, None).payment(60, "accepted"))
    assert service.told == [
        ("no_receipt", "a", "unknown", 60.0, None, 1),
        ("payment_uncertain", "a", "no_result", 5.0, 60.0, 1),
    ]
    assert [case[1:] for case in service.cases] == [("a", "new")]
    assert len({id(one.case) for one in service.incidents}) == 1


@pytest.mark.parametrize(
    ("first", "then", "rules"),
    [
        ("declined", "unknown", ["payment_uncertain"]),
        ("unknown", "failed", ["payment_failed"]),
        ("accepted", "declined", ["payment_failed"]),
        ("failed", "accepted", ["no_receipt"]),
    ],
)
def test_a_case_does_not_end_between_two_incidents(first: str, then: str, rules: list[str]) -> None:
    """Where one incident takes over from another the case is not resolved for a moment."""
    service = folded(paid(first, None).payment(60, then))
    assert service.open == rules
    assert [case[2] for case in service.cases] == ["new"]
    assert "resolve" not in {entry.action for entry in service.ledger.cases[0].added}


def test_a_late_receipt_clears_and_the_untouched_case_resolves_itself() -> None:
    """The receipt printed later: incident cleared, case resolved with the reason."""
    service = folded(paid("accepted", "failed").receipt(60, "printed"))
    assert service.told == [("no_receipt", "a", "unknown", 5.0, 60.0, 1)]
    assert service.cases == [("no_receipt", "a", "resolved")]
    assert service.ledger.cases[0].added[-1].text


def test_a_touched_case_waits_for_its_person() -> None:
    """A case that a person has worked on, or that a customer asked about, stays as it is."""
    for touched, reported in ((True, False), (False, True)):
        story = paid("accepted", "failed")
        service = folded(story)
        service.ledger.cases[0].touched = touched
        service.ledger.cases[0].reported = reported
        service.fold(story.receipt(60, "printed").rows[-1:])
        assert service.open == []
        assert service.cases == [("no_receipt", "a", "new")]


@pytest.mark.parametrize("late", ["accepted", "returned"])
def test_a_failed_payment_clears_when_it_is_settled(late: str) -> None:
    """Money returned, or the payment accepted later (with its receipt), clears it."""
    story = paid("declined", "printed")
    if late == "accepted":
        story.payment(60, "accepted")
    else:
        story.returned(60)
    assert folded(story).told == [("payment_failed", "a", "declined", 5.0, 60.0, 1)]


def test_part_of_the_money_back_is_not_all() -> None:
    """Money kept is accepted less returned."""
    assert folded(paid("declined", None).returned(60, amount=49_999)).open == ["payment_failed"]


def test_the_last_result_counts_and_reopens() -> None:
    """Declined after accepted reopens the same incident and its case; its count goes up."""
    story = paid("declined", "printed").payment(60, "accepted").payment(90, "declined")
    service = folded(story)
    assert service.told == [("payment_failed", "a", "declined", 5.0, None, 2)]
    assert service.cases == [("payment_failed", "a", "open")]


def test_cash_for_an_unknown_transaction_opens_it() -> None:
    """A note found after a power cut is a transaction, judged at the next end."""
    story = Story().cash(1, tx="recovered-1").tell("agent_started", 2, agent="1", cause="restart")
    assert [row[:3] for row in folded(story).told] == [
        ("payment_uncertain", "recovered-1", "no_result")
    ]


def test_a_late_note_reopens_the_question() -> None:
    """Cash that arrives after the end is judged at once."""
    story = Story().started(1).ended(2).cash(3)
    assert folded(story).told == [("payment_uncertain", "a", "no_result", 3.0, None, 1)]


def test_hostile_amounts_saturate() -> None:
    """Any number of largest amounts stays within what the database holds."""
    story = Story().started(1)
    for number in range(3000):
        story.cash(2 + number, amount=2**53)
    story.ended(9000)
    service = folded(story)
    [tx] = service.transactions.values()
    assert 0 < tx.accepted < 2**63
    assert service.open == ["payment_uncertain"]


def test_the_printers_trouble_is_the_cause_where_the_receipt_names_none() -> None:
    """No receipt result at all while the paper is out: the cause is the paper."""
    story = Story().device(0, paper="out").started(1).cash(2).payment(3, "accepted").ended(5)
    assert ("no_receipt", "a", "paper_out", 5.0, None, 1) in folded(story).told


def test_proof_names_the_events() -> None:
    """An incident's proof is the positions of cash, results and end."""
    service = folded(paid("accepted", "failed"))
    assert service.incidents[0].finding.proof == tuple((Story().epoch, seq) for seq in (2, 3, 4, 5))


@pytest.mark.parametrize("kind", ["quarantined", "unheard_of", "fault", "service_action"])
def test_what_no_rule_knows_folds_harmlessly(kind: str) -> None:
    """Quarantined and unknown kinds change nothing but the position."""
    story = Story().started(1).cash(2).tell(kind, 3, reason="x")
    service = folded(story)
    assert service.told == []
    assert service.state.next == 4


def test_a_lost_range_is_a_gap_and_proves_nothing() -> None:
    """Events lost inside a transaction: a journal_gap, but no guess about the money."""
    story = Story().started(1).cash(2).tell("journal_lost", 3, through=9).started(20, tx="b")
    service = folded(story)
    assert service.told == [("journal_gap", "", None, 3.0, None, 1)]
    assert service.state.next == 11


def test_what_follows_a_lost_range_proves_again() -> None:
    """A result after the gap is known: declined with money inside is an incident."""
    story = Story().started(1).cash(2).tell("journal_lost", 3, through=9)
    story.payment(20, "declined").ended(21)
    assert folded(story).open == ["journal_gap", "payment_failed"]


def test_a_second_gap_counts_on_the_open_one() -> None:
    """One open incident per terminal and rule."""
    story = Story().tell("journal_lost", 1, through=4).tell("journal_lost", 9, through=12)
    assert folded(story).told == [("journal_gap", "", None, 1.0, None, 2)]


def test_many_open_transactions_are_bounded() -> None:
    """A journal that opens transactions without end cannot grow the state without bound."""
    story = Story()
    for number in range(100):
        story.cash(number, tx=f"t{number}")
    service = folded(story)
    assert len(service.state.open) == 16
    assert len(service.open) == 84


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("cash_accepted", {"tx": "a", "amount": "many"}),
        ("payment_result", {"tx": "a"}),
        ("transaction_started", {"tx": ["a"]}),
        ("clock_stepped", {"step_ms": None}),
        ("device_changed", {}),
        ("journal_lost", {"through": "x"}),
    ],
)
def test_a_row_that_no_rule_can_read_stops_nothing(kind: str, body: dict[str, object]) -> None:
    """It is named among the unreadable, and what follows is folded."""
    story = Story().started(1).cash(2)
    story.rows.append((story.epoch, 3, kind, story.rows[-1][3] + 1000, 0, {"kind": kind, **body}))
    service = folded(story)
    assert service.changes.unreadable == [(story.epoch, 3)]
    assert service.state.next == 4


def test_the_tail_of_an_older_epoch_is_ended_by_the_next_event_of_the_larger() -> None:
    """Events of an old disk that come late are its own transactions, judged like any other."""
    story = Story()
    story.epoch += 1000
    story.tell("agent_started", 1, agent="1", cause="power_on")
    story.epoch -= 1000
    story.started(2).cash(3)
    assert folded(story).told == []
    story.epoch += 1000
    story.tell("fault", 9, component="x")
    assert folded(story).told == [("payment_uncertain", "a", "no_result", 9.0, None, 1)]
