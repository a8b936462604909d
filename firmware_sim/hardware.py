"""The metal of a full kiosk: validator and printer on their lines, and hands that touch them."""

from collections.abc import Callable
from random import Random
from typing import Final

from firmware_sim.clock import monotonic, sleep
from firmware_sim.line import NOISY_LINE, ROUGH_LINE, Bench
from firmware_sim.printer import Printer, Ticket
from firmware_sim.printer_models import MODELS
from firmware_sim.validator import RUBLES, RUBLES_FROM_ZERO, Moved, State, Validator
from wire.vocabulary import Cause

_LOOK_S: Final = 0.01


class Hardware:
    """Both devices; every touch is made under the bench's lock."""

    def __init__(self, bench: Bench, index: int, *, speed: float, chance: Random) -> None:
        self._bench = bench
        self.model = sorted(MODELS)[index % len(MODELS)]
        table = RUBLES_FROM_ZERO if index % 2 else RUBLES
        self.validator = Validator(table, speed=speed, serial=f"{index:08d}")
        self.printer = Printer(self.model, speed=speed)
        # Only the validator's protocol has a checksum: noise on a printer's line changes receipts.
        noisy = NOISY_LINE if index % 3 == 1 else ROUGH_LINE
        self.validator_port = bench.open(self.validator, noisy, chance)
        self.printer_port = bench.open(self.printer, ROUGH_LINE, chance)
        self.power_on()

    def power_on(self) -> None:
        """Switch the kiosk on."""
        with self._bench.lock:
            self.validator.power_on()
            self.printer.power_on()

    def power_off(self) -> None:
        """Take the power from everything."""
        with self._bench.lock:
            self.validator.power_off(monotonic())
            self.printer.power_off()

    def power_off_when(self, state: State, seconds: float) -> bool:
        """Take the power at the moment the validator does this; False if it did not come to it."""
        ends = monotonic() + seconds
        while monotonic() < ends:
            with self._bench.lock:
                self.validator.elapsed(monotonic())
                if self.validator.state is state:
                    self.power_off()
                    return True
            sleep(_LOOK_S)
        return False

    def insert(self, kopecks: int, *, bad: bool = False) -> bool:
        """Offer a note; False if the slot does not take it now."""
        with self._bench.lock:
            reject = 0x66 if bad else None
            return self.validator.insert(kopecks // 100, monotonic(), reject=reject)

    def moved_since(self, count: int) -> list[Moved]:
        """Return where notes ended after the first so many."""
        with self._bench.lock:
            return self.validator.ledger[count:]

    @property
    def cassette(self) -> int:
        """Kopecks that ever went into the cassette."""
        with self._bench.lock:
            return self.validator.cassette * 100

    def trouble(self, state: bytes) -> None:
        """Make the validator fail."""
        with self._bench.lock:
            self.validator.trouble = state

    def fix(self) -> None:
        """Put the validator right."""
        with self._bench.lock:
            self.validator.fix(monotonic())

    def printed(self, number: str) -> bool:
        """Say if a whole ticket with this receipt number came out."""
        with self._bench.lock:
            return any(each.whole and number in each.text for each in self.printer.tickets)

    def take_ticket(self) -> Ticket | None:
        """Take what the printer offers."""
        with self._bench.lock:
            return self.printer.take()

    def printer_cause(self) -> Cause | None:
        """Return why the printer does not print, None if it can or cannot say."""
        with self._bench.lock:
            now = self.printer.condition
            causes: tuple[tuple[bool, Cause], ...] = (
                (now.cover_open, "cover_open"),
                (now.paper_end, "paper_out"),
                (now.jammed, "paper_jammed"),
                (now.cutter, "cutter"),
            )
            return next((cause for said, cause in causes if said), None)

    def touch(self, do: Callable[[Printer], None]) -> None:
        """Do something to the printer."""
        with self._bench.lock:
            do(self.printer)
