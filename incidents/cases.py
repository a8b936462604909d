"""The life of a support case: a table of moves, and what an incident does to a case.

A case is opened once and never deleted; its history only grows. What a person has touched never
resolves by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

CaseState = Literal["new", "open", "waiting_customer", "resolved", "closed"]
Move = Literal["take", "ask_customer", "answered", "resolve", "close", "reopen"]

DETECTOR: Final = "detector"
"""The actor of what happens by itself."""
WORK_ORDER: Final = "work_order"
"""The topic of a terminal's work order."""

TRANSITIONS: Final[dict[tuple[CaseState, Move], CaseState]] = {
    ("new", "take"): "open",
    ("new", "ask_customer"): "waiting_customer",
    ("new", "resolve"): "resolved",
    ("open", "ask_customer"): "waiting_customer",
    ("open", "resolve"): "resolved",
    ("waiting_customer", "answered"): "open",
    ("waiting_customer", "resolve"): "resolved",
    ("resolved", "close"): "closed",
    ("resolved", "reopen"): "open",
    ("closed", "reopen"): "open",
}
"""State and move → the state after; every other move is refused."""

FINISHED: Final = frozenset({"resolved", "closed"})


def moves(state: CaseState) -> tuple[Move, ...]:
    """Return the moves that a case in this state allows."""
    return tuple(move for before, move in TRANSITIONS if before == state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a case's history; `public`: the customer may read it."""

    at: datetime
    actor: str
    action: str
    state_from: CaseState | None = None
    state_to: CaseState | None = None
    text: str | None = None
    public: bool = False


@dataclass(slots=True, kw_only=True)
class Case:
    """A person's work on one transaction, or on one terminal's devices."""

    number: str | None
    topic: str
    state: CaseState
    terminal: str
    epoch: int | None
    tx: str | None
    opened_at: datetime
    due_at: datetime
    opened_by: str = DETECTOR
    touched: bool = False
    reported: bool = False
    new: bool = False
    changed: bool = False
    added: list[Entry] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """Whether nobody is expected to do anything more."""
        return self.state in FINISHED

    @property
    def resolves_itself(self) -> bool:
        """Whether nobody has touched it and no customer has reported."""
        return self.opened_by == DETECTOR and not (self.touched or self.reported or self.finished)

    def note(self, at: datetime, action: str, text: str | None = None) -> None:
        """Add a line of the detector's to the history."""
        self.changed = True
        self.added.append(Entry(at=at, actor=DETECTOR, action=action, text=text))

    def move(self, move: Move, *, at: datetime, actor: str, text: str | None = None) -> bool:
        """Make a move and write it down; return False, and change nothing, if it is not allowed."""
        after = TRANSITIONS.get((self.state, move))
        if after is None:
            return False
        entry = Entry(
            at=at, actor=actor, action=move, state_from=self.state, state_to=after, text=text
        )
        self.state = after
        self.changed = True
        self.added.append(entry)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A case that there is about a transaction, and who has reported to it."""

    number: str
    state: CaseState
    opened_by: str
    customers: frozenset[str]
    """Their keys; of a customer who left no address there is none."""
    reports: int
    known: bool = False
    """The very report was in it before."""


def case_for(customers: frozenset[str], standing: Sequence[Standing]) -> Standing | None:
    """Return the case that a customer's report joins; None: it gets one of its own.

    One case per customer and transaction: the customer's own, else the one that the report was
    taken out of, else the detector's where nobody has reported. A stranger never comes into
    somebody's case.
    """
    own = (one for one in standing if one.customers & customers)
    left = (one for one in standing if one.known and not one.reports)
    free = (one for one in standing if one.opened_by == DETECTOR and not one.reports)
    return next(own, None) or next(left, None) or next(free, None)


REPORT_MOVES: Final[dict[CaseState, Move]] = {
    "waiting_customer": "answered",
    "resolved": "reopen",
    "closed": "reopen",
}
"""What a customer's report does to a case that did not expect it; elsewhere nothing."""


def number_of(count: int, *, year: int) -> str:
    """Return a case's number: `K-2026-000123`."""
    return f"K-{year:04d}-{count:06d}"
