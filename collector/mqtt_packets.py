"""MQTT 3.1.1 packets, as far as a subscriber at QoS 0 needs them (pure).

Laws. Bytes in, packets out, whatever way they are cut. A message that is too large is never kept:
only its digest and size are. What a broker must not send raises `BrokerBroken`.

Sections are those of the OASIS standard "MQTT Version 3.1.1".
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

MESSAGE_BYTES_MAX: Final = 1024 * 1024 + 1024
"""A larger packet is read past and not kept; a payload of the contract's 1 MiB still fits."""

PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"
DENIED: Final = 0x80
"""A SUBACK's word for a subscription that is not granted (3.9.3)."""

_CONNACK, _PUBLISH, _PUBACK, _SUBACK, _PINGRESP = 2, 3, 4, 9, 13


class BrokerBroken(Exception):  # noqa: N818 - says what is, like every error of ours
    """The broker sent what MQTT 3.1.1 does not allow."""


class Message(NamedTuple):
    """A PUBLISH as received."""

    topic: str
    payload: bytes
    retain: bool


@dataclass(frozen=True, slots=True)
class Oversized:
    """A PUBLISH too large to keep."""

    topic: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Connected:
    """CONNACK; code 0 is welcome (3.2.2.3)."""

    code: int


@dataclass(frozen=True, slots=True)
class Subscribed:
    """SUBACK: a granted QoS or `DENIED`, per filter."""

    codes: bytes


Packet = Message | Oversized | Connected | Subscribed


class PacketReader:
    """Bytes from the broker to packets."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._past: _Past | None = None

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Yield every packet that is complete with these bytes."""
        self._buffer += data
        position, end = 0, len(self._buffer)
        while True:
            if self._past is not None:
                position, done = self._past.feed(self._buffer, position)
                if done is None:
                    break
                self._past = None
                yield done
            head = _head(self._buffer, position, end)
            if head is None:
                break
            body, length = head
            if length > MESSAGE_BYTES_MAX and self._buffer[position] >> 4 == _PUBLISH:
                if end - body < _TOPIC_MAX:
                    break
                self._past, position = _start_past(self._buffer, body, length)
                continue
            if end - body < length:
                break
            packet = _packet(self._buffer[position], bytes(self._buffer[body : body + length]))
            position = body + length
            if packet is not None:
                yield packet
        del self._buffer[:position]


_TOPIC_MAX: Final = 2 + 65535


class _Past:
    """Reads past a message that is not kept."""

    def __init__(self, topic: str, size: int) -> None:
        self._topic, self._size, self._left = topic, size, size
        self._hash = hashlib.sha256()

    def feed(self, buffer: bytearray, position: int) -> tuple[int, Oversized | None]:
        part = buffer[position : position + self._left]
        self._hash.update(part)
        self._left -= len(part)
        position += len(part)
        if self._left:
            return position, None
        return position, Oversized(self._topic, self._size, self._hash.hexdigest()[:16])


def _start_past(buffer: bytearray, body: int, length: int) -> tuple[_Past, int]:
    topic_end = body + 2 + int.from_bytes(buffer[body : body + 2], "big")
    topic = buffer[body + 2 : topic_end].decode("utf-8", "replace")
    return _Past(topic, length - (topic_end - body)), topic_end


def _head(buffer: bytearray, position: int, end: int) -> tuple[int, int] | None:
    """Return where the packet's body begins and its length (2.2.3), or None: more bytes first."""
    length = shift = 0
    for index in range(position + 1, min(position + 5, end)):
        byte = buffer[index]
        length |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - no further byte of the length
            return index + 1, length
        shift += 7
    if end - position >= 5:  # noqa: PLR2004 - the length has four bytes at most
        raise BrokerBroken("a length of more than four bytes")
    return None


def _packet(first: int, body: bytes) -> Packet | None:
    kind = first >> 4
    if kind == _PUBLISH:
        return _message(first, body)
    if kind == _CONNACK and len(body) == 2:  # noqa: PLR2004 - flags and code
        return Connected(body[1])
    if kind == _SUBACK and len(body) > 2:  # noqa: PLR2004 - the packet's id, then codes
        return Subscribed(body[2:])
    if kind in {_PINGRESP, _PUBACK}:
        return None
    raise BrokerBroken(f"a packet of type {kind} with {len(body)} bytes")


def _message(first: int, body: bytes) -> Message:
    # QoS 0 was asked for, so nothing else is granted (3.8.4); an id would only shift the payload.
    if first & 0x06:
        raise BrokerBroken("a message of a QoS that was not asked for")
    end = 2 + int.from_bytes(body[:2], "big")
    if len(body) < end:
        raise BrokerBroken("a topic longer than its packet")
    return Message(body[2:end].decode("utf-8", "replace"), body[end:], bool(first & 1))


def _text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


def _framed(first: int, body: bytes) -> bytes:
    length, head = len(body), bytearray([first])
    while True:
        length, digit = divmod(length, 128)
        head.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


def connect(client_id: str, keep_alive_s: int, user: str | None, password: str | None) -> bytes:
    """Return CONNECT with a clean session (3.1)."""
    flags = 0x02 | (0x80 if user else 0) | (0x40 if user and password else 0)
    body = _text("MQTT") + bytes([4, flags]) + keep_alive_s.to_bytes(2, "big") + _text(client_id)
    if user:
        body += _text(user) + (_text(password) if password else b"")
    return _framed(0x10, body)


def subscribe(packet_id: int, filters: list[str]) -> bytes:
    """Return SUBSCRIBE for the filters at QoS 0 (3.8)."""
    body = packet_id.to_bytes(2, "big") + b"".join(_text(each) + b"\x00" for each in filters)
    return _framed(0x82, body)


def publish(topic: str, payload: bytes) -> bytes:
    """Return PUBLISH at QoS 0 (3.3)."""
    return _framed(0x30, _text(topic) + payload)
