"""What really happened, and what must therefore be found: the judge of everything else.

Written from the rules' design and never from the code that it judges. What is not expected here
must not be found: `Truth.verdict` names both what was missed and what was made up.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from wire.vocabulary import Cause, Outcome, ReceiptOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """An incident that must be found, or (`must` false) may be found or not.

    `tx`, `device`, `cause` of None are not compared. `why` is for the person who reads a report.
    """

    rule: str
    terminal: str
    why: str
    tx: str | None = None
    device: str | None = None
    cause: str | None = None
    must: bool = True

    @property
    def may(self) -> bool:
        """Say that finding it is right but not finding it is right too."""
        return not self.must


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An incident as the service tells it, open or cleared."""

    rule: str
    terminal: str
    tx: str | None = None
    device: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A fault that was made: where, what, when (Unix ms)."""

    terminal: str
    fault: str
    at: int
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a transaction stands at one moment: its money, the last word on payment and receipt."""

    accepted: int = 0
    returned: int = 0
    outcome: Outcome | None = None
    receipt: ReceiptOutcome | None = None
    cause: Cause | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A transaction's real course: how it stood at its end, then after each later event of it."""

    terminal: str
    tx: str
    story: str
    ended_at: int
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was injected against what was found."""

    missed: tuple[Expected, ...]
    made_up: tuple[Found, ...]
    duplicated: tuple[Found, ...]
    confirmed: int

    @property
    def holds(self) -> bool:
        """Say that every fault that must be found was, and nothing else."""
        return not (self.missed or self.made_up or self.duplicated)


def money_rule(standing: Standing) -> str | None:
    """Return the money rule that holds for an ended transaction, if any."""
    if standing.accepted - standing.returned <= 0:
        return None
    if standing.outcome == "accepted":
        return None if standing.receipt in {"printed", "refused"} else "no_receipt"
    if standing.outcome in {"declined", "failed"}:
        return "payment_failed"
    return "payment_uncertain"


def money_expectations(course: Course) -> list[Expected]:
    """Return one expectation for each rule that holds at the end or at any later event."""
    expected: dict[str, Expected] = {}
    for standing in course.standings:
        rule = money_rule(standing)
        if rule and rule not in expected:
            expected[rule] = Expected(
                rule=rule,
                terminal=course.terminal,
                tx=course.tx,
                cause=standing.cause if rule == "no_receipt" else None,
                why=course.story,
            )
    return list(expected.values())


@dataclass(slots=True)
class Truth:
    """The log of a run; one writer at a time appends, and a list's append is atomic."""

    seed: int
    courses: list[Course] = field(default_factory=list)
    injected: list[Injected] = field(default_factory=list)
    device_expectations: list[Expected] = field(default_factory=list)

    def transaction(self, course: Course) -> None:
        """Take a transaction that is over."""
        self.courses.append(course)

    def fault(self, injected: Injected, *expected: Expected) -> None:
        """Take a fault and what must be found of it besides the transactions' own."""
        self.injected.append(injected)
        self.device_expectations.extend(expected)

    @property
    def expected(self) -> list[Expected]:
        """Everything that must or may be found, so far."""
        courses = list(self.courses)
        money = [each for course in courses for each in money_expectations(course)]
        return money + _without_doubtful_causes(list(self.device_expectations))

    def accepted(self) -> dict[tuple[str, str], int]:
        """Return (terminal, tx) → minor units that truly went into the cassette."""
        return {(each.terminal, each.tx): each.standings[-1].accepted for each in self.courses}

    def verdict(self, found: Iterable[Found]) -> Verdict:
        """Compare all that was found with all that must and may be."""
        expected, listed = self.expected, list(found)
        by_key: dict[tuple[str, str], list[Expected]] = {}
        for each in expected:
            by_key.setdefault((each.rule, each.terminal), []).append(each)
        right = [
            one
            for one in listed
            if any(_fits(each, one) for each in by_key.get((one.rule, one.terminal), ()))
        ]
        missed = [
            each for each in expected if each.must and not any(_fits(each, one) for one in right)
        ]
        seen = Counter((one.rule, one.terminal, one.tx, one.device) for one in right)
        return Verdict(
            missed=tuple(missed),
            made_up=tuple(one for one in listed if one not in right),
            duplicated=tuple(
                one
                for one in right
                if (one.tx or one.device) and seen[one.rule, one.terminal, one.tx, one.device] > 1
            ),
            confirmed=sum(1 for each in expected if each.must) - len(missed),
        )

    def report(self) -> dict[str, Any]:
        """Return the whole log as JSON types; it holds no account."""
        return {
            "seed": self.seed,
            "transactions": len(self.courses),
            "stories": dict(Counter(course.story for course in self.courses)),
            "injected": [asdict(each) for each in self.injected],
            "expected": [asdict(each) for each in self.expected],
        }


def _without_doubtful_causes(expected: list[Expected]) -> list[Expected]:
    """Forget the cause where a device was bad more than once: one incident may stand for all."""
    times = Counter((each.rule, each.terminal, each.device or "") for each in expected)
    return [
        replace(each, cause=None)
        if each.device and times[each.rule, each.terminal, each.device] > 1
        else each
        for each in expected
    ]


def _fits(expected: Expected, found: Found) -> bool:
    pairs: Sequence[tuple[str | None, str | None]] = (
        (expected.rule, found.rule),
        (expected.terminal, found.terminal),
        (expected.tx, found.tx),
        (expected.device, found.device),
        (expected.cause, found.cause),
    )
    return all(wanted is None or wanted == told for wanted, told in pairs)
