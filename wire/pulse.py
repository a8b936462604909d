"""How a terminal is now: pulse and presence (contract, section 4)."""

from dataclasses import dataclass
from typing import Annotated

from wire.bounds import Count, Currency, Minor, Seq, SignedMinor, UnixMs, Within
from wire.vocabulary import Device, Paper, Status, Storage

Boot = Annotated[str, Within(characters=(1, 64))]
"""Names one run of the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNow:
    """A device's state at the moment of a pulse."""

    status: Status
    paper: Paper | None = None
    storage: Storage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How a terminal is now; `next` is the seq that the next event will get."""

    at: UnixMs
    epoch: UnixMs
    next: Seq
    unacked: Count
    boot: Boot
    uptime_s: Count | None = None
    interval_s: Annotated[int, Within(least=1, most=86_400)] | None = None
    devices: dict[Device, DeviceNow] | None = None
    paper_mm: Count | None = None
    notes: Count | None = None
    cash: Minor | None = None
    currency: Currency | None = None
    signal_dbm: SignedMinor | None = None
    disk_free_mb: Count | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Whether a run of the agent is connected; the last will says it is not."""

    online: bool
    boot: Boot
