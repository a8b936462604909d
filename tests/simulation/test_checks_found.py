"""The laws of incidents and cases find what is made wrong by hand."""

import json
from typing import Any

import pytest

from incidents.times import instant
from tests.simulation.found import Found
from tests.simulation.keys import Keys
from tests.simulation.told import Row

AT = 1_795_413_600_000
EPOCH = AT
RECEIVED = instant(AT + 5_000)


class Said:
    """Keeps the laws that were found broken."""

    def __init__(self) -> None:
        self.laws: list[str] = []

    def __call__(self, law: str, _place: str, what: str) -> None:
        """Keep one."""
        assert what
        self.laws.append(law)


@pytest.fixture
def said() -> Said:
    """Return where violations go."""
    return Said()


def incident(number: int, **columns: Any) -> dict[str, Any]:
    """Return a row of `incident`."""
    return {
        "id": number,
        "terminal": "T",
        "rule": "payment_failed",
        "epoch": EPOCH,
        "subject": "a",
        "cause": "declined",
        "severity": "critical",
        "provisional": False,
        "opened_at": instant(AT + 4),
        "detected_at": RECEIVED,
        "cleared_at": None,
        "times": 1,
        "proof": json.dumps([{"epoch": EPOCH, "seq": 2}]),
        "case_number": "K-1",
        **columns,
    }


def test_one_key_one_incident(said: Said) -> None:
    """A second row for a transaction's rule is found, open or cleared; so is one that vanishes."""
    keys = Keys(said)
    first = incident(1, cleared_at=RECEIVED)
    keys.incident(1, None, first)
    keys.incident(2, None, incident(2))
    keys.incident(1, first, None)
    keys.incident(3, incident(3, subject="b", provisional=True), None)
    assert said.laws == ["incident_once", "incident_once"]


def test_one_transaction_one_case(said: Said) -> None:
    """A second case of a transaction is found, and a second open work order."""
    case = {"terminal": "T", "epoch": EPOCH, "tx": "a", "topic": "payment_failed", "state": "new"}
    order = {"terminal": "T", "epoch": None, "tx": None, "topic": "work_order", "state": "new"}
    keys = Keys(said)
    keys.case("K-1", None, case)
    keys.case("K-2", None, case)
    keys.case("K-3", None, order)
    keys.case("K-3", order, {**order, "state": "resolved"})
    keys.case("K-4", None, order)
    keys.case("K-5", None, order)
    keys.case("K-5", order, None)
    assert said.laws == ["case_once"] * 3


def journal() -> list[Row]:
    """Return a journal with one declined payment."""
    told: list[tuple[str, dict[str, Any]]] = [
        ("transaction_started", {"tx": "a", "service": "s"}),
        ("cash_accepted", {"tx": "a", "amount": 5, "currency": "RUB"}),
        ("payment_result", {"tx": "a", "outcome": "declined"}),
        ("transaction_ended", {"tx": "a", "cause": "completed"}),
    ]
    return [
        (EPOCH, seq, kind, AT + seq, AT + seq, {"kind": kind, **body})
        for seq, (kind, body) in enumerate(told, 1)
    ]


def case(**columns: Any) -> dict[str, Any]:
    """Return its case."""
    return {
        "number": "K-1",
        "epoch": EPOCH,
        "tx": "a",
        "topic": "payment_failed",
        "state": "new",
        "touched": False,
        **columns,
    }


def tables(said: Said, **parts: Any) -> Found:
    """Return the tables of a terminal with one declined payment."""
    whole: dict[str, Any] = {
        "rows": journal(),
        "incidents": [incident(1)],
        "cases": [case()],
        "withdrawn": frozenset(),
        "clashes": [],
        "pulsed_until": AT,
        **parts,
    }
    return Found(terminal="T", say=said, **whole)


def test_the_right_incident_in_its_case_says_nothing(said: Said) -> None:
    """The reference finds what stands there."""
    tables(said).check()
    assert said.laws == []


@pytest.mark.parametrize(
    ("parts", "law"),
    [
        ({"incidents": [], "cases": []}, "money"),
        ({"incidents": [incident(1), incident(2)]}, "money"),
        ({"incidents": [incident(1, opened_at=instant(AT + 5))]}, "money"),
        ({"incidents": [incident(1, cause="failed")]}, "money"),
        ({"incidents": [incident(1, times=2)]}, "money"),
        ({"rows": journal()[:2]}, "money"),
        ({"incidents": [incident(1, provisional=True)]}, "no_provisional"),
        ({"incidents": [incident(1, proof="[]")]}, "proof"),
        ({"incidents": [incident(1, proof='[{"epoch": 1, "seq": 1}]')]}, "proof"),
        ({"incidents": [incident(1, case_number=None)]}, "case"),
        ({"incidents": [incident(1, case_number="K-2")]}, "case"),
        ({"cases": [case(tx="b")]}, "case"),
        ({"cases": [case(), case(number="K-2")]}, "case"),
        ({"cases": [case(state="resolved")]}, "case_state"),
        ({"rows": [(EPOCH, 1, "journal_lost", AT, AT, {"through": 3})]}, "gap"),
    ],
)
def test_wrong_tables_are_found(said: Said, parts: dict[str, Any], law: str) -> None:
    """Missing, doubled, wrong in any part, provisional, unproved, without or in a wrong case."""
    tables(said, **parts).check()
    assert law in said.laws


def test_a_device_that_is_not_told_is_found(said: Said) -> None:
    """A printer that was out of paper for long has its incident."""
    body: dict[str, Any] = {"device": "receipt_printer", "status": "online", "paper": "out"}
    rows = [(EPOCH, 1, "device_changed", AT, AT, body)]
    tables(said, rows=rows, incidents=[], cases=[], pulsed_until=AT + 9_000_000).check()
    assert said.laws == ["device"]
    rows.append((EPOCH, 2, "clock_stepped", AT + 1, AT + 1, {"step_ms": 5}))
    tables(said, rows=rows, incidents=[], cases=[], pulsed_until=AT + 9_000_000).check()
    assert said.laws == ["device", "device_open"]


def test_a_clash_out_of_nothing_and_one_not_told_are_found(said: Said) -> None:
    """Two disks, and only two, are two journals."""
    clash = incident(1, rule="identity_clash", epoch=None, subject=None, case_number=None)
    fork: dict[str, Any] = {"epoch": EPOCH, "evidence": "fork", "seq": 3, "previous_at": None}
    tables(said, incidents=[clash]).check_clash(two_journals=False, moves=[])
    tables(said, clashes=[fork]).check_clash(two_journals=True, moves=[])
    tables(said).check_clash(two_journals=True, moves=[[5.0, 500.0]])
    assert said.laws == ["clash"] * 3
    tables(said, incidents=[clash], clashes=[fork]).check_clash(two_journals=True, moves=[])
    tables(said).check_clash(two_journals=True, moves=[[5.0, 500_000.0]])
    assert said.laws == ["clash"] * 3


def test_silences_that_were_none_and_those_not_told_are_found(said: Said) -> None:
    """Begun when it was not heard, not over, too short, and not told at all."""
    silent = incident(1, rule="terminal_silent", epoch=None, subject=None, case_number=None)
    silent["opened_at"] = instant(AT)
    tables(said, incidents=[silent]).check_silence([AT + 1], alive=False)
    tables(said, incidents=[silent]).check_silence([AT], alive=True)
    over = {**silent, "cleared_at": instant(AT + 1000)}
    tables(said, incidents=[over]).check_silence([AT, AT + 1000], alive=True)
    assert said.laws == ["silence"] * 2
    tables(said, incidents=[over]).check_lengths([AT, AT + 1000], least_ms=9000, surely_ms=9999)
    tables(said, incidents=[]).check_lengths([AT, AT + 10_000], least_ms=9000, surely_ms=9999)
    assert said.laws == ["silence"] * 4
