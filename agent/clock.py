"""Notices that the wall clock was moved, by the clock that only ever goes on."""

from typing import Final

from agent.devices.machine import Instant

STEP_LEAST_MS: Final = 2_000
"""A smaller difference is a clock being disciplined, not moved."""


class ClockWatch:
    """Compares wall and monotonic time from one look to the next."""

    def __init__(self, *, at: int, now: Instant) -> None:
        """Begin with both clocks as they are."""
        self._offset_ms = at - now * 1000

    def step(self, *, at: int, now: Instant) -> int | None:
        """Return by how many milliseconds the wall clock was moved since the last look, if so."""
        offset_ms = at - now * 1000
        step, self._offset_ms = round(offset_ms - self._offset_ms), offset_ms
        return step if abs(step) > STEP_LEAST_MS else None
