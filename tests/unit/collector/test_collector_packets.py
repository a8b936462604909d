import hashlib
from itertools import pairwise

import pytest

from collector.mqtt_packets import (
    MESSAGE_BYTES_MAX,
    BrokerBroken,
    Connected,
    Message,
    Oversized,
    PacketReader,
    Subscribed,
    connect,
    publish,
    subscribe,
)

TOPIC = "kvitok/v1/T-1/journal"


def test_packets_survive_any_cut() -> None:
    """Fed byte by byte or at once, the same packets come out."""
    stream = b"\x20\x02\x00\x00\x90\x04\x00\x01\x00\x80\xd0\x00"
    stream += publish(TOPIC, b"{}") + publish(TOPIC, b"x" * 300) + b"\x31" + publish("a", b"")[1:]
    whole = list(PacketReader().feed(stream))
    assert whole == [
        Connected(0),
        Subscribed(b"\x00\x80"),
        Message(TOPIC, b"{}", False),
        Message(TOPIC, b"x" * 300, False),
        Message("a", b"", True),
    ]
    for size in (1, 2, 7, 50):
        reader = PacketReader()
        cuts = [*range(0, len(stream), size), len(stream)]
        parts = [stream[begin:end] for begin, end in pairwise(cuts)]
        assert [packet for part in parts for packet in reader.feed(part)] == whole


@pytest.mark.parametrize("size", [1000, 65_537, 10_000_000])
def test_a_message_too_large_is_read_past(size: int) -> None:
    """Of a message above the limit only topic, size and digest are kept; the next one is read."""
    payload = b"y" * (MESSAGE_BYTES_MAX + 1)
    stream = publish(TOPIC, payload) + publish(TOPIC, b"{}")
    reader = PacketReader()
    packets = [
        packet
        for begin in range(0, len(stream), size)
        for packet in reader.feed(stream[begin : begin + size])
    ]
    digest = hashlib.sha256(payload).hexdigest()[:16]
    assert packets == [Oversized(TOPIC, len(payload), digest), Message(TOPIC, b"{}", False)]


@pytest.mark.parametrize(
    "stream",
    [b"\x30\xff\xff\xff\xff\x01", b"\x32\x05\x00\x01a\x00\x01", b"\x30\x02\x00\x05", b"\x10\x00"],
)
def test_a_broken_broker_is_noticed(stream: bytes) -> None:
    """What MQTT 3.1.1 does not allow ends the connection instead of shifting what follows."""
    with pytest.raises(BrokerBroken):
        list(PacketReader().feed(stream))


def test_what_is_sent_is_what_the_standard_says() -> None:
    """Packets byte for byte, as in the standard's tables."""
    assert connect("c", 30, None, None) == b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x1e\x00\x01c"
    assert connect("c", 30, "u", "p")[9] == 0xC2
    assert subscribe(1, ["a/b"]) == b"\x82\x08\x00\x01\x00\x03a/b\x00"
    assert publish("a", b"x" * 200)[:3] == b"\x30\xcb\x01"
