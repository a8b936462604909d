"""The plan of a run: which fault hits what, when and for how long (pure; one seed, one plan).

Laws. A thing has one fault at a time (`_CLAIMS`). Nothing is broken in the first seconds, and all
has ended when the time is over. A restore goes back to a backup of its own, taken earlier; between
the two no kiosk's disk is full, because an acknowledged event that a full disk then drops is lost
by the contract's own word (section 2, rule 6).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

Kind = Literal[
    "kill", "freeze", "wipe", "cut", "stall", "throttle", "database_stopped", "restore",
    "disk_full", "clock",
]  # fmt: skip

SERVICES: Final = ("collector-1", "collector-2", "incidents-1", "incidents-2", "desk")
PATHS: Final = ("fleet-broker", "service-broker", "service-database")
QUIET_S: Final = 5.0
"""At the beginning: something must be there before it can be lost."""
_GAP_S: Final = (1.5, 5.5)
_BACKUP_BEFORE_S: Final = (12.0, 40.0)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault of the plan."""

    at_s: float
    kind: Kind
    target: str
    lasts_s: float
    size: int = 0
    """What else the kind needs: bytes a second of a throttle, milliseconds of a clock's step."""
    backup_s: float | None = None
    """Of a restore: when its backup is taken."""

    @property
    def ends_s(self) -> float:
        """When all is as it was."""
        return self.at_s + self.lasts_s

    @property
    def name(self) -> str:
        """Kind and target, for a table: each kiosk's agent is a kiosk's agent."""
        return f"{self.kind} {self.target.partition(':')[0]}"


@dataclass(frozen=True, slots=True)
class _Card:
    kind: Kind
    targets: tuple[str, ...]
    lasts_s: tuple[float, float]
    times: int = 1
    """How often it is in the deck."""


_DECK: Final = (
    _Card("kill", SERVICES, (0.0, 0.0), 3),
    _Card("kill", ("broker", "database"), (0.5, 4.0), 2),
    _Card("kill", ("kiosk",), (0.0, 0.0), 2),
    _Card("freeze", SERVICES[:4], (3.0, 30.0), 3),
    _Card("freeze", ("desk", "broker", "database"), (2.0, 12.0)),
    _Card("freeze", ("kiosk",), (3.0, 30.0), 2),
    _Card("wipe", ("broker",), (0.5, 3.0), 2),
    _Card("cut", PATHS, (0.0, 8.0), 3),
    _Card("stall", PATHS, (2.0, 15.0), 2),
    _Card("throttle", PATHS, (4.0, 15.0), 2),
    _Card("database_stopped", ("database",), (1.0, 10.0)),
    _Card("restore", ("database",), (1.0, 3.0)),
    _Card("disk_full", ("kiosk",), (6.0, 20.0)),
    _Card("clock", ("light", "light", "kiosk"), (8.0, 25.0), 2),
)

_CLAIMS: Final[dict[str, str]] = {"fleet-broker": "broker", "service-broker": "broker"}
"""Targets that stand for the same thing, so that not everything is down at once for long."""


def plan(*, seed: int, seconds: float, full: int, light: int) -> list[Fault]:
    """Return the faults of a run, by time; a short run has shorter ones."""
    chance = Random(f"chaos:{seed}")
    cards = _cards(chance, full=full, light=light)
    most_s = max(2.0, min(30.0, seconds / 6))
    chosen = list[Fault]()
    at = QUIET_S
    while at < seconds:
        card = next(cards)
        fault = _fault(card, at, chance, _Numbers(full, light, most_s))
        others = [each for each in chosen if _may_cross(fault, each)]
        while fault.ends_s <= seconds and _collides(fault, others):
            fault = _moved(fault, 0.5)
        if fault.ends_s <= seconds:
            chosen.append(fault)
        at += chance.uniform(*_GAP_S)
    return sorted(chosen)


@dataclass(frozen=True, slots=True)
class _Numbers:
    full: int
    light: int
    most_s: float


def _cards(chance: Random, *, full: int, light: int) -> Iterator[_Card]:
    """Deal the whole deck again and again, shuffled, with a restore among the first."""
    there = {"kiosk": full > 0, "light": light > 0}
    deck = [
        card
        for card in _DECK
        for _ in range(card.times)
        if any(there.get(target, True) for target in card.targets)
    ]
    first = True
    while True:
        chance.shuffle(deck)
        if first:
            place = next(index for index, card in enumerate(deck) if card.kind == "restore")
            early = chance.randrange(4, 8)
            deck[place], deck[early] = deck[early], deck[place]
            first = False
        yield from deck


def _fault(card: _Card, at: float, chance: Random, numbers: _Numbers) -> Fault:
    counts = {"kiosk": numbers.full, "light": numbers.light}
    target = chance.choice([each for each in card.targets if counts.get(each, 1) > 0])
    if target in counts:
        target = f"{target}:{chance.randrange(counts[target])}"
    lasts = min(chance.uniform(*card.lasts_s), numbers.most_s)
    backup = None
    if card.kind == "restore":
        earlier = min(chance.uniform(*_BACKUP_BEFORE_S), numbers.most_s)
        backup, at = at, at + earlier
    size = 0
    if card.kind == "throttle":
        size = chance.choice((8_000, 30_000, 100_000))
    elif card.kind == "clock":
        size = chance.choice((-1, 1)) * chance.randint(5_000, 200_000)
    return Fault(round(at, 1), card.kind, target, round(lasts, 1), size,
                 None if backup is None else round(backup, 1))  # fmt: skip


def _moved(fault: Fault, by_s: float) -> Fault:
    backup = None if fault.backup_s is None else round(fault.backup_s + by_s, 1)
    at = round(fault.at_s + by_s, 1)
    return Fault(at, fault.kind, fault.target, fault.lasts_s, fault.size, backup)


_MARGIN_S: Final = 3.0
_FULL_MARGIN_S: Final = 30.0
"""A kiosk must have heard from a restored service before its disk is full (see the laws)."""


def _may_cross(one: Fault, other: Fault) -> bool:
    return _thing(one) == _thing(other) or {one.kind, other.kind} == {"restore", "disk_full"}


def _collides(fault: Fault, others: list[Fault]) -> bool:
    return any(_cross(fault, other) for other in others)


def _cross(one: Fault, other: Fault) -> bool:
    kinds = {one.kind, other.kind}
    if kinds == {"restore", "disk_full"}:
        restore, full = (one, other) if one.kind == "restore" else (other, one)
        began = restore.backup_s if restore.backup_s is not None else restore.at_s
        return full.at_s < restore.ends_s + _FULL_MARGIN_S and began < full.ends_s + _MARGIN_S
    if kinds == {"restore"}:
        return _overlap(_whole(one), _whole(other), _MARGIN_S)
    if _thing(one) != _thing(other):
        return False
    spans = [*_spans(one)], [*_spans(other)]
    return any(_overlap(a, b, _MARGIN_S) for a in spans[0] for b in spans[1])


def _spans(fault: Fault) -> Iterator[tuple[float, float]]:
    if fault.backup_s is not None:
        yield fault.backup_s, fault.backup_s
    yield fault.at_s, fault.ends_s


def _whole(fault: Fault) -> tuple[float, float]:
    return (fault.at_s if fault.backup_s is None else fault.backup_s, fault.ends_s)


def _overlap(one: tuple[float, float], other: tuple[float, float], margin_s: float) -> bool:
    return one[0] < other[1] + margin_s and other[0] < one[1] + margin_s


def _thing(fault: Fault) -> str:
    return _CLAIMS.get(fault.target, fault.target)
