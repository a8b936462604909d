"""A second opinion on what journals prove: naive, slow, all events of a terminal at once.

Written from docs/contract.md and docs/rules and the other way round than `incidents.fold`: no state
is carried. A customer's transaction is the list of its rows; where it ends is looked up ahead, and
each rule is asked anew of every prefix. A device is a list of stretches.

`rows` are in the order in which the fold read them: that of (epoch, seq), but for terminals whose
smaller epoch spoke after a larger one (rule 8), where the watcher knows the order.

What is not told here: terminals with more than `OPEN_MAX` open transactions at once or more than
`STEPS_MAX` events of one (`TooMany`: hostile ones), and devices of terminals whose clock was
touched (`clock_was_touched`): what a pulse proves before a step may be another second than what the
next event shows after it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from tests.simulation.reference_devices import badness_at, clock_was_touched, devices
from tests.simulation.told import Row, Told

__all__ = ["Row", "Told", "TooMany", "clock_was_touched", "devices", "gaps", "money"]

OPEN_MAX: Final = 16
"""Of more open transactions at once the fold ends the oldest; no kiosk does that."""

STEPS_MAX: Final = 200
"""More cash than a cassette holds; and the fold stops its sums at 2**62."""

CONTINUES: Final = frozenset(
    {"cash_accepted", "payment_result", "receipt_result", "cash_returned", "transaction_ended"}
)
OF_A_TRANSACTION: Final = CONTINUES | {"transaction_started"}
RULES: Final = ("no_receipt", "payment_failed", "payment_uncertain")
SEVERITY: Final = {
    "no_receipt": "warning",
    "payment_failed": "critical",
    "payment_uncertain": "critical",
}
KEPT_EPOCHS: Final = 4
"""A fork is looked for among so many epochs before the present one."""

Step: TypeAlias = tuple[int, str, Mapping[str, Any]]
"""When, what (a kind, or `over`, or `lost`), and its body."""


class TooMany(Exception):  # noqa: N818 - it says what is
    """More transactions are open at once, or longer, than the reference can tell of."""


@dataclass(slots=True)
class _Life:
    """A customer's transaction: its steps so far, and which journal's events end it."""

    epoch: int
    home: int
    begun: int
    steps: list[Step] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    """Where in the rows each step was taken."""
    closed: int | None = None
    """Where it was over for the first time."""

    def step(self, place: int, step: Step) -> None:
        """Take a step."""
        self.steps.append(step)
        self.places.append(place)

    @property
    def kept(self) -> int:
        """Money that went in and did not come out."""
        return _sum(self.steps, "cash_accepted") - _sum(self.steps, "cash_returned")

    @property
    def settled(self) -> bool:
        """Whether nothing more of it is to come."""
        if self.closed is None:
            return False
        return self.kept <= 0 or (
            _last(self.steps, "payment_result") == "accepted" and _has_its_receipt(self.steps)
        )


def money(rows: Sequence[Row]) -> list[Told]:
    """Return the money incidents that the rows prove.

    Raises:
        TooMany: see the head of this module.
    """
    own: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if row[2] in OF_A_TRANSACTION:
            own.setdefault(row[5]["tx"], []).append(place)
    if max(map(len, own.values()), default=0) > STEPS_MAX:
        raise TooMany
    lives = [(tx, life) for tx, places in own.items() for life in _lives(rows, tx, places)]
    _count(life for _, life in lives)
    return [told for tx, life in lives for told in _judged(rows, tx, life)]


def gaps(rows: Sequence[Row]) -> Told | None:
    """Return the incident of all lost ranges, as if nobody ever cleared it."""
    lost = [row for row in rows if row[2] == "journal_lost"]
    if not lost:
        return None
    return Told(
        rule="journal_gap",
        epoch=None,
        subject=None,
        cause=None,
        severity="warning",
        opened_at=lost[0][3],
        cleared_at=None,
        times=len(lost),
    )


# --- which rows belong to which transaction, and what ends it


def _lives(rows: Sequence[Row], tx: str, places: Sequence[int]) -> list[_Life]:
    """Return the transactions of one name, each with its steps."""
    lives: list[_Life] = []
    for place in places:
        epoch, _, kind, at, _, body = rows[place]
        for life in lives:
            _pass(rows, tx, life, until=place)
        _meet(rows, lives, place)
        whose = _whose(rows, lives, place)
        for life in lives if kind == "transaction_started" else ():
            if life is not whose and life.closed is None and life.home <= epoch:
                _over(life, place, at)
        if whose is None:
            whose = _Life(epoch=epoch, home=epoch, begun=place)
            lives.append(whose)
        whose.step(place, (at, kind, body))
        if kind == "transaction_ended":
            whose.closed = place if whose.closed is None else whose.closed
    for life in lives:
        _pass(rows, tx, life, until=len(rows))
    return lives


def _meet(rows: Sequence[Row], lives: Sequence[_Life], place: int) -> None:
    """Have a larger epoch end what is open in smaller ones, or go on with it."""
    epoch, _, kind, at, _, _ = rows[place]
    for life in lives:
        if life.closed is None and life.home < epoch:
            if kind in CONTINUES and _whose(rows, lives, place) is life:
                life.home = epoch
            else:
                _over(life, place, at)


def _whose(rows: Sequence[Row], lives: Sequence[_Life], place: int) -> _Life | None:
    """Return the transaction that a row goes on with; None: it begins one."""
    epoch, _, kind, _, _, _ = rows[place]
    for life in lives:
        if life.epoch == epoch:
            return life
    if kind not in CONTINUES:
        return None
    for life in lives:
        if life.closed is None and life.home <= epoch:
            return life
    seen = sorted({row[0] for row in rows[: place + 1]})
    smaller = [each for each in (*seen[-1 - KEPT_EPOCHS : -1], seen[-1]) if each < epoch]
    for life in lives:
        if smaller and life.epoch == max(smaller) and not life.settled:
            return life if kind != "cash_accepted" or life.closed is None else None
    return None


def _pass(rows: Sequence[Row], tx: str, life: _Life, *, until: int) -> None:
    """Take what befalls an open transaction between its last own row and another."""
    if life.closed is not None:
        return
    for place in range(life.places[-1] + 1, until):
        epoch, _, kind, at, _, body = rows[place]
        if epoch > life.home or (epoch == life.home and _ends_all(kind, body, tx)):
            _over(life, place, at)
            return
        if kind == "journal_lost" and epoch == life.home:
            life.step(place, (at, "lost", body))


def _ends_all(kind: str, body: Mapping[str, Any], tx: str) -> bool:
    return kind == "agent_started" or (kind == "transaction_started" and body["tx"] != tx)


def _over(life: _Life, place: int, at: int) -> None:
    life.closed = place
    life.step(place, (at, "over", {}))


def _count(lives: Iterable[_Life]) -> None:
    turns = sorted(
        turn
        for life in lives
        for turn in ((life.begun, 1), (life.closed if life.closed is not None else 1 << 60, -1))
    )
    is_open = 0
    for _, turn in turns:
        is_open += turn
        if is_open > OPEN_MAX:
            raise TooMany


# --- what a transaction's prefixes prove


def _judged(rows: Sequence[Row], tx: str, life: _Life) -> Iterator[Told]:
    said = [_standing(life.steps[: number + 1]) for number in range(len(life.steps))]
    for rule in RULES:
        held, opened, cleared, times, cause = False, 0, None, 0, "unknown"
        for number, standing in enumerate(said):
            if (standing == rule) is held:
                continue
            held = not held
            at = life.steps[number][0]
            cleared = None if held else at
            if held:
                times += 1
                opened = opened if times > 1 else at
                cause = _cause(rule, life.steps[: number + 1], rows, life.places[number])
        if times:
            yield Told(
                rule=rule,
                epoch=life.epoch,
                subject=tx,
                cause=cause,
                severity=SEVERITY[rule],
                opened_at=opened,
                cleared_at=cleared,
                times=times,
            )


def _standing(steps: Sequence[Step]) -> str | None:
    """Return the rule that holds after these steps, if any."""
    if not any(kind in {"over", "transaction_ended"} for _, kind, _ in steps):
        return None
    if _sum(steps, "cash_accepted") <= _sum(steps, "cash_returned"):
        return None
    if _last(steps, "payment_result") == "accepted":
        # Whether the receipt lies in what was lost nobody knows, until another word about it.
        if _has_its_receipt(steps) or _is_lost(steps, "receipt_result"):
            return None
        return "no_receipt"
    if _is_lost(steps, "payment_result"):
        return None
    refused = _last(steps, "payment_result") in {"declined", "failed"}
    return "payment_failed" if refused else "payment_uncertain"


def _sum(steps: Iterable[Step], kind: str) -> int:
    return sum(body["amount"] for _, each, body in steps if each == kind)


def _last(steps: Iterable[Step], kind: str) -> str | None:
    outcomes: list[str] = [body["outcome"] for _, each, body in steps if each == kind]
    return outcomes[-1] if outcomes else None


def _has_its_receipt(steps: Iterable[Step]) -> bool:
    return any(
        kind == "receipt_result" and body["outcome"] in {"printed", "refused"}
        for _, kind, body in steps
    )


def _is_lost(steps: Iterable[Step], kind: str) -> bool:
    words = [each for _, each, _ in steps if each in {"lost", kind}]
    return bool(words) and words[-1] == "lost"


def _cause(rule: str, steps: Sequence[Step], rows: Sequence[Row], place: int) -> str:
    if rule != "no_receipt":
        return _last(steps, "payment_result") or "no_result"
    # Of receipts that are neither printed nor refused the last counts.
    causes = [body.get("cause") for _, kind, body in steps if kind == "receipt_result"]
    named: str | None = causes[-1] if causes else None
    if named not in {None, "unknown"}:
        return str(named)
    return badness_at(rows, "receipt_printer", place) or "unknown"
