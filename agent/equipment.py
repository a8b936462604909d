"""The kiosk's devices as the main loop sees them; the device loop runs in a thread of its own.

What a machine says is handed to the main loop, and the device loop waits until it is dealt with: a
note is in the journal before the acceptor hears that we know of it.
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from agent.devices.ccnet.machine import NoteAcceptor
from agent.devices.ccnet.passage import Memory
from agent.devices.escpos.machine import ReceiptPrinter
from agent.devices.line import Attached, DeviceLoop
from agent.devices.machine import Instant, Output
from agent.devices.settings import DeviceSettings, ReceiptPrinterSettings, attach
from agent.kiosk import Equipment


class NotTaken(Exception):  # noqa: N818 - it names what is
    """The main loop has ended; the device must not hear that its word was taken."""


@dataclass(slots=True)
class Said:
    """What a device's machine has said; its loop waits until `done` is set."""

    output: Output
    taken: bool = False
    done: threading.Event = field(default_factory=threading.Event)

    def finish(self, *, taken: bool) -> None:
        """Let the device loop go on, or have it end because nothing was taken."""
        self.taken = taken
        self.done.set()


class Devices:
    """The devices of `agent.toml`, on their lines."""

    def __init__(
        self,
        settings: Sequence[DeviceSettings],
        hand_over: Callable[[Said], object],
        *,
        memory: Memory,
    ) -> None:
        """Prepare the machines; no line is opened before `start`."""
        attached = attach(settings, memory=memory)
        self._hand_over = hand_over
        self._stopped = False
        self._wish = self._wish_waits = False
        self._acceptor = _find(attached, NoteAcceptor)
        self._printer = _find(attached, ReceiptPrinter)
        watching = any(
            isinstance(each, ReceiptPrinterSettings) and each.watch_only for each in settings
        )
        self.equipment = Equipment(
            acceptor=self._acceptor is not None,
            printer=self._printer is not None and not watching,
        )
        self._loop = DeviceLoop(attached, self._said) if attached else None

    def start(self) -> None:
        """Open the lines."""
        if self._loop is not None:
            self._loop.start()

    def stop(self, take: Callable[[], None]) -> None:
        """Take no more notes and close the lines; `take` is called for what is still said."""
        if self._loop is None or self._stopped:
            return
        self._stopped = True
        self.take_notes(enabled=False)
        # The loop may be waiting for us, so it is stopped from beside while we listen on.
        stopper = threading.Thread(target=self._stop_loop, name="devices-stop", daemon=True)
        stopper.start()
        while stopper.is_alive():
            take()
            stopper.join(0.02)

    @property
    def failure(self) -> BaseException | None:
        """What the device loop has ended with, None while it runs."""
        return self._loop.failure if self._loop is not None else None

    def take_notes(self, *, enabled: bool) -> None:
        """Let the acceptor take notes, or not; of wishes that still wait only the last counts."""
        self._wish = enabled
        if self._loop is not None and self._acceptor is not None and not self._wish_waits:
            self._wish_waits = True  # Before: the loop may carry it out before we are back.
            taken = self._loop.submit(self._acceptor[0], self._carry_wish)
            assert taken, "receipts (`PRINTS_MAX`) and a wish are fewer than the loop's orders"

    def print_receipt(self, job: str, text: str) -> bool:
        """Have the printer print; False when too much is waiting already."""
        if self._loop is None or self._printer is None:
            return False
        name, machine = self._printer

        def order(now: Instant) -> Sequence[Output]:
            return machine.print_receipt(job, text, now)

        return self._loop.submit(name, order)

    def _carry_wish(self, now: Instant) -> Sequence[Output]:
        """Tell the acceptor the present wish; called in the device loop."""
        assert self._acceptor is not None, "only submitted with an acceptor"
        # First, so that a wish that changes meanwhile is submitted again.
        self._wish_waits = False
        machine = self._acceptor[1]
        return machine.enable(now) if self._wish else machine.disable(now)

    def _said(self, _name: str, output: Output) -> None:
        """Hand over an output and wait; called in the device loop."""
        said = Said(output)
        self._hand_over(said)
        said.done.wait()
        if not said.taken:
            raise NotTaken

    def _stop_loop(self) -> None:
        assert self._loop is not None, "only called with a loop"
        # What it ended with, if early, is what the main loop ends for (`failure`).
        with contextlib.suppress(NotTaken, OSError):
            self._loop.stop()


_Kind = TypeVar("_Kind", NoteAcceptor, ReceiptPrinter)


def _find(attached: Sequence[Attached], kind: type[_Kind]) -> tuple[str, _Kind] | None:
    for each in attached:
        if isinstance(each.machine, kind):
            return each.name, each.machine
    return None
