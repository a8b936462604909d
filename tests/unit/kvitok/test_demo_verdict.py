"""What the demo is judged by: incidents, money, agents that stay."""

from typing import Any

import pytest

from firmware_sim.fleet import Progress
from firmware_sim.truth import Verdict
from kvitok.demo import fitted
from kvitok.verdict import Judgement, Money, Sum, money_of, told
from kvitok.watch import Counts

GOOD = Verdict(missed=(), made_up=(), duplicated=(), confirmed=3)


def row(terminal: str, tx: str, accepted: int, epoch: int = 1) -> dict[str, Any]:
    """Return a transaction as `GET /transactions` tells it."""
    return {"terminal": terminal, "tx": tx, "epoch": epoch, "accepted": accepted}


def judged(**changes: Any) -> Judgement:
    """Return a good run, or one that is not in what is given."""
    good: dict[str, Any] = {
        "verdict": GOOD,
        "money": Money(100, 100, ()),
        "drained": True,
        "unacked": 0,
        "crashes": 0,
    }
    return Judgement(**{**good, **changes})


def test_equal_sums_hold_also_over_two_epochs_and_without_strangers() -> None:
    """Epochs of one transaction add up; terminals that are not the fleet's do not count."""
    listed = [row("1", "a", 300), row("1", "a", 200, epoch=2), row("9", "z", 7), row("1", "b", 0)]
    assert money_of({("1", "a"): 500, ("1", "c"): 0}, listed) == Money(500, 500, ())


@pytest.mark.parametrize(
    ("accepted", "listed", "differs"),
    [
        ({("1", "a"): 500}, [], Sum("1", "a", 500, 0)),
        ({("1", "a"): 500}, [row("1", "a", 1000)], Sum("1", "a", 500, 1000)),
        ({("1", "a"): 0}, [row("1", "a", 0), row("1", "x", 50)], Sum("1", "x", 0, 50)),
    ],
)
def test_any_other_sum_is_named(
    accepted: dict[tuple[str, str], int], listed: list[dict[str, Any]], differs: Sum
) -> None:
    """Money that is missing, counted twice, or made up."""
    money = money_of(accepted, listed)
    assert money.differs == (differs,)
    assert any(str(differs) in line for line in told(judged(money=money)))


def test_a_good_run_holds() -> None:
    """And says so in its last line."""
    assert judged().holds
    assert list(told(judged()))[-1] == "everything injected was found, and nothing else"


@pytest.mark.parametrize(
    "changes",
    [
        {"crashes": 1},
        {"drained": False},
        {"unacked": 2},
        {"money": Money(500, 0, (Sum("1", "a", 500, 0),))},
        {"verdict": Verdict(missed=(), made_up=(), duplicated=(), confirmed=0), "crashes": 2},
    ],
)
def test_whatever_speaks_against_a_run_fails_it(changes: dict[str, Any]) -> None:
    """An agent that ended by itself, events that never arrived, money that differs."""
    assert not judged(**changes).holds
    assert "everything" not in " ".join(told(judged(**changes))).replace("not everything", "")


def test_a_small_screen_shows_both_sides() -> None:
    """Eighty columns hold the short words of a long run; more columns hold all words."""
    fleet = Progress(
        terminals=20, connected=19, transactions=999, faults=199, expected=299, unacked=1, crashes=0
    )
    service = Counts(
        events=9999, acknowledged=1, transactions=1, open_incidents=1, incidents=299, cases=199
    )
    assert fitted(fleet, service, 79) == (
        "19/20 up, 999 tx, 199 faults, 299 expected · 9999 events, 299 found, 199 cases"
    )
    assert "1 incident open (299 in all), 199 cases" in fitted(fleet, service, 200)
    assert "1 event not yet acked" in str(fleet)
    assert len(fitted(fleet, service, 50)) == 50
