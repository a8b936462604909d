"""Transactions of a light terminal, told as contract events: good ones, and every way to go wrong.

A story is a table row: what becomes of the payment, of the receipt, of the money, how it ends and
what comes late. One function walks the row; its true course is folded here from the same steps.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from firmware_sim.services import Wish, split, wish
from firmware_sim.truth import Course, Standing
from wire.events import (
    AgentStarted,
    CashAccepted,
    CashReturned,
    Event,
    PaymentResult,
    ReceiptResult,
    TransactionEnded,
    TransactionStarted,
)
from wire.vocabulary import Cause, EndCause, Outcome, ReceiptOutcome, StartCause

CURRENCY: Final = "RUB"
_RESTART_CAUSES: Final[tuple[StartCause, ...]] = ("power_on", "watchdog", "unknown")


@dataclass(frozen=True, slots=True)
class Step:
    """An event that happens so many seconds after the one before it."""

    delay_s: float
    event: Callable[[int], Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A row of the table of stories; `late_…` come after the end."""

    weight: int
    cash: bool = True
    outcome: Outcome | None = "accepted"
    receipt: ReceiptOutcome | None = "printed"
    cause: Cause | None = None
    returned: bool = False
    end: EndCause | None = "completed"
    """None: the next transaction ends it, or a restart when `restarts`."""
    restarts: bool = False
    late_outcome: Outcome | None = None
    late_receipt: ReceiptOutcome | None = None
    late_returned: bool = False


PLOTS: Final[dict[str, Plot]] = {
    "good": Plot(weight=0),
    "went_away": Plot(weight=5, cash=False, outcome=None, receipt=None, end="cancelled"),
    "changed_mind": Plot(weight=4, outcome=None, receipt=None, returned=True, end="cancelled"),
    "receipt_refused": Plot(weight=4, receipt="refused"),
    "declined_returned": Plot(weight=3, outcome="declined", receipt=None, returned=True),
    "restart_idle": Plot(weight=2, cash=False, outcome=None, receipt=None, end=None, restarts=True),
    "receipt_failed": Plot(weight=8, receipt="failed", cause="paper_out"),
    "receipt_jammed": Plot(weight=4, receipt="failed", cause="paper_jammed"),
    "receipt_unknown": Plot(weight=4, receipt="unknown", cause="offline"),
    "receipt_forgotten": Plot(weight=4, receipt=None),
    "receipt_late": Plot(weight=4, receipt="failed", cause="cutter", late_receipt="printed"),
    "declined": Plot(weight=6, outcome="declined", receipt=None, end="error"),
    "failed": Plot(weight=6, outcome="failed", receipt="printed", end="error"),
    "failed_returned_late": Plot(
        weight=3, outcome="failed", receipt=None, end="error", late_returned=True
    ),
    "uncertain": Plot(weight=6, outcome="unknown", receipt="printed", end="timed_out"),
    "no_result": Plot(weight=4, outcome=None, receipt=None, end="timed_out"),
    "uncertain_then_accepted": Plot(
        weight=3, outcome="unknown", receipt="printed", end="timed_out", late_outcome="accepted"
    ),
    "uncertain_then_no_receipt": Plot(
        weight=3, outcome="unknown", receipt=None, end="timed_out", late_outcome="accepted"
    ),
    "accepted_then_declined": Plot(weight=2, late_outcome="declined"),
    "restart_with_money": Plot(weight=5, outcome=None, receipt=None, end=None, restarts=True),
    "restart_before_receipt": Plot(weight=4, receipt=None, end=None, restarts=True),
    "overtaken": Plot(weight=4, outcome=None, receipt=None, end=None),
}
"""Weights are among all but `good`; how often it is not `good` is the fleet's fault share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A plot with a customer in it: steps to play, and which of its ids is judged."""

    name: str
    tx: str
    steps: tuple[Step, ...]


def choose(chance: Random, fault_share: float) -> str:
    """Return the name of the next plot: good, or with this probability one of the others."""
    if chance.random() >= fault_share:
        return "good"
    names = [name for name in PLOTS if name != "good"]
    return chance.choices(names, weights=[PLOTS[name].weight for name in names])[0]


def story(name: str, tx: str, chance: Random, agent: str = "light/1") -> Story:
    """Return the named plot played by the next customer."""
    plot, customer = PLOTS[name], wish(chance)
    steps = [*_middle(plot, tx, customer, chance), *_end(plot, tx, chance, agent)]
    return Story(name=name, tx=tx, steps=(*steps, *_late(plot, tx, customer, chance)))


def _middle(plot: Plot, tx: str, customer: Wish, chance: Random) -> Iterable[Step]:
    service = customer.service
    started = TransactionStarted(
        at=0, tx=tx, service=service.id, service_name=service.name, account=customer.account
    )
    yield Step(0.5, _at(started))
    if plot.cash:
        for note in customer.notes:
            cash = CashAccepted(at=0, tx=tx, amount=note, currency=CURRENCY, media="note")
            yield Step(chance.uniform(0.5, 3), _at(cash))
    if plot.outcome:
        yield Step(chance.uniform(0.3, 2), _at(_result(plot.outcome, tx, customer)))
    if plot.returned:
        yield Step(0.5, _at(_returned(tx, customer)))
    if plot.receipt:
        yield Step(1.5, _at(_receipt(plot.receipt, tx, plot.cause, chance)))


def _end(plot: Plot, tx: str, chance: Random, agent: str) -> Iterable[Step]:
    if plot.end:
        yield Step(0.5, _at(TransactionEnded(at=0, tx=tx, cause=plot.end)))
    elif plot.restarts:
        cause = chance.choice(_RESTART_CAUSES)
        yield Step(5.0, _at(AgentStarted(at=0, agent=agent, cause=cause)))
    else:
        other = f"{tx}-next"
        yield Step(5.0, _at(TransactionStarted(at=0, tx=other, service="wallet")))
        yield Step(3.0, _at(TransactionEnded(at=0, tx=other, cause="cancelled")))


def _late(plot: Plot, tx: str, customer: Wish, chance: Random) -> Iterable[Step]:
    if plot.late_outcome:
        yield Step(4.0, _at(_result(plot.late_outcome, tx, customer)))
    if plot.late_returned:
        yield Step(4.0, _at(_returned(tx, customer)))
    if plot.late_receipt:
        yield Step(4.0, _at(_receipt(plot.late_receipt, tx, None, chance)))


def _result(outcome: Outcome, tx: str, customer: Wish) -> PaymentResult:
    amount, fee = split(customer.service, customer.total)
    code = {"accepted": "0", "declined": "241", "failed": "300"}.get(outcome)
    return PaymentResult(
        at=0, tx=tx, outcome=outcome, amount=amount, fee=fee, currency=CURRENCY, code=code
    )


def _returned(tx: str, customer: Wish) -> CashReturned:
    return CashReturned(at=0, tx=tx, amount=customer.total, currency=CURRENCY)


def _receipt(
    outcome: ReceiptOutcome, tx: str, cause: Cause | None, chance: Random
) -> ReceiptResult:
    number = str(chance.randrange(10**6, 10**7)) if outcome == "printed" else None
    return ReceiptResult(at=0, tx=tx, outcome=outcome, cause=cause, number=number)


def _at(event: Event) -> Callable[[int], Event]:
    return lambda at: replace(event, at=at)


def course(terminal: str, name: str, tx: str, events: Sequence[Event]) -> Course | None:
    """Return the true course of a transaction from its events in order; None before its end."""
    now, standings, ended_at = Standing(), list[Standing](), 0
    for event in events:
        now = _after(now, event, tx)
        if not standings and _ends(event, tx):
            standings, ended_at = [now], event.at
        elif standings and getattr(event, "tx", None) == tx:
            standings.append(now)
    if not standings:
        return None
    return Course(
        terminal=terminal, tx=tx, story=name, ended_at=ended_at, standings=tuple(standings)
    )


def _ends(event: Event, tx: str) -> bool:
    if isinstance(event, TransactionStarted):
        return event.tx != tx
    return isinstance(event, AgentStarted) or (
        isinstance(event, TransactionEnded) and event.tx == tx
    )


def _after(now: Standing, event: Event, tx: str) -> Standing:
    if getattr(event, "tx", tx) != tx:
        return now
    match event:
        case CashAccepted():
            return replace(now, accepted=now.accepted + event.amount)
        case CashReturned():
            return replace(now, returned=now.returned + event.amount)
        case PaymentResult():
            return replace(now, outcome=event.outcome)
        case ReceiptResult():
            return replace(now, receipt=event.outcome, cause=event.cause)
        case _:
            return now
