"""Holds, reopen window, backlog and clocks of the device rules, as examples."""

import pytest

from incidents.rules.devices import badness
from tests.unit.incidents.incidents_story import Service, Story, folded


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ({"status": "offline"}, "offline"),
        ({"status": "power_off"}, "power"),
        ({"status": "no_device"}, "offline"),
        ({"status": "hardware_error"}, "hardware"),
        ({"status": "hardware_error", "cause": "cutter"}, "cutter"),
        ({"status": "user_error", "cause": "cover_open"}, "cover_open"),
        ({"status": "fraud_attempt"}, "cheated"),
        ({"paper": "out"}, "paper_out"),
        ({"paper": "jammed"}, "paper_jammed"),
        ({"storage": "full"}, "cassette_full"),
        ({"storage": "missing"}, "cassette_missing"),
        ({"storage": "inoperative"}, "hardware"),
    ],
)
def test_bad_for_its_hold_time_is_an_incident(state: dict[str, str], cause: str) -> None:
    """What the design calls bad opens after 60 s, at the time it began, with a work order."""
    story = Story().device(10, **state).tell("fault", 70, component="x")
    service = folded(story)
    assert service.told == [("printer_unavailable", "receipt_printer", cause, 10.0, None, 1)]
    assert service.cases == [("work_order", None, "new")]


@pytest.mark.parametrize(
    "state",
    [{"status": "starting"}, {"status": "device_busy"}, {"status": "unknown"}, {"paper": "low"},
     {"paper": "unknown"}, {"status": "potential_fraud"}, {"storage": "high"}],
)  # fmt: skip
def test_what_is_not_bad_opens_nothing(state: dict[str, str]) -> None:
    """Busy, starting, unknown and low are no incidents of these rules."""
    assert folded(Story().device(10, **state).tell("fault", 999, component="x")).told == []


def test_less_than_the_hold_time_is_nothing() -> None:
    """Good again after 59 s: nobody hears of it."""
    assert folded(Story().device(10, paper="out").device(69, paper="full").device(200)).told == []


def test_it_clears_after_being_good_for_the_hold_time() -> None:
    """Cleared at the time it began to be good."""
    story = Story().device(10, paper="out").device(200, paper="full").tell("fault", 260)
    service = folded(story)
    assert service.told == [("printer_unavailable", "receipt_printer", "paper_out", 10.0, 200.0, 1)]


def test_a_flicker_does_not_clear() -> None:
    """Good for less than the hold time leaves the incident open, uncounted."""
    story = Story().device(10, paper="out").device(200, paper="full").device(230, paper="out")
    story.tell("fault", 999)
    assert [row[3:] for row in folded(story).told] == [(10.0, None, 1)]


@pytest.mark.parametrize(("again", "told"), [(2000, [(10.0, None, 2)]), (2001, None)])
def test_the_reopen_window(again: float, told: object) -> None:
    """Bad again within 30 minutes of being good: the same incident; later: another."""
    story = Story().device(10, paper="out").device(200, paper="full").tell("fault", 300)
    story.device(again, paper="jammed").tell("fault", again + 60)
    service = folded(story)
    expected = told or [(10.0, 200.0, 1), (2001.0, None, 1)]
    assert sorted(row[3:] for row in service.told) == expected


def test_unknown_after_bad_changes_nothing() -> None:
    """Busy and unknown leave a device bad; paper unknown leaves the paper out."""
    story = Story().device(10, paper="out").device(20, status="unknown", paper="unknown")
    assert [row[3:] for row in folded(story.tell("fault", 80)).told] == [(10.0, None, 1)]


@pytest.mark.parametrize("status", ["starting", "device_busy", "unknown"])
def test_a_device_that_says_nothing_is_not_good_again(status: str) -> None:
    """Without a word about paper such a status leaves the paper out: nothing clears by silence."""
    story = Story().device(10, paper="out").device(20, status=status).tell("fault", 80)
    assert [row[3:] for row in folded(story).told] == [(10.0, None, 1)]
    story.device(100, status=status).tell("fault", 500)
    assert [row[3:] for row in folded(story).told] == [(10.0, None, 1)]
    story.device(600).tell("fault", 700)
    assert [row[3:] for row in folded(story).told] == [(10.0, 600.0, 1)]


def test_the_acceptors_share_a_rule_and_not_a_subject() -> None:
    """Note and coin acceptor are two subjects of one rule, one work order of the terminal."""
    story = Story().device(1, "note_acceptor", status="offline")
    story.device(2, "coin_acceptor", status="offline").device(3, "modem", status="offline")
    service = folded(story.tell("fault", 90))
    assert [row[:2] for row in service.told] == [
        ("acceptor_unavailable", "coin_acceptor"),
        ("acceptor_unavailable", "note_acceptor"),
    ]
    assert service.cases == [("work_order", None, "new")]


def test_time_passes_by_a_pulse_that_proves_it() -> None:
    """A pulse with our next and nothing unacknowledged opens what has held; no other does."""
    story = Story().device(10, paper="out")
    service = Service().fold(story.rows)
    service.fold([], story.pulse(100, unacked=1))
    assert service.told == []
    behind = story.pulse(100)
    service.fold([], type(behind)(**{**_fields(behind), "next": behind.next + 1}))
    assert service.told == []
    service.fold([], story.pulse(69.9))
    assert service.told == []
    service.fold([], story.pulse(70))
    assert [row[3:] for row in service.told] == [(10.0, None, 1)]


def _fields(pulse: object) -> dict[str, int]:
    return {
        name: getattr(pulse, name) for name in ("epoch", "next", "unacked", "at", "received_at")
    }


def test_in_a_backlog_nothing_opens_until_it_is_through() -> None:
    """Events an hour late open nothing; the pulse that ends the backlog opens what still holds."""
    story = Story().device(10, paper="out", received=4000)
    story.tell("fault", 200, received=4000)
    service = Service().fold(story.rows)
    assert service.told == []
    service.fold([], story.pulse(3990, received=4000))
    assert [row[3:] for row in service.told] == [(10.0, None, 1)]


def test_what_was_over_in_a_backlog_is_closed_and_sends_nobody() -> None:
    """A condition that began and ended in the backlog: a closed incident, no work order."""
    story = Story().device(10, paper="out", received=4000).device(500, paper="full", received=4000)
    service = folded(story.tell("fault", 600, received=4000))
    assert [row[3:] for row in service.told] == [(10.0, 500.0, 1)]
    assert service.cases == []


def test_unacknowledged_events_are_a_backlog_too() -> None:
    """While the newest pulse says that more is to come, what holds is not told."""
    story = Story().device(10, paper="out")
    more = story.pulse(11, unacked=5)
    story.tell("fault", 80)
    service = Service().fold(story.rows, more)
    assert service.told == []
    service.fold([], story.pulse(90))
    assert [row[3:] for row in service.told] == [(10.0, None, 1)]


def test_a_slow_clock_is_no_backlog() -> None:
    """Lateness is judged by the terminal's own clock, known from its pulse."""
    story = Story().device(10, paper="out", received=3610).tell("fault", 80, received=3680)
    service = Service().fold(story.rows, story.pulse(5, received=3605, unacked=0))
    assert [row[3:] for row in service.told] == [(10.0, None, 1)]


def test_a_step_of_the_clock_moves_what_waits() -> None:
    """Bad, the clock set forward an hour, good 5 s later: it was bad for 5 s."""
    story = Story().device(10, paper="out").tell("clock_stepped", 3615, step_ms=3_600_000)
    story.device(3620, paper="full").tell("fault", 9000)
    assert folded(story).told == []


def test_a_clock_set_back_does_not_stop_time() -> None:
    """Bad, the clock set back an hour: it opens 60 s later by the new clock."""
    story = Story().device(4000, paper="out").tell("clock_stepped", 410, step_ms=-3_600_000)
    story.tell("fault", 459)
    assert folded(story).told == []
    assert [row[3] for row in folded(story.tell("fault", 460)).told] == [400.0]


def test_a_clock_set_back_unseen_and_put_right_does_not_stop_time() -> None:
    """The step forward undoes one that nobody told of: rule time is not ahead of the clock."""
    story = Story().tell("fault", 10_000).tell("fault", 2_000)
    story.tell("clock_stepped", 10_010, step_ms=8_000_000).device(10_020, paper="out")
    assert [row[3] for row in folded(story.tell("fault", 10_080)).told] == [10_020.0]


def test_a_start_takes_the_clock_as_it_is() -> None:
    """Nobody saw the clock go back while the agent was off: what waits goes on from there."""
    story = Story().device(10_000, paper="out")
    story.tell("agent_started", 2_000, agent="1", cause="power_on").tell("fault", 2_059)
    assert folded(story).told == []
    assert [row[3] for row in folded(story.tell("fault", 2_060)).told] == [2_000.0]


def test_time_never_goes_back_by_itself() -> None:
    """An unreported jump back neither opens nor clears, and does not shorten a hold."""
    story = Story().tell("fault", 1000).device(10, paper="out").tell("fault", 1059)
    assert folded(story).told == []
    assert [row[3] for row in folded(story.tell("fault", 1060)).told] == [1000.0]


def test_nothing_passes_while_the_clock_changes_its_trust() -> None:
    """Between a trusted and an untrusted clock no time is taken to have passed."""
    story = Story().device(10, paper="out")
    story.tell("fault", 9000, clock="untrusted").device(9001, paper="full", clock="untrusted")
    assert folded(story.tell("fault", 9999, clock="untrusted")).told == []


def test_a_quarantined_event_does_not_move_time() -> None:
    """Its time is when we received it: in a backlog that is not when it happened."""
    story = Story().device(10, paper="out").tell("quarantined", 5000, reason="x")
    assert folded(story.device(15, paper="full").tell("fault", 300)).told == []


def test_an_older_epoch_says_nothing_of_devices() -> None:
    """Events of a smaller epoch after a larger one change no device."""
    story = Story()
    story.epoch += 1000
    story.device(10, paper="full")
    story.epoch -= 1000
    story.device(20, paper="out").tell("fault", 200)
    service = folded(story)
    assert service.told == []
    assert service.state.devices["receipt_printer"].paper == "full"


def test_what_is_bad_has_a_cause() -> None:
    """The tables of bad values and the function over them agree."""
    assert badness("online", "full", "ok") is None
    assert badness("online", "out", None) == "paper_out"


def test_a_reopened_device_reopens_its_work_order() -> None:
    """Resolved by itself, then bad again within the window: the same order is open again."""
    story = Story().device(10, paper="out").device(200, paper="full").tell("fault", 300)
    service = folded(story)
    assert service.cases == [("work_order", None, "resolved")]
    before = len(story.rows)
    service.fold(story.device(400, paper="out").tell("fault", 460).rows[before:])
    assert service.cases == [("work_order", None, "open")]
    assert service.told[0][5] == 2


def test_a_silent_aspect_is_as_before_and_a_shift_moves_what_clears() -> None:
    """Good, the clock set forward, 10 s later still not clear; 60 s later it is."""
    story = Story().device(10, paper="out").device(200, paper="full")
    story.tell("clock_stepped", 3800, step_ms=3_600_000).tell("fault", 3810)
    assert folded(story).open == ["printer_unavailable"]
    assert folded(story.tell("fault", 3860)).open == []
