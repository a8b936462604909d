"""MQTT 3.1.1 packets for the load of `bench_ingest.py`, made before the clock runs.

A measuring instrument only: a client library on the load's side would take more of the machine than
what is measured. Everything else speaks MQTT through paho.
"""

from typing import Final

CONNACK: Final = 2
PUBLISH: Final = 3
SUBACK: Final = 9


def _framed(first: int, body: bytes) -> bytes:
    length, head = len(body), bytearray([first])
    while True:
        length, digit = divmod(length, 128)
        head.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


def _text(value: str) -> bytes:
    return len(value.encode()).to_bytes(2, "big") + value.encode()


CONNECT: Final = _framed(0x10, _text("MQTT") + bytes([4, 2, 0, 0]) + _text("bench"))
"""A clean session without keep-alive (3.1)."""


def subscribe(filter_: str) -> bytes:
    """Return SUBSCRIBE at QoS 0 (3.8)."""
    return _framed(0x82, b"\x00\x01" + _text(filter_) + b"\x00")


def publish(topic: str, payload: bytes) -> bytes:
    """Return PUBLISH at QoS 0 (3.3)."""
    return _framed(0x30, _text(topic) + payload)


def read(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return the whole packets in the data, each its type and body, and what is left over (2.2)."""
    packets: list[tuple[int, bytes]] = []
    position = 0
    while True:
        length = shift = 0
        index = position + 1
        while index < len(data):
            length |= (data[index] & 0x7F) << shift
            index, shift = index + 1, shift + 7
            if data[index - 1] < 0x80:  # noqa: PLR2004 - no further byte of the length
                break
        else:
            return packets, data[position:]
        if index + length > len(data):
            return packets, data[position:]
        packets.append((data[position] >> 4, data[index : index + length]))
        position = index + length
