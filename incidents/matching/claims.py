"""What a report claims of its payment: facts read once, in the terms that transactions are kept in.

Quoted text claims nothing. Accounts become keyed hashes, those of one slip of the finger too.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from incidents.matching.fiscal import fiscal_minor, fiscal_moment
from incidents.matching.passage import Fact, Origin

READ_IN: Final = ZoneInfo("Europe/Moscow")
"""The zone in which the grammar reads times of day."""
CLAIMS_MAX: Final = 6
"""Facts of one kind that are weighed; a report with more tells too little by each."""
SLIPS_MAX: Final = 90
DIGITS: Final = "0123456789"
MONEY_MAX: Final = 2**62
YEAR_MIN: Final = 2000
YEAR_MAX: Final = 2200
BARE: Final = 0.5
"""How far a number without a unit is a sum where another has one."""
OTHERWISE: Final = 0.25
"""What another reading of a time is worth, all of them together."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account that was paid (or should have been), and those that differ by one slip."""

    hash: str
    near: frozenset[str]
    confidence: float


@dataclass(frozen=True, slots=True)
class Tail:
    """The last digits of an account."""

    digits: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum in minor units and the part that it plays."""

    minor: int
    role: str
    currency: str | None
    confidence: float


@dataclass(frozen=True, slots=True)
class Interval:
    """Wall times (without a zone) that a moment lies between."""

    low: datetime
    high: datetime
    best: datetime


@dataclass(frozen=True, slots=True)
class Time:
    """When it was: readings with their weights, which sum to 1."""

    readings: tuple[tuple[float, Interval], ...]
    precision: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Name:
    """A word that is equal or not: a terminal's, a receipt's or an operation's number."""

    kind: str
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Place:
    """Terminals that the words of a place may mean."""

    weights: Mapping[str, float]
    confidence: float


@dataclass(frozen=True, slots=True)
class Fiscal:
    """A fiscal receipt's storage, document and sign."""

    fn: str
    fd: str
    fp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Everything a report claims."""

    received_at: datetime
    paid: tuple[Account, ...] = ()
    intended: tuple[Account, ...] = ()
    contacts: tuple[Account, ...] = ()
    tails: tuple[Tail, ...] = ()
    ends: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    """A tail's digits and an account's hash → whether it ends so, where that was checked whole."""
    amounts: tuple[Amount, ...] = ()
    times: tuple[Time, ...] = ()
    terminals: tuple[Name, ...] = ()
    near_terminals: frozenset[str] = frozenset()
    places: tuple[Place, ...] = ()
    elsewhere: bool = False
    """It names a street where the fleet has no terminal, and no place where it has one."""
    numbers: tuple[Name, ...] = ()
    fiscal: tuple[Fiscal, ...] = ()
    symptoms: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether the report says nothing of any payment."""
        return not (
            self.paid or self.intended or self.tails or self.amounts or self.times
            or self.terminals or self.places or self.numbers or self.fiscal or self.symptoms
        )  # fmt: skip


def claims_of(
    facts: Iterable[Fact], *, received_at: datetime, hash_of: Callable[[str], str]
) -> Claims:
    """Return what the facts claim; their order changes nothing."""
    kept = sorted(
        (fact for fact in facts if fact.origin != Origin.QUOTED),
        key=lambda fact: (-fact.confidence, fact.kind, repr(fact.value)),
    )
    by_kind: dict[str, list[Fact]] = {}
    for fact in kept:
        some = by_kind.setdefault(fact.kind, [])
        if len(some) < CLAIMS_MAX and all(fact.value != other.value for other in some):
            some.append(fact)
    accounts = [(fact, value) for fact in by_kind.get("account", ()) if (value := _dict(fact))]
    whole = [(fact, value) for fact, value in accounts if value.get("form") != "tail"]
    fiscal = [value for fact in by_kind.get("fiscal", ()) if (value := _dict(fact))]
    terminals = _names(by_kind, "terminal")
    return Claims(
        received_at=received_at,
        paid=tuple(_account(f, v, hash_of) for f, v in whole if v.get("role") != "intended"),
        intended=tuple(_account(f, v, hash_of) for f, v in whole if v.get("role") == "intended"),
        contacts=tuple(
            Account(hash_of(str(fact.value)), frozenset(), fact.confidence)
            for fact in by_kind.get("contact", ())
        ),
        tails=tuple(
            Tail(str(v["digits"]), f.confidence) for f, v in accounts if v.get("form") == "tail"
        ),
        amounts=_amounts(by_kind.get("amount", ()), fiscal),
        times=_times(by_kind.get("paid_at", ()), fiscal),
        terminals=terminals,
        near_terminals=frozenset(near for name in terminals for near in slips(name.text)),
        places=tuple(
            Place(weights, fact.confidence)
            for fact in by_kind.get("place", ())
            if (weights := _weights(fact))
        ),
        elsewhere=_is_elsewhere(by_kind.get("place", ())),
        numbers=_names(by_kind, "receipt") + _names(by_kind, "operation"),
        fiscal=tuple(Fiscal(v["fn"], v["i"], v["fp"]) for v in map(_texts, fiscal) if _keyed(v)),
        symptoms=frozenset(str(fact.value) for fact in by_kind.get("symptom", ())),
        services=frozenset(str(fact.value).casefold() for fact in by_kind.get("service", ())),
    )


def _is_elsewhere(places: Iterable[Fact]) -> bool:
    values = [value for fact in places if (value := _dict(fact))]
    return any(value.get("elsewhere") for value in values) and not any(
        value.get("terminals") for value in values
    )


def slips(written: str) -> Iterator[str]:
    """Yield what differs in two neighbours swapped or in one digit; at most ninety."""
    return islice(_slips(written), SLIPS_MAX)


def _slips(written: str) -> Iterator[str]:
    # The nine that a phone begins with is never mistyped: it would be no phone.
    first = 1 if len(written) == 10 and written.startswith("9") else 0
    places = [at for at in range(first, len(written)) if written[at] in DIGITS]
    for at in places:
        after = written[at + 1 : at + 2]
        if after and after in DIGITS and after != written[at]:
            yield written[:at] + after + written[at] + written[at + 2 :]
    for at in reversed(places):
        for digit in DIGITS.replace(written[at], ""):
            yield written[:at] + digit + written[at + 1 :]


def plain(number: str | None) -> str:
    """Return a number as it is compared: without leading zeros."""
    return (number or "").strip().lstrip("0")


def _dict(fact: Fact) -> dict[str, object]:
    return dict(fact.value) if isinstance(fact.value, Mapping) else {}


def _texts(value: Mapping[str, object]) -> dict[str, str]:
    return {key: str(each) for key, each in value.items()}


def _keyed(value: Mapping[str, str]) -> bool:
    return value.keys() >= {"fn", "i", "fp"}


def _account(fact: Fact, value: Mapping[str, object], hash_of: Callable[[str], str]) -> Account:
    digits = str(value["digits"])
    near = (hash_of(each) for each in slips(digits)) if value.get("form") != "login" else ()
    return Account(hash_of(digits), frozenset(near), fact.confidence)


def _names(by_kind: Mapping[str, Sequence[Fact]], kind: str) -> tuple[Name, ...]:
    return tuple(
        Name(kind, text, fact.confidence)
        for fact in by_kind.get(kind, ())
        if (text := _clean(fact.value))
    )


def _clean(value: object) -> str:
    """Return a word without what no column takes."""
    return str(value).encode("utf-8", "ignore").decode().replace("\0", "").strip()


def _weights(fact: Fact) -> Mapping[str, float]:
    named = _dict(fact).get("terminals")
    return dict(named) if isinstance(named, Mapping) else {}


def _amounts(facts: Sequence[Fact], fiscal: Sequence[Mapping[str, object]]) -> tuple[Amount, ...]:
    said = [
        Amount(
            int(str(value["minor"])), str(value.get("role", "inserted")),
            None if (currency := value.get("currency")) is None else str(currency),
            fact.confidence,
        )
        for fact in facts
        if (value := _dict(fact)) and abs(int(str(value["minor"]))) <= MONEY_MAX
    ]  # fmt: skip
    if any(amount.currency for amount in said):
        # Beside a sum with its unit a bare number is seldom a sum.
        said = [
            amount if amount.currency else replace(amount, confidence=BARE * amount.confidence)
            for amount in said
        ]
    # A receipt's own sum counts only where nobody tells the sum: it may be one with or without fee.
    if not said:
        sums = [minor for value in fiscal if (minor := fiscal_minor(_texts(value))) is not None]
        said = [Amount(minor, "inserted", None, 0.9) for minor in sums]
    return tuple(said)


def _times(facts: Sequence[Fact], fiscal: Sequence[Mapping[str, object]]) -> tuple[Time, ...]:
    said = [time for fact in facts if (time := _time(fact))]
    if not said:
        moments = [at for value in fiscal if (at := fiscal_moment(_texts(value), READ_IN))]
        for at in moments:
            wall, room = at.replace(tzinfo=None), timedelta(minutes=5)
            said.append(Time(((1.0, Interval(wall - room, wall + room, wall)),), "exact", 0.95))
    return tuple(said)


def _time(fact: Fact) -> Time | None:
    value = _dict(fact)
    if not value.keys() >= {"from", "to"}:
        return None
    try:
        main = _interval(value)
    except (ValueError, OverflowError):
        return None
    if not YEAR_MIN <= main.low.year <= main.high.year <= YEAR_MAX:
        return None
    alternatives = value.get("alternatives")
    others = [
        _interval(each)
        for each in (alternatives if isinstance(alternatives, Sequence) else ())
        if isinstance(each, Mapping)
    ]
    share = OTHERWISE / len(others) if others else 0.0
    readings = ((1.0 - share * len(others), main), *((share, each) for each in others))
    return Time(readings, str(value.get("precision", "around")), fact.confidence)


def _interval(value: Mapping[str, object]) -> Interval:
    low, high = _wall(value["from"]), _wall(value["to"])
    best = _wall(value["best"]) if "best" in value else low + (high - low) / 2
    return Interval(low, high, best)


def _wall(text: object) -> datetime:
    at = text if isinstance(text, datetime) else datetime.fromisoformat(str(text))
    return at.astimezone(READ_IN).replace(tzinfo=None)
