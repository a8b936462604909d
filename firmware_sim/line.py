"""The door to serial lines: ptys with firmware behind them, and what a bad cable does, by seed.

One thread serves all lines of a simulator. Whoever else touches firmware holds `Bench.lock`.
"""

import contextlib
import os
import selectors
import threading
import tty
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from firmware_sim.clock import monotonic

_TICK_S: Final = 0.02
_READ_BYTES: Final = 4096


class Firmware(Protocol):
    """A device at the end of a line."""

    def received(self, data: bytes, now: float) -> bytes:
        """Take bytes; return what is said at once."""
        ...

    def elapsed(self, now: float) -> bytes:
        """Take the time; return what is said by now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFaults:
    """How bad a line is, as probabilities a chunk; a plain printer line must keep its bytes.

    Damage and loss are only for protocols with a checksum: nothing else can survive them.
    """

    damage: float = 0.0
    loss: float = 0.0
    split: float = 0.0
    delay_s: float = 0.0

    def carry(self, data: bytes, chance: Random) -> list[tuple[float, bytes]]:
        """Return what arrives of it, in portions, each so many seconds later."""
        arriving = bytearray(data)
        if arriving and chance.random() < self.loss:
            del arriving[chance.randrange(len(arriving))]
        if arriving and chance.random() < self.damage:
            arriving[chance.randrange(len(arriving))] ^= 1 << chance.randrange(8)
        wait = chance.uniform(0, self.delay_s)
        if len(arriving) > 1 and chance.random() < self.split:
            cut = chance.randrange(1, len(arriving))
            return [(wait, bytes(arriving[:cut])), (wait + 0.01, bytes(arriving[cut:]))]
        return [(wait, bytes(arriving))]


GOOD_LINE: Final = LineFaults()
ROUGH_LINE: Final = LineFaults(split=0.2, delay_s=0.02)
NOISY_LINE: Final = LineFaults(damage=0.03, loss=0.03, split=0.2, delay_s=0.02)


class _Port:
    def __init__(self, firmware: Firmware, faults: LineFaults, chance: Random) -> None:
        self.firmware, self.faults, self.chance = firmware, faults, chance
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self.slave)
        self.coming: deque[tuple[float, bytes]] = deque()
        self.going: deque[tuple[float, bytes]] = deque()

    def heard(self, now: float) -> None:
        with contextlib.suppress(OSError):
            data = os.read(self.master, _READ_BYTES)
            self._queue(self.coming, data, now)

    def work(self, now: float) -> None:
        said = self.firmware.elapsed(now)
        while self.coming and self.coming[0][0] <= now:
            said += self.firmware.received(self.coming.popleft()[1], now)
        if said:
            self._queue(self.going, said, now)
        while self.going and self.going[0][0] <= now:
            # Nobody reads and the buffer is full: the bytes are lost, as on a line.
            with contextlib.suppress(OSError):
                os.write(self.master, self.going.popleft()[1])

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)

    def _queue(self, queue: deque[tuple[float, bytes]], data: bytes, now: float) -> None:
        for wait, part in self.faults.carry(data, self.chance):
            # A line never reorders.
            due = max(now + wait, queue[-1][0] if queue else 0.0)
            queue.append((due, part))


class Bench:
    """All lines of a simulator, served by one thread."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._ports: list[_Port] = []
        self._selector = selectors.DefaultSelector()
        self._running = False
        self._thread = threading.Thread(target=self._run, name="bench", daemon=True)

    def open(self, firmware: Firmware, faults: LineFaults, chance: Random) -> str:
        """Put firmware on a new line; return the path of the line's other end."""
        port = _Port(firmware, faults, chance)
        with self.lock:
            self._ports.append(port)
            self._selector.register(port.master, selectors.EVENT_READ, port)
        return port.path

    def start(self) -> None:
        """Begin to serve."""
        self._running = True
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close all lines."""
        self._running = False
        if self._thread.is_alive():
            self._thread.join()
        for port in self._ports:
            port.close()
        self._selector.close()

    def _run(self) -> None:
        while self._running:
            ready = self._selector.select(_TICK_S)
            with self.lock:
                now = monotonic()
                for key, _ in ready:
                    key.data.heard(now)
                for port in self._ports:
                    port.work(now)
