"""The validator's firmware against exchanges written by hand from the manual's tables."""

import pytest

from firmware_sim.validator import CASSETTE_REMOVED, JAMMED, Moved, Validator, failure

POLL = bytes.fromhex("02 03 06 33 DA 81")
ACK = bytes.fromhex("02 03 06 00 C2 82")
RESET = bytes.fromhex("02 03 06 30 41 B3")
ENABLE_ALL = bytes.fromhex("02 03 0C 34 FF FF FF 00 00 00 B5 C1")
STACK = bytes.fromhex("02 03 06 35 EC E4")
RETURN = bytes.fromhex("02 03 06 36 77 D6")
BILL_TABLE = bytes.fromhex("02 03 06 41 4F D1")
STATUS = bytes.fromhex("02 03 06 31 C8 A2")


class Bench:
    """A validator, a clock, and what a controller does with both."""

    def __init__(self, validator: Validator) -> None:
        self.validator = validator
        self.now = 100.0

    def say(self, data: bytes) -> bytes:
        """Send, and return the body of the answer without frame."""
        answer = self.validator.received(data, self.now)
        return answer[3:-2]

    def poll(self, after: float = 0.1) -> bytes:
        """Poll after a while and acknowledge the answer."""
        self.now += after
        body = self.say(POLL)
        self.say(ACK)
        return body

    def ready(self) -> None:
        """Bring it from power up to idling with escrow for all notes."""
        self.validator.power_on()
        self.say(RESET)
        self.now += 3
        self.say(enable(0xFFFFFF, 0xFFFFFF))


def enable(mask: int, escrow: int) -> bytes:
    """Return a frame of command 34; its CRC is computed from the manual's polynomial."""
    body = bytes((2, 3, 12, 0x34)) + mask.to_bytes(3, "big") + escrow.to_bytes(3, "big")
    crc = 0
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x8408 if crc & 1 else crc >> 1
    return body + bytes((crc & 0xFF, crc >> 8))


@pytest.fixture
def bench() -> Bench:
    """Return a bench with a validator that has no power yet."""
    return Bench(Validator())


def test_it_powers_up_waits_for_reset_initializes_and_is_disabled(bench: Bench) -> None:
    """10 until RESET, 13 while the motors turn, then 19."""
    bench.validator.power_on()
    assert bench.poll() == b"\x10"
    assert bench.poll() == b"\x10"
    assert bench.say(RESET) == b"\x00"
    assert bench.poll() == b"\x13"
    assert bench.poll(2.5) == b"\x19"


def test_a_note_goes_through_escrow_into_the_cassette(bench: Bench) -> None:
    """15, 80+type, STACK, 17, 81+type, and idling again; the ledger agrees."""
    bench.ready()
    assert bench.poll() == b"\x14"
    assert bench.validator.insert(500, bench.now)
    assert bench.poll() == b"\x15"
    assert bench.poll(1.5) == b"\x80\x05"
    assert bench.say(STACK) == b"\x00"
    assert bench.poll() == b"\x17"
    assert bench.poll(1.0) == b"\x81\x05"
    assert bench.poll() == b"\x14"
    assert bench.validator.ledger == [Moved("stacked", 500)]


def test_without_escrow_the_note_is_stacked_by_itself(bench: Bench) -> None:
    """ENABLE with an empty escrow mask: no 80 in between."""
    bench.validator.power_on()
    bench.say(RESET)
    bench.now += 3
    assert bench.say(ENABLE_ALL) == b"\x00"
    bench.validator.insert(100, bench.now)
    assert bench.poll(2.5) == b"\x81\x04"


def test_an_answer_is_repeated_until_it_is_acknowledged(bench: Bench) -> None:
    """Three polls without ACK bring the same frame, though the note went on."""
    bench.ready()
    bench.poll()
    bench.validator.insert(1000, bench.now)
    first = bench.validator.received(POLL, bench.now)
    bench.now += 1.5
    assert bench.validator.received(POLL, bench.now) == first
    bench.say(ACK)
    assert bench.poll() == b"\x80\x06"


def test_a_note_returned_on_order_or_by_itself_is_told(bench: Bench) -> None:
    """RETURN gives 18 and 82; nobody's order for ten seconds does the same."""
    bench.ready()
    bench.poll()
    bench.validator.insert(50, bench.now)
    bench.poll(1.5)
    assert bench.say(RETURN) == b"\x00"
    assert bench.poll() == b"\x18"
    assert bench.poll(1.0) == b"\x82\x03"
    bench.validator.insert(50, bench.now)
    assert bench.poll(1.5) == b"\x80\x03"
    assert bench.poll(12.0) == b"\x82\x03"
    assert [moved.where for moved in bench.validator.ledger] == ["returned", "returned"]


@pytest.mark.parametrize(("wait", "said"), [(0.5, b"\x11"), (1.5, b"\x11")])
def test_power_lost_with_a_note_in_the_transport_returns_it_on_reset(
    bench: Bench, wait: float, said: bytes
) -> None:
    """11 at power up; RESET pushes the note out; nothing is credited."""
    bench.ready()
    bench.poll()
    bench.validator.insert(500, bench.now)
    bench.poll(wait)
    bench.validator.power_off(bench.now)
    assert bench.say(POLL) == b""
    bench.validator.power_on()
    assert bench.poll() == said
    bench.say(RESET)
    assert bench.poll(3) == b"\x19"
    assert bench.validator.ledger == [Moved("returned", 500)]


def test_power_lost_while_stacking_is_credited_once_after_initialization(bench: Bench) -> None:
    """12 at power up, and 81+type after RESET: credit recovery."""
    bench.ready()
    bench.poll()
    bench.validator.insert(5000, bench.now)
    bench.poll(1.5)
    bench.say(STACK)
    bench.poll(0.2)
    bench.validator.power_off(bench.now)
    bench.validator.power_on()
    assert bench.poll() == b"\x12"
    bench.say(RESET)
    assert bench.poll() == b"\x13"
    assert bench.poll(3) == b"\x81\x07"
    assert bench.poll() == b"\x19"
    bench.validator.power_off(bench.now)
    bench.validator.power_on()
    assert bench.poll() == b"\x10"
    assert bench.validator.cassette == 5000


def test_a_note_that_is_not_enabled_is_refused_as_inhibited(bench: Bench) -> None:
    """1C 68 for a closed mask, 1C + its own reason for a bad note."""
    bench.ready()
    bench.say(enable(0xFFFFFF & ~(1 << 5), 0xFFFFFF))
    bench.poll()
    bench.validator.insert(500, bench.now)
    assert bench.poll(1.5) == b"\x1c\x68"
    assert bench.poll(0.5) == b"\x1c\x68"
    assert bench.poll() == b"\x14"
    bench.validator.insert(100, bench.now, reject=0x66)
    assert bench.poll(1.5) == b"\x1c\x66"


@pytest.mark.parametrize("trouble", [CASSETTE_REMOVED, JAMMED, failure(0x50)])
def test_trouble_hides_everything_until_it_is_fixed(bench: Bench, trouble: bytes) -> None:
    """The state is told as long as it lasts; then it initializes and is disabled."""
    bench.ready()
    bench.poll()
    bench.validator.trouble = trouble
    assert bench.poll() == trouble
    assert not bench.validator.insert(100, bench.now)
    bench.validator.fix(bench.now)
    assert bench.poll() == b"\x13"
    assert bench.poll(3) == b"\x19"


def test_damaged_and_foreign_frames(bench: Bench) -> None:
    """A wrong CRC is NAKed, another address is not ours, STACK without a note is illegal."""
    bench.ready()
    assert bench.validator.received(POLL[:-1] + b"\x00", bench.now)[3:-2] == b"\xff"
    assert bench.validator.received(b"\x02\x01\x06\x33\x00\x00", bench.now)[3:-2] == b"\xff"
    assert bench.say(STACK) == b"\x30"


def test_the_bill_table_is_24_rows_of_digit_country_exponent(bench: Bench) -> None:
    """The numbering is the table's, not the controller's."""
    bench.ready()
    table = bench.say(BILL_TABLE)
    assert len(table) == 120
    assert table[5 * 5 : 6 * 5] == b"\x05RUS\x02"
    assert table[0:5] == bytes(5)
    assert len(bench.say(STATUS)) == 6


def test_a_credit_is_kept_through_a_power_cut_until_it_was_acknowledged(bench: Bench) -> None:
    """81 was told, its ACK never came: 12 and 81 again, and the ledger has one note."""
    bench.ready()
    bench.poll()
    bench.validator.insert(100, bench.now)
    bench.poll(1.5)
    bench.say(STACK)
    bench.now += 2
    assert bench.say(POLL) == b"\x81\x04"
    bench.validator.power_off(bench.now)
    bench.validator.power_on()
    assert bench.poll() == b"\x12"
    bench.say(RESET)
    assert bench.poll(3) == b"\x81\x04"
    assert bench.validator.ledger == [Moved("stacked", 100)]
