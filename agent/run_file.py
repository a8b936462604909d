"""Two small files beside the journal: which run this is, and the note that is being stacked."""

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from agent import VERSION
from agent.devices.ccnet.passage import Memory
from agent.devices.machine import StackOrdered
from agent.kiosk import UNACCOUNTED
from wire.codec import plain
from wire.vocabulary import StartCause

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class RunFile:
    """Remembers across runs what the journal has no event for."""

    def __init__(self, journal: Path) -> None:
        """Name the files after the journal."""
        self._run = journal.with_name(journal.name + ".run")
        self._order = journal.with_name(journal.name + ".note")

    def begin(self) -> StartCause:
        """Take note that a run begins; return why, as far as that can be known."""
        boot = _read(_BOOT_ID)
        before = _read_object(self._run)
        write_durably(self._run, {"boot": boot, "version": VERSION})
        if before is None or boot is None or not isinstance(before.get("boot"), str):
            return "unknown"
        if before["boot"] != boot:
            return "power_on"
        return "restart" if before.get("version") == VERSION else "update"

    def keep_order(self, order: StackOrdered, *, epoch: int, following: int) -> None:
        """Keep, durably, that a note is being stacked; its verdict will be at `following` or later.

        If that cannot be written, the file goes: nothing known means that the note is counted.
        """
        value = {**plain(order), "epoch": epoch, "next": following}
        if not write_durably(self._order, value):
            with contextlib.suppress(OSError):
                self._order.unlink()

    def settle(self) -> None:
        """Take note that the last order's verdict is in the journal."""
        write_durably(self._order, {"settled": True})

    def memory(self, recorded: Callable[[int, int], Iterable[bytes]]) -> Memory:
        """Return what is known of the last order; `recorded` gives the events from a seq on.

        The journal has the last word: the power may have gone between a verdict and `settle`.
        """
        value = _read_object(self._order)
        if value is None:
            return "unknown"
        amount, currency = value.get("amount"), value.get("currency")
        epoch, following = value.get("epoch"), value.get("next")
        if type(amount) is not int or not isinstance(currency, str):
            return "settled"
        if type(epoch) is int and type(following) is int:
            for event in recorded(epoch, following):
                if _is_verdict(json.loads(event)):
                    return "settled"
        return StackOrdered(amount=amount, currency=currency)


def _is_verdict(event: Mapping[str, object]) -> bool:
    return event.get("kind") == "cash_accepted" or event.get("code") == UNACCOUNTED


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


def write_durably(path: Path, value: Mapping[str, object]) -> bool:
    """Write durably, all or nothing; False when the disk does not take it."""
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        _flush_folder(path.parent)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
        return False
    return True


def _flush_folder(folder: Path) -> None:
    """Make a rename durable, where folders can be flushed."""
    if os.name != "posix":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
