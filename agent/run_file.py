"""Two small files beside the journal: which run this is, and the note that is being stacked."""

import contextlib
import json
import os
from pathlib import Path
from typing import Final

from agent import VERSION
from agent.devices.machine import (
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
    Output,
    StackOrdered,
)
from wire.vocabulary import StartCause

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class RunFile:
    """Remembers across runs what the journal has no event for."""

    def __init__(self, journal: Path) -> None:
        """Name the files after the journal."""
        self._run = journal.with_name(journal.name + ".run")
        self._escrow = journal.with_name(journal.name + ".escrow")

    def begin(self) -> StartCause:
        """Take note that a run begins; return why, as far as that can be known."""
        boot = _read(_BOOT_ID)
        before = _read_object(self._run)
        _write(self._run, {"boot": boot, "version": VERSION})
        if before is None or boot is None or not isinstance(before.get("boot"), str):
            return "unknown"
        if before["boot"] != boot:
            return "power_on"
        return "restart" if before.get("version") == VERSION else "update"

    def keep_escrow(self, order: StackOrdered) -> None:
        """Keep the note that is about to be stacked, durably."""
        _write(self._escrow, {"amount": order.amount, "currency": order.currency})

    def forget_escrow_after(self, output: Output) -> None:
        """Forget the kept note once its fate is journaled."""
        if isinstance(output, NoteStacked | NoteReturned | NoteUnaccounted):
            with contextlib.suppress(OSError):
                self._escrow.unlink()

    def escrow(self) -> tuple[int, str] | None:
        """Return the note that was being stacked when the last run ended."""
        value = _read_object(self._escrow)
        if value is None:
            return None
        amount, currency = value.get("amount"), value.get("currency")
        if type(amount) is int and isinstance(currency, str):
            return amount, currency
        return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _read_object(path: Path) -> dict[str, object] | None:
    try:
        value = json.loads(_read(path) or "")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _write(path: Path, value: dict[str, object]) -> None:
    """Write at once or not at all; a full disk only costs the memory of it."""
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
