"""Counts what became of an evaluation set, by class, with bounds; and prints it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import comb
from typing import Final

from tests.matching.judging import Judged, found_right

PRECISION_MIN: Final = 0.99
RECALL_MIN: Final = 0.90
HELD: Final = ("held_a", "held_b", "held_c")
KINDS: Final = (
    "paid_at", "amount", "account", "tail", "contact", "terminal", "place", "receipt",
    "operation", "fiscal",
)  # fmt: skip
_BINS: Final = (0.0, 0.3, 0.6, 0.8, 0.9, 0.97, 0.99, 0.999, 1.01)


def precision_floor(right: int, count: int, *, risk: float = 0.05) -> float:
    """Return the one-sided Clopper–Pearson lower bound of a share."""
    if right == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if _at_least(right, count, middle) < risk:
            low = middle
        else:
            high = middle
    return low


def _at_least(right: int, count: int, share: float) -> float:
    """Return how likely so many of a count are right, or more, when each is with this chance."""
    return sum(
        comb(count, wrong) * (1 - share) ** wrong * share ** (count - wrong)
        for wrong in range(count - right + 1)
    )


class Tally:
    """A group of judged mails, counted."""

    def __init__(self, judged: Sequence[Judged]) -> None:
        self.judged = judged
        self.matchable = [each for each in judged if each.matchable]
        self.attached = [each for each in judged if each.attached is not None]
        self.right = sum(each.attached in each.mail.right for each in self.attached)
        self.false = [each for each in self.attached if each.attached not in each.mail.right]

    @property
    def coverage(self) -> float:
        """Return the share of matchable mails that were attached, and rightly."""
        good = sum(each.attached in each.mail.right for each in self.matchable)
        return good / max(1, len(self.matchable))

    @property
    def precision(self) -> float:
        """Return the share of attachments that are right."""
        return self.right / len(self.attached) if self.attached else 1.0

    def recall(self, among: int) -> float:
        """Return the share of matchable mails with a right candidate among so many."""
        ranks = [each.rank() for each in self.matchable]
        return sum(rank is not None and rank <= among for rank in ranks) / max(1, len(ranks))

    def line(self, name: str) -> str:
        """Return the group's figures as a row."""
        count = len(self.matchable)
        terminal = sum(each.terminal_right() for each in self.matchable) / max(1, count)
        floor = precision_floor(self.right, len(self.attached))
        head = f"{name:26} {len(self.judged):5} {count:5}"
        if not count:
            return f"{head}  attached {len(self.attached)} ({len(self.false)} wrong)"
        return (
            f"{head} {self.coverage:8.3f} {self.right:5}/{len(self.attached):<5}"
            f"{self.precision:7.4f} {floor:7.4f} {self.recall(1):8.3f} {self.recall(3):8.3f}"
            f" {terminal:8.3f}"
        )


HEAD: Final = (
    f"{'':26} {'mails':>5} {'match':>5} {'coverage':>8} {'right/attached':>11} {'prec':>6}"
    f" {'cp95':>7} {'recall@1':>8} {'recall@3':>8} {'term@1':>8}"
)


def report(judged: Sequence[Judged]) -> Iterator[str]:
    """Yield all tables."""
    yield HEAD
    for name, some in _groups(judged, lambda each: each.mail.split):
        yield Tally(some).line(name)
    held = [each for each in judged if each.mail.split in HELD]
    if held:
        yield Tally(held).line("held together")
    for title, key in (("kind", _kind), ("family", _family), ("zone", _zone)):
        yield f"\nby split and {title}"
        yield HEAD
        for name, some in _groups(judged, key):
            yield Tally(some).line(name)
    yield "\nstatus by kind: " + "; ".join(_statuses(judged))
    yield from _extraction(judged)
    yield from _calibration(judged)
    yield from _speed(judged)


def _kind(each: Judged) -> str:
    return f"{each.mail.split} {each.mail.kind}"


def _family(each: Judged) -> str:
    return f"{each.mail.split} {each.mail.family}"


def _zone(each: Judged) -> str:
    return f"{each.mail.split} {'Moscow' if each.mail.zone == 'Europe/Moscow' else 'other zone'}"


def _groups(
    judged: Sequence[Judged], key: Callable[[Judged], str]
) -> Iterator[tuple[str, list[Judged]]]:
    names = dict.fromkeys(key(each) for each in judged)
    for name in names:
        yield name, [each for each in judged if key(each) == name]


def _statuses(judged: Sequence[Judged]) -> Iterator[str]:
    for name, some in _groups(judged, lambda each: each.mail.kind):
        counts = Counter(each.match.decision.status for each in some)
        suspended = sum(each.suspicion is not None for each in some)
        told = ", ".join(f"{status} {count}" for status, count in counts.most_common())
        yield f"{name}: {told} (suspended {suspended})"


def _extraction(judged: Sequence[Judged]) -> Iterator[str]:
    yield f"\nextraction    {'put in':>7} {'right':>7} {'other':>7} {'missed':>7}"
    for split, some in _groups(judged, lambda each: each.mail.split):
        verdicts = {kind: Counter[str]() for kind in KINDS}
        for each in some:
            for kind, value in dict.fromkeys(each.mail.said):
                if kind == "place" and not each.mail.right:
                    continue
                verdicts[kind][found_right(each, kind, value)] += 1
        for kind, seen in verdicts.items():
            if seen:
                yield (
                    f"{split:12} {kind:10} {seen.total():6} {seen['right'] / seen.total():7.3f}"
                    f" {seen['wrong']:7} {seen['missed']:7}"
                )


def _calibration(judged: Sequence[Judged]) -> Iterator[str]:
    yield "\ncalibration of the best candidate (mean p → share right, mails)"
    for split, some in _groups(judged, lambda each: each.mail.split):
        cells = []
        for low, high in pairwise(_BINS):
            inside = [
                (each.match.candidates[0].probability, each.rank() == 1)
                for each in some
                if not each.mail.robot
                and each.match.candidates
                and low <= each.match.candidates[0].probability < high
            ]
            if inside:
                mean = sum(p for p, _ in inside) / len(inside)
                share = sum(good for _, good in inside) / len(inside)
                cells.append(f"{mean:.3f}→{share:.3f} ({len(inside)})")
        yield f"{split:12} " + "  ".join(cells)


def _speed(judged: Sequence[Judged]) -> Iterator[str]:
    plain = sorted(each.seconds for each in judged if not each.with_files)
    photos = sorted(each.seconds for each in judged if each.with_files)
    matching = sorted(each.match_seconds for each in judged)
    yield ""
    for name, times in (("report", plain), ("with a photo", photos), ("match alone", matching)):
        if times:
            middle, late = times[len(times) // 2], times[int(len(times) * 0.95)]
            told = f"p50 {middle * 1000:7.1f} ms   p95 {late * 1000:7.1f} ms ({len(times)})"
            yield f"{name:14} {told}"


def misses(judged: Sequence[Judged]) -> Iterator[str]:
    """Yield a line for each wrong attachment, and each right payment that is not in the first 3."""
    for each in judged:
        rank = each.rank()
        found = sorted({fact.kind for fact in each.facts})
        if each.attached is not None and each.attached not in each.mail.right:
            yield f"FALSE {each.mail.name} [{each.mail.kind}] {each.match.decision.why}"
        elif each.matchable and (rank is None or rank > 3):
            yield f"not found {each.mail.name} [{each.mail.kind}] rank {rank}, facts {found}"


def failures(judged: Sequence[Judged]) -> list[str]:
    """Return which bounds the held mails break."""
    held = Tally([each for each in judged if each.mail.split in HELD])
    broken = []
    if held.precision < PRECISION_MIN:
        broken.append(f"precision {held.precision:.4f} is below {PRECISION_MIN}")
    if held.recall(3) < RECALL_MIN:
        broken.append(f"recall@3 {held.recall(3):.3f} is below {RECALL_MIN}")
    return broken
