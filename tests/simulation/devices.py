"""Printer and acceptor of a kiosk: in what state they are, and how that changes.

The state is the hardware's: it outlives the agent, which hears of it when it starts.
"""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Final

from agent.devices.machine import DeviceState, StateChanged
from wire.vocabulary import Cause

if TYPE_CHECKING:
    from tests.simulation.terminal import Terminal

PRINTER_GOOD: Final = DeviceState(device="receipt_printer", status="online", paper="full")
PRINTER_LOW: Final = DeviceState(device="receipt_printer", status="online", paper="low")
PRINTER_BAD: Final[tuple[DeviceState, ...]] = (
    DeviceState(device="receipt_printer", status="user_error", paper="out", cause="paper_out"),
    DeviceState(
        device="receipt_printer", status="hardware_error", paper="jammed", cause="paper_jammed"
    ),
    DeviceState(device="receipt_printer", status="user_error", cause="cover_open", code="0x04"),
    DeviceState(device="receipt_printer", status="offline", cause="offline"),
)
ACCEPTOR_GOOD: Final = DeviceState(device="note_acceptor", status="online", storage="ok")
ACCEPTOR_HIGH: Final = DeviceState(device="note_acceptor", status="online", storage="high")
ACCEPTOR_BAD: Final[tuple[DeviceState, ...]] = (
    DeviceState(device="note_acceptor", status="user_error", storage="full", cause="cassette_full"),
    DeviceState(
        device="note_acceptor", status="user_error", storage="missing", cause="cassette_missing"
    ),
    DeviceState(
        device="note_acceptor", status="hardware_error", storage="inoperative", cause="note_jammed"
    ),
    DeviceState(device="note_acceptor", status="fraud_attempt", cause="cheated"),
    DeviceState(device="note_acceptor", status="power_off", cause="power"),
)
BAD_S: Final = (1.0, 20.0, 50.0, 58.0, 60.0, 61.0, 70.0, 120.0, 400.0, 1500.0)
"""How long a device is bad: around the hold time, and longer."""
GOOD_S: Final = (5.0, 50.0, 61.0, 300.0, 1700.0, 1900.0)
"""How long it is good before it may be bad again at once: around hold time and reopen window."""
MENDED_S: Final = 30.0
"""At the end of a run everything is mended after this."""


class Devices:
    """What stands in one kiosk."""

    def __init__(self, terminal: "Terminal", random: Random) -> None:
        self.printer, self.acceptor = PRINTER_GOOD, ACCEPTOR_GOOD
        self._terminal, self._random = terminal, random
        self._busy = {"receipt_printer": False, "note_acceptor": False}
        self._stopped = False

    @property
    def receipt_cause(self) -> Cause | None:
        """Why no receipt can be printed, if so."""
        return self.printer.cause if self.printer.status != "online" else None

    @property
    def takes_notes(self) -> bool:
        """Say if the acceptor takes any."""
        return self.acceptor.status == "online"

    @property
    def idle(self) -> bool:
        """Say if nothing is bad."""
        return not any(self._busy.values())

    def stop(self) -> None:
        """Let nothing become bad any more; what is bad becomes good soon."""
        if not self._stopped:
            self._stopped = True
            self._after(MENDED_S, self._mend_all)

    def agent_started(self) -> None:
        """Have the drivers find out how things are, as they do at each start."""
        self._after(self._random.uniform(0.5, 3.0), self._tell_both)

    def trouble(self) -> None:
        """Let something go wrong with a device for a while, now and then twice."""
        if self._random.random() < 0.6:
            states, good, low = PRINTER_BAD, PRINTER_GOOD, PRINTER_LOW
        else:
            states, good, low = ACCEPTOR_BAD, ACCEPTOR_GOOD, ACCEPTOR_HIGH
        if self._busy[good.device] or self._stopped:
            return
        self._busy[good.device] = True
        self._terminal.story(self._terminal.name, f"its {good.device} is in trouble")
        bad = self._random.choice(states)
        again = self._random.random() < 0.3
        delay_s = 0.0
        if self._random.random() < 0.5:
            self._set(low)
            delay_s = self._random.uniform(1.0, 200.0)
        self._after(delay_s, lambda: self._go_bad((bad, good), again=again))

    def _go_bad(self, states: tuple[DeviceState, DeviceState], *, again: bool) -> None:
        if self._stopped:
            return
        bad, good = states
        self._set(bad)
        bad_s = self._random.choice(BAD_S) + self._random.random() * 3

        def mend() -> None:
            if self._stopped:
                return
            self._set(good)
            if again:
                good_s = self._random.choice(GOOD_S) + self._random.random() * 3
                self._after(good_s, lambda: self._go_bad(states, again=False))
            else:
                self._busy[good.device] = False

        self._after(bad_s, mend)

    def _set(self, state: DeviceState) -> None:
        if state.device == "receipt_printer":
            self.printer = state
        else:
            self.acceptor = state
        self._terminal.device(StateChanged(state))

    def _mend_all(self) -> None:
        for good in (PRINTER_GOOD, ACCEPTOR_GOOD):
            if self._busy[good.device]:
                self._busy[good.device] = False
                self._set(good)

    def _tell_both(self) -> None:
        for state in (self.printer, self.acceptor):
            self._terminal.device(StateChanged(state))

    def _after(self, delay_s: float, action: Callable[[], None]) -> None:
        self._terminal.world.after(delay_s, action)
