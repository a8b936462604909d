"""How the terminal is now: when to say it, and what to say (contract, section 4)."""

from collections.abc import Iterable
from dataclasses import dataclass

from agent import VERSION
from agent.devices.machine import DeviceState, Instant
from wire.journal import Epoch
from wire.limits import PULSE_INTERVAL_S
from wire.pulse import DeviceNow, Pulse


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the journal stands."""

    epoch: Epoch
    next: int
    unacked: int


class Pulsing:
    """Keeps the beat of one run of the agent."""

    def __init__(self, *, boot: str, interval_s: int, now: Instant) -> None:
        """Begin a run; the first pulse is due at once."""
        self.boot = boot
        self._interval_s, self._started = interval_s, now
        self._due = now

    def deadline(self) -> Instant:
        """Return when the next pulse is due."""
        return self._due

    def hasten(self, now: Instant) -> None:
        """Make the next pulse due now: a device has changed, or the line is up."""
        self._due = min(self._due, now)

    def build(
        self,
        position: Position,
        devices: Iterable[DeviceState],
        *,
        at: int,
        now: Instant,
        disk_free_mb: int | None,
    ) -> Pulse:
        """Return the pulse for now; the next is due an interval later."""
        self._due = Instant(now + self._interval_s)
        return Pulse(
            at=at,
            epoch=position.epoch,
            next=position.next,
            unacked=position.unacked,
            boot=self.boot,
            uptime_s=int(now - self._started),
            interval_s=None if self._interval_s == PULSE_INTERVAL_S else self._interval_s,
            devices={
                each.device: DeviceNow(status=each.status, paper=each.paper, storage=each.storage)
                for each in devices
            },
            disk_free_mb=disk_free_mb,
            agent=VERSION,
        )
