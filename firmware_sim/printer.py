"""A receipt printer's firmware and its paper, without I/O: ESC/POS in, status out.

Laws. DLE EOT is answered at once, also while printing. Printing takes paper and time; when the roll
ends, or the cover opens, or a part fails, it stops where it is, and goes on from there when it is
put right, unless it was told to clear or lost its power. `tickets` is what came out, whole or not.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal

from firmware_sim.escpos import Ask, Clear, Cut, Eject, Feed, Line, Reader, Report, Work
from firmware_sim.printer_models import MODELS, Condition

LINE_MM: Final = 3.75
_MM_PER_S: Final = 120.0
_CUT_S: Final = 0.4
NEAR_END_MM: Final = 8_000
ROLL_MM: Final = 180_000
_BREAKS_AT_LINE: Final = 5

Breakage = Literal["cover_open", "paper_jammed", "cutter", "power"]
"""Faults that begin in the middle of a receipt, by the contract's causes."""


@dataclass(slots=True)
class Ticket:
    """A piece of paper: what is on it, and whether it is all that was sent for it."""

    lines: list[str] = field(default_factory=list)
    torn: bool = False
    """The paper ended, or the power went, or it could not be cut."""
    cut: bool = False
    taken: bool = False

    @property
    def text(self) -> str:
        """What can be read on it."""
        return "\n".join(self.lines)

    @property
    def whole(self) -> bool:
        """Say if a customer got it as it was meant."""
        return self.cut and not self.torn


class Printer:
    """The firmware, the mechanics and the roll."""

    def __init__(self, model: str, *, speed: float = 1.0, encoding: str = "cp866") -> None:
        self.model = MODELS[model]
        self.tickets: list[Ticket] = []
        self.roll_mm = float(ROLL_MM)
        self.powered = False
        self.mute = False
        self.cover_open = False
        self.cutter_stuck = False
        self.jammed = False
        self.overheated = False
        self.breaks_next: Breakage | None = None
        """What will fail in the middle of the next receipt."""
        self.broke_at: float | None = None
        """When it stopped printing in the middle of something."""
        self._speed = speed
        self._reader = Reader(encoding)
        self._work: deque[Work] = deque()
        self._paper = Ticket()
        self._free_at = 0.0
        self._said = b""
        self._now = 0.0

    @property
    def condition(self) -> Condition:
        """What the sensors see."""
        return Condition(
            near_end=self.roll_mm < NEAR_END_MM,
            paper_end=self.roll_mm <= 0,
            cover_open=self.cover_open,
            cutter=self.cutter_stuck,
            jammed=self.jammed,
            overheated=self.overheated,
            ticket=self.model.presenter and any(each.cut and not each.taken for each in self._last),
        )

    @property
    def busy(self) -> bool:
        """Say if there is something left to print."""
        return bool(self._work)

    def power_on(self) -> None:
        """Give it power."""
        self.powered = True

    def power_off(self) -> None:
        """Take the power: what was not printed is gone, what was begun is torn."""
        self.powered = False
        self._forget()
        self._reader.forget()

    def received(self, data: bytes, now: float) -> bytes:
        """Take bytes from the line; return the answers to real-time requests."""
        out = self.elapsed(now)
        if not self.powered or self.mute:
            return b""
        for read in self._reader.feed(data):
            match read:
                case Ask(n):
                    answer = self.model.answers.get(n)
                    out += answer(self.condition) if answer else b""
                case Clear():
                    self._forget()
                case work:
                    if not self._work:
                        self._free_at = max(self._free_at, now)
                    self._work.append(work)
        return out

    def elapsed(self, now: float) -> bytes:
        """Print until now; return the answers to what was asked in its turn."""
        self._now = now
        while self.powered and self._work and self._free_at <= now and not self.condition.offline:
            self._do(self._work.popleft())
        said, self._said = self._said, b""
        return b"" if self.mute else said

    def load(self, roll_mm: float = ROLL_MM) -> None:
        """Put in a new roll: what was on the old one's end comes out torn."""
        if self._paper.lines:
            self._tear()
        self.roll_mm = float(roll_mm)

    def repair(self) -> None:
        """Put everything right but the paper."""
        if self.jammed or self.cutter_stuck:
            self._tear()
        self.cover_open = self.cutter_stuck = self.jammed = self.overheated = False
        self.mute, self.broke_at = False, None

    def unplug(self) -> None:
        """Pull the line's plug: it hears and says nothing until it is repaired."""
        self.mute, self.broke_at = True, self._now

    def take(self) -> Ticket | None:
        """Take what the printer offers, as a customer does."""
        offered = [each for each in self._last if each.cut and not each.taken]
        for each in offered:
            each.taken = True
        return offered[-1] if offered else None

    @property
    def _last(self) -> list[Ticket]:
        return self.tickets[-2:]

    def _do(self, work: Work) -> None:
        match work:
            case Line(text):
                self._paper.lines.append(text)
                self._move(LINE_MM)
                if len(self._paper.lines) == _BREAKS_AT_LINE:
                    self._break()
            case Feed(mm):
                self._move(mm)
            case Cut():
                self._cut()
            case Eject():
                self.take()
            case Report():
                near, end = self.condition.near_end, self.condition.paper_end
                self._said += bytes(((0x03 if near else 0) | (0x0C if end else 0),))

    def _break(self) -> None:
        match self.breaks_next:
            case "cover_open":
                self.cover_open = True
            case "paper_jammed":
                self.jammed = True
            case "power":
                self.power_off()
            case "cutter" | None:
                return
        self.breaks_next, self.broke_at = None, self._now

    def _move(self, mm: float) -> None:
        self.roll_mm -= mm
        if self.roll_mm <= 0 and self.broke_at is None:
            self.broke_at = self._now
        self._free_at += mm / _MM_PER_S / self._speed

    def _cut(self) -> None:
        if self.breaks_next == "cutter":
            self.breaks_next, self.cutter_stuck = None, True
            self.broke_at = self._now
            self._work.appendleft(Cut())
            return
        self._free_at += _CUT_S / self._speed
        if self._paper.lines:
            self.take()
            self._paper.cut = True
            self.tickets.append(self._paper)
        self._paper = Ticket()

    def _tear(self) -> None:
        if self._paper.lines:
            self._paper.torn = True
            self.tickets.append(self._paper)
            # What is still to come of it is the rest of a torn one.
            self._paper = Ticket(torn=True)

    def _forget(self) -> None:
        self._work.clear()
        self._tear()
        self._paper = Ticket()
