"""Light terminals against the service's model, in virtual time."""

from random import Random

import pytest

from firmware_sim.life import settle_in
from firmware_sim.light import LightTerminal, MemoryJournal, Publish
from firmware_sim.mishap import MISHAPS
from firmware_sim.model import ServiceModel
from firmware_sim.pace import Pace
from firmware_sim.resident import Life, Resident
from firmware_sim.truth import Truth
from wire.events import ServiceAction
from wire.topics import Channel, TerminalId

AT = 1_763_860_000_000
PACE = Pace(hold_s=5.0, speed=10.0)


class Line:
    """Carries a resident's messages to the model and the answers back."""

    def __init__(self, resident: Resident) -> None:
        self.resident = resident
        self.model = ServiceModel()
        self.now = 0.0

    def carry(self, messages: list[Publish]) -> None:
        """Deliver these and all that follows from them."""
        waiting = list(messages)
        while waiting:
            message = waiting.pop(0)
            terminal, answer = self.resident.number, None
            if message.channel is Channel.JOURNAL:
                answer = self.model.journal(terminal, message.payload)
            elif message.channel is Channel.PULSE:
                answer = self.model.pulse(terminal, message.payload)
            if answer:
                waiting += self.resident.answered(answer, self.now, self.at)

    @property
    def at(self) -> int:
        """Unix milliseconds of virtual time."""
        return AT + round(self.now * 1000)

    def live(self, seconds: float) -> None:
        """Let time pass."""
        ends = self.now + seconds
        while self.now < ends:
            self.now += 0.05
            self.carry(self.resident.elapsed(self.now, self.at))


def _line(index: int = 0, seed: int = 1) -> Line:
    truth = Truth(seed)
    resident = Resident(TerminalId("T1"), seed=seed, pace=PACE, truth=truth, at=AT)
    settle_in(resident, index, AT)
    line = Line(resident)
    line.carry(resident.connected(0.0, AT))
    return line


@pytest.mark.parametrize("index", range(14))
def test_everything_told_is_acked_exactly_once(index: int) -> None:
    """After any life, every copy is the journal's prefix without a hole."""
    line = _line(index)
    line.live(120)
    line.resident.stopping = True
    line.live(60)
    assert line.resident.over
    copy = line.model.copies["T1", line.resident.terminal.journal.epoch]
    assert copy.next == line.resident.terminal.journal.next
    assert line.resident.truth.courses


@pytest.mark.parametrize("index", range(7))
def test_the_same_seed_gives_the_same_truth(index: int) -> None:
    """Two lives of one seed on one clock differ in nothing."""
    reports = []
    for _ in range(2):
        line = _line(index, seed=5)
        line.live(60)
        reports.append(line.resident.truth.report())
    assert reports[0] == reports[1]


@pytest.mark.parametrize("name", MISHAPS)
def test_a_mishap_makes_the_clash_that_it_claims_and_no_other(name: str) -> None:
    """The model sees an identity clash exactly where the truth expects one."""
    line = _line()
    line.live(5)

    def only() -> Life:
        yield from MISHAPS[name](line.resident)

    line.resident.begin(only())
    line.live(90)
    assert line.resident.over
    expected = {each.rule for each in line.resident.truth.device_expectations if each.must}
    assert ("identity_clash" in expected) == bool(line.model.clashes)
    lost = any(
        isinstance(event, dict) and event.get("kind") == "journal_lost" and "at" not in event
        for copy in line.model.copies.values()
        for event in copy.events.values()
    )
    assert ("journal_gap" in expected) == lost


def test_an_unanswered_batch_is_sent_again_after_ten_seconds() -> None:
    """Rule 4: silence means send again, later and later."""
    terminal = LightTerminal(MemoryJournal(AT), boot="b", chance=Random(1))
    terminal.record(ServiceAction(at=AT, action="door_opened"))
    first = [m for m in terminal.connected(0.0, AT) if m.channel is Channel.JOURNAL]
    again = [
        second
        for second in range(1, 60)
        for m in terminal.elapsed(float(second), AT)
        if m.channel is Channel.JOURNAL
    ]
    assert len(first) == 1
    assert 10 <= again[0] <= 13
    assert 20 <= again[1] - again[0] <= 25


def test_a_restored_service_gets_what_lies_before_and_behind_a_lost_range() -> None:
    """Acknowledged events stay (section 2): only the range that was lost is declared again."""
    line = _line()
    line.live(20)

    def only() -> Life:
        yield from MISHAPS["lost_range"](line.resident)

    line.resident.begin(only())
    line.live(10)
    journal = line.resident.terminal.journal
    first, through = journal.lost[-1]
    whole = dict(line.model.copies["T1", journal.epoch].events)
    assert whole[first] == {"kind": "journal_lost", "through": through}
    line.model.copies.clear()
    line.live(15)
    assert line.model.copies["T1", journal.epoch].events == whole


def test_a_service_restored_from_a_backup_is_sent_everything_again() -> None:
    """Rule 3: an older `next` with the right mark rewinds the terminal."""
    line = _line()
    line.live(20)
    journal = line.resident.terminal.journal
    line.model.copies.clear()
    line.live(15)
    assert line.model.copies["T1", journal.epoch].next == journal.next
