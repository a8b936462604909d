"""When a mail that was not taken is tried again, and when never again."""

import random
from datetime import timedelta
from typing import Final

FIRST: Final = timedelta(minutes=1)
MOST: Final = timedelta(hours=4)
DOUBLINGS_MAX: Final = 16
JITTER: Final = 0.2
"""Of the wait, to either side: mails that failed together do not come back together."""
GIVE_UP: Final = timedelta(days=3)
"""After its writing."""


def wait(tries: int, *, mail: int) -> timedelta:
    """Return how long a mail waits after so many tries; the same mail always waits the same."""
    doubled = FIRST
    for _ in range(1, min(tries, DOUBLINGS_MAX)):
        doubled *= 2
    doubled = min(doubled, MOST)
    spread = random.Random(f"{mail} {tries}")  # noqa: S311 - to part them, not to hide anything
    return doubled * spread.uniform(1 - JITTER, 1 + JITTER)


def is_over(age: timedelta, *, tries: int, mail: int) -> bool:
    """Return whether a mail of this age that failed again is given up."""
    return age + wait(tries, mail=mail) > GIVE_UP
