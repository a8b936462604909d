"""The naive reference for devices: stretches of bad and good, in event time.

A stretch counts when it has lasted for the hold time, and its time is proved by a later event of
the journal or by the newest pulse. Only the present (largest) epoch speaks of devices.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tests.simulation.told import Row, Told

HOLD_MS: Final = 60_000
REOPEN_MS: Final = 1_800_000

RULE: Final = {
    "receipt_printer": "printer_unavailable",
    "note_acceptor": "acceptor_unavailable",
    "coin_acceptor": "acceptor_unavailable",
}
MUTE: Final = frozenset({"starting", "device_busy", "unknown"})
CAUSES: Final[Mapping[tuple[str, str], str]] = {
    ("paper", "out"): "paper_out",
    ("paper", "jammed"): "paper_jammed",
    ("storage", "full"): "cassette_full",
    ("storage", "missing"): "cassette_missing",
    ("storage", "inoperative"): "hardware",
    ("status", "offline"): "offline",
    ("status", "power_off"): "power",
    ("status", "no_device"): "offline",
    ("status", "hardware_error"): "hardware",
    ("status", "user_error"): "unknown",
    ("status", "fraud_attempt"): "cheated",
}
"""Aspect and value that make a device bad → the cause; the first that fits counts."""
TIMELESS: Final = frozenset({"quarantined", "journal_lost"})

Turn = tuple[int, bool, str | None]
"""When a device was said to be bad (True) or good, and why."""


def present(rows: Sequence[Row]) -> Iterator[tuple[int, Row]]:
    """Yield the place and row of those that speak of devices and time."""
    newest = 0
    for place, row in enumerate(rows):
        newest = max(newest, row[0])
        if row[0] == newest and row[2] not in TIMELESS:
            yield place, row


def clock_was_touched(rows: Sequence[Row]) -> bool:
    """Say whether the terminal's clock was set, not trusted, or went back."""
    before = 0
    for _, (_, _, kind, at, _, body) in present(rows):
        if kind == "clock_stepped" or body.get("clock") == "untrusted" or at < before:
            return True
        before = at
    return False


def badness_at(rows: Sequence[Row], device: str, place: int) -> str | None:
    """Return why a device is bad by what was said of it before that row; None: it is not."""
    said = [row[5] for _, row in present(rows[:place]) if _is_about(row, device)]
    return _why(said) if said else None


def is_bad(rows: Sequence[Row], device: str) -> bool | None:
    """Say whether a device is bad at the end; None: nobody has said."""
    turns = list(_turns(rows, device))
    return turns[-1][1] if turns else None


def spoken_of(rows: Sequence[Row]) -> list[str]:
    """Return the devices that a rule is about and that the rows speak of."""
    names = {row[5]["device"] for row in rows if row[2] == "device_changed"}
    return sorted(names & RULE.keys())


def devices(rows: Sequence[Row], *, until: int) -> list[Told]:
    """Return the device incidents; `until` is the last moment that a pulse has proved."""
    last = max((row[3] for _, row in present(rows)), default=0)
    found: list[Told] = []
    for device in spoken_of(rows):
        found += _incidents(device, list(_turns(rows, device)), max(last, until))
    return found


def _is_about(row: Row, device: str) -> bool:
    return row[2] == "device_changed" and row[5]["device"] == device


def _turns(rows: Sequence[Row], device: str) -> Iterator[Turn]:
    """Yield each word about a device that says whether it is bad or good."""
    said: list[Mapping[str, Any]] = []
    for _, row in present(rows):
        if _is_about(row, device):
            said.append(row[5])
            why = _why(said)
            if why is not None or _known(said, "status") is not None:
                yield row[3], why is not None, why


def _known(said: Sequence[Mapping[str, Any]], aspect: str) -> str | None:
    """Return the last word about an aspect that says something."""
    for body in reversed(said):
        value: str | None = body.get(aspect)
        if value in MUTE or (value is None and body["status"] in MUTE):
            continue
        return value
    return None


def _why(said: Sequence[Mapping[str, Any]]) -> str | None:
    for (aspect, value), cause in CAUSES.items():
        if _known(said, aspect) == value:
            named: str | None = said[-1].get("cause")
            return cause if named in {None, "unknown"} else named
    return None


def _incidents(device: str, turns: Sequence[Turn], until: int) -> list[Told]:
    found: list[list[Any]] = []
    for since, bad, why, end in _stretches(turns, until):
        if end - since < HOLD_MS:
            continue
        is_open = bool(found) and found[-1][1] is None
        if not bad and is_open:
            found[-1][1] = since
        elif bad and not is_open:
            if found and since - found[-1][1] <= REOPEN_MS:
                found[-1][1:] = [None, found[-1][2] + 1, why]
            else:
                found.append([since, None, 1, why])
    return [
        Told(
            rule=RULE[device],
            epoch=None,
            subject=device,
            cause=why,
            severity="critical",
            opened_at=opened,
            cleared_at=cleared,
            times=times,
        )
        for opened, cleared, times, why in found
    ]


def _stretches(turns: Sequence[Turn], until: int) -> Iterator[tuple[int, bool, str | None, int]]:
    """Yield since when a device was bad or good, why, and until when."""
    first = 0
    for number in range(1, len(turns) + 1):
        if number == len(turns) or turns[number][1] is not turns[first][1]:
            since, bad, why = turns[first]
            yield since, bad, why, until if number == len(turns) else turns[number][0]
            first = number
