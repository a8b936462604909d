"""The compact state of one terminal's fold, and its JSON.

Transactions are not in it: their rows are loaded for the events at hand. What is in it: where the
present journal stands, which transactions are open, the devices, what waits, what silence said.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from incidents.devices import Device, Hold
from incidents.findings import Finding, Ms

EPOCHS_MAX: Final = 4
"""Older epochs remembered, to apply what a fork moved to the transaction it belongs to."""


@dataclass(slots=True)
class Open:
    """A transaction that no event has ended; `home` is the epoch whose events end it."""

    home: int
    epoch: int
    tx: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseSeen:
    """What the fold needs of the newest pulse; `received_at` is the service's clock."""

    epoch: int
    next: int
    unacked: int
    at: Ms
    received_at: Ms


@dataclass(slots=True)
class State:
    """Everything that a fold carries from one event to the next."""

    epoch: int = 0
    next: int = 1
    older: list[int] = field(default_factory=list)
    now: Ms = 0
    trusted: bool = True
    late: bool = False
    unacked: bool = False
    lag: Ms = 0
    open: list[Open] = field(default_factory=list)
    devices: dict[str, Device] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    silent_since: Ms | None = None
    provisional: list[Finding] = field(default_factory=list)

    @property
    def backlog(self) -> bool:
        """Whether the terminal is known to have sent less than it holds."""
        return self.unacked or self.late

    def ripe_at(self, held: Ms) -> Ms | None:
        """Return the rule time at which something has waited long enough; 0: any pulse may do."""
        times = [
            since + held
            for hold in self.holds.values()
            for since in (hold.bad_since, hold.good_since)
            if since is not None
        ]
        if self.provisional or not all(hold.told for hold in self.holds.values()):
            times.append(0)
        return min(times, default=None)


_DEVICE: Final = tuple(Device.__slots__)
_FINDING: Final = (
    "rule",
    "epoch",
    "subject",
    "cause",
    "severity",
    "opened_at",
    "cleared_at",
    "times",
    "proof",
    "provisional",
)


def to_json(state: State) -> dict[str, Any]:
    """Return the state as JSON types; what is empty is left out."""
    whole: dict[str, Any] = {"epoch": state.epoch, "next": state.next, "now": state.now}
    for name in ("older", "late", "unacked", "lag", "silent_since"):
        if value := getattr(state, name):
            whole[name] = value
    if not state.trusted:
        whole["trusted"] = False
    if state.open:
        whole["open"] = [[one.home, one.epoch, one.tx] for one in state.open]
    if state.devices:
        whole["devices"] = {
            name: [getattr(device, each) for each in _DEVICE]
            for name, device in state.devices.items()
        }
    if state.holds:
        whole["holds"] = {name: _hold_json(hold) for name, hold in state.holds.items()}
    if state.provisional:
        whole["provisional"] = [_finding_json(finding) for finding in state.provisional]
    return whole


def from_json(whole: dict[str, Any]) -> State:
    """Return the state that `to_json` wrote; an empty object is the state before any event."""
    return State(
        epoch=whole.get("epoch", 0),
        next=whole.get("next", 1),
        older=list(whole.get("older", ())),
        now=whole.get("now", 0),
        trusted=whole.get("trusted", True),
        late=whole.get("late", False),
        unacked=whole.get("unacked", False),
        lag=whole.get("lag", 0),
        open=[Open(*one) for one in whole.get("open", ())],
        devices={name: Device(*values) for name, values in whole.get("devices", {}).items()},
        holds={name: _hold(values) for name, values in whole.get("holds", {}).items()},
        silent_since=whole.get("silent_since"),
        provisional=[_finding(values) for values in whole.get("provisional", ())],
    )


def _hold_json(hold: Hold) -> list[Any]:
    incident = None if hold.incident is None else _finding_json(hold.incident)
    return [
        hold.bad_since,
        hold.good_since,
        hold.cause,
        hold.position,
        incident,
        hold.closed_at,
        hold.told,
    ]


def _hold(values: list[Any]) -> Hold:
    bad_since, good_since, cause, position, incident, closed_at, told = values
    return Hold(
        bad_since=bad_since,
        good_since=good_since,
        cause=cause,
        position=(position[0], position[1]),
        incident=None if incident is None else _finding(incident),
        closed_at=closed_at,
        told=told,
    )


def _finding_json(finding: Finding) -> list[Any]:
    return [getattr(finding, name) for name in _FINDING]


def _finding(values: list[Any]) -> Finding:
    named = dict(zip(_FINDING, values, strict=True))
    named["proof"] = tuple((epoch, seq) for epoch, seq in named["proof"])
    return Finding(**named)
