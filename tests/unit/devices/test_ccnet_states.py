"""Every row of CCNET's state tables in the contract's words, and the bill table."""

import pytest

from agent.devices.ccnet.bill_table import Note, read_bill_table, type_mask
from agent.devices.ccnet.orders import read_identification
from agent.devices.ccnet.states import (
    Meaning,
    code_of,
    meaning_of,
    rejection_code,
)

RUNNING = Meaning("online", "ok")
STARTING = Meaning("starting")
ROWS = [
    (0x10, STARTING, None),
    (0x11, STARTING, None),
    (0x12, STARTING, None),
    (0x13, STARTING, None),
    (0x14, RUNNING, None),
    (0x15, RUNNING, None),
    (0x17, RUNNING, None),
    (0x18, RUNNING, None),
    (0x19, RUNNING, None),
    (0x1A, RUNNING, None),
    (0x1C, RUNNING, None),
    (0x41, Meaning("online", "full", "cassette_full"), "41"),
    (0x42, Meaning("user_error", "missing", "cassette_missing"), "42"),
    (0x43, Meaning("hardware_error", None, "note_jammed"), "43"),
    (0x44, Meaning("hardware_error", "inoperative", "note_jammed"), "44"),
    (0x45, Meaning("fraud_attempt", None, "cheated"), "45"),
    (0x46, Meaning("user_error"), "46"),
    (0x80, RUNNING, None),
    (0x81, RUNNING, None),
    (0x82, RUNNING, None),
    (0x84, Meaning("potential_fraud"), "84"),
    (0x90, Meaning("potential_fraud"), "90"),
    (0x77, Meaning("unknown"), "77"),
]


@pytest.mark.parametrize(("state", "meaning", "code"), ROWS)
def test_a_state_is_said_in_the_contracts_words(
    state: int, meaning: Meaning, code: str | None
) -> None:
    """One row of the table: status, storage, cause and code."""
    assert meaning_of(state, None) == meaning
    assert code_of(state, None) == code


def test_busy_says_nothing() -> None:
    """1B changes no state."""
    assert meaning_of(0x1B, 5) is None


@pytest.mark.parametrize("detail", [*range(0x50, 0x60), 0x65, 0x66, 0x67])
def test_a_failure_names_its_part(detail: int) -> None:
    """47 is a hardware error with the part in its code; 54 makes the cassette inoperative."""
    storage = "inoperative" if detail == 0x54 else None
    meaning = meaning_of(0x47, detail)
    assert meaning is not None
    assert (meaning.status, meaning.cause) == ("hardware_error", "hardware")
    assert meaning.storage == storage
    assert code_of(0x47, detail) == f"47{detail:02X}"


@pytest.mark.parametrize("detail", range(0x70, 0x76))
def test_a_bill_to_bill_jam_is_a_jam(detail: int) -> None:
    """48 with its place."""
    assert meaning_of(0x48, detail) == Meaning("hardware_error", None, "note_jammed")
    assert code_of(0x48, detail) == f"48{detail:02X}"


@pytest.mark.parametrize("detail", [0x60, 0x6D, 0x92])
def test_a_rejection_has_its_reason(detail: int) -> None:
    """1C and its second byte are the code."""
    assert rejection_code(detail) == f"1C{detail:02X}"


def test_a_rejection_without_a_reason_still_has_a_code() -> None:
    """Some firmware sends one byte only."""
    assert rejection_code(None) == "1C"


def entry(digit: int, country: bytes, exponent: int) -> bytes:
    """Return five bytes of a bill table."""
    return bytes((digit,)) + country + bytes((exponent,))


@pytest.mark.parametrize(
    ("bytes_", "note"),
    [
        (entry(1, b"RUS", 1), Note(1_000, "RUB")),
        (entry(5, b"RUR", 3), Note(500_000, "RUB")),
        (entry(2, b"RUS", 2), Note(20_000, "RUB")),
        (entry(1, b"KAZ", 4), Note(1_000_000, "KZT")),
        (entry(5, b"EUR", 0), Note(500, "EUR")),
        (entry(25, b"BYR", 0x82), Note(25, "BYN")),
        (entry(5, b"USA", 0x81), Note(50, "USD")),
        (entry(7, b"XYZ", 0), Note(700, "XYZ")),
    ],
)
def test_an_entry_is_a_note(bytes_: bytes, note: Note) -> None:
    """Digit times ten to the exponent, bit 7 for a negative one, in minor units."""
    assert read_bill_table(bytes_.ljust(120, b"\0")) == {0: note}


@pytest.mark.parametrize(
    "bytes_",
    [bytes(5), entry(1, b"\x00\x00\x00", 1), entry(1, b"R1S", 1), entry(1, b"RUS", 40),
     entry(5, b"RUS", 0x83)],
)  # fmt: skip
def test_an_entry_that_makes_no_sense_is_no_note(bytes_: bytes) -> None:
    """Zeros, no letters, or amounts beyond belief or under a kopeck."""
    assert read_bill_table(bytes_.ljust(120, b"\0")) == {}


def test_a_table_of_another_size_is_no_table() -> None:
    """24 times 5 bytes, nothing else."""
    assert read_bill_table(bytes(119)) is None


def test_type_zero_is_the_last_bit() -> None:
    """ENABLE's mask is big-endian over 24 types."""
    assert type_mask(frozenset({0, 23})) == b"\x80\x00\x01"


def test_the_identification_is_told_as_text() -> None:
    """Part and serial number without their padding; what cannot be printed is a question mark."""
    assert (
        read_identification(b"SM-RU1353      21KC07003912" + bytes(7)) == "SM-RU1353 21KC07003912"
    )
    assert read_identification(b"SM\x01".ljust(27)) == "SM?"
