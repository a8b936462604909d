"""The receipt printer by examples: a printer whose sensors the test sets."""

from collections.abc import Sequence

import pytest

from agent.devices.escpos.machine import ReceiptPrinter
from agent.devices.escpos.profiles import PROFILES
from agent.devices.machine import (
    DeviceState,
    Instant,
    Output,
    ReceiptFinished,
    Send,
    StateChanged,
)

GOOD = {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}
PAPER_OUT = {1: 0x1A, 2: 0x32, 3: 0x12, 4: 0x72}


class Desk:
    """A machine and the printer's answers to DLE EOT n; None: silence."""

    def __init__(self, profile: str = "epson", *, watch_only: bool = False) -> None:
        self.machine = ReceiptPrinter(PROFILES[profile], watch_only=watch_only)
        self.answers: dict[int, int] | None = dict(GOOD)
        if profile == "citizen-ppu231":
            self.answers = GOOD | {4: 0x52}
        self.full: bytes | None = bytes(4) if profile.startswith("custom") else None
        self.fence = False
        self.now = Instant(50.0)
        self.told: list[Output] = []
        self.printed: list[bytes] = []
        self.asked = 0
        self.take(self.machine.line_opened(self.now))

    def take(self, outputs: Sequence[Output]) -> None:
        """Answer what is asked, keep what is told and printed."""
        for output in outputs:
            if not isinstance(output, Send):
                self.told.append(output)
            elif output.data[:2] == b"\x10\x04":
                self.asked += 1
                self._answer(output.data[2])
            else:
                self.printed.append(output.data)
                if self.fence and output.data.endswith(b"\x1dr\x01"):
                    self.take(self.machine.received(b"\x00", self.now))

    def _answer(self, n: int) -> None:
        if n == 0x14 and self.full is not None:
            self.take(self.machine.received(b"\x10\x0f" + self.full, self.now))
        elif self.answers is not None and n in self.answers:
            self.take(self.machine.received(bytes((self.answers[n],)), self.now))

    def wait(self, seconds: float) -> "Desk":
        """Let time pass."""
        end = Instant(self.now + seconds)
        while (due := self.machine.deadline()) is not None and due <= end:
            self.now = max(due, self.now)
            self.take(self.machine.elapsed(self.now))
        self.now = end
        return self

    def print(self, job: str = "j", text: str = "Чек\nИтого 100") -> "Desk":
        """Order a receipt."""
        self.take(self.machine.print_receipt(job, text, self.now))
        return self

    def results(self) -> list[ReceiptFinished]:
        """Return the outcomes told."""
        return [each for each in self.told if isinstance(each, ReceiptFinished)]

    def states(self) -> list[tuple[str, str | None, str | None]]:
        """Return status, paper and cause as told."""
        said = [each.state for each in self.told if isinstance(each, StateChanged)]
        return [(each.status, each.paper, each.cause) for each in said]


def done(outcome: str, cause: str | None = None, job: str = "j") -> list[ReceiptFinished]:
    """Return the one outcome expected."""
    return [ReceiptFinished(job=job, outcome=outcome, cause=cause)]  # type: ignore[arg-type] # words


def test_it_starts_unknown_and_comes_online() -> None:
    """Before the first believed answer nothing is said of status or paper."""
    desk = Desk().wait(5)
    assert desk.states() == [("unknown", "unknown", None), ("online", "full", None)]


def test_a_change_is_believed_when_it_is_said_twice() -> None:
    """One odd byte out of noise changes nothing."""
    desk = Desk().wait(5)
    assert desk.answers is not None
    desk.answers[4] = 0x7E
    before = desk.asked
    while desk.asked < before + 4:
        desk.wait(0.01)
    desk.answers[4] = 0x12
    desk.wait(5)
    assert desk.states()[-1] == ("online", "full", None)
    desk.answers[4] = 0x7E
    desk.wait(5)
    assert desk.states()[-1] == ("online", "out", "paper_out")


def test_silence_is_offline_with_the_paper_unknown() -> None:
    """Neither "full" nor "out": unknown; well again with an answer."""
    desk = Desk().wait(5)
    desk.answers = None
    desk.wait(15)
    assert desk.states()[-1] == ("offline", "unknown", "offline")
    desk.answers = dict(GOOD)
    desk.wait(10)
    assert desk.states()[-1] == ("online", "full", None)


def test_it_is_asked_seldom_when_idle() -> None:
    """A round of four queries every two seconds."""
    desk = Desk().wait(60)
    assert 4 * 25 <= desk.asked <= 4 * 35


def test_a_receipt_is_printed_in_the_code_page() -> None:
    """ESC @, ESC t 17, the text in cp866, feed and cut, then the fence."""
    desk = Desk().wait(5).print().wait(10)
    text = "Чек\nИтого 100\n".encode("cp866")
    assert desk.printed == [b"\x1b@\x1bt\x11" + text + b"\x1dVB\x00" + b"\x1dr\x01"]
    assert desk.results() == done("printed")


def test_a_printer_that_knows_the_fence_is_held_to_it() -> None:
    """Once answered, an unanswered fence means that the receipt is still in the buffer."""
    desk = Desk().wait(5)
    desk.fence = True
    desk.print("first").wait(10)
    desk.fence = False
    desk.print("second").wait(60)
    assert desk.results() == [*done("printed", job="first"), *done("unknown", job="second")]


def test_a_late_proof_corrects_an_unknown_once() -> None:
    """The fence is answered after the deadline: printed after all."""
    desk = Desk().wait(5)
    desk.fence = True
    desk.print("first").wait(10)
    desk.fence = False
    desk.print().wait(60)
    desk.take(desk.machine.received(b"\x00", desk.now))
    desk.wait(10)
    assert desk.results()[1:] == [*done("unknown"), *done("printed")]


BAD = [
    (PAPER_OUT, "paper_out"),
    ({1: 0x1A, 2: 0x16, 3: 0x12, 4: 0x12}, "cover_open"),
    ({1: 0x1A, 2: 0x52, 3: 0x1A, 4: 0x12}, "cutter"),
    ({1: 0x1A, 2: 0x52, 3: 0x52, 4: 0x12}, "overheated"),
    ({1: 0x1A, 2: 0x52, 3: 0x32, 4: 0x12}, "hardware"),
]


@pytest.mark.parametrize(("answers", "cause"), BAD)
def test_what_cannot_print_is_not_asked_to(answers: dict[int, int], cause: str) -> None:
    """A fault before: failed with its cause, and nothing was sent."""
    desk = Desk()
    desk.answers = dict(answers)
    desk.wait(5).print().wait(10)
    assert desk.results() == done("failed", cause)
    assert desk.printed == []


@pytest.mark.parametrize(("answers", "cause"), BAD)
def test_a_fault_in_the_middle_fails_the_receipt(answers: dict[int, int], cause: str) -> None:
    """Failed with its cause, once; the rest is cancelled and never comes out."""
    desk = Desk().wait(5).print().wait(0.5)
    assert len(desk.printed) == 1
    desk.answers = dict(answers)
    desk.wait(30)
    assert desk.results() == done("failed", cause)
    assert desk.printed[1:] == [b"\x10\x05\x02"]


def test_a_fault_after_the_fence_fails_nothing() -> None:
    """Everything was worked off before: the receipt is out."""
    desk = Desk().wait(5)
    desk.fence = True
    desk.print().wait(0.5)
    desk.answers = dict(PAPER_OUT)
    desk.wait(10)
    assert desk.results() == done("printed")
    assert desk.states()[-1] == ("online", "out", "paper_out")


def test_silence_before_anything_was_sent_is_failed() -> None:
    """Nothing went to the printer: there is surely no receipt."""
    desk = Desk()
    desk.answers = None
    desk.print().wait(10)
    assert desk.results() == done("failed", "offline")
    assert desk.printed == []


def test_silence_after_it_was_sent_is_unknown() -> None:
    """Perhaps it came out, perhaps not."""
    desk = Desk().wait(5).print().wait(0.5)
    desk.answers = None
    desk.wait(60)
    assert desk.results() == done("unknown", "offline")


def test_a_printer_that_was_gone_for_seconds_proves_nothing() -> None:
    """It may have lost power and what it had not printed."""
    desk = Desk().wait(5).print().wait(0.5)
    answers, desk.answers = desk.answers, None
    desk.wait(4)
    desk.answers = answers
    desk.wait(60)
    assert [each.outcome for each in desk.results()] == ["unknown"]


def test_one_lost_answer_costs_nothing() -> None:
    """A single silent round is no loss of power."""
    desk = Desk().wait(5).print().wait(0.3)
    answers, desk.answers = desk.answers, None
    desk.wait(0.6)
    desk.answers = answers
    desk.wait(30)
    assert desk.results() == done("printed")


PRESENTERS = [("citizen-ppu231", 0x52, 0x12), ("citizen-ppu700", 0x12, 0x52)]


@pytest.mark.parametrize(("profile", "clear", "ticket"), PRESENTERS)
def test_a_ticket_at_the_presenter_is_proof(profile: str, clear: int, ticket: int) -> None:
    """Seen after the order and not before: printed, though the paper has ended with it."""
    desk = Desk(profile).wait(10)
    assert desk.answers is not None
    desk.answers[4] = clear
    desk.wait(5).print().wait(0.5)
    desk.answers[4] = ticket | 0x20
    desk.wait(1)
    assert desk.results() == done("printed")


@pytest.mark.parametrize(("profile", "clear", "ticket"), PRESENTERS)
def test_an_old_ticket_is_no_proof(profile: str, clear: int, ticket: int) -> None:
    """It lay there before the order and never went: nobody can say."""
    desk = Desk(profile)
    assert desk.answers is not None
    desk.answers[4] = ticket
    desk.wait(10).print().wait(60)
    assert desk.results() == done("unknown")
    assert clear != ticket


def test_a_presenter_that_shows_nothing_is_unknown() -> None:
    """All is well but no ticket was seen: not a guess."""
    desk = Desk("citizen-ppu700").wait(10).print().wait(60)
    assert desk.results() == done("unknown")


def test_custom_shows_its_ticket_after_pushing_out_the_old_one() -> None:
    """GS e 5 first if a ticket lies there; then the new one is proof."""
    desk = Desk("custom-vkp80")
    desk.full = b"\x20\x00\x00\x00"
    desk.wait(10).print().wait(0.3)
    assert desk.printed[0].startswith(b"\x1de\x05")
    desk.full = bytes(4)
    desk.wait(0.5)
    desk.full = b"\x20\x00\x00\x00"
    desk.wait(0.5)
    assert desk.results() == done("printed")


def test_a_jam_at_the_presenter_is_no_receipt() -> None:
    """Paper at the presenter that is stuck there."""
    desk = Desk("custom-vkp80").wait(10).print().wait(0.5)
    desk.full = b"\x20\x00\x40\x00"
    desk.wait(1)
    assert desk.results() == done("failed", "paper_jammed")


def test_one_receipt_waits_and_a_third_is_refused() -> None:
    """The bound of the queue; the same name again is the same order."""
    desk = Desk().wait(5).print("a").print("a").print("b").print("b").print("c")
    assert desk.results() == done("failed", "unknown", job="c")
    desk.wait(20)
    assert desk.results()[1:] == [*done("printed", job="a"), *done("printed", job="b")]
    assert len(desk.printed) == 2


def test_watching_sends_nothing_but_queries() -> None:
    """The payment program prints itself; an order to print is refused."""
    desk = Desk(watch_only=True).wait(5).print().wait(20)
    assert desk.results() == done("failed", "unknown")
    assert desk.printed == []
    assert desk.states()[-1] == ("online", "full", None)


def test_a_lost_line_ends_what_is_in_work() -> None:
    """Sent: unknown. Waiting: failed. Ordered while it is gone: failed."""
    desk = Desk().wait(5).print("a").print("b").wait(0.5)
    desk.take(desk.machine.line_closed(desk.now))
    assert desk.machine.deadline() is None
    desk.print("c")
    assert desk.results() == [
        *done("unknown", "offline", job="a"),
        *done("failed", "offline", job="b"),
        *done("failed", "offline", job="c"),
    ]
    assert desk.states()[-1] == ("offline", "unknown", "offline")


def test_offline_without_a_reason_is_waited_for() -> None:
    """A paper feed passes: no failure; if it does not pass, the deadline decides."""
    desk = Desk().wait(5)
    assert desk.answers is not None
    desk.answers[1] = 0x1A
    desk.print().wait(2)
    assert desk.results() == []
    desk.answers[1] = 0x12
    desk.wait(10)
    assert desk.results() == done("printed")


def test_queries_that_a_printer_does_not_know_are_given_up() -> None:
    """PPU-700: n = 5 and 6 stay unanswered three times, then only 1 to 4 are asked."""
    desk = Desk("citizen-ppu700").wait(20)
    before = desk.asked
    desk.wait(20)
    assert desk.states()[-1] == ("online", "full", None)
    assert desk.asked - before <= 4 * 11


def test_noise_between_answers_is_dropped() -> None:
    """Bytes that nobody asked for change nothing."""
    desk = Desk().wait(5)
    for byte in range(256):
        desk.take(desk.machine.received(bytes((byte,)), desk.now))
    desk.wait(5)
    assert desk.states()[-1] == ("online", "full", None)


def test_a_ticket_left_at_the_presenter_changes_no_state() -> None:
    """It is no fault: nothing is told."""
    desk = Desk("custom-vkp80").wait(5)
    said = len(desk.told)
    desk.full = b"\x20\x00\x00\x00"
    desk.wait(10)
    assert len(desk.told) == said


def test_the_code_is_told_with_a_fault() -> None:
    """The answers as hex digits, for whoever looks them up."""
    desk = Desk()
    desk.answers = dict(PAPER_OUT)
    desk.wait(5)
    last = desk.told[-1]
    assert isinstance(last, StateChanged)
    assert last.state == DeviceState(
        device="receipt_printer", status="online", paper="out", cause="paper_out", code="1A321272"
    )
