"""The law of a receipt: when a print job counts as printed, failed or unknown.

- Before anything is sent, the printer must have said, asked after the order, that it can print.
  If it cannot: `failed` with its cause. If it says nothing: `failed`, `offline`; there is surely
  no receipt.
- After that only proof makes it `printed`:
  - a ticket seen at the presenter that was not there before, and no jam and no cutter fault. What
    happens later (even the end of the paper) changes nothing. A model with a presenter has no
    other proof;
  - a model without one: everything sent has been worked off (the fence is answered, where this
    printer is known to answer it; its print time is over in any case) and after that the printer
    said twice that nothing is wrong. A fault after the fence was answered changes nothing.
- A paper end, jam, cutter, cover or head fault before the proof: `failed` with that cause.
- A printer that fell silent in between may have lost power, and with it what it had not printed
  yet; at power-up it pushes out what it has. Then only an answered fence counts as proof.
- Neither until the deadline: `unknown`; after silence with the cause `offline`. Never a guess.
- `unknown` is corrected once, to `printed`, if the proof comes late (`LATE_S`) and nothing else
  was printed in between.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from agent.devices.escpos.status import Sign, Signs, verdict
from agent.devices.machine import Instant, ReceiptFinished
from wire.vocabulary import Cause

CHECK_S: Final = 5.0
"""How long the printer may take to say that it can print."""
PRINT_S_BASE: Final = 1.0
PRINT_S_PER_LINE: Final = 0.06
"""3.75 mm a line at 60 mm/s: slower than any of the models."""
PROOF_S: Final = 15.0
"""How long after the print time the proof may take."""
LATE_S: Final = 600.0
CLEAN_ROUNDS: Final = 2
SILENCES_MAX: Final = 2
"""So many unanswered rounds in a row, a second or more, may have been a loss of power."""


class Stage(Enum):
    """How far a job is."""

    CHECK = auto()
    PRINT = auto()
    LATE = auto()
    OVER = auto()


@dataclass(frozen=True, slots=True)
class Order:
    """A receipt to print: the asker's name for it, and its bytes."""

    job: str
    data: bytes
    lines: int


class Job:
    """One receipt from order to outcome."""

    def __init__(self, order: Order, now: Instant, *, presenter: bool) -> None:
        self.order = order
        self.stage = Stage.CHECK
        self.deadline = Instant(now + CHECK_S)
        self.fenced = False
        self._presenter = presenter
        self._done_at = now
        self._was_clear = False
        self._needs_fence = False
        self._clean = 0
        self._silences = 0
        self._interrupted = False

    def sent(self, signs: Signs, now: Instant, *, line_s: float, needs_fence: bool) -> None:
        """Note that the bytes are on their way; `needs_fence`: this printer knows the fence."""
        self._needs_fence = needs_fence
        self.stage = Stage.PRINT
        self._done_at = Instant(now + line_s + PRINT_S_BASE + self.order.lines * PRINT_S_PER_LINE)
        self.deadline = Instant(self._done_at + PROOF_S)
        self._was_clear = Sign.TICKET not in signs

    def heard(self, signs: Signs, now: Instant) -> ReceiptFinished | None:
        """Take what the printer says, asked after the bytes were sent."""
        self._silences = 0
        stuck = signs & {Sign.PAPER_JAM, Sign.CUTTER}
        if Sign.TICKET in signs and self._was_clear and not stuck:
            return self._printed()
        self._was_clear = self._was_clear or Sign.TICKET not in signs
        if verdict(signs) is not None:
            self._clean = 0
            # Answered in its turn, the fence says that the receipt was out before the fault came.
            done = self.fenced and not self._presenter
            return self._printed() if done else self._failed(signs)
        if self._presenter or now < self._done_at or (self._needs_fence and not self.fenced):
            return None
        self._clean += 1
        return self._printed() if self._clean >= CLEAN_ROUNDS else None

    def silence(self) -> None:
        """Note that the printer did not answer."""
        self._silences += 1
        self._clean = 0
        self._interrupted = self._interrupted or self._silences >= SILENCES_MAX

    def interrupt(self) -> None:
        """Note that the printer was out of reach for who knows how long."""
        self._silences, self._interrupted = SILENCES_MAX, True

    def cannot(self, signs: Signs) -> ReceiptFinished | None:
        """Return the failure if the printer says, before anything is sent, that it cannot."""
        return self._failed(signs)

    def expired(self, now: Instant) -> ReceiptFinished | None:
        """Return the outcome when the deadline has passed without one."""
        if now < self.deadline or self.stage is Stage.OVER:
            return None
        return self.cut_short(now)

    def cut_short(self, now: Instant) -> ReceiptFinished | None:
        """Return the outcome if nothing more will be heard for now."""
        if self.stage is Stage.CHECK:
            self.stage = Stage.OVER
            return ReceiptFinished(job=self.order.job, outcome="failed", cause="offline")
        if self.stage is Stage.PRINT:
            self.stage, self.deadline = Stage.LATE, Instant(now + LATE_S)
            cause: Cause | None = "offline" if self._silences else None
            return ReceiptFinished(job=self.order.job, outcome="unknown", cause=cause)
        if now >= self.deadline:
            self.stage = Stage.OVER
        return None

    def _printed(self) -> ReceiptFinished | None:
        if self._interrupted and not self.fenced:
            return None
        self.stage = Stage.OVER
        return ReceiptFinished(job=self.order.job, outcome="printed")

    def _failed(self, signs: Signs) -> ReceiptFinished | None:
        bad = verdict(signs)
        if bad is None or bad.sign is Sign.OFFLINE:
            return None  # offline without a reason may pass (a paper feed): the deadline decides
        # Told as unknown already: a late fault proves nothing about that receipt.
        late, self.stage = self.stage is Stage.LATE, Stage.OVER
        if late:
            return None
        return ReceiptFinished(job=self.order.job, outcome="failed", cause=bad.cause)
