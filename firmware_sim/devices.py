"""Devices alone, for the desk of a payment program's author: `python -m firmware_sim devices`.

Laws: what is told is what the metal did, whatever the agent believes; a receipt that hangs out of
the printer is taken after a moment, as by a customer.
"""

import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from firmware_sim.clock import monotonic
from firmware_sim.line import GOOD_LINE, Bench
from firmware_sim.printer import Printer
from firmware_sim.printer_models import MODELS
from firmware_sim.validator import CASSETTE_FULL, RUBLES, Validator

NOTES: Final = tuple(sorted(RUBLES.values()))
PRINTERS: Final = tuple(MODELS)
_LOOK_S: Final = 0.1
_TAKEN_AFTER_S: Final = 2.0

FRAGMENT: Final = """\
[[device]]
kind = "ccnet"
port = "{validator}"

[[device]]
kind = "escpos"
port = "{printer}"
profile = "{model}"
"""
HELP: Final = """\
Enter: insert a note of {note}; a number: insert that note ({notes})
out: the paper ends; open: the cover opens; full: the cassette is full; fix: all is put right
Ctrl-C: end"""
_WHERE: Final = {
    "stacked": "is in the cassette",
    "returned": "was given back",
    "rejected": "was refused and given back",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesSettings:
    """What a run needs; `every_s` of 0: notes come only when somebody asks for one."""

    model: str = "custom-vkp80"
    note: int = 100
    every_s: float = 0.0


class Devices:
    """A note acceptor and a receipt printer on ptys, and the hands that use them."""

    def __init__(self, model: str, *, speed: float = 1.0) -> None:
        self._bench = Bench()
        self._validator = Validator(RUBLES, speed=speed)
        self._printer = Printer(model, speed=speed)
        chance = Random(0)  # a good line leaves nothing to it
        self.validator_port = self._bench.open(self._validator, GOOD_LINE, chance)
        self.printer_port = self._bench.open(self._printer, GOOD_LINE, chance)
        self._moved = self._tickets = 0
        self._take_at: float | None = None

    @property
    def fragment(self) -> str:
        """Return the tables for `agent.toml`."""
        return FRAGMENT.format(
            validator=self.validator_port,
            printer=self.printer_port,
            model=self._printer.model.name,
        )

    def start(self) -> None:
        """Switch both on."""
        self._validator.power_on()
        self._printer.power_on()
        self._bench.start()

    def stop(self) -> None:
        """Close the lines."""
        self._bench.stop()

    def insert(self, rubles: int) -> str:
        """Offer a note; return what became of that at once."""
        if rubles not in NOTES:
            return f"there is no note of {rubles}; there are {_notes()}"
        with self._bench.lock:
            if self._validator.insert(rubles, monotonic()):
                return f"note of {rubles}: drawn in"
        return (
            f"note of {rubles}: the slot is closed. Notes are taken while the agent runs and the "
            "program has asked with accept_cash"
        )

    def do(self, word: str) -> str:
        """Do what a word of the help says."""
        if word.isdecimal():
            return self.insert(int(word))
        now = monotonic()
        with self._bench.lock:
            match word:
                case "out":
                    self._printer.roll_mm = 0.0
                    return "printer: no paper"
                case "open":
                    self._printer.cover_open = True
                    return "printer: the cover is open"
                case "full":
                    self._validator.trouble = CASSETTE_FULL
                    return "acceptor: the cassette is full"
                case "fix":
                    self._printer.load()
                    self._printer.repair()
                    self._validator.fix(now)
                    return "all is put right"
                case _:
                    return f"{word!r} is nothing that can be done here"

    def news(self) -> Iterator[str]:
        """Yield what the metal has done since the last time, a line each."""
        now = monotonic()
        with self._bench.lock:
            moved = self._validator.ledger[self._moved :]
            tickets = self._printer.tickets[self._tickets :]
            if tickets:
                self._take_at = now + _TAKEN_AFTER_S
            if self._take_at is not None and now >= self._take_at:
                self._take_at = None
                self._printer.take()
        self._moved += len(moved)
        self._tickets += len(tickets)
        for each in moved:
            yield f"note of {each.rubles}: {_WHERE[each.where]}"
        for ticket in tickets:
            yield "printed:" if ticket.whole else "printed, and torn off before its end:"
            yield from (f"  | {line}" for line in ticket.lines)


def run(settings: DevicesSettings, say: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM; what is typed is done."""
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    typed: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(typed,), daemon=True).start()
    devices = Devices(settings.model)
    devices.start()
    say(f"note acceptor (CCNET): {devices.validator_port}")
    say(f"receipt printer (ESC/POS, {settings.model}): {devices.printer_port}")
    say(f"\nfor agent.toml:\n\n{devices.fragment}")
    say(HELP.format(note=settings.note, notes=_notes()))
    next_at = monotonic() + settings.every_s if settings.every_s else float("inf")
    while not over.wait(_LOOK_S):
        while not typed.empty():
            say(devices.do(typed.get() or str(settings.note)))
        if monotonic() >= next_at:
            next_at += settings.every_s
            say(devices.insert(settings.note))
        for line in devices.news():
            say(line)
    devices.stop()


def _read(typed: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        typed.put(line.strip())


def _notes() -> str:
    return ", ".join(map(str, NOTES))
