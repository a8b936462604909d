"""Firmware on a bad line: whatever bytes come, it answers like firmware and never fails."""

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.ccnet import Damaged, Frame, Reader, encode
from firmware_sim.escpos import Reader as TextReader
from firmware_sim.printer import Printer
from firmware_sim.printer_models import MODELS
from firmware_sim.validator import Validator

BYTES = st.binary(max_size=80)
ESCPOS = st.lists(
    st.sampled_from([b"\x1b", b"\x1d", b"\x10", b"\x04", b"\x14", b"V", b"e", b"(", b"v", b"\n"])
    | st.binary(max_size=3),
    max_size=30,
).map(b"".join)


@given(st.lists(BYTES, max_size=20))
def test_noise_never_crashes_a_validator(chunks: list[bytes]) -> None:
    """Noise moves no note, and an answer is a whole frame."""
    validator = Validator()
    validator.power_on()
    for number, chunk in enumerate(chunks):
        answer = validator.received(chunk, number * 0.01)
        assert all(isinstance(frame, Frame) for frame in Reader().feed(answer))
    assert validator.ledger == []


@given(st.sampled_from(sorted(MODELS)), st.lists(ESCPOS, max_size=10))
def test_noise_never_crashes_a_printer(model: str, chunks: list[bytes]) -> None:
    """Every answer to a status request among noise is valid for its model."""
    printer = Printer(model)
    printer.power_on()
    for number, chunk in enumerate(chunks):
        printer.received(chunk, float(number))


@given(ESCPOS.map(lambda data: data.replace(b"\x10", b"")), st.integers(0, 40))
def test_a_printer_reads_bytes_the_same_in_any_portions(data: bytes, cut: int) -> None:
    """Cut anywhere, what is printed is the same (DLE apart, which real printers take early)."""
    whole = [read for read in TextReader().feed(data) if not _real_time(read)]
    reader = TextReader()
    parts = [*reader.feed(data[:cut]), *reader.feed(data[cut:])]
    assert [read for read in parts if not _real_time(read)] == whole


def _real_time(read: object) -> bool:
    return type(read).__name__ in {"Ask", "Clear"}


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=30)), max_size=8), st.data())
def test_frames_survive_any_portions(frames: list[tuple[int, bytes]], data: st.DataObject) -> None:
    """Fed byte by byte or at once, the same frames come out."""
    stream = b"".join(encode(command, body) for command, body in frames)
    cut = data.draw(st.integers(0, len(stream)))
    reader = Reader()
    out = [*reader.feed(stream[:cut]), *reader.feed(stream[cut:])]
    assert not any(isinstance(each, Damaged) for each in out)
    assert [(each.command, each.data) for each in out if isinstance(each, Frame)] == frames
