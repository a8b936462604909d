"""The printer's firmware against status bytes written by hand from the manuals' tables."""

import pytest

from firmware_sim.printer import NEAR_END_MM, Printer

ASK = {n: bytes((0x10, 0x04, n)) for n in (1, 2, 3, 4, 0x14)}


def _printer(model: str = "epson") -> Printer:
    printer = Printer(model)
    printer.power_on()
    return printer


def _receipt(lines: int = 10) -> bytes:
    text = "".join(f"строка {number}\n" for number in range(lines))
    return b"\x1b@" + text.encode("cp866") + b"\x1bd\x03\x1dV\x00"


def test_a_receipt_comes_out_whole() -> None:
    """Ten lines, a feed and a cut make one whole ticket, and take their paper."""
    printer = _printer()
    before = printer.roll_mm
    assert printer.received(_receipt(), 0.0) == b""
    printer.elapsed(5.0)
    (ticket,) = printer.tickets
    assert ticket.whole
    assert ticket.lines[9] == "строка 9"
    assert before - printer.roll_mm == pytest.approx(13 * 3.75)


def test_status_is_answered_while_printing() -> None:
    """DLE EOT in the middle of data does not wait for the paper."""
    printer = _printer()
    half = _receipt()
    assert printer.received(half[:30] + ASK[1] + half[30:], 0.0) == b"\x12"
    assert printer.busy


@pytest.mark.parametrize(
    ("model", "n", "answer"),
    [
        ("epson", 4, "72"),
        ("citizen-ppu231", 4, "72"),
        ("citizen-ppu700", 4, "32"),
        ("custom-vkp80", 0x14, "100f41000000"),
        ("custom-kpm", 0x14, "100f41000000"),
        ("epson", 1, "1a"),
        ("epson", 2, "32"),
    ],
)
def test_paper_end_in_the_words_of_each_model(model: str, n: int, answer: str) -> None:
    """No paper, no ticket at the presenter (but near-end is its own bit)."""
    printer = _printer(model)
    printer.roll_mm = 0
    near = {"72": 0x0C if model == "epson" else 0x04, "32": 0x04, "100f41000000": 0x04}
    got = printer.received(ASK[n], 0.0)
    wanted = bytearray.fromhex(answer)
    if n not in {1, 2}:
        wanted[2 if n == 0x14 else 0] |= near[answer]
    assert got == bytes(wanted)


@pytest.mark.parametrize(
    ("model", "n", "before", "after"),
    [
        ("citizen-ppu231", 4, "52", "12"),
        ("citizen-ppu700", 4, "12", "52"),
        ("custom-vkp80", 0x14, "100f00000000", "100f20000000"),
    ],
)
def test_a_ticket_at_the_presenter_until_it_is_taken(
    model: str, n: int, before: str, after: str
) -> None:
    """The two Citizens say it with opposite bits."""
    printer = _printer(model)
    assert printer.received(ASK[n], 0.0).hex() == before
    printer.received(_receipt(), 0.0)
    printer.elapsed(5.0)
    assert printer.received(ASK[n], 5.0).hex() == after
    assert printer.take() is printer.tickets[0]
    assert printer.received(ASK[n], 5.0).hex() == before


def test_the_roll_ends_in_the_middle_of_a_receipt() -> None:
    """It stops, says so, and the rest on the new roll makes no whole ticket."""
    printer = _printer()
    printer.roll_mm = 20
    printer.received(_receipt(), 0.0)
    printer.elapsed(10.0)
    assert printer.received(ASK[2], 10.0) == b"\x32"
    printer.load()
    printer.elapsed(20.0)
    assert len(printer.tickets) == 2
    assert not any(ticket.whole for ticket in printer.tickets)


@pytest.mark.parametrize(
    ("name", "n", "answer"),
    [
        ("cover_open", 2, "16"),
        ("cutter_stuck", 3, "1a"),
        ("jammed", 3, "32"),
        ("overheated", 3, "52"),
    ],
)
def test_a_fault_stops_it_until_it_is_repaired(name: str, n: int, answer: str) -> None:
    """Offline with its cause; nothing is printed meanwhile."""
    printer = _printer()
    setattr(printer, name, True)
    assert printer.received(ASK[n], 0.0).hex() == answer
    printer.received(_receipt(), 0.0)
    printer.elapsed(10.0)
    assert printer.tickets == []
    printer.repair()
    printer.elapsed(20.0)
    assert printer.tickets[-1].cut


def test_without_power_or_voice_there_is_no_answer() -> None:
    """Silence is all that a dead cable says; what was printing is torn."""
    printer = _printer()
    printer.received(_receipt(), 0.0)
    printer.elapsed(0.1)
    printer.power_off()
    assert printer.received(ASK[1], 0.2) == b""
    assert [ticket.whole for ticket in printer.tickets] == [False]
    printer.power_on()
    printer.mute = True
    assert printer.received(ASK[1], 0.3) == b""


def test_near_end_is_said_before_the_end() -> None:
    """One sensor's bit, and paper still comes."""
    printer = _printer()
    printer.roll_mm = NEAR_END_MM - 1
    assert printer.received(ASK[4], 0.0) == b"\x1e"
    assert printer.received(ASK[1], 0.0) == b"\x12"
