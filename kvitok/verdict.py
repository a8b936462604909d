"""What the API found, in the fleet's words; and the comparison, in a person's."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from firmware_sim.truth import Expected, Found, Verdict

MONEY_RULES: Final = frozenset({"no_receipt", "payment_failed", "payment_uncertain"})
"""Their subject is a transaction; every other rule's is a device, or nothing."""

SHOWN_MAX: Final = 20


def found_of(incidents: Iterable[Mapping[str, Any]]) -> list[Found]:
    """Return incidents of the API as the fleet's truth compares them."""
    return [
        Found(
            rule=each["rule"],
            terminal=each["terminal"],
            tx=each["subject"] if each["rule"] in MONEY_RULES else None,
            device=None if each["rule"] in MONEY_RULES else each["subject"],
            cause=each["cause"],
        )
        for each in incidents
    ]


def compared(
    expected: Iterable[Expected], incidents: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return what was to be found, each with the incident that it was found as, or None."""
    listed = list(incidents)
    pairs = list(zip(found_of(listed), listed, strict=True))
    return [
        {
            **asdict(each),
            "found": next((told["id"] for one, told in pairs if _is(each, one)), None),
        }
        for each in expected
    ]


def _is(expected: Expected, found: Found) -> bool:
    wanted = (expected.rule, expected.terminal, expected.tx, expected.device, expected.cause)
    given = (found.rule, found.terminal, found.tx, found.device, found.cause)
    return all(want is None or want == got for want, got in zip(wanted, given, strict=True))


@dataclass(frozen=True, slots=True)
class Sum:
    """The minor units of one transaction that are in the cassette, by both sides."""

    terminal: str
    tx: str
    injected: int
    found: int

    def __str__(self) -> str:
        """Return it as a line of the verdict."""
        return f"{self.terminal} {self.tx}: {self.injected} injected, {self.found} found"


@dataclass(frozen=True, slots=True)
class Money:
    """What went into the cassettes by the fleet's truth, and by `GET /transactions`."""

    injected: int
    found: int
    differs: tuple[Sum, ...]


def money_of(
    accepted: Mapping[tuple[str, str], int], transactions: Iterable[Mapping[str, Any]]
) -> Money:
    """Compare each transaction's sum; one that only one side has counts as 0 on the other.

    A transaction that went on in a new epoch is one for its customer: its sums are added.
    """
    terminals = {terminal for terminal, _ in accepted}
    found: defaultdict[tuple[str, str], int] = defaultdict(int)
    for each in transactions:
        if each["terminal"] in terminals:
            found[each["terminal"], each["tx"]] += each["accepted"]
    pairs = [
        Sum(*key, accepted.get(key, 0), found.get(key, 0)) for key in sorted({*accepted, *found})
    ]
    return Money(
        sum(accepted.values()),
        sum(found.values()),
        tuple(each for each in pairs if each.injected != each.found),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Everything that a run is judged by."""

    verdict: Verdict
    money: Money
    drained: bool
    unacked: int
    crashes: int

    @property
    def holds(self) -> bool:
        """Say that nothing speaks against the run."""
        arrived = self.drained and not self.unacked
        return arrived and not self.crashes and self.verdict.holds and not self.money.differs


def told(judged: Judgement) -> Iterator[str]:
    """Yield the lines that say what came of a run."""
    verdict, money = judged.verdict, judged.money
    yield f"{verdict.confirmed} incidents were to be found and were found"
    yield f"money in the cassettes, in kopecks: {money.injected} injected, {money.found} found"
    for name, entries in (
        ("missed", verdict.missed),
        ("unexpected", verdict.made_up),
        ("found twice", verdict.duplicated),
        ("other money", money.differs),
    ):
        for each in entries[:SHOWN_MAX]:
            yield f"{name}: {_line(each)}"
        if len(entries) > SHOWN_MAX:
            yield f"{name}: and {len(entries) - SHOWN_MAX} more"
    if not judged.drained or judged.unacked:
        yield f"not everything arrived: {judged.unacked} events were never acknowledged"
    if judged.crashes:
        yield f"agents ended by themselves {judged.crashes} times: see agent.log (--data keeps it)"
    if judged.holds:
        yield "everything injected was found, and nothing else"


def _line(each: Expected | Found | Sum) -> str:
    if isinstance(each, Sum):
        return str(each)
    parts = [each.rule, each.terminal, each.tx, each.device, each.cause]
    if isinstance(each, Expected):
        parts.append(f"({each.why})")
    return " ".join(part for part in parts if part)
