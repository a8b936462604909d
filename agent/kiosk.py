"""The kiosk's own logic: device facts and the program's requests in; events, orders, notices out.

Laws. A fact about money is in the journal before anyone is told of it. Notes are taken only for a
transaction that a connected program asked for, and only while the journal has room. Money that is
there is never without a transaction: it goes to the one that is open, to the one that was open
last, or to one made for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agent import VERSION
from agent.checking import Wrong
from agent.clock import ClockWatch
from agent.devices.machine import (
    CassetteReplaced,
    DeviceIdentified,
    DeviceState,
    Instant,
    NoteEscrowed,
    NoteRejected,
    NoteReturned,
    NoteStacked,
    NoteUnaccounted,
    Output,
    ReceiptFinished,
    Send,
    StackOrdered,
    StateChanged,
)
from agent.effects import (
    Answer,
    Client,
    Effect,
    Print,
    PulseNow,
    TakeNotes,
    answer,
    refusal,
    told,
)
from agent.facts import Facts
from agent.journal import Journal, JournalFull
from agent.requests import (
    AcceptCash,
    Asked,
    AskStatus,
    Hello,
    PrintReceipt,
    Record,
    Ref,
    StopCash,
)
from agent.shape import EntryTooLarge, entry
from agent.transactions import LastTransaction
from wire.codec import plain
from wire.events import (
    AgentStarted,
    CashAccepted,
    ClockStepped,
    DeviceChanged,
    Event,
    Fault,
    Fiscal,
    ReceiptResult,
    ServiceAction,
    TransactionEnded,
    TransactionStarted,
)
from wire.journal import Epoch
from wire.vocabulary import Device, StartCause

UNACCOUNTED: Final = "note_unaccounted"
"""Code of the fault that says that a note was lost on its way to the cassette."""
LATE_NOTE_S: Final = 60.0
"""A note that arrives this soon after its transaction's end still belongs to it."""
PRINTS_MAX: Final = 16
"""Receipts that may be under way; a kiosk prints one at a time."""


_NOTICES: Final[dict[type[Output], str]] = {
    NoteEscrowed: "note_escrowed",
    NoteReturned: "note_returned",
    NoteRejected: "note_rejected",
}
"""What only the program is told: no money has changed hands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """Which devices the agent drives itself."""

    acceptor: bool = False
    printer: bool = False


@dataclass(frozen=True, slots=True)
class _Printing:
    tx: str
    number: str | None
    fiscal: Fiscal | None


class Kiosk:
    """Everything between devices, program and journal, without I/O."""

    def __init__(
        self,
        journal: Journal,
        equipment: Equipment,
        clock: ClockWatch,
        *,
        last: LastTransaction | None = None,
    ) -> None:
        """Begin with the last transaction that the journal knows."""
        self._journal, self._equipment, self._clock = journal, equipment, clock
        self.devices: dict[Device, DeviceState] = {}
        self.identified: dict[Device, str] = {}
        self.suspended: str | None = None
        """Why nothing may be sold, None while selling."""
        self._last = last
        self._ended_at: Instant | None = None
        self._accepting: tuple[Client, str] | None = None
        self._stacking: str | None = None
        """Whose note was ordered into the cassette: a verdict may come in another's time."""
        self._printing: dict[str, _Printing] = {}
        self._unproved: dict[str, _Printing] = {}
        """The last receipt that was told as unknown: its proof may still come."""
        self._prints = 0
        self._facts = Facts(journal)

    def started(self, cause: StartCause, *, at: int) -> Sequence[Effect]:
        """Journal that a new run began; whatever was open is over."""
        return self._fact(AgentStarted(at=at, agent=VERSION, cause=cause))

    def forked(self, old: Epoch, *, at: int) -> Sequence[Effect]:
        """Journal that the service held another history, so a new epoch began."""
        text = f"epoch {old} is continued as {self._journal.epoch}"
        return self._fact(
            Fault(at=at, component="journal", severity="warning", code="forked", text=text)
        )

    def replaced(self, text: str, *, at: int) -> Sequence[Effect]:
        """Journal that a damaged journal file was moved aside."""
        return self._fact(
            Fault(at=at, component="journal", severity="critical", code="damaged", text=text)
        )

    @property
    def waiting(self) -> int:
        """How many facts wait in memory for room in the journal."""
        return self._facts.waiting

    # The payment program.

    def asked(self, client: Client, asked: Asked, *, at: int, now: Instant) -> Sequence[Effect]:
        """Do what a program asked, or answer why not."""
        return [*self._clock_watched(at, now), *self._asked(client, asked, at, now)]

    def _asked(  # noqa: PLR0911 - one return a case
        self, client: Client, asked: Asked, at: int, now: Instant
    ) -> Sequence[Effect]:
        what = asked.what
        match what:
            case Wrong():
                return [refusal(client, asked.ref, what)]
            case Hello():
                return [answer(client, asked.ref), Answer(client, self._welcome())]
            case Record():
                return self._record(client, asked.ref, what.event, now)
            case AcceptCash():
                return self._accept(client, asked.ref, what.tx)
            case StopCash():
                return [*self._stop(), answer(client, asked.ref)]
            case PrintReceipt():
                return self._print(client, asked.ref, what, at)
            case AskStatus():
                return [refusal(client, asked.ref, Wrong("unavailable", "no status here"))]

    def client_gone(self, client: Client) -> Sequence[Effect]:
        """Stop taking notes for a program that is no longer there to count them."""
        if self._accepting is not None and self._accepting[0] == client:
            return self._stop()
        return ()

    def _record(self, client: Client, ref: Ref, event: Event, now: Instant) -> Sequence[Effect]:
        shaped = entry(event)
        if isinstance(shaped, EntryTooLarge):
            wrong = Wrong("too_large", f"the event has {shaped.size} bytes; 32768 are allowed")
            return [refusal(client, ref, wrong)]
        try:
            seq = self._journal.append([shaped])
        except JournalFull:
            wrong = Wrong("journal_full", "the journal has no room; nothing may be sold")
            return [refusal(client, ref, wrong), *self._watch_room()]
        done = [answer(client, ref, seq=seq)]
        match event:
            case TransactionStarted(tx=tx):
                self._last, self._ended_at = LastTransaction(tx, open=True), None
            case TransactionEnded(tx=tx):
                return [*done, *self._ended(tx, now), *self._watch_room()]
            case _:
                pass
        return [*done, *self._watch_room()]

    def _ended(self, tx: str, now: Instant) -> Sequence[Effect]:
        if self._last is None or self._last.tx == tx:
            self._last, self._ended_at = LastTransaction(tx, open=False), now
        if self._accepting is not None and self._accepting[1] == tx:
            return self._stop()
        return ()

    def _accept(self, client: Client, ref: Ref, tx: str) -> Sequence[Effect]:
        if not self._equipment.acceptor:
            wrong = Wrong("no_acceptor", "agent.toml names no note acceptor")
            return [refusal(client, ref, wrong)]
        if self.suspended is not None:
            return [refusal(client, ref, Wrong("suspended", self.suspended))]
        self._accepting = (client, tx)
        self._last, self._ended_at = LastTransaction(tx, open=True), None
        return [TakeNotes(enabled=True), answer(client, ref)]

    def _stop(self) -> Sequence[Effect]:
        self._accepting = None
        return [TakeNotes(enabled=False)] if self._equipment.acceptor else []

    def _print(self, client: Client, ref: Ref, what: PrintReceipt, at: int) -> Sequence[Effect]:
        if not self._equipment.printer:
            wrong = Wrong("no_printer", "agent.toml names no printer that the agent prints on")
            return [refusal(client, ref, wrong)]
        if len(self._printing) >= PRINTS_MAX:
            return [refusal(client, ref, Wrong("busy", "too many receipts are being printed"))]
        self._prints += 1
        job = f"{at}-{self._prints}"
        self._printing[job] = _Printing(what.tx, what.number, what.fiscal)
        return [answer(client, ref), Print(job, what.text)]

    def _welcome(self) -> dict[str, object]:
        devices = [plain(state) for state in self.devices.values()]
        return {
            "told": "welcome",
            "agent": VERSION,
            "epoch": self._journal.epoch,
            "suspended": self.suspended is not None,
            "devices": devices,
        }

    # The devices.

    def device(self, output: Output, *, at: int, now: Instant) -> Sequence[Effect]:
        """Take what a device's machine has found out."""
        return [*self._clock_watched(at, now), *self._device(output, at, now)]

    def _device(  # noqa: PLR0911 - one return a case
        self, output: Output, at: int, now: Instant
    ) -> Sequence[Effect]:
        match output:
            case StateChanged():
                return self._state(output.state, at)
            case NoteStacked():
                return self._stacked(output, at, now)
            case ReceiptFinished():
                return self._printed(output, at)
            case StackOrdered():
                self._stacking = self._accepting[1] if self._accepting else None
                return ()
            case NoteEscrowed() | NoteReturned() | NoteRejected():
                self._stacking = None
                return [told(_NOTICES[type(output)], **plain(output))]
            case CassetteReplaced():
                return self._fact(ServiceAction(at=at, action="cassette_replaced"))
            case DeviceIdentified():
                self.identified[output.device] = output.text
                return ()
            case NoteUnaccounted():
                return self._unaccounted(output, at)
            case Send():  # The line's affair.
                return ()

    def _state(self, state: DeviceState, at: int) -> Sequence[Effect]:
        self.devices[state.device] = state
        changed = DeviceChanged(
            at=at,
            device=state.device,
            status=state.status,
            paper=state.paper,
            storage=state.storage,
            cause=state.cause,
            code=state.code,
        )
        return [*self._fact(changed), told("device", **plain(state)), PulseNow()]

    def _stacked(self, note: NoteStacked, at: int, now: Instant) -> Sequence[Effect]:
        tx, own = self._tx_for_note(note, now)
        notice = told(
            "cash_accepted",
            tx=tx,
            amount=note.amount,
            currency=note.currency,
            recovered=note.recovered,
        )
        accepted = CashAccepted(
            at=at, tx=tx, amount=note.amount, currency=note.currency, media="note"
        )
        effects = [*self._fact(accepted, notice)]
        if own:
            # Ended at once, so that the money is asked after today and not at the next customer.
            effects += self._fact(TransactionEnded(at=at, tx=tx, cause="error"))
        return effects

    def _unaccounted(self, note: NoteUnaccounted, at: int) -> Sequence[Effect]:
        worth = "an unknown note" if note.amount is None else f"{note.amount} {note.currency}"
        tx, self._stacking = self._stacking or (self._last and self._last.tx), None
        of = f" of transaction {tx}" if tx else ""
        return self._fact(
            Fault(
                at=at,
                component="note_acceptor",
                severity="critical",
                code=UNACCOUNTED,
                text=f"{worth}{of} was on its way to the cassette and is lost to the device",
            )
        )

    def _tx_for_note(self, note: NoteStacked, now: Instant) -> tuple[str, bool]:
        """Return whose the note is, and whether that transaction was made for it."""
        tx, self._stacking = self._stacking, None
        if tx is not None:
            return tx, False
        if self._accepting is not None and not note.recovered:
            return self._accepting[1], False
        last = self._last
        if last is not None:
            late = self._ended_at is not None and now - self._ended_at <= LATE_NOTE_S
            if last.open or late:
                return last.tx, False
        return f"recovered-{self._journal.epoch}-{self._journal.next}", True

    def _printed(self, finished: ReceiptFinished, at: int) -> Sequence[Effect]:
        jobs = self._printing if finished.job in self._printing else self._unproved
        printing = jobs.pop(finished.job, None)
        if printing is None:
            return ()
        if finished.outcome == "unknown":
            self._unproved = {finished.job: printing}
        notice = told(
            "receipt_result", tx=printing.tx, outcome=finished.outcome, cause=finished.cause
        )
        result = ReceiptResult(
            at=at,
            tx=printing.tx,
            outcome=finished.outcome,
            cause=finished.cause,
            number=printing.number,
            fiscal=printing.fiscal,
        )
        return self._fact(result, notice)

    # Time and room.

    def elapsed(self, *, at: int, now: Instant) -> Sequence[Effect]:
        """Look at the clocks and at the journal's room; call it every second or so."""
        stepped = self._clock_watched(at, now)
        waited = self._facts.write_waiting()
        return [*stepped, *waited, *self._watch_room(), *self._catch_up(at)]

    def _clock_watched(self, at: int, now: Instant) -> Sequence[Effect]:
        """Journal a step of the clock before anything that has a time by the new one."""
        step = self._clock.step(at=at, now=now)
        return self._fact(ClockStepped(at=at, step_ms=step)) if step is not None else ()

    def _fact(self, event: Event, *then: Effect) -> Sequence[Effect]:
        """Journal what has happened, and then the effects; without room, both may wait for it."""
        return [*self._facts.write(event, *then), *self._watch_room()]

    def _watch_room(self) -> Sequence[Effect]:
        """Suspend sales when the journal runs out of room, resume when there is room again."""
        out = self._facts.short
        if out and self.suspended is None:
            self.suspended = "the journal has no room (disk full)"
            stop = [TakeNotes(enabled=False)] if self._equipment.acceptor else []
            return [*stop, told("suspended", why=self.suspended)]
        if not out and self.suspended is not None:
            self.suspended = None
            again = [TakeNotes(enabled=True)] if self._accepting is not None else []
            return [told("resumed"), *again]
        return ()

    def _catch_up(self, at: int) -> Sequence[Effect]:
        """Say how many facts found no room, and how the devices are now."""
        if not self._facts.unrecorded or self._facts.short:
            return ()
        count, self._facts.unrecorded = self._facts.unrecorded, 0
        text = f"{count} events without money could not be recorded for want of room"
        fault = Fault(at=at, component="journal", severity="warning", code="full", text=text)
        effects = list(self._fact(fault))
        for state in list(self.devices.values()):
            effects += self._state(state, at)
        return effects
