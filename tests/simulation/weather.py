"""What becomes of a message on its way: lost, late, doubled, damaged, or simply delivered.

Laws. A fate comes from the seed, the link's name and the message's number on that link alone, so
leaving out a fault elsewhere changes nothing here. A link keeps its order as TCP does, but for late
messages that others overtake. Calm weather only delays a little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Final

_MASK: Final = 2**64 - 1
_STEP: Final = 0x9E3779B97F4A7C15
_NO_UTF8: Final = b"\xff"
_CALM_S_LEAST: Final = 0.005
_CALM_S_MORE: Final = 0.055


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Shares of messages that meet with each mishap."""

    loss: float = 0.0
    duplicate: float = 0.0
    late: float = 0.0
    late_s_max: float = 120.0
    overtaken: float = 0.5
    """Share of the late ones that others overtake; the rest hold up everything behind them."""
    damage: float = 0.0
    """Cut short, or made unreadable."""
    up: float = 1.0
    """Factor on all shares from terminals to the broker."""
    down: float = 1.0
    """The same from the broker to terminals."""
    inside: float = 0.0
    """The same between the broker and the service, both ways."""

    @property
    def calm(self) -> bool:
        """Say if nothing can go wrong."""
        return not (self.loss or self.duplicate or self.late or self.damage)


CALM: Final = Weather()


class Link:
    """One direction of one way."""

    __slots__ = ("_last", "_number", "_start", "lot")

    def __init__(self, seed: int, name: str) -> None:
        digest = sha256(f"{seed}:link:{name}".encode()).digest()
        self._start = int.from_bytes(digest[:8], "big")
        self._number = 0
        self._last = 0.0
        self.lot = 0
        """A number drawn for the last message: whoever must choose may choose by it."""

    def fates(
        self, weather: Weather, factor: float, payload: bytes, now: float
    ) -> Sequence[tuple[float, bytes]]:
        """Return when and how the next message arrives: once, never, or several times."""
        self._number = number = self._number + 1
        lot = (self._start + number * _STEP) & _MASK
        lot = ((lot ^ (lot >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        lot = ((lot ^ (lot >> 27)) * 0x94D049BB133111EB) & _MASK
        self.lot = lot >> 32
        arrival = now + _CALM_S_LEAST + (lot & 0xFFFF) * (_CALM_S_MORE / 0x10000)
        if factor and not weather.calm:
            return self._stormy(weather, factor, payload, (arrival, Random(lot)))
        if arrival < self._last:
            arrival = self._last
        else:
            self._last = arrival
        return ((arrival, payload),)

    def _stormy(
        self, weather: Weather, factor: float, payload: bytes, drawn: tuple[float, Random]
    ) -> Sequence[tuple[float, bytes]]:
        """Roll for every mishap, always in the same order."""
        arrival, random = drawn
        lost = random.random() < weather.loss * factor
        doubled = random.random() < weather.duplicate * factor
        late = random.random() < weather.late * factor
        found: list[tuple[float, bytes]] = []
        for _ in range(0 if lost else 2 if doubled else 1):
            when = arrival
            if late:
                # Mostly seconds, sometimes minutes.
                when += weather.late_s_max * random.random() ** 3
            if late and random.random() < weather.overtaken:
                pass
            else:
                when = self._last = max(when, self._last)
            damaged = random.random() < weather.damage * factor
            found.append((when, damage(payload, random) if damaged else payload))
            late = True
        return found


def damage(payload: bytes, random: Random) -> bytes:
    """Return the payload cut short, or with bytes that nobody can read.

    Never another readable message: against that TCP, TLS and zlib stand, and the contract has no
    checksum of its own (the service computes no marks).
    """
    if not payload:
        return _NO_UTF8
    if random.random() < 0.5:
        return payload[: random.randrange(len(payload))]
    body = bytearray(payload)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(body))
        body[at : at + 1] = _NO_UTF8
    return bytes(body)
