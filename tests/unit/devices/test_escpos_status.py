"""Every row of the manuals' status tables in the contract's words, model by model."""

import pytest

from agent.devices.escpos.profiles import PROFILES
from agent.devices.escpos.status import (
    Sign,
    Signs,
    device_state,
    find_answer,
    is_status,
    read_signs,
    silent_state,
)
from agent.devices.escpos.text import TEXT_CHARACTERS_MAX, encode_text

DLE_EOT = [
    ("epson", 1, 0x12, set()),
    ("epson", 1, 0x16, set()),  # the drawer's pin says nothing of the printer
    ("epson", 1, 0x1A, {Sign.OFFLINE}),
    ("epson", 2, 0x12, set()),
    ("epson", 2, 0x16, {Sign.COVER_OPEN}),
    ("epson", 2, 0x1A, set()),  # the feed button is pressed
    ("epson", 2, 0x32, {Sign.PAPER_END}),
    ("epson", 2, 0x52, {Sign.ERROR}),
    ("epson", 3, 0x1A, {Sign.CUTTER}),
    ("epson", 3, 0x32, {Sign.UNRECOVERABLE}),
    ("epson", 3, 0x52, {Sign.OVERHEATED}),
    ("epson", 4, 0x12, set()),
    ("epson", 4, 0x1E, {Sign.NEAR_END}),
    ("epson", 4, 0x16, {Sign.NEAR_END}),  # one of two sensors: python-escpos says "adequate"
    ("epson", 4, 0x72, {Sign.PAPER_END}),
    ("epson", 4, 0x7E, {Sign.NEAR_END, Sign.PAPER_END}),
    ("citizen-ppu231", 3, 0x16, {Sign.ERROR}),  # black mark
    ("citizen-ppu231", 4, 0x52, set()),  # bit 6: no ticket at the presenter
    ("citizen-ppu231", 4, 0x12, {Sign.TICKET}),
    ("citizen-ppu231", 4, 0x32, {Sign.PAPER_END, Sign.TICKET}),  # the manual's example
    ("citizen-ppu231", 4, 0x5E, {Sign.NEAR_END}),
    ("citizen-ppu700", 4, 0x12, set()),
    ("citizen-ppu700", 4, 0x52, {Sign.TICKET}),
    ("citizen-ppu700", 4, 0x32, {Sign.PAPER_END}),
    ("citizen-ppu700", 5, 0x16, {Sign.COVER_OPEN}),
    ("citizen-ppu700", 5, 0x1A, {Sign.OVERHEATED}),
    ("citizen-ppu700", 5, 0x32, {Sign.UNRECOVERABLE}),
    ("citizen-ppu700", 6, 0x16, {Sign.UNRECOVERABLE}),
    ("citizen-ppu700", 6, 0x1A, {Sign.PAPER_JAM}),
    ("citizen-ppu700", 6, 0x32, {Sign.UNRECOVERABLE}),
]


@pytest.mark.parametrize(("profile", "n", "byte", "signs"), DLE_EOT)
def test_an_answer_says_what_its_bits_say(
    profile: str, n: int, byte: int, signs: set[Sign]
) -> None:
    """One row of the model's table."""
    query = next(each for each in PROFILES[profile].queries if each.request == bytes((16, 4, n)))
    answer, used = find_answer(query, bytes((byte,)))
    assert (answer, used) == (bytes((byte,)), 1)
    assert read_signs(query, bytes((byte,))) == signs


CUSTOM = [
    ("00 00 00 00", set()),
    ("01 00 00 00", {Sign.PAPER_END}),
    ("04 00 00 00", {Sign.NEAR_END}),
    ("20 00 00 00", {Sign.TICKET}),
    ("40 00 00 00", {Sign.NEAR_END}),
    ("00 01 00 00", {Sign.COVER_OPEN}),
    ("00 02 00 00", {Sign.COVER_OPEN}),
    ("00 00 01 00", {Sign.OVERHEATED}),
    ("00 00 08 00", {Sign.UNRECOVERABLE}),
    ("00 00 20 00", set()),  # NACK of a command: nothing is wrong with the printer
    ("00 00 40 00", {Sign.PAPER_JAM}),
    ("00 00 80 00", {Sign.ERROR}),
    ("00 00 00 01", {Sign.CUTTER}),
    ("00 00 00 02", {Sign.CUTTER}),
    ("00 00 00 04", {Sign.UNRECOVERABLE}),
    ("00 00 00 08", {Sign.UNRECOVERABLE}),
    ("25 00 00 00", {Sign.PAPER_END, Sign.NEAR_END, Sign.TICKET}),
]


@pytest.mark.parametrize("profile", ["custom-vkp80", "custom-kpm"])
@pytest.mark.parametrize(("answer", "signs"), CUSTOM)
def test_the_six_byte_answer_says_what_its_bits_say(
    profile: str, answer: str, signs: set[Sign]
) -> None:
    """10 0F and four bytes: paper, user, recoverable, unrecoverable."""
    query = PROFILES[profile].queries[0]
    assert query.request == b"\x10\x04\x14"
    data = b"\x10\x0f" + bytes.fromhex(answer)
    assert find_answer(query, data) == (data[2:], 6)
    assert read_signs(query, data[2:]) == signs


def test_the_six_byte_answer_is_found_in_noise_and_waited_for() -> None:
    """Bytes before it are skipped; a part of it is kept, even a part of its head."""
    query = PROFILES["custom-kpm"].queries[0]
    assert find_answer(query, b"\x12\x99\x10\x0f\x00\x00") == (None, 2)
    assert find_answer(query, b"\x99\x10") == (None, 1)
    assert find_answer(query, b"\x99") == (None, 1)


def test_only_bytes_with_the_fixed_bits_are_status() -> None:
    """(b & 0x93) == 0x12: sixteen of all bytes; XON, XOFF and fence answers are none of them."""
    assert sum(is_status(byte) for byte in range(256)) == 16
    assert not any(is_status(byte) for byte in (0x11, 0x13, 0x00, 0x03, 0x0C, 0x0F))


STATES: list[tuple[Signs, tuple[str, str | None, str | None]]] = [
    (frozenset(), ("online", "full", None)),
    (frozenset({Sign.TICKET}), ("online", "full", None)),
    (frozenset({Sign.NEAR_END}), ("online", "low", None)),
    (frozenset({Sign.NEAR_END, Sign.PAPER_END}), ("online", "out", "paper_out")),
    (frozenset({Sign.OFFLINE, Sign.PAPER_END}), ("online", "out", "paper_out")),
    (frozenset({Sign.PAPER_JAM}), ("hardware_error", "jammed", "paper_jammed")),
    (frozenset({Sign.CUTTER, Sign.ERROR}), ("hardware_error", "full", "cutter")),
    (frozenset({Sign.COVER_OPEN, Sign.PAPER_END}), ("user_error", "out", "cover_open")),
    (frozenset({Sign.OVERHEATED, Sign.NEAR_END}), ("hardware_error", "low", "overheated")),
    (frozenset({Sign.UNRECOVERABLE}), ("hardware_error", "full", "hardware")),
    (frozenset({Sign.ERROR}), ("hardware_error", "full", "hardware")),
    (frozenset({Sign.OFFLINE}), ("offline", "full", "unknown")),
]


@pytest.mark.parametrize(("signs", "said"), STATES)
def test_signs_become_the_contracts_words(
    signs: Signs, said: tuple[str, str | None, str | None]
) -> None:
    """Status, paper and the cause that comes first."""
    state = device_state(signs, "1A")
    assert (state.status, state.paper, state.cause) == said
    assert state.code == ("1A" if state.cause else None)


@pytest.mark.parametrize("offline", [True, False])
def test_of_a_silent_printer_the_paper_is_unknown(*, offline: bool) -> None:
    """Silence says neither "full" nor "out"."""
    state = silent_state("silent", offline=offline)
    assert state.paper == "unknown"
    assert state.status == ("offline" if offline else "unknown")


def test_text_cannot_command_the_printer() -> None:
    """Control characters are dropped; what the code page lacks is replaced."""
    assert encode_text("a\x1b@b\x10\x04\x01", "cp866") == b"a@b\n"
    assert encode_text("10 ₽ — «чек»", "cp866") == '10 р. - "чек"\n'.encode("cp866")
    assert encode_text("日", "cp866") == b"?\n"
    assert len(encode_text("x" * 100_000, "cp866")) == TEXT_CHARACTERS_MAX + 1
