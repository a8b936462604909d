"""A device's state by the journal, and the hold between a condition and its incident.

Laws of `Hold`: `bad_since` is set while the device is bad and no incident is open; `good_since`
while it is good and one is open; neither moves but by an event or a step of the clock. Time only
ripens them (`ripen`). `told` is false while a publication waits for the end of a backlog.
"""

from dataclasses import dataclass, replace
from typing import Any

from incidents.findings import Finding, Ms, Position, bounded
from incidents.rules.devices import RULE_OF, SAYS_NOTHING, badness
from incidents.thresholds import Thresholds


@dataclass(slots=True)
class Device:
    """What was last said of a device, and of each aspect the last that said something."""

    status: str
    paper: str | None
    storage: str | None
    cause: str | None
    code: str | None
    since: Ms
    known_status: str | None
    known_paper: str | None
    known_storage: str | None

    @property
    def bad(self) -> str | None:
        """The cause if the device is bad."""
        cause = badness(self.known_status, self.known_paper, self.known_storage)
        named = None if self.cause == "unknown" else self.cause
        return None if cause is None else named or cause

    @property
    def good(self) -> bool:
        """Whether the device is known to be well."""
        return self.known_status is not None and self.bad is None


def device_after(before: Device | None, body: dict[str, Any], at: Ms) -> Device:
    """Return the device's state after an event; a value that says nothing leaves the known one."""
    status, paper, storage = body["status"], body.get("paper"), body.get("storage")
    cause, code = body.get("cause"), body.get("code")
    mute = status in SAYS_NOTHING
    same = before is not None and (status, paper, storage, cause, code) == (
        before.status,
        before.paper,
        before.storage,
        before.cause,
        before.code,
    )
    return Device(
        status=status,
        paper=paper,
        storage=storage,
        cause=cause,
        code=code,
        since=before.since if same and before else at,
        known_status=_known(status, before.known_status if before else None),
        known_paper=_known(paper, before.known_paper if before else None, mute=mute),
        known_storage=_known(storage, before.known_storage if before else None, mute=mute),
    )


def _known(said: str | None, before: str | None, *, mute: bool = False) -> str | None:
    """Return what is known after this; a mute device's missing value says nothing either."""
    return before if said in SAYS_NOTHING or (mute and said is None) else said


@dataclass(slots=True)
class Hold:
    """What waits between a device's condition and its incident."""

    bad_since: Ms | None = None
    good_since: Ms | None = None
    cause: str = "unknown"
    position: Position = (0, 0)
    incident: Finding | None = None
    closed_at: Ms | None = None
    told: bool = True

    @property
    def waiting(self) -> bool:
        """Whether time alone can change something."""
        return self.bad_since is not None or self.good_since is not None or not self.told

    @property
    def is_open(self) -> bool:
        """Whether its incident is open."""
        return self.incident is not None and self.incident.cleared_at is None

    def turn(self, device: Device, *, at: Ms, position: Position) -> None:
        """Take the device's state; call after `ripen` with the same time."""
        bad = device.bad
        if bad is not None:
            if self.is_open:
                self.good_since = None
            elif self.bad_since is None:
                self.bad_since, self.cause, self.position = at, bad, position
        elif device.good:
            if self.is_open:
                self.good_since = at if self.good_since is None else self.good_since
            else:
                self.bad_since = None

    def shift(self, step: Ms) -> None:
        """Move what waits with the terminal's clock."""
        self.bad_since = None if self.bad_since is None else self.bad_since + step
        self.good_since = None if self.good_since is None else self.good_since + step
        self.closed_at = None if self.closed_at is None else self.closed_at + step


def ripen(hold: Hold, subject: str, now: Ms, numbers: Thresholds) -> None:
    """Open or clear what has held long enough at `now`."""
    held = int(numbers.hold_s * 1000)
    if hold.bad_since is not None and now - hold.bad_since >= held:
        hold.incident = _opened(hold, subject, numbers)
        hold.bad_since = hold.closed_at = None
        hold.told = False
    elif hold.good_since is not None and hold.incident and now - hold.good_since >= held:
        hold.incident = replace(hold.incident, cleared_at=hold.good_since)
        hold.closed_at, hold.good_since = hold.good_since, None
        hold.told = False


def _opened(hold: Hold, subject: str, numbers: Thresholds) -> Finding:
    since = hold.bad_since or 0
    last = hold.incident
    window = int(numbers.reopen_window_s * 1000)
    if last is not None and hold.closed_at is not None and since - hold.closed_at <= window:
        return replace(
            last,
            cause=hold.cause,
            cleared_at=None,
            times=last.times + 1,
            proof=bounded((*last.proof, hold.position), numbers.proof_max),
        )
    rule = RULE_OF[subject]
    return Finding(
        rule=rule.name,
        epoch=None,
        subject=subject,
        cause=hold.cause,
        severity=rule.severity,
        opened_at=since,
        cleared_at=None,
        times=1,
        proof=(hold.position,),
    )


def forgotten(hold: Hold, now: Ms, numbers: Thresholds) -> bool:
    """Whether the hold says nothing any more: nothing waits and the reopen window is over."""
    if hold.waiting or hold.is_open:
        return False
    return hold.closed_at is None or now - hold.closed_at > int(numbers.reopen_window_s * 1000)
