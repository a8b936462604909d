"""A payment program: serves one customer through the agent's door, and knows what truly came of it.

What counts as true is what the metal did (`Hardware`) and what the processing centre decided, at
the moments when the contract judges a transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from firmware_sim.clock import sleep, unix_ms
from firmware_sim.customer_plan import Plan
from firmware_sim.door import AgentRefused, Door
from firmware_sim.hardware import Hardware
from firmware_sim.places import Place
from firmware_sim.printer import LINE_MM, Printer
from firmware_sim.processing import Processing
from firmware_sim.receipt import Paid, receipt
from firmware_sim.services import Wish, split
from firmware_sim.truth import Course, Standing
from firmware_sim.validator import State
from wire.vocabulary import Cause, EndCause, Outcome, ReceiptOutcome

CURRENCY: Final = "RUB"
_SLOT_S: Final = 15.0
"""How long a customer tries to put a note in."""
_NOTE_S: Final = 25.0
_TOLD_S: Final = 10.0
_RECEIPT_S: Final = 45.0

_OUT_AT: Final = 0.4
"""How much of a receipt comes out before the paper ends."""


@dataclass(slots=True)
class Visit:
    """A customer's transaction while it lasts."""

    tx: str
    name: str
    plan: Plan
    wish: Wish
    cassette_before: int
    outcome: Outcome | None = None
    receipt: ReceiptOutcome | None = None
    cause: Cause | None = None
    doubtful: bool = False
    """The receipt came out, but the agent could not know."""
    standings: list[Standing] = field(default_factory=list)
    """One at the end as the contract defines it, then one after each later event."""


class PowerCut(Exception):  # noqa: N818 - it names what happens
    """The kiosk has no power: program and agent are gone."""


class PaymentProgram:
    """The program of one kiosk; `door` and `kill_agent` are the kiosk's."""

    def __init__(self, place: Place, hardware: Hardware, *, chance: Random, speed: float) -> None:
        self.door: Door | None = None
        self.told_cash = 0
        """Kopecks that the agent has told of."""
        self.processing = Processing(chance)
        self.kill_agent: Callable[[], None] = lambda: None
        self._place, self._hardware = place, hardware
        self._chance, self._speed = chance, speed
        self._collected = 0
        self._receipts = chance.randrange(10**6, 9 * 10**6)

    def serve(self, visit: Visit) -> None:
        """Serve a customer from the first screen to the last.

        Raises:
            AgentGone: the agent went away in the middle.
            PowerCut: the plan wanted it.
        """
        # What a printer pushed out after its repair hangs there until somebody takes it away.
        self._hardware.take_ticket()
        service = visit.wish.service
        self._record(
            "transaction_started",
            visit,
            service=service.id,
            service_name=service.name,
            account=visit.wish.account,
        )
        if visit.plan.cash:
            self._take_cash(visit)
        if visit.plan.power_cut == "idle":
            self._hardware.power_off()
            raise PowerCut
        inserted = self.inserted(visit)
        if inserted <= 0:
            self._end(visit, "cancelled")
            return
        if visit.plan.agent_killed == "cash":
            self._lose_agent(visit)
        if visit.plan.outcome is None:
            self._end(visit, "timed_out")
            return
        self._pay(visit, inserted)
        if visit.plan.agent_killed == "result":
            self._lose_agent(visit)
        if visit.outcome != "declined":
            self._give_receipt(visit, inserted)
        self._end(visit, "completed" if visit.outcome == "accepted" else "error")

    def inserted(self, visit: Visit) -> int:
        """Return the kopecks that went into the cassette during this visit."""
        return self._hardware.cassette - visit.cassette_before

    def standing(self, visit: Visit) -> Standing:
        """Return how the transaction stands now."""
        return Standing(
            accepted=self.inserted(visit),
            outcome=visit.outcome,
            receipt=visit.receipt,
            cause=visit.cause,
        )

    def collected(self, collection: str) -> None:
        """Tell the agent that the cassette was emptied and what the machine had counted."""
        total, self._collected = self._hardware.cassette - self._collected, self._hardware.cassette
        self._door.record(
            {
                "kind": "cassette_collected",
                "collection": collection,
                "total": total,
                "currency": CURRENCY,
            }
        )

    def course(self, visit: Visit) -> Course:
        """Return the true course of a visit that is over."""
        standings = visit.standings or [self.standing(visit)]
        return Course(
            terminal=self._place.terminal,
            tx=visit.tx,
            story=visit.name,
            ended_at=unix_ms(),
            standings=tuple(standings),
        )

    def await_cash(self, kopecks: int) -> bool:
        """Wait to be told of cash until this much was told in all."""
        while self.told_cash < kopecks:
            told = self._door.wait_for(lambda each: each["told"] == "cash_accepted", _TOLD_S)
            if told is None:
                return False
            self.told_cash += told["amount"]
        return True

    @property
    def _door(self) -> Door:
        assert self.door is not None, "nobody is served without an agent"
        return self.door

    def _take_cash(self, visit: Visit) -> None:
        try:
            self._door.ask({"do": "accept_cash", "tx": visit.tx})
        except AgentRefused:
            return
        notes = list(visit.wish.notes)
        if visit.plan.bad_note:
            self._put(notes[0], bad=True)
        for note in notes[:-1]:
            self._put(note)
        self._put(notes[-1], power_cut=visit.plan.power_cut)
        self._door.ask({"do": "stop_cash"})

    def _put(self, note: int, *, bad: bool = False, power_cut: str | None = None) -> None:
        """Put one note in, and wait until it is somewhere."""
        self._think(0.5)
        before = len(self._hardware.moved_since(0))
        if not self._until(lambda: self._hardware.insert(note, bad=bad), _SLOT_S):
            return
        if power_cut in {"transit", "stacking"}:
            moment = State.ACCEPTING if power_cut == "transit" else State.STACKING
            if self._hardware.power_off_when(moment, _NOTE_S):
                raise PowerCut
        self._until(lambda: len(self._hardware.moved_since(before)) > 0, _NOTE_S)
        if any(moved.where == "stacked" for moved in self._hardware.moved_since(before)):
            self.await_cash(self._hardware.cassette)

    def _pay(self, visit: Visit, inserted: int) -> None:
        if visit.plan.outcome and visit.plan.outcome != "accepted":
            self.processing.order(visit.plan.outcome)
        decision = self.processing.pay()
        self._think(decision.after_s)
        amount, fee = split(visit.wish.service, inserted)
        self._record(
            "payment_result",
            visit,
            outcome=decision.outcome,
            amount=amount,
            fee=fee,
            currency=CURRENCY,
            code=decision.code,
            reference=decision.reference,
        )
        visit.outcome = decision.outcome
        self._later(visit)

    def _give_receipt(self, visit: Visit, inserted: int) -> None:
        if visit.plan.without_receipt:
            self._record("receipt_result", visit, outcome="refused")
            visit.receipt = "refused"
            self._later(visit)
            return
        self._receipts += 1
        number = str(self._receipts)
        text = receipt(self._place, visit.wish, self._paid(visit, inserted, number))
        self._hardware.touch(lambda printer: _prepare(printer, visit.plan, text))
        self._door.ask({"do": "print_receipt", "tx": visit.tx, "text": text, "number": number})
        told = self._door.wait_for(
            lambda each: each["told"] == "receipt_result" and each["tx"] == visit.tx, _RECEIPT_S
        )
        printed = self._hardware.printed(number)
        # An honest "unknown" of a receipt that did come out may be asked after; no more than that.
        visit.doubtful = printed and (told is None or told["outcome"] == "unknown")
        visit.receipt = "printed" if printed else "failed"
        visit.cause = None if printed else self._hardware.printer_cause()
        self._later(visit)
        self._think(0.5)
        self._hardware.take_ticket()

    def _paid(self, visit: Visit, inserted: int, number: str) -> Paid:
        credited, fee = split(visit.wish.service, inserted)
        now = datetime.fromtimestamp(unix_ms() / 1000, UTC)
        return Paid(
            number=number,
            time=f"{now:%d.%m.%Y %H:%M:%S}",
            inserted=inserted,
            credited=credited,
            fee=fee,
            reference=visit.tx,
        )

    def _lose_agent(self, visit: Visit) -> None:
        """Lose the agent: the start of the next one ends the transaction, which goes on late."""
        visit.standings.append(self.standing(visit))
        self.kill_agent()

    def _end(self, visit: Visit, cause: EndCause) -> None:
        if not visit.standings:
            self._record("transaction_ended", visit, cause=cause)
            visit.standings.append(self.standing(visit))

    def _record(self, kind: str, visit: Visit, **fields: Any) -> None:  # noqa: ANN401 - JSON
        self._door.record({"kind": kind, "tx": visit.tx, **fields})

    def _later(self, visit: Visit) -> None:
        if visit.standings:
            visit.standings.append(self.standing(visit))

    def _think(self, seconds: float) -> None:
        sleep(seconds * self._chance.uniform(0.5, 1.5) / self._speed)

    def _until(self, done: Callable[[], bool], seconds: float) -> bool:
        for _ in range(round(seconds / 0.05)):
            if done():
                return True
            sleep(0.05)
        return False


def _prepare(printer: Printer, plan: Plan, text: str) -> None:
    match plan.breaks:
        case "paper_out":
            printer.roll_mm = LINE_MM * text.count("\n") * _OUT_AT
        case "cable":
            printer.unplug()
        case breakage:
            printer.breaks_next = breakage
