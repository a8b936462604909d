import json
from collections.abc import Callable, Sequence
from typing import Any

from agent.clock import ClockWatch
from agent.devices.machine import (
    CassetteReplaced,
    DeviceState,
    Instant,
    NoteRejected,
    NoteStacked,
    NoteUnaccounted,
    ReceiptFinished,
    StackOrdered,
    StateChanged,
)
from agent.effects import Answer, Client, Effect, Print, PulseNow, TakeNotes, Tell
from agent.journal import Journal, Limits
from agent.kiosk import PRINTS_MAX, Equipment, Kiosk
from agent.requests import read_line
from agent.transactions import LastTransaction, last_transaction
from tests.unit.agent.store_memory import MemoryStore

NOTE = NoteStacked(amount=50_000, currency="RUB")
PROGRAM = Client(1)


class Bench:
    """A kiosk on a bench: ask it, feed it device facts, read its journal."""

    def __init__(self, *, capacity: int | None = None, last: LastTransaction | None = None) -> None:
        """Begin at Unix ms 1,000,000 with an acceptor and a printer."""
        self.now = Instant(100.0)
        self.store = MemoryStore(capacity=capacity)
        self.journal = Journal(self.store, at=1_000, limits=Limits())
        equipment = Equipment(acceptor=True, printer=True)
        clock = ClockWatch(at=self.at, now=self.now)
        self.kiosk = Kiosk(self.journal, equipment, clock, last=last)

    @property
    def at(self) -> int:
        """Wall time that keeps step with the monotonic."""
        return 900_000 + round(self.now * 1000)

    def ask(self, client: Client = PROGRAM, **request: object) -> Sequence[Effect]:
        """Send a request as the program would."""
        asked = read_line(json.dumps(request).encode(), at=self.at)
        return self.kiosk.asked(client, asked, at=self.at, now=self.now)

    def record(self, **event: object) -> Sequence[Effect]:
        """Have an event recorded."""
        return self.ask(do="record", event=event, ref=7)

    def begin(self, tx: str = "a") -> None:
        """Start a transaction and take notes."""
        self.record(kind="transaction_started", tx=tx, service="phone")
        self.ask(do="accept_cash", tx=tx)

    def device(self, output: object) -> Sequence[Effect]:
        """Feed what a device's machine says."""
        return self.kiosk.device(output, at=self.at, now=self.now)  # type: ignore[arg-type]

    def events(self) -> list[dict[str, Any]]:
        """Return the journal."""
        chunk = self.journal.read(1, events_most=500, bytes_most=10**6)
        return [json.loads(event) for event in chunk.events]


def told(effects: Sequence[Effect]) -> list[dict[str, object]]:
    """Return the notices among effects."""
    return [each.message for each in effects if isinstance(each, Tell)]


def answered(effects: Sequence[Effect]) -> dict[str, object]:
    """Return the one answer among effects."""
    (found,) = [each.message for each in effects if isinstance(each, Answer)]
    return found


def test_a_note_is_journaled_to_the_transaction_that_asked_for_it() -> None:
    """Cash goes to the tx of accept_cash, and the program is told after the journal."""
    bench = Bench()
    bench.begin("a")
    effects = bench.device(NOTE)
    assert bench.events()[-1] == {
        "kind": "cash_accepted", "at": bench.at, "tx": "a",
        "amount": 50_000, "currency": "RUB", "media": "note",
    }  # fmt: skip
    assert told(effects) == [
        {
            "told": "cash_accepted", "tx": "a",
            "amount": 50_000, "currency": "RUB", "recovered": False,
        }
    ]  # fmt: skip


def test_a_recovered_note_goes_to_the_transaction_open_at_the_power_cut() -> None:
    """The journal's last open transaction gets the note that the cut left in the stacker."""
    bench = Bench(last=LastTransaction("before", open=True))
    bench.device(NoteStacked(amount=10_000, currency="RUB", recovered=True))
    assert [(each["kind"], each["tx"]) for each in bench.events()] == [("cash_accepted", "before")]


def test_a_note_of_nobody_gets_a_transaction_that_is_at_once_over() -> None:
    """Without any transaction the agent makes one, named by epoch and seq, and ends it."""
    bench = Bench(last=LastTransaction("before", open=False))
    bench.device(NoteStacked(amount=10_000, currency="RUB", recovered=True))
    assert [(each["kind"], each["tx"]) for each in bench.events()] == [
        ("cash_accepted", "recovered-1000-1"),
        ("transaction_ended", "recovered-1000-1"),
    ]


def test_a_note_just_after_the_end_still_belongs_to_its_transaction() -> None:
    """Within a minute of the end it is late cash of that tx; after it, nobody's."""
    for seconds, tx in ((59, "a"), (61, "recovered-1000-3")):
        bench = Bench()
        bench.begin("a")
        bench.record(kind="transaction_ended", tx="a", cause="timed_out")
        bench.now = Instant(bench.now + seconds)
        bench.device(NOTE)
        assert bench.events()[2]["tx"] == tx


def test_a_note_on_its_way_stays_with_the_customer_who_put_it_in() -> None:
    """Ordered into the cassette under one transaction, it is that one's, whoever pays next."""
    for recovered in (False, True):
        bench = Bench()
        bench.begin("a")
        bench.device(StackOrdered(amount=50_000, currency="RUB"))
        bench.record(kind="transaction_ended", tx="a", cause="cancelled")
        bench.begin("b")
        bench.device(NoteStacked(amount=50_000, currency="RUB", recovered=recovered))
        assert bench.events()[-1]["tx"] == "a"
        bench.device(NOTE)
        assert bench.events()[-1]["tx"] == "b"


def test_notes_are_taken_only_while_the_asking_program_is_there() -> None:
    """The end of the transaction, stop_cash, or the end of the connection close the acceptor."""
    ends: list[Callable[[Bench], Sequence[Effect]]] = [
        lambda bench: bench.record(kind="transaction_ended", tx="a", cause="completed"),
        lambda bench: bench.ask(do="stop_cash"),
        lambda bench: bench.kiosk.client_gone(PROGRAM),
    ]
    for end in ends:
        bench = Bench()
        bench.begin("a")
        assert TakeNotes(enabled=False) in end(bench)
    bench = Bench()
    bench.begin("a")
    assert bench.kiosk.client_gone(Client(9)) == ()


def test_a_receipt_is_journaled_with_number_and_outcome() -> None:
    """What the printer says of a job becomes the receipt_result of the transaction."""
    bench = Bench()
    effects = bench.ask(
        do="print_receipt",
        tx="a",
        text="hello",
        number="17",
        fiscal={"fn": "1", "fd": "2", "fp": "3"},
    )
    (job,) = [each.job for each in effects if isinstance(each, Print)]
    effects = bench.device(ReceiptFinished(job=job, outcome="failed", cause="paper_out"))
    assert bench.events()[-1] == {
        "kind": "receipt_result", "at": bench.at, "tx": "a", "outcome": "failed",
        "cause": "paper_out", "number": "17", "fiscal": {"fn": "1", "fd": "2", "fp": "3"},
    }  # fmt: skip
    notice = {"told": "receipt_result", "tx": "a", "outcome": "failed", "cause": "paper_out"}
    assert told(effects) == [notice]
    assert not bench.device(ReceiptFinished(job=job, outcome="printed"))


def test_a_receipt_proved_late_is_journaled_too() -> None:
    """After `unknown` the printer may still prove the receipt: once, and only to `printed`."""
    bench = Bench()
    effects = bench.ask(do="print_receipt", tx="a", text="hello", number="17")
    (job,) = [each.job for each in effects if isinstance(each, Print)]
    bench.device(ReceiptFinished(job=job, outcome="unknown"))
    effects = bench.device(ReceiptFinished(job=job, outcome="printed"))
    assert told(effects) == [{"told": "receipt_result", "tx": "a", "outcome": "printed"}]
    results = [(each["outcome"], each["number"]) for each in bench.events()]
    assert results == [("unknown", "17"), ("printed", "17")]
    assert not bench.device(ReceiptFinished(job=job, outcome="printed"))


def test_receipts_that_stay_unknown_keep_no_printer_busy() -> None:
    """A receipt without proof waits for its late proof, but takes no place of a later one."""
    bench = Bench()
    for number in range(PRINTS_MAX + 2):
        effects = bench.ask(do="print_receipt", tx=f"t{number}", text="hello")
        (job,) = [each.job for each in effects if isinstance(each, Print)]
        bench.device(ReceiptFinished(job=job, outcome="unknown"))
    assert len(bench.events()) == PRINTS_MAX + 2


def test_a_device_state_is_journaled_told_and_pulsed() -> None:
    """StateChanged becomes device_changed, a notice, and a pulse at once."""
    bench = Bench()
    state = DeviceState(device="receipt_printer", status="online", paper="low")
    effects = bench.device(StateChanged(state))
    assert bench.events()[-1]["kind"] == "device_changed"
    assert bench.events()[-1]["paper"] == "low"
    assert PulseNow() in effects
    assert told(effects)[0]["paper"] == "low"


def test_what_changes_no_money_is_told_and_not_journaled() -> None:
    """A rejected note is the program's to show; a replaced cassette is a service action."""
    bench = Bench()
    assert told(bench.device(NoteRejected("1C 60"))) == [{"told": "note_rejected", "code": "1C 60"}]
    assert bench.events() == []
    bench.device(CassetteReplaced())
    bench.device(NoteUnaccounted(amount=5_000, currency="RUB"))
    kinds = [(each["kind"], each.get("action"), each.get("code")) for each in bench.events()]
    assert kinds == [
        ("service_action", "cassette_replaced", None),
        ("fault", None, "note_unaccounted"),
    ]


def test_a_full_disk_suspends_sales_keeps_the_note_and_resumes_by_itself() -> None:
    """Money taken while nothing can be written waits in memory and is told once it is durable."""
    bench = Bench(capacity=100_000)
    bench.begin("a")
    bench.store.capacity = 0
    effects = bench.device(NOTE)
    assert TakeNotes(enabled=False) in effects
    assert [each["told"] for each in told(effects)] == ["suspended"]
    assert answered(bench.ask(do="accept_cash", tx="a"))["error"] == "suspended"
    refused = answered(bench.record(kind="payment_result", tx="a", outcome="accepted",
                                    amount=1, fee=0, currency="RUB"))  # fmt: skip
    assert refused["error"] == "journal_full"
    bench.device(StateChanged(DeviceState(device="note_acceptor", status="online")))
    bench.store.capacity = 100_000
    bench.now = Instant(bench.now + 1)
    bench.journal.upkeep(bench.now)
    effects = bench.kiosk.elapsed(at=bench.at, now=bench.now)
    words = [each["told"] for each in told(effects)]
    assert words[:2] == ["cash_accepted", "resumed"]
    assert TakeNotes(enabled=True) in effects
    kinds = [each["kind"] for each in bench.events()]
    assert kinds == ["transaction_started", "cash_accepted", "fault", "device_changed"]


def test_a_moved_clock_is_journaled_with_its_step() -> None:
    """Wall time that jumps against the monotonic by more than 2 s is clock_stepped."""
    bench = Bench()
    assert bench.kiosk.elapsed(at=bench.at + 1_999, now=bench.now) == []
    bench.kiosk.elapsed(at=bench.at - 3_600_000, now=bench.now)
    assert bench.events() == [
        {"kind": "clock_stepped", "at": bench.at - 3_600_000, "step_ms": -3_601_999}
    ]


def test_a_moved_clock_is_journaled_before_what_happens_by_it() -> None:
    """An event in the second after the step must not seem to have come an hour later."""
    bench = Bench()
    state = StateChanged(DeviceState(device="receipt_printer", status="online", paper="full"))
    bench.kiosk.device(state, at=bench.at + 3_600_000, now=bench.now)
    asked = read_line(b'{"do":"record","event":{"kind":"cash_returned","tx":"a","amount":1,'
                      b'"currency":"RUB"}}', at=bench.at)  # fmt: skip
    bench.kiosk.asked(PROGRAM, asked, at=bench.at, now=bench.now)
    assert [(each["kind"], each.get("step_ms")) for each in bench.events()] == [
        ("clock_stepped", 3_600_000),
        ("device_changed", None),
        ("clock_stepped", -3_600_000),
        ("cash_returned", None),
    ]


def test_an_event_too_large_even_when_cut_is_refused_by_name() -> None:
    """A program's event that no cutting makes small enough is answered, not journaled."""
    bench = Bench()
    notes = {f"{number:040}": 1 for number in range(1_000)}
    answer = answered(
        bench.record(
            kind="cassette_collected", collection="c", total=1, currency="RUB", notes=notes
        )
    )
    assert (answer["error"], answer["ref"]) == ("too_large", 7)
    assert bench.events() == []


def test_the_last_transaction_is_read_from_the_journal() -> None:
    """The newest tx that began or got cash, and whether its end is there."""
    lines = [
        b'{"kind":"transaction_started","tx":"a"}',
        b'{"kind":"transaction_ended","tx":"a"}',
        b'{"kind":"transaction_started","tx":"b"}',
        b'{"kind":"device_changed"}',
        b'{"kind":"payment_result","tx":"a"}',
    ]
    assert last_transaction(lines) == LastTransaction("b", open=True)
    assert last_transaction(lines[:2]) == LastTransaction("a", open=False)
    assert last_transaction([]) is None
