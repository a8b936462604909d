"""Fuzzing of what comes on serial lines: frames, answers, and the machines that act on them."""

from collections.abc import Sequence
from typing import Final

from agent.devices.ccnet.frame import FRAME_BYTES_MAX, Decoder, Frame, FrameDamaged, encode
from agent.devices.ccnet.machine import NoteAcceptor
from agent.devices.escpos.machine import ReceiptPrinter
from agent.devices.escpos.profiles import PROFILES
from agent.devices.machine import (
    DeviceIdentified,
    Instant,
    Machine,
    NoteRejected,
    NoteStacked,
    Output,
    ReceiptFinished,
    Send,
    StateChanged,
)
from tests.fuzz import laws
from tests.fuzz.tape import Tape, portions
from wire.limits import NUMBER_MAX

ADDRESS: Final = 3
BUFFER_BYTES_MAX: Final = 4096
STEPS_MAX: Final = 400
OUTPUTS_PER_BYTE: Final = 4
"""What a machine may say to one byte, generously; more would be a flood."""


def ccnet_frames(data: bytes) -> None:
    """Find CCNET frames: however it is cut, a stream gives the same, and little is held."""
    tape = Tape(data)
    size, stream = tape.byte() + 1, tape.take(len(data))
    whole, cut = Decoder(ADDRESS), Decoder(ADDRESS)
    at_once = list(whole.feed(stream))
    assert [each for part in portions(stream, size) for each in cut.feed(part)] == at_once
    assert whole.held_bytes == cut.held_bytes <= FRAME_BYTES_MAX
    assert all(isinstance(each, Frame | FrameDamaged) for each in at_once)
    assert whole.flush() == cut.flush()
    assert whole.held_bytes == 0
    body = stream[: FRAME_BYTES_MAX - 16]
    if body:
        assert Decoder(ADDRESS).feed(encode(ADDRESS, body)) == [Frame(ADDRESS, body)]


def note_acceptor(data: bytes) -> None:
    """Answer a note acceptor's machine: good frames of any body, noise, silence, lost lines."""
    tape = Tape(data)
    machine, now = NoteAcceptor(), Instant(0.0)
    machine.line_opened(now)
    for _ in range(STEPS_MAX):
        if not tape:
            break
        choice = tape.byte()
        arrived = b""
        outputs: Sequence[Output] = ()
        match choice % 8:
            case 0 | 1:
                arrived = encode(ADDRESS, tape.take(choice // 32 + 1) or b"\x00")
            case 2:
                arrived = encode(ADDRESS, tape.take(120).ljust(120, b"\x00"))
            case 3:
                arrived = tape.take(choice // 8)
            case 4:
                now = Instant(now + choice / 64)
            case 5:
                outputs = machine.enable(now) if choice & 8 else machine.disable(now)
            case 6:
                outputs = machine.line_closed(now) if choice & 8 else machine.line_opened(now)
            case _:
                now = machine.deadline() or now
        if arrived:
            outputs = machine.received(arrived, now)
        else:
            outputs = [*outputs, *machine.elapsed(now)]
        assert len(outputs) <= OUTPUTS_PER_BYTE * (len(arrived) + 4)
        _outputs(outputs)
    _goes_on(machine, now)


def receipt_printer(data: bytes) -> None:
    """Answer a printer's machine while it watches and prints: one outcome for every receipt."""
    tape = Tape(data)
    profile = list(PROFILES.values())[tape.byte() % len(PROFILES)]
    machine, now = ReceiptPrinter(profile), Instant(0.0)
    jobs: list[str] = []
    told: list[Output] = [*machine.line_opened(now)]
    for _ in range(STEPS_MAX):
        if not tape:
            break
        choice = tape.byte()
        match choice % 6:
            case 0 | 1:
                told += machine.received(tape.take(choice // 8), now)
            case 2:
                now = Instant(now + choice / 16)
                told += machine.elapsed(now)
            case 3:
                job = f"j{len(jobs)}"
                jobs.append(job)
                text = tape.take(choice // 4).decode("utf-8", "surrogateescape")
                told += machine.print_receipt(job, text, now)
            case 4:
                told += machine.line_closed(now) if choice & 8 else machine.line_opened(now)
            case _:
                now = machine.deadline() or now
                told += machine.elapsed(now)
        # The one buffer that a device fills: no answer is longer than a few bytes.
        held = machine._round  # noqa: SLF001 - nothing public tells how much is held
        assert held is None or len(held._buffer) <= BUFFER_BYTES_MAX  # noqa: SLF001 - the same
    told += machine.line_closed(now)
    _outputs(told)
    for job in jobs:
        outcomes = [
            each.outcome for each in told if isinstance(each, ReceiptFinished) and each.job == job
        ]
        assert len(outcomes) == 1 or outcomes == ["unknown", "printed"], (job, outcomes)
    machine.line_opened(now)
    _goes_on(machine, now)


def _outputs(outputs: Sequence[Output]) -> None:
    for each in outputs:
        if isinstance(each, Send):
            assert 0 < len(each.data) <= 64 * 1024
        elif isinstance(each, NoteStacked):
            assert 0 < each.amount <= NUMBER_MAX
            assert len(each.currency) == 3
        elif isinstance(each, NoteRejected):
            laws.is_text(each.code)
        elif isinstance(each, DeviceIdentified):
            assert each.text.isprintable()
            assert len(each.text) <= 64
        elif isinstance(each, StateChanged):
            laws.is_text(each.state.code or "")


def _goes_on(machine: Machine, now: Instant) -> None:
    """See that whatever came, a machine on an open line goes on asking."""
    sent = 0
    for _ in range(10):
        due = machine.deadline()
        if due is None:
            machine.line_opened(now)
            continue
        now = max(now, due)
        sent += sum(isinstance(each, Send) for each in machine.elapsed(now))
    assert sent
