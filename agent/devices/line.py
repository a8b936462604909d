"""The device loop: opens ports, waits for bytes and deadlines, does what the machines answer.

Laws:
- One thread runs all machines. A machine is never called from anywhere else; who wants something
  of one hands an order to `submit`.
- Outputs are given to `on_output` in their order, and before any later `Send` is written. So what
  a machine says before it acknowledges is on disk when the acknowledgement leaves. If `on_output`
  raises, the loop ends with that exception: nothing is acknowledged that was not taken.
- A port that is lost or refuses bytes for `STALLED_S` is closed and opened again with back-off.
"""

import contextlib
import os
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from agent.devices.machine import Instant, Machine, Output, Send
from agent.devices.serial_port import LineLost, Port, SerialPort

REOPEN_S_FIRST: Final = 0.5
REOPEN_S_MAX: Final = 15.0
UNSENT_BYTES_MAX: Final = 64 * 1024
"""Bytes that wait for a slow line; beyond that the port counts as lost."""
STALLED_S: Final = 60.0
"""A line that takes no byte for so long (a printer that holds flow control) is opened anew."""
ORDERS_MAX: Final = 64
"""Orders that wait for the loop; more are refused."""
POLL_S_WITHOUT_SELECT: Final = 0.01
"""Where ports cannot be waited for (Windows), they are looked at this often."""

Order = Callable[[Instant], Sequence[Output]]
"""An order to a machine, as one of its own methods: `acceptor.enable`."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A machine by the name that its outputs and orders go under, and its port."""

    name: str
    machine: Machine
    port: str
    baud: int


class _Line:
    """A machine on its port."""

    def __init__(self, attached: Attached, open_port: Callable[[str, int], Port]) -> None:
        self.attached = attached
        self.machine = attached.machine
        self.port: Port | None = None
        self.unsent = bytearray()
        self.retry_at: Instant | None = None
        self._open_port = open_port
        self._back_off_s = REOPEN_S_FIRST
        self._moved_at = Instant(0.0)

    def due(self) -> Instant | None:
        """Return when this line must be looked at without a byte having come."""
        dues = [self.machine.deadline(), self.retry_at]
        if self.unsent:
            dues.append(Instant(self._moved_at + STALLED_S))
        return min((each for each in dues if each is not None), default=None)

    def open(self, now: Instant) -> Sequence[Output]:
        """Try to open; on failure try again later, twice as late each time."""
        try:
            self.port = self._open_port(self.attached.port, self.attached.baud)
        except LineLost:
            self.retry_at = Instant(now + self._back_off_s)
            self._back_off_s = min(2 * self._back_off_s, REOPEN_S_MAX)
            return self.machine.line_closed(now)
        self.retry_at = None
        return self.machine.line_opened(now)

    def lost(self, now: Instant) -> Sequence[Output]:
        """Close the port and say so; it is opened again after a pause."""
        self.close()
        self.retry_at = Instant(now + self._back_off_s)
        return self.machine.line_closed(now)

    def close(self) -> None:
        """Let the port go, and what was not written."""
        if self.port is not None:
            self.port.close()
        self.port = None
        self.unsent.clear()

    def read(self, now: Instant) -> Sequence[Output]:
        """Take what came."""
        data = self.port.read() if self.port is not None else b""
        if not data:
            return ()
        self._back_off_s = REOPEN_S_FIRST
        return self.machine.received(data, now)

    def send(self, data: bytes, now: Instant) -> bool:
        """Write, or keep what the line does not take yet; False: the line is lost."""
        if self.port is None:
            return True
        if not self.unsent:
            self._moved_at = now
        self.unsent += data
        try:
            self.flush(now)
        except LineLost:
            return False
        return len(self.unsent) <= UNSENT_BYTES_MAX

    def flush(self, now: Instant) -> None:
        """Write what waits."""
        if self.port is None or not self.unsent:
            return
        written = self.port.write(bytes(self.unsent))
        del self.unsent[:written]
        if written:
            self._moved_at = now
        elif now - self._moved_at >= STALLED_S:
            raise LineLost("the line takes no bytes")


class DeviceLoop:
    """Runs machines on their ports in one thread until stopped."""

    def __init__(
        self,
        devices: Sequence[Attached],
        on_output: Callable[[str, Output], None],
        *,
        open_port: Callable[[str, int], Port] = SerialPort,
    ) -> None:
        """`on_output` gets a device's name and what its machine says; it is called in the loop."""
        self._lines = {each.name: _Line(each, open_port) for each in devices}
        self._on_output = on_output
        self._orders: deque[tuple[str, Order]] = deque()
        self._lock = threading.Lock()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        # Windows cannot wait for ports nor pipes: there the loop looks around often instead.
        self._wake_pipe = None if os.name == "nt" else os.pipe()
        for number in self._wake_pipe or ():
            os.set_blocking(number, False)

    def start(self) -> None:
        """Run the loop in a thread of its own."""
        self._thread = threading.Thread(target=self._run_and_keep, name="devices", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the loop, close the ports, and raise what the loop ended with, if anything."""
        self._stopping = True
        self._wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            if self._failure is not None:
                raise self._failure

    @property
    def failure(self) -> BaseException | None:
        """Return what the loop has ended with; None while it runs or when it ended well."""
        return self._failure

    def submit(self, name: str, order: Order) -> bool:
        """Have an order carried out by the loop; False when too many wait already."""
        with self._lock:
            if len(self._orders) >= ORDERS_MAX:
                return False
            self._orders.append((name, order))
        self._wake()
        return True

    def run(self) -> None:
        """Run until `stop`."""
        with selectors.DefaultSelector() as selector:
            if self._wake_pipe is not None:
                selector.register(self._wake_pipe[0], selectors.EVENT_READ, None)
            try:
                for line in self._lines.values():
                    self._do(line, line.open, selector)
                while not self._stopping:
                    self._wait(selector)
                    self._carry_out_orders(selector)
                    self._keep_deadlines(selector)
            finally:
                for line in self._lines.values():
                    line.close()

    def _run_and_keep(self) -> None:
        try:
            self.run()
        except BaseException as failure:  # noqa: BLE001 - the top of this thread: kept for stop()
            self._failure = failure

    def _wake(self) -> None:
        if self._wake_pipe is not None:
            with contextlib.suppress(BlockingIOError):
                os.write(self._wake_pipe[1], b"\0")

    def _wait(self, selector: selectors.BaseSelector) -> None:
        now = _now()
        dues = [due for line in self._lines.values() if (due := line.due()) is not None]
        timeout = None if not dues else max(0.0, min(dues) - now)
        blind = self._wake_pipe is None or any(
            line.port is not None and line.port.fileno() is None for line in self._lines.values()
        )
        if blind:
            time.sleep(min(POLL_S_WITHOUT_SELECT, timeout or POLL_S_WITHOUT_SELECT))
            for line in self._lines.values():
                self._do(line, line.read, selector)
            return
        for key, _ in selector.select(timeout):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(key.fd, ORDERS_MAX)
            else:
                self._do(key.data, key.data.read, selector)

    def _carry_out_orders(self, selector: selectors.BaseSelector) -> None:
        while True:
            with self._lock:
                if not self._orders:
                    return
                name, order = self._orders.popleft()
            self._do(self._lines[name], order, selector)

    def _keep_deadlines(self, selector: selectors.BaseSelector) -> None:
        for line in self._lines.values():
            now = _now()
            if line.retry_at is not None and now >= line.retry_at:
                self._do(line, line.open, selector)
            elif (due := line.machine.deadline()) is not None and now >= due:
                self._do(line, line.machine.elapsed, selector)

    def _do(self, line: _Line, order: Order, selector: selectors.BaseSelector) -> None:
        """Carry out an order of a line and all that follows from it."""
        was, lost = line.port, False
        outputs: Sequence[Output] = ()
        try:
            line.flush(_now())
            outputs = order(_now())
        except LineLost:
            lost = True
        for output in outputs:
            if not isinstance(output, Send):
                self._on_output(line.attached.name, output)
            elif not lost:
                lost = not line.send(output.data, _now())
        if lost:
            self._forget(selector, was)
            was = None
            for output in line.lost(_now()):
                self._on_output(line.attached.name, output)
        self._watch(selector, line, was)

    def _forget(self, selector: selectors.BaseSelector, port: Port | None) -> None:
        number = port.fileno() if port is not None else None
        if number is not None:
            with contextlib.suppress(KeyError):
                selector.unregister(number)

    def _watch(self, selector: selectors.BaseSelector, line: _Line, was: Port | None) -> None:
        number = line.port.fileno() if line.port is not None else None
        if number is None:
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if line.unsent else 0)
        if was is not line.port:
            selector.register(number, events, line)
        elif selector.get_key(number).events != events:
            selector.modify(number, events, line)


def _now() -> Instant:
    return Instant(time.monotonic())
