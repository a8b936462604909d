"""CCNET framing by examples: vectors of the description, long frames, damage, resync."""

import pytest

from agent.devices.ccnet.frame import FRAME_BYTES_MAX, Decoder, Frame, FrameDamaged, crc16, encode

VECTORS = [
    ("30", "02 03 06 30 41 B3"),
    ("33", "02 03 06 33 DA 81"),
    ("00", "02 03 06 00 C2 82"),
    ("34 FF FF FF 00 00 00", "02 03 0C 34 FF FF FF 00 00 00 B5 C1"),
    ("35", "02 03 06 35 EC E4"),
    ("36", "02 03 06 36 77 D6"),
    ("37", "02 03 06 37 FE C7"),
    ("41", "02 03 06 41 4F D1"),
    ("31", "02 03 06 31 C8 A2"),
]
POLL = bytes.fromhex("02030633DA81")


@pytest.mark.parametrize(("body", "frame"), VECTORS)
def test_the_published_vectors_are_written_and_read(body: str, frame: str) -> None:
    """Each vector of the description comes out of its body, and its body out of it."""
    assert encode(3, bytes.fromhex(body)) == bytes.fromhex(frame)
    assert Decoder(3).feed(bytes.fromhex(frame)) == [Frame(3, bytes.fromhex(body))]


def test_the_crc_of_nothing_is_zero() -> None:
    """The CRC starts at 0."""
    assert crc16(b"") == 0


def test_a_long_body_takes_the_two_byte_length() -> None:
    """Beyond 255 bytes LNG is 0 and the length follows, high byte first."""
    body = bytes(300)
    frame = encode(3, body)
    assert frame[2:5] == b"\x00" + (307).to_bytes(2, "big")
    assert Decoder(3).feed(frame) == [Frame(3, body)]


def test_garbage_before_sync_is_skipped() -> None:
    """Bytes that are no SYNC cost nothing."""
    assert Decoder(3).feed(b"\xff\x00\x31" + POLL) == [Frame(3, b"\x33")]


def test_a_damaged_frame_is_a_value_and_the_next_is_whole() -> None:
    """A wrong checksum is `FrameDamaged`, and costs no frame after it."""
    damaged = POLL[:-1] + b"\x00"
    assert Decoder(3).feed(damaged + POLL) == [FrameDamaged(), Frame(3, b"\x33")]


def test_a_false_sync_that_swallows_a_frame_gives_it_back() -> None:
    """A length out of noise reaches over a good frame: it is found inside when no more comes."""
    decoder = Decoder(3)
    assert decoder.feed(b"\x02\x03\x40" + POLL) == []
    assert decoder.flush() == [FrameDamaged(), Frame(3, b"\x33")]


def test_a_frame_of_another_address_is_not_ours() -> None:
    """On a shared line the coin changer's frames are passed over."""
    assert Decoder(3).feed(encode(2, b"\x33") + POLL) == [Frame(3, b"\x33")]


@pytest.mark.parametrize("length", [1, 5])
def test_a_length_that_no_frame_has_is_no_frame(length: int) -> None:
    """Less than six bytes cannot be a frame."""
    assert Decoder(3).feed(bytes((2, 3, length)) + POLL) == [Frame(3, b"\x33")]


def test_a_long_length_beyond_belief_is_no_frame() -> None:
    """The two-byte length is believed up to its bound."""
    beyond = (FRAME_BYTES_MAX + 1).to_bytes(2, "big")
    assert Decoder(3).feed(b"\x02\x03\x00" + beyond + POLL) == [Frame(3, b"\x33")]


def test_flush_of_nothing_is_nothing() -> None:
    """With no bytes held back there is nothing to tell."""
    decoder = Decoder(3)
    decoder.feed(POLL)
    assert decoder.flush() == []
    assert decoder.held_bytes == 0
