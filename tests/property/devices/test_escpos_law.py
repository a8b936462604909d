"""Status answers and the printer's machine under anything a line can do."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from agent.devices.escpos.inquiry import Round
from agent.devices.escpos.machine import ReceiptPrinter
from agent.devices.escpos.profiles import PROFILES
from agent.devices.escpos.text import encode_text
from agent.devices.machine import Instant, ReceiptFinished, Send, StateChanged

profiles = st.sampled_from(list(PROFILES.values()))
custom = st.sampled_from([PROFILES["custom-vkp80"], PROFILES["custom-kpm"]])
NOW = Instant(0.0)


@given(custom, st.binary(max_size=40), st.lists(st.integers(0, 60)))
def test_the_six_byte_answer_does_not_depend_on_portions(
    profile: object, data: bytes, cuts: list[int]
) -> None:
    """Fed at once, or cut anywhere, the same signs."""
    queries = PROFILES["custom-kpm"].queries
    assert profile
    noisy = data.replace(b"\x10", b"") + b"\x10\x0f\x25\x00\x01\x00"
    whole, cut = Round(queries), Round(queries)
    whole.next_request(NOW)
    cut.next_request(NOW)
    whole.received(noisy, NOW)
    places = sorted({min(each, len(noisy)) for each in cuts} | {0, len(noisy)})
    for start, end in itertools.pairwise(places):
        cut.received(noisy[start:end], NOW)
    assert whole.over
    assert (cut.over, cut.signs, cut.code) == (True, whole.signs, whole.code)


@given(profiles, st.lists(st.binary(max_size=30), max_size=60), st.sampled_from([0.0, 60.0]))
def test_noise_never_breaks_the_machine_nor_leaves_a_receipt_open(
    profile: object, portions: list[bytes], silent_s: float
) -> None:
    """Any answers: no exception, a deadline to go on by, and one outcome in the end."""
    name = next(key for key, each in PROFILES.items() if each is profile)
    machine, now = ReceiptPrinter(PROFILES[name]), Instant(0.0)
    told = [*machine.line_opened(now), *machine.print_receipt("j", "text", now)]
    for portion in portions:
        told += machine.elapsed(now)
        told += machine.received(portion, now)
        due = machine.deadline()
        assert due is not None
        now = max(due, now)
    end = now + silent_s
    while now < end:
        told += machine.elapsed(now)
        due = machine.deadline()
        assert due is not None
        now = max(due, now)
    told += machine.line_closed(now)
    outcomes = [each.outcome for each in told if isinstance(each, ReceiptFinished)]
    assert len(outcomes) == 1 or outcomes == ["unknown", "printed"]


@given(profiles)
def test_silence_never_says_anything_of_the_paper(profile: object) -> None:
    """Whatever the model: unknown, then offline; never full, low or out."""
    name = next(key for key, each in PROFILES.items() if each is profile)
    machine, now = ReceiptPrinter(PROFILES[name]), Instant(0.0)
    told = [*machine.line_opened(now)]
    while now < 60:
        told += machine.elapsed(now)
        due = machine.deadline()
        assert due is not None
        now = max(due, now)
    states = [each.state for each in told if isinstance(each, StateChanged)]
    assert [(each.status, each.paper) for each in states] == [
        ("unknown", "unknown"),
        ("offline", "unknown"),
    ]
    assert all(output.data[0] == 0x10 for output in told if isinstance(output, Send))


@given(st.text(max_size=300))
def test_any_text_becomes_printable_bytes(text: str) -> None:
    """No control byte but LF reaches the printer."""
    assert all(byte == 0x0A or byte >= 0x20 for byte in encode_text(text, "cp866"))
