from random import Random

from agent.devices.machine import Instant
from agent.patience import STEADY_S, Patience


def waits(*, held_s: float, most_s: float = 120.0) -> list[float]:
    """Return ten waits, between connections that last so long."""
    patience, now = Patience(most_s=most_s, random=Random(1)), 0.0
    found = []
    for _ in range(10):
        patience.connected(Instant(now))
        now += held_s
        found.append(patience.wait_s(Instant(now)))
        now += found[-1]
    return found


def test_a_broker_that_is_away_is_asked_ever_more_slowly() -> None:
    """To a limit, and half of each wait is chance."""
    patience = Patience(most_s=60.0, random=Random(1))
    found = [patience.wait_s(Instant(0.0)) for _ in range(10)]
    assert all(min(60, 2**n) / 2 <= wait <= min(60, 2**n) for n, wait in enumerate(found, 1))


def test_a_line_that_held_is_taken_up_again_at_once() -> None:
    """A dropped connection is no reason to be offline for minutes."""
    assert max(waits(held_s=STEADY_S)) <= 2.0


def test_clones_do_not_throw_each_other_out_every_second_for_ever() -> None:
    """Each connection is good, and over at once: another terminal has the same number."""
    assert waits(held_s=1.0)[-1] >= 60.0
