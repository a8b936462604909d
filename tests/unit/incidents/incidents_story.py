"""Tells a terminal's journal for tests of the pure core, and keeps what the fold made of it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from incidents.fold import Changes, Row, fold, wanted
from incidents.ledger import Incident, Ledger
from incidents.state import PulseSeen, State, from_json, to_json
from incidents.thresholds import Thresholds
from incidents.times import instant
from incidents.transactions import Transaction

EPOCH = 1_763_850_000_000
START = 1_763_860_000_000
"""The first moment of every story."""
NUMBERS = Thresholds()
TERMINAL = "T1"
MONEY: dict[str, Any] = {"amount": 50_000, "currency": "RUB"}


class Story:
    """Builds rows; times are seconds after the start."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.epoch = EPOCH
        self._next: dict[int, int] = {}

    def tell(self, kind: str, at: float, *, received: float | None = None, **body: Any) -> "Story":
        """Add an event; received half a second later where nothing else is said."""
        when = START + int(at * 1000)
        arrived = START + int((at + 0.5 if received is None else received) * 1000)
        seq = self._next.get(self.epoch, 1)
        row = (self.epoch, seq, kind, when, arrived, {"kind": kind, "at": when, **body})
        self._next[self.epoch] = body["through"] + 1 if kind == "journal_lost" else seq + 1
        self.rows.append(row)
        return self

    def started(self, at: float, tx: str = "a") -> "Story":
        """Tell of a customer's choice."""
        return self.tell("transaction_started", at, tx=tx, service="mobile")

    def cash(self, at: float, tx: str = "a", amount: int = 50_000) -> "Story":
        """Tell of money that went in."""
        return self.tell("cash_accepted", at, tx=tx, amount=amount, currency="RUB", media="note")

    def returned(self, at: float, tx: str = "a", amount: int = 50_000) -> "Story":
        """Tell of money that came out."""
        return self.tell("cash_returned", at, tx=tx, amount=amount, currency="RUB")

    def payment(self, at: float, outcome: str, tx: str = "a") -> "Story":
        """Tell what processing said."""
        return self.tell("payment_result", at, tx=tx, outcome=outcome, fee=0, **MONEY)

    def receipt(self, at: float, outcome: str, tx: str = "a", **more: Any) -> "Story":
        """Tell what became of the receipt."""
        return self.tell("receipt_result", at, tx=tx, outcome=outcome, **more)

    def ended(self, at: float, tx: str = "a") -> "Story":
        """Tell that the screen is free again."""
        return self.tell("transaction_ended", at, tx=tx, cause="completed")

    def device(self, at: float, name: str = "receipt_printer", **state: Any) -> "Story":
        """Tell of a device's state."""
        received: float | None = state.pop("received", None)
        state.setdefault("status", "online")
        body: dict[str, Any] = {"device": name, **state}
        return self.tell("device_changed", at, received=received, **body)

    def pulse(self, at: float, *, unacked: int = 0, received: float | None = None) -> PulseSeen:
        """Return a pulse that knows of everything told so far."""
        return PulseSeen(
            epoch=self.epoch,
            next=self._next.get(self.epoch, 1),
            unacked=unacked,
            at=START + int(at * 1000),
            received_at=START + int((at if received is None else received) * 1000),
        )


class Service:
    """Folds what it is given and keeps state, transactions, incidents and cases as tables would."""

    def __init__(self, numbers: Thresholds = NUMBERS) -> None:
        self.numbers = numbers
        self.state = State()
        self.transactions: dict[tuple[int, str], Transaction] = {}
        self.ledger = Ledger(numbers, datetime(2026, 11, 23, 9, tzinfo=UTC))
        self.changes = Changes()

    def fold(self, rows: Iterable[Row], pulse: PulseSeen | None = None) -> "Service":
        """Fold as one commit does: state through its JSON, only the wanted transactions loaded."""
        rows = list(rows)
        state = from_json(orjson.loads(orjson.dumps(to_json(self.state))))
        known = {
            key: self.transactions[key] for key in wanted(state, rows) if key in self.transactions
        }
        self.state, self.changes = fold(state, rows, known, pulse=pulse, numbers=self.numbers)
        self.transactions.update(self.changes.transactions)
        for finding in self.changes.findings:
            self.ledger.record(TERMINAL, finding)
        return self

    def at(self, moment: float) -> "Service":
        """Set the service's clock."""
        self.ledger.now = instant(START + int(moment * 1000))
        return self

    @property
    def incidents(self) -> list[Incident]:
        """What stands in the table."""
        return [one for one in self.ledger.incidents if not one.deleted]

    @property
    def told(self) -> list[tuple[Any, ...]]:
        """Rule, subject, cause, seconds opened and cleared, times: of every incident."""
        return sorted(
            (
                one.finding.rule,
                one.finding.subject or "",
                one.finding.cause,
                _seconds(one.finding.opened_at),
                _seconds(one.finding.cleared_at),
                one.finding.times,
            )
            for one in self.incidents
        )

    @property
    def open(self) -> list[str]:
        """The rules of the open incidents."""
        return sorted(one.finding.rule for one in self.incidents if one.is_open)

    @property
    def cases(self) -> list[tuple[str, str | None, str]]:
        """Topic, tx and state of every case."""
        found = [(case.topic, case.tx, case.state) for case in self.ledger.cases]
        return sorted(found, key=str)


def _seconds(at: int | None) -> float | None:
    return None if at is None else (at - START) / 1000


def folded(story: Story, pulse: PulseSeen | None = None) -> Service:
    """Fold a whole story at once."""
    return Service().fold(story.rows, pulse)


def moved(rows: Iterable[Row], seconds: float) -> list[Row]:
    """Return the rows as received so many seconds later."""
    later = int(seconds * 1000)
    return [(e, s, k, at, received + later, body) for e, s, k, at, received, body in rows]


def shortened(**changed: Any) -> Thresholds:
    """Return the thresholds with some numbers changed."""
    return replace(NUMBERS, **changed)
