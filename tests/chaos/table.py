"""What came of a run: the table that is printed, and the same as JSON types."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from tests.chaos.judge import Judgement
from tests.chaos.recovery import Wait

SHOWN_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything that a run is told by."""

    seed: int
    brokers: Sequence[str]
    terminals: tuple[int, int]
    """Full, light."""
    restores: int
    waits: Sequence[Wait]
    drained_s: float | None
    """How long after the last fault all was there; None: it never was."""
    judgement: Judgement

    @property
    def holds(self) -> bool:
        """Say that the run is good."""
        recovered = all(wait.took_s is not None for wait in self.waits)
        return self.judgement.holds and recovered and self.drained_s is not None


def lines(outcome: Outcome) -> Iterator[str]:
    """Yield the table."""
    judged = outcome.judgement
    yield f"{'fault':<28}{'times':>6}{'recovered in, median':>22}{'worst':>9}"
    for name, waits in _by_name(outcome.waits):
        yield f"{name:<28}{len(waits):>6}{_times(waits)}"
    yield f"{'all':<28}{len(outcome.waits):>6}{_times(outcome.waits)}"
    drained = "never" if outcome.drained_s is None else f"{outcome.drained_s:.1f} s"
    for name, value in (
        ("restores from a backup", outcome.restores),
        ("all there after the last fault", drained),
        ("events in the journals", judged.events),
        ("stored", judged.stored),
        ("stored twice", judged.duplicates),
        ("lost", judged.lost),
        ("different, or never written", f"{judged.different}, {judged.unknown}"),
        ("lost by terminals, and declared", judged.given_up),
        ("rows that declare it", judged.gaps),
        ("incidents expected", judged.expected),
        ("incidents found", judged.found),
        ("cases of transactions", judged.cases),
        ("transactions interrupted", judged.interrupted),
        ("kopecks in cassettes, found", f"{judged.money[0]}, {judged.money[1]}"),
    ):
        yield f"{name:<34}{value!s:>24}"
    for each in judged.wrong[:SHOWN_MAX]:
        yield f"WRONG: {each}"
    if len(judged.wrong) > SHOWN_MAX:
        yield f"WRONG: and {len(judged.wrong) - SHOWN_MAX} more"
    for wait in outcome.waits:
        if wait.took_s is None:
            yield f"WRONG: never recovered from {wait.fault}"


def report(outcome: Outcome) -> dict[str, Any]:
    """Return the same as JSON types."""
    return {
        "holds": outcome.holds,
        "seed": outcome.seed,
        "brokers": list(outcome.brokers),
        "full": outcome.terminals[0],
        "light": outcome.terminals[1],
        "restores": outcome.restores,
        "drained_s": outcome.drained_s,
        "faults": [asdict(wait.fault) | {"recovered_s": wait.took_s} for wait in outcome.waits],
        **asdict(outcome.judgement),
    }


def _by_name(waits: Sequence[Wait]) -> list[tuple[str, list[Wait]]]:
    names = sorted({wait.fault.name for wait in waits})
    return [(name, [wait for wait in waits if wait.fault.name == name]) for name in names]


def _times(waits: Sequence[Wait]) -> str:
    took = [wait.took_s for wait in waits if wait.took_s is not None]
    if not took:
        return f"{'-':>22}{'-':>9}"
    return f"{median(took):>20.1f} s{max(took):>7.1f} s"
