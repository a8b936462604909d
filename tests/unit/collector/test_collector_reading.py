import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collector import validators
from collector.reading import Readable, Refused, Told, read_batch, read_told, rule_time, unix_ms
from wire.events import KINDS

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AT = unix_ms(NOW)
FAULT = {"kind": "fault", "at": AT, "component": "a", "severity": "warning", "code": "c"}


def payload(*events: str, **head: Any) -> bytes:
    """Return a batch of events given as JSON text."""
    fields = {"epoch": 7, "first": 1, "prev": "7", "last": "ab", **head}
    return (json.dumps(fields)[:-1] + ', "events": [' + ", ".join(events) + "]}").encode()


def read(*events: str) -> Readable:
    """Return what is read of a batch."""
    found = read_batch(payload(*events), NOW, b"key")
    assert isinstance(found, Readable), found
    return found


def reasons(*events: str) -> list[str]:
    """Return the reasons of what is quarantined."""
    return [each.reason for each in read(*events).quarantined]


def text(**changed: Any) -> str:
    """Return a good event with fields changed."""
    return json.dumps({**FAULT, **changed})


def test_good_events_are_stored_as_sent() -> None:
    """A readable event keeps every field and its own time."""
    row = read(text(more=[1, {"x": 0.1}], text=None)).rows[0]
    assert (row.kind, row.at) == ("fault", NOW)
    assert json.loads(row.body) == {**FAULT, "more": [1, {"x": 0.1}], "text": None}


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("null", "not_an_object"),
        ("[]", "not_an_object"),
        ("{}", "kind"),
        ('{"kind": "x"}', "at"),
        ('{"kind": "x", "at": true}', "at"),
        ('{"kind": "x", "at": 9007199254740993}', "at"),
        ('{"kind": "x", "at": -1}', "at"),
        ('{"kind": "", "at": 1}', "kind"),
        ('{"kind": 5, "at": 1}', "kind"),
        ('{"kind": "journal_lost", "at": 1, "through": 2}', "kind: written by the service only"),
        ('{"kind": "fault", "at": 1}', "component: missing"),
        (text(severity="huge"), "severity: literal_error"),
        (text(code=7), "code: string_type"),
        (text(x="\0"), "nul_in_text"),
        (text(**{"\0": 1}), "nul_in_text"),
        (text(x="\ud800"), "lone_surrogate"),
        (text(x="a").replace('"a"', "1e999", 1), "number_out_of_range"),
        (text(x=7.5).replace("7.5", "1e999"), "number_out_of_range"),
        (text(x=7.5).replace("7.5", "9" * 400), "number_out_of_range"),
        (text(x=7.5).replace("7.5", "-" + "9" * 400), "number_out_of_range"),
        (text(x=7.5).replace("7.5", "[" * 150 + "]" * 150), "too_deep"),
    ],
)
def test_bad_events_are_quarantined(event: str, reason: str) -> None:
    """What cannot be read or held is kept apart with its reason; its neighbours are stored."""
    found = read(text(), event, text())
    assert [row.kind for row in found.rows] == ["fault", "quarantined", "fault"]
    assert [(each.seq, each.reason) for each in found.quarantined] == [(2, reason)]
    assert found.quarantined[0].body.isascii()


def test_money_is_a_whole_number() -> None:
    """Nothing is coerced: no fractions, no numbers in texts, no booleans."""
    money = {"kind": "cash_accepted", "at": AT, "tx": "1", "currency": "RUB", "media": "note"}
    for amount in (1.5, "1", True, -1, 2**53 + 1, 10**30, None):
        assert reasons(json.dumps({**money, "amount": amount}))
    assert not reasons(json.dumps({**money, "amount": 2**53}))


def test_integers_are_kept_exactly() -> None:
    """An integer beyond 64 bits in a field nobody knows is stored digit by digit."""
    assert json.loads(read(text(n=10**30)).rows[0].body)["n"] == 10**30
    assert json.loads(read(text(n=2**64 - 1)).rows[0].body)["n"] == 2**64 - 1


def test_an_account_under_an_escaped_name_is_found() -> None:
    """To write the field's name with escapes hides nothing."""
    event = text(x="9161234567").replace('"x"', '"\\u0061ccount"')
    assert "9161234567" not in read(event).rows[0].body


def test_a_quarantined_account_is_masked() -> None:
    """What is kept apart is masked as well."""
    found = read(text(code=1, account="9161234567"), text(code="\ud800", account="9161234567"))
    assert len(found.quarantined) == 2
    assert not any("9161234567" in each.body for each in found.quarantined)


def test_an_account_is_found_beside_an_event_that_is_none() -> None:
    """An event that is no object does not make a batch look flat."""
    found = read("17", text(deep={"account": "9161234567"}))
    assert "9161234567" not in found.rows[1].body


def test_reasons_quote_nothing() -> None:
    """A reason names the contract's field at most, never what the sender wrote."""
    cassette = {"kind": "cassette_collected", "at": AT, "collection": "1", "total": 1}
    event = json.dumps({**cassette, "currency": "RUB", "notes": {"9161234567": "x"}})
    assert reasons(event) == ["notes: int_type"]


@pytest.mark.parametrize(
    ("at", "trusted"),
    [
        (AT, True),
        (AT + 300_000, True),
        (AT + 300_001, False),
        (AT - 365 * 86_400_000, True),
        (AT - 365 * 86_400_000 - 1, False),
        (0, False),
        (2**53, False),
    ],
)
def test_a_clock_out_of_bounds_is_marked(at: int, *, trusted: bool) -> None:
    """Outside −365 days … +5 minutes the time received is the rule's, and the raw one stays."""
    row = read(text(at=at)).rows[0]
    body = json.loads(row.body)
    assert body["at"] == at
    assert body.get("clock") == (None if trusted else "untrusted")
    assert (row.at == NOW) is (not trusted or at == AT)
    assert (rule_time(at, NOW) is not None) is trusted


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ({"epoch": None}, "bad_batch: epoch: int_type"),
        ({"first": 0}, "bad_batch: first: greater_than_equal"),
        ({"first": 1.0}, "bad_batch: first: int_type"),
        ({"prev": "XYZ"}, "bad_batch: prev: string_pattern_mismatch"),
        ({"last": "a" * 17}, "bad_batch: last: string_pattern_mismatch"),
        ({"lost_from": 1}, "bad_batch: lost_from"),
    ],
)
def test_a_bad_head_is_refused(head: dict[str, Any], reason: str) -> None:
    """A batch that cannot be placed is refused whole."""
    found = read_batch(payload(text(), **head), NOW, b"key")
    assert isinstance(found, Refused)
    assert found.reason == reason


def test_marks_are_hex_digits_in_either_case() -> None:
    """The service only compares marks: how a terminal writes its digits is its own affair."""
    found = read_batch(payload(text(), prev="9F86D081884C7D65", first=2), NOW, b"key")
    assert isinstance(found, Readable)
    assert found.batch.prev == "9F86D081884C7D65"


def test_emptiness_needs_a_loss() -> None:
    """No events is readable only beside a declared loss, with `last` equal to `prev`."""
    assert read_batch(payload(), NOW, b"k") == Refused(
        "no_events",
        read_batch(payload(), NOW, b"k").digest,  # type: ignore[union-attr]
    )
    good = read_batch(payload(first=5, lost_from=2, last="7"), NOW, b"k")
    assert isinstance(good, Readable)
    assert isinstance(read_batch(payload(first=5, lost_from=2), NOW, b"k"), Refused)


def test_every_kind_has_a_validator() -> None:
    """Each kind of the contract is checked."""
    assert set(validators.EVENTS) == set(KINDS)


def test_pulses_are_checked_and_masked() -> None:
    """A pulse keeps its extra fields, masked; without what it needs, or too long, it is refused."""
    good = {"at": AT, "epoch": 1, "next": 2, "unacked": 0, "boot": "b", "account": "9161234567"}
    told = read_told(json.dumps(good).encode(), validators.PULSE, b"k")
    assert isinstance(told, Told)
    assert "9161234567" not in told.body
    for bad in ({"boot": ""}, {"at": "now"}, {"epoch": None}, {"next": 0}, {"unacked": -1}):
        text = json.dumps({**good, **bad}).encode()
        assert isinstance(read_told(text, validators.PULSE, b"k"), Refused), bad
    assert isinstance(read_told(b"{}", validators.PULSE, b"k"), Refused)
    offline = json.dumps({"online": 1, "boot": "b"}).encode()
    assert isinstance(read_told(offline, validators.PRESENCE, b"k"), Refused)
    long = {**good, "x": "y" * 20_000}
    assert isinstance(read_told(json.dumps(long).encode(), validators.PULSE, b"k"), Refused)


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        ({"devices": {"modem": {"status": "online"}, "toaster": {"status": "online"}}},
         {"devices": {"modem": {"status": "online"}}}),
        ({"devices": {"modem": {"status": "online"}, "ups": {"status": "sleepy"}}},
         {"devices": {"modem": {"status": "online"}}}),
        ({"devices": {"modem": {"status": "online"}, "ups": "online", "display": {}}},
         {"devices": {"modem": {"status": "online"}}}),
        ({"devices": []}, {}),
        ({"devices": "fine", "signal_dbm": "weak", "notes": 3}, {"notes": 3}),
        ({"interval_s": 0, "cash": -1, "currency": "roubles", "paper_mm": 1.5}, {}),
        ({"interval_s": 1e9, "uptime_s": "1", "agent": 7, "disk_free_mb": True}, {}),
    ],
)  # fmt: skip
def test_a_pulse_is_heard_without_what_cannot_be_read(
    more: dict[str, object], kept: dict[str, object]
) -> None:
    """What a pulse need not have is left out where it cannot be read, the rest counts."""
    needed = {"at": AT, "epoch": 1, "next": 2, "unacked": 0, "boot": "b"}
    told = read_told(json.dumps({**needed, **more}).encode(), validators.PULSE, b"k")
    assert isinstance(told, Told)
    assert told.fields == json.loads(told.body) == {**needed, **kept}
    assert told.left_out


def test_unix_time_is_exact() -> None:
    """Milliseconds survive the way to a moment and back."""
    moment = NOW + timedelta(milliseconds=123)
    assert rule_time(unix_ms(moment), NOW) == moment
