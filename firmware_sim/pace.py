"""How fast and how badly a fleet lives, and what the judged service's thresholds are."""

from dataclasses import dataclass
from typing import Final

MARGIN: Final = 0.3
"""A duration this near to a threshold proves nothing either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Numbers of a run; those of the service must be the ones that `incidents` runs with."""

    hold_s: float = 60.0
    """The service's hold time of device rules: expectations are computed from it."""
    silence_grace_s: float = 120.0
    """Nobody is called silent within this time after a start of the service."""
    pulse_interval_s: float = 10.0
    """How often terminals pulse; three times this is silence."""
    gap_s: tuple[float, float] = (2.0, 8.0)
    """Between two customers of one terminal."""
    speed: float = 4.0
    """Customers, notes and motors move so many times faster than in life."""
    fault_share: float = 0.25
    """Probability that a light terminal's transaction is not simply good."""
    mishap_gap_s: tuple[float, float] = (5.0, 12.0)
    """Between two mishaps of one terminal (device faults, losses, garbage …)."""
    mishaps: bool = True
    light_mishaps: frozenset[str] | None = None
    """Those of `mishap.MISHAPS` that light terminals have; None: all of them, and silence."""

    def must_hold(self, lasted_s: float) -> bool | None:
        """Say if a device bad for so long must be found (True), may be (False), must not (None)."""
        if lasted_s >= (1 + MARGIN) * self.hold_s:
            return True
        return False if lasted_s > (1 - MARGIN) * self.hold_s else None
