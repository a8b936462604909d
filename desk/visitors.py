"""How much strangers may send: bounds by where it comes from, in memory, forgotten with time."""

from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import Final

KEYS_MAX: Final = 10_000
"""Senders remembered; beyond, the one longest unheard of is forgotten."""
AT_ONCE_MAX: Final = 8
"""Forms that are being read; each may hold a photo."""
AT_ONCE_OF_PLACE_MAX: Final = 3
"""Of them from one network address: nobody keeps the others out by being slow."""


@dataclass(frozen=True, slots=True)
class Cap:
    """So many within so many seconds."""

    most: int
    within_s: float


PLACE: Final = Cap(10, 600.0)
"""From one network address: a mobile provider hides many people behind one."""
MAILBOX: Final = Cap(5, 3600.0)
"""Naming one mail address: each is answered by mail, and it may be somebody else's."""
ALL: Final = Cap(300, 600.0)
AGAIN_S: Final = 3600.0
"""For so long the same form again is the form that came: a second tap, a reload."""
AGAIN_MAX: Final = 1_000


@dataclass(slots=True)
class Visitors:
    """Counts what strangers have sent."""

    _reading: Counter[str] = field(default_factory=Counter)
    _sent: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)
    _known: OrderedDict[bytes, tuple[float, Awaitable[str]]] = field(default_factory=OrderedDict)

    def enter(self, host: str) -> bool:
        """Take one of the places where a form is read; False if none is free."""
        place = place_of(host)
        taken = self._reading.total() >= AT_ONCE_MAX
        if taken or self._reading[place] >= AT_ONCE_OF_PLACE_MAX:
            return False
        self._reading[place] += 1
        return True

    def leave(self, host: str) -> None:
        """Give the place back."""
        place = place_of(host)
        self._reading[place] -= 1
        if not self._reading[place]:
            del self._reading[place]

    def admit(self, *, host: str, mailbox: str, now_s: float) -> bool:
        """Count one more and return True; False, and nothing counted, where it is too much."""
        wanted = (
            (f"from {place_of(host)}", PLACE),
            (f"to {mailbox.strip().casefold()}", MAILBOX),
            ("all", ALL),
        )
        if any(self._count(key, cap, now_s) >= cap.most for key, cap in wanted):
            return False
        for key, _ in wanted:
            self._sent.setdefault(key, deque()).append(now_s)
            self._sent.move_to_end(key)
        while len(self._sent) > KEYS_MAX:
            self._sent.popitem(last=False)
        return True

    def same(self, digest: bytes, now_s: float) -> Awaitable[str] | None:
        """Return what the same form was answered, or is about to be."""
        while self._known:
            since, _ = next(iter(self._known.values()))
            if now_s - since < AGAIN_S and len(self._known) <= AGAIN_MAX:
                break
            self._known.popitem(last=False)
        entry = self._known.get(digest)
        return None if entry is None else entry[1]

    def began(self, digest: bytes, answer: Awaitable[str], now_s: float) -> None:
        """Remember a form that is being taken."""
        self._known[digest] = (now_s, answer)

    def forget(self, digest: bytes) -> None:
        """Let a form come again that could not be kept."""
        self._known.pop(digest, None)

    def _count(self, key: str, cap: Cap, now_s: float) -> int:
        times = self._sent.get(key)
        while times and times[0] <= now_s - cap.within_s:
            times.popleft()
        return len(times or ())


def place_of(host: str) -> str:
    """Return what counts as one sender: an IPv4 address, or a whole IPv6 network of 64 bits."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{address.packed[:8].hex()}/64"
    return str(address)
