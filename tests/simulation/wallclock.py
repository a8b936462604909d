"""A terminal's clock: it may be wrong by anything, and faults move it."""

from random import Random
from typing import Final

from tests.simulation.loop import World

FLAT_MS_MAX: Final = 60_000
"""A clock whose battery was flat stands within this after 1970."""


class WallClock:
    """Goes as the world does, from a time of its own."""

    def __init__(self, world: World) -> None:
        self.offset_ms = 0
        """How far it is ahead of the world's UTC."""
        self._world = world
        self._began_ms = round(world.utc().timestamp() * 1000 - world.now * 1000)

    def at(self) -> int:
        """Return its time, Unix ms, never before 1970."""
        return max(0, self._began_ms + int(self._world.now * 1000) + self.offset_ms)

    def begin_anew(self, random: Random) -> None:
        """Stand at 1970, as after a flat battery."""
        true_ms = self._began_ms + int(self._world.now * 1000)
        self.offset_ms = random.randrange(FLAT_MS_MAX) - true_ms
