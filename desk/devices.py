"""How a terminal's devices are now: the journal's record, and what a newer pulse says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from desk.times import Moment


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device's state and since when it is so."""

    device: str
    status: str
    paper: str | None
    storage: str | None
    since: Moment


def devices_now(
    recorded: Sequence[DeviceRow],
    pulse: Mapping[str, Any] | None,
    pulse_at: datetime | None,
) -> tuple[DeviceRow, ...]:
    """Return each device's state; the pulse counts where it is newer than the record.

    What a pulse does not say of a device stays as recorded. A state that only a pulse knows is
    so since that pulse.
    """
    rows = {row.device: row for row in recorded}
    told = pulse.get("devices") if pulse else None
    if isinstance(told, Mapping) and pulse_at is not None:
        for device, state in told.items():
            if isinstance(state, Mapping) and isinstance(state.get("status"), str):
                rows[device] = _newer(rows.get(device), device, state, pulse_at)
    return tuple(rows[device] for device in sorted(rows))


def _newer(row: DeviceRow | None, device: str, state: Mapping[str, Any], at: datetime) -> DeviceRow:
    if row is None:
        return DeviceRow(device, state["status"], state.get("paper"), state.get("storage"), at)
    if at < row.since:
        return row
    now = replace(
        row,
        status=state["status"],
        paper=state.get("paper") or row.paper,
        storage=state.get("storage") or row.storage,
    )
    return row if now == row else replace(now, since=at)
