"""Silence, its hours and its grace; what it says of money; clashes, health, cases, calendar."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from incidents import clash
from incidents.calendar import ANNOUNCED, announced, due, zone
from incidents.cases import TRANSITIONS, Case, CaseState, Move, moves
from incidents.findings import Finding
from incidents.health import health
from incidents.silence import Heard, Hours, is_silent, judge, was_set
from incidents.times import instant, ms
from tests.unit.incidents.incidents_story import NUMBERS, START, TERMINAL, Service, Story

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MOVES: tuple[Move, ...] = ("take", "ask_customer", "answered", "resolve", "close", "reopen")
ALWAYS = Hours(zone=zone("Europe/Moscow"))


def heard(seconds_ago: float, *, interval: int = 60, listening: float | None = 86_400) -> Heard:
    """Return what was heard so long before noon."""
    since = None if listening is None else NOON - timedelta(seconds=listening)
    return Heard(
        at=NOON - timedelta(seconds=seconds_ago), interval_s=interval, listening_since=since
    )


@pytest.mark.parametrize(
    ("what", "silent"),
    [
        (heard(180), False),
        (heard(181), True),
        (heard(181, interval=300), False),
        (heard(901, interval=300), True),
        (heard(9000, listening=119), False),
        (heard(9000, listening=180), False),
        (heard(9000, listening=181), True),
        (heard(9000, listening=None), False),
    ],
)
def test_silent_after_three_intervals_in_which_somebody_listened(
    what: Heard, *, silent: bool
) -> None:
    """Three of its own intervals, counted from the last hearing or the start of listening."""
    assert is_silent(what, ALWAYS, NOON, NUMBERS) is silent


@pytest.mark.parametrize(
    ("seconds", "instants", "moved"),
    [(5, 5, False), (60, 60, False), (20, 5, False), (3600, 5, True), (-3600, 5, True)],
)
def test_our_clock_is_known_to_have_been_set(
    seconds: float, instants: float, *, moved: bool
) -> None:
    """It and the clock that only goes on differ by more than a look at it takes."""
    after = (NOON + timedelta(seconds=seconds), 100 + instants)
    assert was_set((NOON, 100.0), after, NUMBERS) is moved


@pytest.mark.parametrize(
    ("opens", "closes", "silent"),
    [
        (time(10), time(15), False),  # closed: it is 15:00 in Moscow
        (time(10), time(15, 1), True),
        (time(14, 58), time(22), False),  # open for two minutes only
        (time(22), time(8), False),  # a night shop
        (time(14), time(2), True),
        (time(9), time(9), True),
        (None, time(9), True),
    ],
)
def test_a_closed_shop_is_not_silent(
    opens: time | None, closes: time | None, *, silent: bool
) -> None:
    """Hours are local; silence is counted from today's opening."""
    hours = Hours(zone=zone("Europe/Moscow"), opens=opens, closes=closes)
    assert is_silent(heard(40_000), hours, NOON, NUMBERS) is silent


def falls_silent(service: Service, at: float) -> None:
    """Let the terminal be silent, last heard at this second."""
    hear(service, at, silent=True)


def hear(service: Service, at: float, *, silent: bool = False) -> None:
    """Judge the terminal as last heard at this second."""
    heard_at = Heard(at=instant(START + int(at * 1000)), interval_s=60, listening_since=None)
    left = [service.transactions[one.epoch, one.tx] for one in service.state.open]
    service.state, findings = judge(service.state, heard_at, silent=silent, transactions=left)
    for finding in findings:
        service.ledger.record(TERMINAL, finding)


def test_silence_opens_once_and_closes_when_heard() -> None:
    """Opened at the time last heard, cleared at the next; no case."""
    service = Service().fold(Story().started(1).cash(2).returned(3).rows)
    falls_silent(service, 4)
    falls_silent(service, 4)
    hear(service, 500)
    hear(service, 501)
    assert service.told == [("terminal_silent", "", None, 4.0, 500.0, 1)]
    assert service.cases == []


def silent_with_money() -> tuple[Story, Service]:
    """Return a terminal that fell silent with 500.00 inside."""
    story = Story().started(1).cash(2)
    service = Service().fold(story.rows)
    falls_silent(service, 3)
    return story, service


def test_silence_with_money_inside_is_provisional() -> None:
    """A warning, marked, without a case until 30 minutes have passed."""
    _, service = silent_with_money()
    uncertain = service.incidents[1].finding
    assert (uncertain.rule, uncertain.severity, uncertain.provisional) == (
        "payment_uncertain", "warning", True,
    )  # fmt: skip
    assert service.cases == []
    service.ledger.open_overdue(TERMINAL)
    assert service.cases == []
    service.ledger.now += timedelta(minutes=30)
    service.ledger.open_overdue(TERMINAL)
    assert service.cases == [("payment_uncertain", "a", "new")]


@pytest.mark.parametrize("with_case", [False, True])
def test_a_good_end_withdraws_it(*, with_case: bool) -> None:
    """The incident is gone, and its case resolves itself without a public word."""
    story, service = silent_with_money()
    if with_case:
        service.ledger.now += timedelta(minutes=31)
        service.ledger.open_overdue(TERMINAL)
    hear(service, 900)
    before = len(story.rows)
    story.payment(4, "accepted").receipt(5, "printed").ended(6)
    service.fold(story.rows[before:])
    assert service.told == [("terminal_silent", "", None, 3.0, 900.0, 1)]
    assert service.state.provisional == []
    for case in service.ledger.cases:
        assert case.state == "resolved"
        assert not any(entry.public for entry in case.added)


@pytest.mark.parametrize("with_case", [False, True])
def test_a_bad_end_makes_it_firm(*, with_case: bool) -> None:
    """The same incident, critical, with the time of the end and one case."""
    story, service = silent_with_money()
    if with_case:
        service.ledger.now += timedelta(minutes=31)
        service.ledger.open_overdue(TERMINAL)
    service.fold(story.ended(900).rows[-1:])
    uncertain = service.incidents[1].finding
    assert (uncertain.provisional, uncertain.severity) == (False, "critical")
    assert service.told[0] == ("payment_uncertain", "a", "no_result", 900.0, None, 1)
    assert service.cases == [("payment_uncertain", "a", "new")]


def test_a_declined_payment_replaces_it() -> None:
    """Declined at the end: payment_failed stands, the provisional one is gone."""
    story, service = silent_with_money()
    before = len(story.rows)
    service.fold(story.payment(4, "declined").ended(5).rows[before:])
    assert [row[0] for row in service.told] == ["payment_failed", "terminal_silent"]


def test_a_customer_who_is_still_there_withdraws_it() -> None:
    """Heard again with nothing held back and the payment still open: it was only the network."""
    story, service = silent_with_money()
    service.fold([], story.pulse(900))
    assert "payment_uncertain" in service.open
    hear(service, 900)
    service.fold([], story.pulse(900))
    assert service.open == []


def row(evidence: Any, *, last: float, previous: float | None = None) -> clash.Clash:
    """Return evidence, in hours after noon."""
    before = None if previous is None else NOON + timedelta(hours=previous)
    last_at = NOON + timedelta(hours=last)
    return clash.Clash(
        epoch=1, evidence=evidence, seq=7, first_at=before or last_at,
        previous_at=before, last_at=last_at,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "cleared", "cause"),
    [
        ([row("fork", last=0)], None, "fork"),
        ([row("old_epoch", last=0)], None, None),
        ([row("old_epoch", previous=0, last=24)], None, "old_epoch"),
        ([row("old_epoch", previous=0, last=24.1)], None, None),
        ([row("fork", last=0)], 1.0, None),
        ([row("fork", last=2, previous=0)], 1.0, "fork"),
        ([row("old_epoch", previous=0, last=2)], 1.0, None),
        ([row("old_epoch", previous=2, last=3)], 1.0, "old_epoch"),
        ([], None, None),
    ],
)
def test_what_is_a_clash(rows: list[clash.Clash], cleared: float | None, cause: str | None) -> None:
    """A fork at once, an old epoch when it moved twice within 24 h; never what is cleared."""
    cleared_at = None if cleared is None else NOON + timedelta(hours=cleared)
    finding = clash.judge(rows, cleared_at=cleared_at, numbers=NUMBERS)
    assert (finding.cause if finding else None) == cause


@pytest.mark.parametrize(
    ("rules", "heard_at", "devices", "word"),
    [
        ([], NOON, [], "ok"),
        ([], None, [], "unknown"),
        (["terminal_silent", "printer_unavailable"], NOON, [], "silent"),
        (["printer_unavailable"], NOON, [], "down"),
        (["acceptor_unavailable"], NOON, [], "down"),
        (["no_receipt"], NOON, [], "attention"),
        ([], NOON, [("receipt_printer", "online", "out", None)], "attention"),
        ([], NOON, [("receipt_printer", "online", "full", None)], "ok"),
        ([], NOON, [("display", "offline", None, None)], "ok"),
    ],
)
def test_health(rules: list[str], heard_at: datetime | None, devices: Any, word: str) -> None:
    """One word for how a terminal is."""
    assert health(rules, heard_at=heard_at, devices=devices) == word


@pytest.mark.parametrize(
    ("opened", "zone_name", "day"),
    [
        (datetime(2026, 11, 23, 9, tzinfo=UTC), "Europe/Moscow", "2026-11-30"),
        (datetime(2026, 11, 23, 21, tzinfo=UTC), "Europe/Moscow", "2026-12-01"),
        (datetime(2026, 11, 23, 13, tzinfo=UTC), "Asia/Vladivostok", "2026-11-30"),
        (datetime(2026, 11, 23, 14, tzinfo=UTC), "Asia/Vladivostok", "2026-12-01"),
        (datetime(2026, 11, 23, 9, tzinfo=UTC), "Nowhere/None", "2026-11-30"),
        # Saturday 1 November works, Monday and Tuesday do not.
        (datetime(2025, 10, 30, 9, tzinfo=UTC), None, "2025-11-07"),
        (datetime(2026, 12, 30, 9, tzinfo=UTC), None, "2027-01-15"),
    ],
)
def test_due_is_the_end_of_the_fifth_working_day(
    opened: datetime, zone_name: str | None, day: str
) -> None:
    """Counted from the day after, in the terminal's zone, by the production calendar."""
    end = due(opened, zone_name=zone_name, working_days=5)
    local = end.at.astimezone(zone(zone_name))
    assert (local.date().isoformat(), local.hour, local.minute) == (day, 23, 59)


def test_a_working_saturday_works_and_a_year_nobody_knows_is_a_guess() -> None:
    """Transferred days count; without data the day is given, and said to be a guess."""
    assert ANNOUNCED.is_working_day(datetime(2025, 11, 1, tzinfo=UTC).date())
    assert announced(2026)
    assert due(datetime(2031, 3, 3, tzinfo=UTC), zone_name=None, working_days=5).guessed == (2031,)


def test_a_guessed_due_day_is_said_in_the_history() -> None:
    """A case of a year without data still opens."""
    service = Service()
    service.ledger.now = datetime(2031, 3, 3, tzinfo=UTC)
    service.fold(Story().started(1).cash(2).ended(3).rows)
    assert [entry.action for entry in service.ledger.cases[0].added] == [
        "opened", "due_guessed", "incident_opened",
    ]  # fmt: skip


def test_a_case_moves_by_its_table_only() -> None:
    """Every move that the table does not name changes nothing."""
    states: tuple[CaseState, ...] = ("new", "open", "waiting_customer", "resolved", "closed")
    for state in states:
        for move in MOVES:
            case = Case(
                number="K-2026-000001", topic="no_receipt", state=state, terminal="T", epoch=1,
                tx="a", opened_at=NOON, due_at=NOON,
            )  # fmt: skip
            after = TRANSITIONS.get((state, move))
            assert case.move(move, at=NOON, actor="user:1") is (after is not None)
            assert case.state == (after or state)
            assert (move in moves(state)) is (after is not None)


def test_a_finding_and_its_moment_keep_milliseconds() -> None:
    """Times go to the database and back unchanged."""
    assert ms(instant(START + 1)) == START + 1
    assert instant(10**30).year == 9999
    assert Finding.__slots__
