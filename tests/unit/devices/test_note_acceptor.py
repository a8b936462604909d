"""The note acceptor by examples: a validator that answers from a script."""

from collections.abc import Sequence

import pytest

from agent.devices.ccnet import orders
from agent.devices.ccnet.frame import Decoder, Frame, encode
from agent.devices.ccnet.machine import NoteAcceptor
from agent.devices.ccnet.passage import Memory
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
    Send,
    StackOrdered,
    StateChanged,
)

TABLE = b"".join(bytes((1,)) + b"RUS" + bytes((n,)) for n in range(5)).ljust(120, b"\0")
IDENTITY = b"SM-RU1353      21KC07003912" + bytes(7)
ONLINE = DeviceState(device="note_acceptor", status="online", storage="ok")
ESCROWED = NoteEscrowed(amount=10_000, currency="RUB")
ORDERED = StackOrdered(amount=10_000, currency="RUB")
STACKED = NoteStacked(amount=10_000, currency="RUB")
RECOVERED = NoteStacked(amount=10_000, currency="RUB", recovered=True)
RETURNED = NoteReturned(amount=10_000, currency="RUB")


class Talk:
    """A machine and a script: each poll is answered by the next state, the last one stays."""

    def __init__(self, *, memory: Memory = "unknown", accept: frozenset[int] | None = None) -> None:
        self.machine = NoteAcceptor(memory=memory, accept=accept)
        self.now = Instant(1000.0)
        self.sent: list[bytes] = []
        self.told: list[Output] = []
        self.table = TABLE
        self.take(self.machine.line_opened(self.now))

    def take(self, outputs: Sequence[Output]) -> None:
        """Keep what the machine says; frames by their bodies."""
        for output in outputs:
            if isinstance(output, Send):
                found = Decoder(3).feed(output.data)
                self.sent += [each.body for each in found if isinstance(each, Frame)]
            else:
                self.told.append(output)

    def polls(self, *states: str) -> "Talk":
        """Answer the next polls with these states ("-": not at all), all orders with ACK."""
        script = list(states)
        while script:
            due = self.machine.deadline()
            assert due is not None
            self.now = max(due, self.now)
            before = len(self.sent)
            self.take(self.machine.elapsed(self.now))
            for body in self.sent[before:]:
                answer = self._answer(body, script)
                if answer is not None:
                    self.take(self.machine.received(encode(3, answer), self.now))
        return self

    def _answer(self, body: bytes, script: list[str]) -> bytes | None:
        if body == orders.POLL:
            state = script.pop(0)
            return None if state == "-" else bytes.fromhex(state)
        answers = {orders.GET_BILL_TABLE: self.table, orders.IDENTIFICATION: IDENTITY}
        return answers.get(body, orders.ACK)

    def facts(self) -> list[Output]:
        """Return what was told but states and identity."""
        return [each for each in self.told if not isinstance(each, StateChanged | DeviceIdentified)]

    def states(self) -> list[DeviceState]:
        """Return the states told."""
        return [each.state for each in self.told if isinstance(each, StateChanged)]


def enabled(*, memory: Memory = "settled") -> Talk:
    """Return a talk that has come to an enabled, idle validator."""
    talk = Talk(memory=memory)
    talk.machine.enable(talk.now)
    talk.polls("10", "10", "13", "19", "19", "19", "19", "14", "14")
    talk.sent.clear()
    return talk


def test_it_starts_unknown_and_comes_up_by_the_book() -> None:
    """Table, RESET, initialization, identification, security, ENABLE; each state told once."""
    talk = Talk()
    talk.machine.enable(talk.now)
    talk.polls("10", "10", "13", "13", "19", "19", "19", "19", "14", "14")
    dull = {orders.POLL, orders.ACK}
    assert [body for body in talk.sent if body not in dull] == [
        orders.GET_BILL_TABLE,
        orders.RESET,
        orders.IDENTIFICATION,
        orders.SET_SECURITY,
        orders.enable(b"\x00\x00\x1f"),
    ]
    assert [state.status for state in talk.states()] == ["unknown", "starting", "online"]
    assert DeviceIdentified(device="note_acceptor", text="SM-RU1353 21KC07003912") in talk.told


def test_a_note_is_stacked_while_enabled() -> None:
    """Escrow, STACK, stacked: told in this order, and before each is acknowledged."""
    talk = enabled().polls("15", "8002", "17", "8102", "14")
    assert talk.facts() == [
        ESCROWED,
        ORDERED,
        STACKED,
    ]
    assert orders.STACK in talk.sent


def test_a_note_is_told_before_it_is_acknowledged() -> None:
    """The ACK of 81 stands behind `NoteStacked` in the machine's answer."""
    talk = enabled().polls("15", "8002", "17")
    due = talk.machine.deadline()
    assert due is not None
    talk.machine.elapsed(due)
    outputs = talk.machine.received(encode(3, b"\x81\x02"), due)
    assert list(outputs) == [STACKED, Send(encode(3, orders.ACK))]


def test_a_note_is_returned_while_disabled() -> None:
    """After `disable` a note in escrow goes back."""
    talk = enabled()
    talk.machine.disable(talk.now)
    talk.polls("15", "8002", "18", "8202", "14", "19")
    assert talk.facts() == [ESCROWED, RETURNED]
    assert orders.STACK not in talk.sent
    assert orders.DISABLE in talk.sent


def test_a_repeated_answer_counts_once() -> None:
    """81 again and again, for want of our ACK, is one note; so is 82."""
    talk = enabled().polls("15", "8002", "17", "8102", "8102", "8102", "14", "8102", "14")
    assert talk.facts().count(STACKED) == 1


def test_two_equal_notes_count_twice() -> None:
    """The second is seen on its way."""
    talk = enabled().polls("15", "8002", "17", "8102", "15", "8002", "17", "8102", "14")
    assert talk.facts().count(STACKED) == 2


def test_another_type_is_no_repetition() -> None:
    """An 81 of another type right after one is another note."""
    talk = enabled().polls("15", "8002", "17", "8102", "8103", "14")
    assert NoteStacked(amount=100_000, currency="RUB") in talk.facts()


def test_a_note_of_a_type_without_worth_goes_back() -> None:
    """A type that the table does not have is never stacked."""
    talk = enabled().polls("15", "8009", "18", "8209", "14")
    assert talk.facts() == []
    assert orders.RETURN in talk.sent


def test_a_power_cut_with_the_note_in_the_stacker_is_recovered() -> None:
    """12, RESET, 81: the note counts, marked as recovered."""
    talk = enabled().polls("15", "8002", "17", "-", "12", "12", "13", "8102", "8102", "19")
    assert talk.facts()[2:] == [RECOVERED]


def test_a_power_cut_after_the_note_was_told_does_not_count_it_again() -> None:
    """81 told, our ACK lost, power lost: 12 and 81 again are the same note."""
    talk = enabled().polls("15", "8002", "17", "8102", "-", "12", "12", "13", "8102", "19")
    assert talk.facts().count(STACKED) == 1
    assert RECOVERED not in talk.facts()


def test_a_power_cut_with_the_note_in_the_validator_returns_it() -> None:
    """11: RESET gives the note back, and that is told even if no 82 comes."""
    talk = enabled().polls("15", "8002", "11", "11", "13", "19")
    assert talk.facts()[2:] == [RETURNED]


def test_a_note_lost_on_its_way_is_for_a_person() -> None:
    """Ordered in, power lost, and the validator knows nothing of it."""
    talk = enabled().polls("15", "8002", "17", "10", "10", "13", "19")
    assert talk.facts()[2:] == [NoteUnaccounted(amount=10_000, currency="RUB")]


def test_a_validator_that_forgets_its_verdict_is_completed() -> None:
    """Seen stacking after our order, then idle: it is stacked."""
    talk = enabled().polls("15", "8002", "17", "14")
    assert talk.facts()[2:] == [RECOVERED]


@pytest.mark.parametrize(
    ("memory", "counts"),
    [("unknown", True), ("settled", False), (ORDERED, True)],
)
def test_what_the_disk_remembers_decides_about_the_first_verdict(
    memory: Memory, *, counts: bool
) -> None:
    """After a crash 81 counts unless no order was open."""
    talk = Talk(memory=memory).polls("8102", "8102", "19")
    told = [each for each in talk.facts() if isinstance(each, NoteStacked)]
    assert told == ([RECOVERED] if counts else [])


def test_a_first_verdict_waits_for_the_bill_table() -> None:
    """Without a table 81 has no worth yet: it is not acknowledged before the table is here."""
    talk = Talk().polls("8102")
    assert orders.ACK not in talk.sent
    talk.polls("8102")
    assert talk.sent.index(orders.GET_BILL_TABLE) < talk.sent.index(orders.ACK)
    assert talk.facts() == [RECOVERED]


def test_a_verdict_without_worth_is_let_go_in_the_end() -> None:
    """A table that never says what the note was: for a person, without an amount."""
    talk = Talk()
    talk.table = orders.ILLEGAL_COMMAND
    talk.polls(*["8102"] * 8)
    assert talk.facts() == [NoteUnaccounted()]


def test_a_verdict_that_comes_after_idle_counts_once() -> None:
    """Completed already: the late 81 is its repetition."""
    talk = enabled().polls("15", "8002", "17", "14", "8102", "14")
    assert talk.facts()[2:] == [RECOVERED]


def test_enable_survives_a_reset_of_the_validator() -> None:
    """A validator that comes up anew is enabled anew."""
    talk = enabled().polls("10", "10", "13", "19", "19", "19", "19", "14")
    assert orders.enable(b"\x00\x00\x1f") in talk.sent


def test_only_wanted_amounts_are_enabled() -> None:
    """`accept` limits the mask."""
    talk = Talk(accept=frozenset({10_000, 1_000}))
    talk.machine.enable(talk.now)
    talk.polls("19", "19", "19", "19", "19")
    assert orders.enable(b"\x00\x00\x06") in talk.sent


def test_a_refused_note_is_told_once() -> None:
    """1C for as long as the rejection takes is one refusal."""
    talk = enabled().polls("15", "1C66", "1C66", "14", "15", "1C60", "14")
    assert talk.facts() == [NoteRejected("1C66"), NoteRejected("1C60")]


def test_the_cassette_is_followed() -> None:
    """Full, out, in again: told with storage and cause, and its replacement once."""
    talk = enabled().polls("41", "41", "42", "42", "13", "19", "19")
    assert talk.facts() == [CassetteReplaced()]
    told = [(state.status, state.storage, state.cause) for state in talk.states()[-4:]]
    assert told == [
        ("online", "full", "cassette_full"),
        ("user_error", "missing", "cassette_missing"),
        ("starting", "missing", None),
        ("online", "ok", None),
    ]


def test_silence_is_offline_and_never_well() -> None:
    """Unanswered polls for five seconds: offline, the cassette unknown; back with an answer."""
    talk = enabled().polls(*["-"] * 12)
    assert talk.states()[-1] == DeviceState(
        device="note_acceptor", status="offline", storage="unknown", cause="offline", code="silent"
    )
    talk.polls("14", "14")
    assert talk.states()[-1] == ONLINE


def test_a_lost_line_is_offline_at_once() -> None:
    """The port is gone; nothing is sent and nothing awaited until it is back."""
    talk = enabled()
    talk.take(talk.machine.line_closed(talk.now))
    assert talk.states()[-1].code == "line"
    assert talk.machine.deadline() is None
    assert talk.machine.elapsed(talk.now) == ()
    assert talk.machine.received(b"\x02", talk.now) == ()
    talk.take(talk.machine.line_opened(talk.now))
    talk.polls("14")
    assert talk.states()[-1] == ONLINE


def test_a_damaged_answer_is_refused() -> None:
    """NAK, at most twice for one request."""
    talk = enabled()
    due = talk.machine.deadline()
    assert due is not None
    talk.take(talk.machine.elapsed(due))
    damaged = encode(3, b"\x14")[:-1] + b"\x00"
    for _ in range(3):
        talk.take(talk.machine.received(damaged + encode(2, b"\x00"), due))
        talk.take(talk.machine.received(b"", due))
    assert talk.sent.count(orders.NAK) >= 1
    assert talk.sent.count(orders.NAK) <= 2


def test_a_late_answer_is_taken_but_not_acknowledged() -> None:
    """An ACK for it could make the validator forget a newer answer."""
    talk = enabled().polls("15", "8002", "17", "-")
    due = talk.machine.deadline()
    assert due is not None
    talk.take(talk.machine.elapsed(due))
    talk.sent.clear()
    talk.take(talk.machine.received(encode(3, b"\x81\x02"), due))
    assert talk.sent == []
    assert talk.facts()[-1] == STACKED


def test_a_stale_escrow_is_not_ordered_again() -> None:
    """STACK was answered, so 80 is old news: an order now could hit the next note."""
    talk = enabled().polls("15", "8002", "8002", "8002", "17", "8102", "14")
    assert talk.sent.count(orders.STACK) == 1


def test_busy_is_waited_for() -> None:
    """1B with t: the next poll comes t times 100 ms later, five seconds at most."""
    talk = enabled().polls("1B14")
    due = talk.machine.deadline()
    assert due is not None
    assert due - talk.now == pytest.approx(2.0)
    talk.polls("1BFF")
    due = talk.machine.deadline()
    assert due is not None
    assert due - talk.now == pytest.approx(5.0)


def test_a_fault_is_reset_once_a_minute() -> None:
    """A jam does not end by itself: RESET is tried, seldom."""
    talk = enabled().polls(*["43"] * 400)
    assert 0 < talk.sent.count(orders.RESET) <= 2
