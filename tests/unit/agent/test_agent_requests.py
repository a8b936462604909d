import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checking import Wrong
from agent.requests import PROGRAM_KINDS, PrintReceipt, Record, read_line
from agent.shape import Entry, entry
from wire.events import CassetteCollected, Fault, Fiscal, PaymentResult
from wire.limits import EVENT_BYTES_MAX

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def error(**request: object) -> str:
    """Return the error word that a request is answered with."""
    what = read_line(json.dumps(request).encode(), at=1).what
    assert isinstance(what, Wrong)
    assert what.text
    return what.error


def test_a_full_event_is_read_with_the_agent_s_own_time() -> None:
    """Fields by the contract's types; `at` is the agent's, whatever the program says."""
    event = {
        "kind": "payment_result", "at": 5, "tx": "a", "outcome": "accepted",
        "amount": 9_500, "fee": 500, "currency": "RUB", "code": None,
    }  # fmt: skip
    asked = read_line(json.dumps({"do": "record", "event": event, "ref": 3}).encode(), at=77)
    expected = PaymentResult(
        at=77, tx="a", outcome="accepted", amount=9_500, fee=500, currency="RUB"
    )
    assert (asked.what, asked.ref) == (Record(expected), 3)


def test_a_receipt_may_carry_its_fiscal_numbers() -> None:
    """The nested object is read by its own type."""
    line = b'{"do":"print_receipt","tx":"a","text":"t","fiscal":{"fn":"1","fd":"2","fp":"3"}}'
    assert read_line(line, at=1).what == PrintReceipt(
        "a", "t", None, Fiscal(fn="1", fd="2", fp="3")
    )


@pytest.mark.parametrize(
    ("event", "word"),
    [
        ({"kind": "cash_accepted", "tx": "a"}, "unknown_kind"),
        ({"kind": ["x"]}, "unknown_kind"),
        ({"kind": "transaction_started", "tx": "a"}, "missing_field"),
        ({"kind": "transaction_started", "tx": "a", "service": 5}, "bad_type"),
        ({"kind": "transaction_started", "tx": "", "service": "s"}, "bad_value"),
        ({"kind": "transaction_started", "tx": "x" * 65, "service": "s"}, "bad_value"),
        ({"kind": "transaction_started", "tx": "a", "service": "s", "sum": 1}, "unknown_field"),
        ({"kind": "transaction_ended", "tx": "a", "cause": "bored"}, "bad_value"),
        ({"kind": "cash_returned", "tx": "a", "amount": True, "currency": "RUB"}, "bad_type"),
        ({"kind": "cash_returned", "tx": "a", "amount": -1, "currency": "RUB"}, "bad_value"),
        ({"kind": "cash_returned", "tx": "a", "amount": 2**54, "currency": "RUB"}, "bad_value"),
        ({"kind": "cash_returned", "tx": "a", "amount": 1, "currency": "rub"}, "bad_value"),
        ({"kind": "receipt_result", "tx": "a", "outcome": "printed", "fiscal": 1}, "bad_type"),
        ("text", "bad_type"),
    ],
)
def test_a_wrong_event_is_named(event: object, word: str) -> None:
    """Each way to be wrong has its word."""
    assert error(do="record", event=event) == word


def test_a_wrong_request_is_named() -> None:
    """The same for what stands around events."""
    assert error(do="dance") == "unknown_do"
    assert error(do=["hello"]) == "unknown_do"
    assert error(do="hello") == "bad_type"
    assert error(do="hello", program="x", ref=[1]) == "bad_ref"
    assert error(do="accept_cash", tx=5) == "bad_type"
    assert error(do="print_receipt", tx="a", text=None) == "bad_type"
    assert error(do="print_receipt", tx="a", text="t", number=5) == "bad_type"
    for line in (b"\xff", b"[]", b"{", b"[" * 100_000, b'{"do":NaN', b"1" * 5_000):
        assert read_line(line, at=1).what == Wrong(
            "bad_json", "a line must be one JSON object in UTF-8"
        )


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_line_raises(line: bytes) -> None:
    """Whatever comes is a request or a named error."""
    read_line(line, at=1)


@given(st.sampled_from(sorted(PROGRAM_KINDS)), st.dictionaries(st.text(), JSON))
def test_no_event_raises(kind: str, event: dict[str, object]) -> None:
    """Nor does any event."""
    line = json.dumps({"do": "record", "event": {**event, "kind": kind, "tx": "a"}})
    read_line(line.encode(), at=1)


@given(st.text(min_size=1, max_size=20), st.integers(30_000, 60_000), st.text(max_size=300))
def test_a_long_event_is_cut_to_what_the_contract_allows(word: str, length: int, code: str) -> None:
    """The longest text is cut and marked; what is short stays whole."""
    text = (word * length)[:length]
    made = entry(Fault(at=1, component="c", severity="warning", code=code, text=text))
    assert isinstance(made, Entry)
    assert len(made.event) <= EVENT_BYTES_MAX
    value = json.loads(made.event)
    if value.get("cut"):
        assert value["text"].endswith("…")
        assert len(made.event) > EVENT_BYTES_MAX * 0.5
    assert not made.money


def test_what_postgresql_cannot_hold_is_replaced() -> None:
    """NUL and lone surrogates become U+FFFD, in keys too."""
    made = entry(
        CassetteCollected(at=1, collection="a\0\ud800", total=1, currency="RUB", notes={"\0": 1})
    )
    assert isinstance(made, Entry)
    assert json.loads(made.event)["collection"] == "a\ufffd\ufffd"
    assert json.loads(made.event)["notes"] == {"\ufffd": 1}
    assert made.money
