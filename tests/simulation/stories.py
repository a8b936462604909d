"""What a customer does, as steps; every event fits the contract, and every course occurs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final, Literal

from tests.simulation.devices import Devices
from wire.events import (
    CashReturned,
    CassetteCollected,
    Event,
    Fault,
    Fiscal,
    PaymentResult,
    ReceiptResult,
    ServiceAction,
    TransactionEnded,
    TransactionStarted,
)
from wire.vocabulary import EndCause, Outcome, ReceiptOutcome

if TYPE_CHECKING:
    from tests.simulation.terminal import Terminal

CURRENCY: Final = "RUB"
NOTES: Final = (1_000, 5_000, 10_000, 10_000, 50_000, 100_000, 500_000)
SERVICES: Final = (("beeline", "Билайн"), ("mts", "МТС"), ("water", None), ("wallet", "Кошелёк"))
LONG: Final = "ошибка \U0001f4a5 шлюза\x00 \udc80 " * 2_000
"""Over the limit of an event, with what PostgreSQL cannot hold: the agent has to see to it."""

Course = Literal[
    "paid", "no_paper_asked", "silent_receipt", "late_receipt", "unknown_receipt",
    "declined_returned", "declined_kept", "failed_kept", "failed_then_accepted",
    "unknown_then_accepted", "unknown", "accepted_then_declined", "no_result",
    "cancelled", "timed_out_with_money", "abandoned", "late_note", "unended",
]  # fmt: skip
COURSES: Final[dict[Course, float]] = {
    "paid": 60.0,
    "no_paper_asked": 5.0,
    "silent_receipt": 2.0,
    "late_receipt": 3.0,
    "unknown_receipt": 1.0,
    "declined_returned": 3.0,
    "declined_kept": 2.0,
    "failed_kept": 2.0,
    "failed_then_accepted": 2.0,
    "unknown_then_accepted": 3.0,
    "unknown": 1.5,
    "accepted_then_declined": 1.0,
    "no_result": 1.0,
    "cancelled": 5.0,
    "timed_out_with_money": 1.0,
    "abandoned": 1.0,
    "late_note": 1.5,
    "unended": 1.0,
}
"""How often each, as weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something done after a while."""

    delay_s: float
    do: Callable[["Terminal"], bool]
    late: bool = False
    """The screen is free again by then."""
    survives: bool = False
    """The payment program still does it when only the agent died meanwhile."""
    note: int = 0
    """The note that is taken: it may be found in the cassette after a crash."""
    if_refused: Literal["go_on", "end", "leave"] = "go_on"


class _Script:
    """A story being written."""

    def __init__(self, random: Random, number: int, devices: Devices) -> None:
        self.random, self.devices = random, devices
        self.tx = f"{number}-{random.getrandbits(40):010x}"
        self.steps: list[Step] = []

    def event(self, seconds: tuple[float, float], make: Callable[..., Event], **named: Any) -> None:
        """Record an event of the transaction after some time."""
        made = partial(make, tx=self.tx)
        delay_s = self.random.uniform(*seconds)
        self.steps.append(Step(delay_s=delay_s, do=lambda who: _record(who, made), **named))

    def start(self) -> None:
        """Choose what to pay for."""
        service, name = self.random.choice(SERVICES)
        account = f"+79{self.random.randrange(10**9):09d}" if self.random.random() < 0.8 else None
        self.event(
            (0.0, 0.0),
            partial(TransactionStarted, service=service, service_name=name, account=account),
            if_refused="leave",
        )

    def pay_in(self) -> int:
        """Put notes in; return how much."""
        tx = self.tx
        delay_s = self.random.uniform(2.0, 20.0)
        self.steps.append(
            Step(delay_s=delay_s, do=lambda who: who.accept_cash(tx), if_refused="end")
        )
        total = 0
        for _ in range(self.random.choice((1, 1, 1, 2, 3, 5))):
            total += self.note((1.0, 15.0))
        delay_s = self.random.uniform(0.5, 10.0)
        self.steps.append(Step(delay_s=delay_s, do=lambda who: who.stop_cash()))
        return total

    def note(self, seconds: tuple[float, float], *, late: bool = False) -> int:
        """Put a note in; return its worth."""
        worth = self.random.choice(NOTES)
        delay_s = self.random.uniform(*seconds)
        self.steps.append(
            Step(delay_s=delay_s, do=lambda who: who.note(worth, CURRENCY), note=worth, late=late)
        )
        return worth

    def result(self, outcome: Outcome, total: int, *, late: bool = False) -> None:
        """Hear from processing."""
        fee = total * self.random.choice((0, 0, 3, 5, 10)) // 100
        code = None if outcome == "accepted" else self.random.choice(("51", "timeout", "H-17"))
        reference = f"{self.random.getrandbits(48):012x}" if outcome == "accepted" else None
        self.event(
            (5.0, 600.0) if late else (0.5, 12.0),
            partial(
                PaymentResult,
                outcome=outcome,
                amount=total - fee,
                fee=fee,
                currency=CURRENCY,
                code=code,
                reference=reference,
            ),
            late=late,
            survives=True,
        )

    def give_back(self, amount: int) -> None:
        """Return money."""
        self.event((1.0, 8.0), partial(CashReturned, amount=amount, currency=CURRENCY))

    def receipt(self, outcome: ReceiptOutcome = "printed", *, late: bool = False) -> None:
        """Print, if there is paper by then."""
        tx, random, devices = self.tx, self.random, self.devices
        number = str(random.randrange(10**6))
        fiscal = None
        if random.random() < 0.3:
            fiscal = Fiscal(fn="9960440300000000", fd=number, fp=str(random.randrange(10**10)))

        def print_it(who: "Terminal") -> bool:
            cause = devices.receipt_cause if outcome == "printed" else None
            done: ReceiptOutcome = outcome if cause is None else "failed"
            made = partial(
                ReceiptResult, tx=tx, outcome=done, cause=cause, number=number, fiscal=fiscal
            )
            return _record(who, made)

        delay_s = random.uniform(5.0, 300.0) if late else random.uniform(1.0, 8.0)
        self.steps.append(Step(delay_s=delay_s, do=print_it, late=late, survives=True))

    def end(self, cause: EndCause = "completed") -> None:
        """Free the screen."""
        self.event((0.5, 20.0), partial(TransactionEnded, cause=cause))


def draw_story(random: Random, number: int, devices: Devices) -> Sequence[Step]:
    """Return a customer's steps, to their end and what comes late."""
    script = _Script(random, number, devices)
    course = random.choices(tuple(COURSES), tuple(COURSES.values()))[0]
    script.start()
    if course == "cancelled" or not devices.takes_notes:
        script.end(random.choice(("cancelled", "timed_out")))
        return script.steps
    total = script.pay_in()
    if random.random() < 0.05:
        script.give_back(part := total // 2)
        total -= part
    _WRITERS.get(course, _paid)(script, total)
    return script.steps


def draw_chore(random: Random) -> Sequence[Step]:
    """Return the steps of somebody who works on the kiosk, or of a program in trouble."""
    if random.random() < 0.5:
        critical = random.random() < 0.3
        text = LONG if random.random() < 0.15 else random.choice((None, "нет связи со шлюзом", ""))
        fault = partial(
            Fault,
            component=random.choice(("gateway", "program", "watchdog")),
            severity="critical" if critical else "warning",
            code=f"E{random.randrange(1000)}",
            text=text,
        )
        return [Step(delay_s=0.0, do=lambda who: _record(who, fault))]
    notes = {str(worth): random.randrange(200) for worth in sorted({*NOTES})}
    collected = partial(
        CassetteCollected,
        collection=f"{random.getrandbits(40):010x}",
        total=sum(int(worth) * count for worth, count in notes.items()),
        currency=CURRENCY,
        notes=notes,
    )
    person = random.choice((None, "Иванов"))
    actions: Sequence[Callable[..., Event]] = (
        partial(ServiceAction, action="door_opened", person=person),
        partial(ServiceAction, action="paper_loaded"),
        collected,
        partial(ServiceAction, action="cassette_replaced"),
        partial(ServiceAction, action="test_receipt"),
        partial(ServiceAction, action="door_closed", person=person),
    )
    kept = [each for each in actions if random.random() < 0.8]
    return [Step(delay_s=random.uniform(1.0, 60.0), do=_recording(make)) for make in kept]


def _record(who: "Terminal", make: Callable[..., Event]) -> bool:
    return who.record(make(at=who.at()))


def _recording(make: Callable[..., Event]) -> Callable[["Terminal"], bool]:
    return lambda who: _record(who, make)


def _paid(script: _Script, total: int) -> None:
    script.result("accepted", total)
    script.receipt()
    script.end()


def _no_paper_asked(script: _Script, total: int) -> None:
    script.result("accepted", total)
    script.receipt("refused")
    script.end()


def _silent_receipt(script: _Script, total: int) -> None:
    script.result("accepted", total)
    script.end()


def _late_receipt(script: _Script, total: int) -> None:
    script.result("accepted", total)
    if script.random.random() < 0.5:
        script.receipt("unknown")
    script.end()
    script.receipt(late=True)


def _unknown_receipt(script: _Script, total: int) -> None:
    script.result("accepted", total)
    script.receipt("unknown")
    script.end()


def _declined_returned(script: _Script, total: int) -> None:
    script.result("declined", total)
    script.give_back(total)
    script.end("error")


def _kept(outcome: Outcome) -> Callable[[_Script, int], None]:
    def write(script: _Script, total: int) -> None:
        script.result(outcome, total)
        script.end("error")

    return write


def _late(first: Outcome, then: Outcome) -> Callable[[_Script, int], None]:
    def write(script: _Script, total: int) -> None:
        script.result(first, total)
        if script.random.random() < 0.6:
            script.receipt()
        script.end("completed" if first == "accepted" else "timed_out")
        script.result(then, total, late=True)
        if script.random.random() < 0.3:
            script.receipt(late=True)

    return write


def _no_result(script: _Script, _total: int) -> None:
    script.end("error")


def _timed_out_with_money(script: _Script, total: int) -> None:
    if script.random.random() < 0.5:
        script.give_back(total)
    script.end("timed_out")


def _abandoned(script: _Script, total: int) -> None:
    del script, total  # The next customer ends it.


def _late_note(script: _Script, total: int) -> None:
    _paid(script, total)
    script.note((1.0, 50.0), late=True)


def _unended(script: _Script, total: int) -> None:
    script.result("accepted", total)
    script.receipt()


_WRITERS: Final[dict[Course, Callable[[_Script, int], None]]] = {
    "paid": _paid,
    "no_paper_asked": _no_paper_asked,
    "silent_receipt": _silent_receipt,
    "late_receipt": _late_receipt,
    "unknown_receipt": _unknown_receipt,
    "declined_returned": _declined_returned,
    "declined_kept": _kept("declined"),
    "failed_kept": _kept("failed"),
    "failed_then_accepted": _late("failed", "accepted"),
    "unknown_then_accepted": _late("unknown", "accepted"),
    "unknown": _kept("unknown"),
    "accepted_then_declined": _late("accepted", "declined"),
    "no_result": _no_result,
    "timed_out_with_money": _timed_out_with_money,
    "abandoned": _abandoned,
    "late_note": _late_note,
    "unended": _unended,
}
