"""The lives that a fleet's light terminals lead: which history, which mishaps, in which order."""

from dataclasses import dataclass
from typing import Final

from firmware_sim import story as stories
from firmware_sim.mishap import MISHAPS, past_device_fault, silence
from firmware_sim.resident import Life, Resident
from wire.vocabulary import Device

_MINUTE_MS: Final = 60_000
_LONG_FAULT_S_MAX: Final = 30.0
"""A longer hold time than this makes a fault past it too long for a run."""
_SILENT_EVERY: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What was in the journal, not yet sent, when the terminal came to the network."""

    minutes: int = 0
    fault: Device | None = None
    ends: bool = True


HISTORIES: Final = (
    History(),
    History(minutes=25, fault="receipt_printer"),
    History(minutes=40, fault="note_acceptor"),
    History(minutes=600),
    History(minutes=15, fault="receipt_printer", ends=False),
    History(),
    History(minutes=15, fault="note_acceptor", ends=False),
)


def settle_in(resident: Resident, index: int, at: int) -> None:
    """Write the history of the fleet's terminal number `index`, and give it its life."""
    history = HISTORIES[index % len(HISTORIES)] if resident.pace.mishaps else History()
    began = at - history.minutes * _MINUTE_MS
    resident.terminal = resident.new_terminal(type(resident.terminal.journal)(began))
    resident.power_on(began)
    if history.minutes:
        _remember(resident, history, began, at)
    resident.begin(_live(resident, _plan(resident, index)))


def _remember(resident: Resident, history: History, began: int, at: int) -> None:
    now = began + 1000
    while now < at - 12 * _MINUTE_MS:
        now = resident.remember(_next(resident), now)
        now += resident.chance.randint(1, 3 + history.minutes // 10) * _MINUTE_MS
    if history.fault:
        resident.healthy.remove(history.fault)
        # Early enough to be over twice the hold time ago, late enough to be in order.
        start = max(now, at - 10 * _MINUTE_MS)
        past_device_fault(resident, history.fault, start, ends=history.ends)


def _plan(resident: Resident, index: int) -> list[str]:
    """Return this terminal's mishaps, in order; neighbours begin with different ones."""
    if not resident.pace.mishaps:
        return []
    names = [
        name
        for name in MISHAPS
        if name != "long_fault" or resident.pace.hold_s <= _LONG_FAULT_S_MAX
    ]
    wanted = resident.pace.light_mishaps
    if wanted is not None:
        return [name for name in _turned(names, index) if name in wanted]
    plan = _turned(names, index)
    return [*plan[:2], "silence"] if index % _SILENT_EVERY == _SILENT_EVERY - 1 else plan


def _turned(names: list[str], index: int) -> list[str]:
    turn = index % len(names)
    return names[turn:] + names[:turn]


def _live(resident: Resident, plan: list[str]) -> Life:
    mishap_at = resident.now + resident.chance.uniform(*resident.pace.mishap_gap_s)
    while not resident.stopping and not resident.silent:
        yield resident.chance.uniform(*resident.pace.gap_s)
        if plan and resident.now >= mishap_at and not resident.stopping:
            name = plan.pop(0)
            yield from silence(resident) if name == "silence" else MISHAPS[name](resident)
            mishap_at = resident.now + resident.chance.uniform(*resident.pace.mishap_gap_s)
        elif not resident.stopping:
            yield from resident.play(_next(resident))


def _next(resident: Resident) -> str:
    return stories.choose(resident.chance, resident.pace.fault_share)
