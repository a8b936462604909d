"""The device loop on real ptys, with the simulator's firmware at the other end."""

import os
import pty
import random
import select
import threading
import time
import tty
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

import pytest

from agent.devices.ccnet.machine import NoteAcceptor
from agent.devices.escpos.machine import ReceiptPrinter
from agent.devices.line import Attached, DeviceLoop
from agent.devices.machine import Instant, NoteStacked, Output, ReceiptFinished, StateChanged
from agent.devices.serial_port import LineLost, SerialPort
from agent.devices.settings import attach, read_devices
from firmware_sim.printer import Printer
from firmware_sim.validator import Validator


class Firmware(Protocol):
    """What the simulator's devices have in common."""

    def received(self, data: bytes, now: float) -> bytes:
        """Take bytes, return the answer."""
        ...


class Unit:
    """A firmware behind a pty, served by a thread until closed."""

    def __init__(self, firmware: Firmware, spoil: Callable[[bytes], bytes] = bytes) -> None:
        self.firmware = firmware
        self.lock = threading.Lock()
        self._spoil = spoil
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._running = True
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while self._running:
            ready, _, _ = select.select([self._master], [], [], 0.05)
            data = os.read(self._master, 4096) if ready else b""
            with self.lock:
                answer = self.firmware.received(self._spoil(data), time.monotonic())
            if answer:
                os.write(self._master, self._spoil(answer))

    def close(self) -> None:
        """End the thread and the pty."""
        self._running = False
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)


class Told:
    """What came out of the loop, and a way to wait for it."""

    def __init__(self) -> None:
        self.outputs: list[tuple[str, Output]] = []

    def __call__(self, name: str, output: Output) -> None:
        """Take an output."""
        self.outputs.append((name, output))

    def until(self, holds: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until something holds."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, self.outputs
            time.sleep(0.01)

    def status(self, name: str) -> str | None:
        """Return the device's last status."""
        states = [
            each.state.status
            for told, each in self.outputs
            if told == name and isinstance(each, StateChanged)
        ]
        return states[-1] if states else None

    def notes(self) -> Counter[int]:
        """Return the notes told as stacked, in rubles."""
        return Counter(
            each.amount // 100 for _, each in self.outputs if isinstance(each, NoteStacked)
        )

    def receipts(self) -> list[ReceiptFinished]:
        """Return the outcomes told."""
        return [each for _, each in self.outputs if isinstance(each, ReceiptFinished)]


@pytest.fixture
def units() -> Iterator[list[Unit]]:
    """Hold the units of a test; all are closed after it."""
    held: list[Unit] = []
    yield held
    for unit in held:
        unit.close()


def devices(acceptor: Unit, printer: Unit, profile: str = "epson") -> tuple[Attached, ...]:
    """Return both devices on the units' ptys, as agent.toml would say it."""
    return attach(
        read_devices(
            [
                {"kind": "ccnet", "port": acceptor.path},
                {"kind": "escpos", "port": printer.path, "profile": profile},
            ]
        ),
        memory="settled",
    )


def pair(units: list[Unit], profile: str = "epson") -> tuple[Validator, Printer, Unit, Unit]:
    """Return a validator and a printer with power, and their units."""
    validator, printer = Validator(speed=4.0), Printer(profile, speed=4.0)
    validator.power_on()
    printer.power_on()
    units += [Unit(validator), Unit(printer)]
    return validator, printer, units[-2], units[-1]


@pytest.mark.parametrize("profile", ["epson", "citizen-ppu231", "citizen-ppu700", "custom-vkp80",
                                     "custom-kpm"])  # fmt: skip
def test_notes_and_a_receipt_over_ptys(profile: str, units: list[Unit]) -> None:
    """Both devices in one loop: three notes are told, and a receipt comes out and is proven."""
    validator, printer, first, second = pair(units, profile)
    told = Told()
    attached = devices(first, second, profile)
    acceptor, writer = (each.machine for each in attached)
    assert isinstance(acceptor, NoteAcceptor)
    assert isinstance(writer, ReceiptPrinter)
    loop = DeviceLoop(attached, told)
    loop.start()
    try:
        assert loop.submit("note_acceptor", acceptor.enable)
        for rubles in (100, 500, 100):
            told.until(lambda: validator.ready)
            with first.lock:
                assert validator.insert(rubles, time.monotonic())
            told.until(lambda: not validator.busy)
        told.until(lambda: told.notes() == Counter({100: 2, 500: 1}))
        loop.submit("receipt_printer", partial(writer.print_receipt, "j", "Чек\nИтого 700"))
        told.until(lambda: bool(told.receipts()))
    finally:
        loop.stop()
    assert told.receipts() == [ReceiptFinished(job="j", outcome="printed")]
    assert [each.text for each in printer.tickets if each.whole] == ["Чек\nИтого 700"]
    assert validator.cassette == 700


def test_noise_on_the_line_costs_no_note(units: list[Unit]) -> None:
    """Every twentieth chunk is damaged in both directions: told is what is in the cassette."""
    chance = random.Random(7)

    def spoil(data: bytes) -> bytes:
        if not data or chance.random() > 0.05:
            return data
        hurt = bytearray(data)
        hurt[chance.randrange(len(hurt))] ^= 1 << chance.randrange(8)
        return bytes(hurt)

    validator = Validator(speed=8.0)
    validator.power_on()
    units.append(Unit(validator, spoil))
    machine = NoteAcceptor(memory="settled")
    told = Told()
    loop = DeviceLoop([Attached("note_acceptor", machine, units[0].path, 9600)], told)
    loop.start()
    try:
        loop.submit("note_acceptor", machine.enable)
        for rubles in (100, 50, 500, 100):
            told.until(lambda: validator.ready and not validator.busy)
            with units[0].lock:
                assert validator.insert(rubles, time.monotonic())
            told.until(lambda: not validator.busy)
        told.until(lambda: sum(told.notes().elements()) == validator.cassette)
    finally:
        loop.stop()
    assert told.notes() == Counter(
        each.rubles for each in validator.ledger if each.where == "stacked"
    )


def test_a_port_that_is_not_there_is_opened_when_it_comes(units: list[Unit]) -> None:
    """Offline while there is no port; online when there is one, without anybody's help."""
    validator, _, first, second = pair(units)
    path = f"{first.path}-later"
    opened: list[str] = []

    def open_port(wanted: str, baud: int) -> SerialPort:
        opened.append(wanted)
        if len(opened) == 1:
            raise LineLost(path)
        return SerialPort(first.path, baud)

    told = Told()
    machine = NoteAcceptor()
    loop = DeviceLoop([Attached("note_acceptor", machine, path, 9600)], told, open_port=open_port)
    loop.start()
    try:
        told.until(lambda: told.status("note_acceptor") == "offline")
        told.until(lambda: told.status("note_acceptor") == "online")
    finally:
        loop.stop()
    assert validator.powered
    assert second.path


def test_a_port_that_hangs_up_is_offline_and_tried_again() -> None:
    """The adapter is pulled out: offline, the loop lives on."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    told, machine = Told(), NoteAcceptor()
    path = os.ttyname(slave)
    loop = DeviceLoop([Attached("note_acceptor", machine, path, 9600)], told)
    loop.start()
    try:
        told.until(lambda: told.status("note_acceptor") == "unknown")
        os.close(slave)
        os.close(master)
        told.until(lambda: told.status("note_acceptor") == "offline")
        assert loop.failure is None
    finally:
        loop.stop()


def test_what_the_journal_refuses_is_not_acknowledged(units: list[Unit]) -> None:
    """`on_output` raises on a note: the loop ends with it, and the validator still holds it."""
    validator, _, first, second = pair(units)
    machine = NoteAcceptor(memory="settled")

    class DiskGoneError(Exception):
        pass

    def refuse(_name: str, output: Output) -> None:
        if isinstance(output, NoteStacked):
            raise DiskGoneError

    loop = DeviceLoop([Attached("note_acceptor", machine, first.path, 9600)], refuse)
    loop.start()
    loop.submit("note_acceptor", machine.enable)
    told = Told()
    told.until(lambda: validator.ready)
    with first.lock:
        validator.insert(100, time.monotonic())
    told.until(lambda: loop.failure is not None)
    with pytest.raises(DiskGoneError):
        loop.stop()
    assert validator.busy
    assert second.path


def test_the_loop_is_nearly_idle(units: list[Unit]) -> None:
    """Both devices polled: well under 1 % of a core in the loop's thread."""
    _, _, first, second = pair(units)
    spent: list[float] = []
    told = Told()
    loop = DeviceLoop(devices(first, second), told)

    def measure(_now: Instant) -> list[Output]:
        spent.append(time.thread_time())
        return []

    loop.start()
    try:
        told.until(lambda: told.status("note_acceptor") == "online")
        told.until(lambda: told.status("receipt_printer") == "online")
        time.sleep(1)
        loop.submit("note_acceptor", measure)
        time.sleep(4)
        loop.submit("note_acceptor", measure)
        told.until(lambda: len(spent) == 2)
    finally:
        loop.stop()
    share = (spent[1] - spent[0]) / 4
    assert share < 0.01, f"{share:.2%} of a core"
