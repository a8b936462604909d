"""How long to wait before connecting again.

Only a connection that held begins the waits anew: two terminals under one number (a cloned disk)
throw each other out as soon as they are in, and would otherwise do so every second for ever.
"""

from random import Random
from typing import Final

from agent.devices.machine import Instant

STEADY_S: Final = 30.0
"""A connection that lasted so long was a good one."""


class Patience:
    """Counts what did not last: 2 s, 4, 8, … to a limit, half of each random."""

    def __init__(self, *, most_s: float, random: Random) -> None:
        """Begin without a failure."""
        self._most_s, self._random = most_s, random
        self._failures = 0
        self._since: Instant | None = None

    def connected(self, now: Instant) -> None:
        """Take note that a connection stands."""
        self._since = now

    def wait_s(self, now: Instant) -> float:
        """Return how long to wait, now that there is no connection."""
        since, self._since = self._since, None
        if since is not None and now - since >= STEADY_S:
            self._failures = 0
        self._failures += 1
        longest: float = min(self._most_s, 2.0 ** min(self._failures, 10))
        # Half of it random: a fleet must not come back in one second.
        return longest * (0.5 + self._random.random() / 2)
