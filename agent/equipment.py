"""The kiosk's devices as the app sees them: taking notes, printing, and what they report."""

import selectors
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.devices.machine import Instant, Output
from agent.kiosk import Equipment


class Equipped:
    """No devices yet: the line door is not here."""

    def __init__(self) -> None:
        """Have nothing."""
        self.equipment = Equipment()

    def start(self, now: Instant) -> None:
        """Open the lines."""

    def stop(self, now: Instant) -> None:
        """Take no more notes and close the lines."""

    def deadline(self) -> Instant | None:
        """Return when `elapsed` must be called."""
        return None

    def elapsed(self, now: Instant) -> None:
        """Let the machines note the time."""

    def take_notes(self, now: Instant, *, enabled: bool) -> None:
        """Enable or disable the acceptor."""

    def print_receipt(self, job: str, text: str, now: Instant) -> None:
        """Print."""


def equip(
    _tables: Sequence[Mapping[str, Any]],
    _selector: selectors.BaseSelector,
    _report: Callable[[Output], None],
    *,
    memory: tuple[int, str] | None,
) -> Equipped:
    """Return the devices that the settings name."""
    del memory
    return Equipped()
