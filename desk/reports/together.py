"""What several letters of one customer say of one payment; pure.

The newest letter's word wins where two contradict each other. Letters of one conversation are read
together, each by its own date; a letter that only came from the same sender must first show that it
means the same payment.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Final, Protocol, TypeVar

from incidents.matching.passage import Fact, Origin
from incidents.matching.unplaced import PAYMENT_KINDS

_SLOTS: Final[Mapping[str, str]] = {"terminal": "where", "place": "where", "paid_at": "paid_at",
                                    "receipt": "receipt", "operation": "operation",
                                    "fiscal": "fiscal"}  # fmt: skip
_NARROWED: Final = frozenset({"paid_at", "place"})
"""Kinds of which the narrower fact is kept where two agree."""


class Said(Protocol):
    """A fact, as it was read or as it was kept."""

    @property
    def kind(self) -> str:
        """Return what it is about."""

    @property
    def value(self) -> object:
        """Return what it says; an account by its digits, or by its keyed hash."""

    @property
    def origin(self) -> str:
        """Return whose words they are."""


_Any = TypeVar("_Any", bound=Said)


def tells_a_payment(facts: Iterable[Said]) -> bool:
    """Return whether a letter says anything by which a payment could be found."""
    return any(fact.kind in PAYMENT_KINDS for fact in facts if fact.origin != Origin.QUOTED)


def is_same_payment(newer: Iterable[Said], older: Iterable[Said]) -> bool:
    """Return whether two letters name a fact of a payment alike, and none differently."""
    slots = _by_slot(newer), _by_slot(older)
    shared = slots[0].keys() & slots[1].keys()
    alike = {slot for slot in shared if _alike(slots[0][slot], slots[1][slot])}
    return alike == shared and bool(alike - {"paid_at"})


def told_together(letters: Sequence[Sequence[Fact]]) -> list[Fact]:
    """Return what letters say together; the newest comes first, in the letters and in the facts."""
    known: list[Fact] = []
    for older in letters:
        said = _by_slot(known)
        for fact in older:
            alike = _said_alike(fact, said)
            if alike is None:
                continue
            wider = [each for each in alike if each.kind == fact.kind and fact.kind in _NARROWED]
            if wider and any(_width(fact) >= _width(each) for each in wider):
                continue
            known = [each for each in known if each not in wider]
            known.append(fact)
    return known


def _by_slot(facts: Iterable[_Any]) -> dict[str, list[_Any]]:
    slots: dict[str, list[_Any]] = {}
    for fact in facts:
        slot = _slot(fact)
        if slot is not None and fact.origin != Origin.QUOTED:
            slots.setdefault(slot, []).append(fact)
    return slots


def _slot(fact: Said) -> str | None:
    """Return what of a payment a fact names: of one slot a payment has one value."""
    if fact.kind in {"amount", "account"}:
        return f"{fact.kind} {_part(fact, 'role')}"
    return _SLOTS.get(fact.kind)


def _said_alike(fact: Fact, said: Mapping[str, Sequence[Fact]]) -> list[Fact] | None:
    """Return what newer letters say alike; None if they only say otherwise."""
    slot = _slot(fact)
    if slot is None or slot not in said or fact.origin == Origin.QUOTED:
        return []
    return [each for each in said[slot] if _agree(fact, each)] or None


def _alike(some: Iterable[Said], others: Iterable[Said]) -> bool:
    return any(_agree(one, other) for one, other in product(some, others))


def _agree(one: Said, other: Said) -> bool:
    """Return whether two facts of one slot can be of one payment."""
    if one.kind == "account":
        return _same_account(one, other)
    if one.kind == "paid_at":
        return any(
            low <= end and begin <= high
            for (low, high), (begin, end) in product(_intervals(one), _intervals(other))
        )
    if one.kind in {"terminal", "place"}:
        return bool(_terminals(one) & _terminals(other))
    part = {"amount": "minor", "fiscal": "fp"}.get(one.kind)
    values = [str(each.value) if part is None else _part(each, part) for each in (one, other)]
    return len({each.strip().lstrip("0") for each in values}) == 1


def _same_account(one: Said, other: Said) -> bool:
    if _part(one, "hash") or _part(other, "hash"):
        return _part(one, "hash") == _part(other, "hash")
    first, second = sorted((_part(one, "digits"), _part(other, "digits")), key=len)
    is_tail = "tail" in {_part(one, "form"), _part(other, "form")}
    return second.endswith(first) if is_tail else first == second


def _width(fact: Said) -> float:
    if fact.kind == "place":
        return len(_terminals(fact))
    return min(((high - low).total_seconds() for low, high in _intervals(fact)[:1]), default=0.0)


def _terminals(fact: Said) -> frozenset[str]:
    if fact.kind == "terminal":
        return frozenset({str(fact.value)})
    named = _dict(fact).get("terminals")
    return frozenset(map(str, named)) if isinstance(named, Mapping) else frozenset()


def _intervals(fact: Said) -> list[tuple[datetime, datetime]]:
    value = _dict(fact)
    others = value.get("alternatives")
    each = [value, *(others if isinstance(others, Sequence) else ())]
    return [
        (_moment(one["from"]), _moment(one["to"])) for one in each if {"from", "to"} <= one.keys()
    ]


def _moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _part(fact: Said, name: str) -> str:
    return str(_dict(fact).get(name, ""))


def _dict(fact: Said) -> Mapping[str, object]:
    return fact.value if isinstance(fact.value, Mapping) else {}
