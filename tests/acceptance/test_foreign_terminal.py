"""Section 2 of the contract, rule by rule, by a terminal that only read the contract."""

import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

from tests.acceptance.foreign import ForeignTerminal, now_ms, payment
from tests.acceptance.serving import Served, serving

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

NUMBERS = count(1)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return one service for all of this module's terminals."""
    folder: Path = tmp_path_factory.mktemp("contract") / "data"
    with serving(folder) as service:
        yield service


@pytest.fixture
def terminal(served: Served) -> Iterator[ForeignTerminal]:
    """Return a terminal that the service has never heard of."""
    one = ForeignTerminal(served, f"F-{next(NUMBERS):03d}")
    yield one
    one.close()


def action(at: int | None = None, **more: Any) -> dict[str, Any]:
    """Return a small event that no rule minds."""
    return {"kind": "service_action", "at": at or now_ms(), "action": "door_opened", **more}


def log(served: Served, terminal: ForeignTerminal) -> list[dict[str, Any]]:
    """Return the terminal's log, oldest first by epoch and seq."""
    rows = served.items(f"/terminals/{terminal.number}/log", limit=1000)
    return sorted(rows, key=lambda row: (row["epoch"], row["seq"]))


def seqs(served: Served, terminal: ForeignTerminal) -> list[int]:
    """Return the seqs of the terminal's log."""
    return [row["seq"] for row in log(served, terminal)]


def test_stored_once_in_order_and_shown(served: Served, terminal: ForeignTerminal) -> None:
    """Rule 1: a batch that continues the journal is stored whole and acked."""
    start = now_ms()
    terminal.send(*[action(start + n) for n in range(3)])
    terminal.send(action(start + 3), compress=True)
    assert seqs(served, terminal) == [1, 2, 3, 4]
    shown = served.get(f"/terminals/{terminal.number}")
    assert shown["journal"] == {"epoch": terminal.epoch, "next": 5}
    assert shown["registered"] is False


def test_repetition_overlap_hole_and_foreign_history(
    served: Served, terminal: ForeignTerminal
) -> None:
    """Rule 2: what does not continue the journal stores nothing and is told where it stands."""
    terminal.write(*[action() for _ in range(9)])
    stands = terminal.expected_ack(4)
    assert terminal.ask(terminal.batch(1, 3)) == stands
    assert terminal.ask(terminal.batch(1, 3)) == stands, "a repetition"
    assert terminal.ask(terminal.batch(2, 5)) == stands, "an overlap"
    assert terminal.ask(terminal.batch(6, 7)) == stands, "a hole"
    assert terminal.ask(terminal.batch(4, 5, prev="0" * 16)) == stands, "another history"
    assert terminal.ask(terminal.batch(4, 9)) == terminal.expected_ack(10)
    assert seqs(served, terminal) == list(range(1, 10))


def test_an_unknown_journal_begins_at_one(terminal: ForeignTerminal) -> None:
    """An unknown journal is asked for from seq 1, with the epoch as mark."""
    terminal.write(*[action() for _ in range(5)])
    assert terminal.ask(terminal.batch(4, 5)) == terminal.expected_ack(1)
    assert terminal.expected_ack(1)["mark"] == str(terminal.epoch)


def test_pulse_with_backlog_is_answered(served: Served, terminal: ForeignTerminal) -> None:
    """Rule 5: a pulse with something unacknowledged is answered, and creates no journal."""
    terminal.write(action())
    terminal.pulse(unacked=1, next=2)
    assert terminal.acks.get(timeout=10) == terminal.expected_ack(1)
    shown = served.until(
        lambda: served.call("GET", f"/api/v1/terminals/{terminal.number}").status_code == 200
    )
    assert shown
    assert served.get(f"/terminals/{terminal.number}")["journal"] is None


def test_lost_range(served: Served, terminal: ForeignTerminal) -> None:
    """Rule 6: a lost range becomes one event and an incident; the journal goes on behind it."""
    terminal.write(*[action() for _ in range(10)])
    terminal.ask(terminal.batch(1, 2))
    assert terminal.ask(terminal.batch(6, 8, lost_from=3)) == terminal.expected_ack(9)
    rows = log(served, terminal)
    assert [(r["seq"], r["kind"]) for r in rows][2:4] == [
        (3, "journal_lost"),
        (6, "service_action"),
    ]
    assert rows[2]["event"]["through"] == 5
    gap = served.until(
        lambda: served.items("/incidents", terminal=terminal.number, rule="journal_gap")
    )
    assert gap[0]["proof"][0] == {"epoch": terminal.epoch, "seq": 3}


def test_lost_range_with_nothing_after(served: Served, terminal: ForeignTerminal) -> None:
    """Rule 6: `events` may be empty beside lost_from; `prev` equals `last`."""
    terminal.write(*[action() for _ in range(5)])
    head = {"epoch": terminal.epoch, "first": 5, "prev": terminal.marks[4],
            "last": terminal.marks[4], "lost_from": 1, "events": []}  # fmt: skip
    assert terminal.ask(json.dumps(head).encode()) == terminal.expected_ack(5)
    terminal.ask(terminal.batch(5, 5))
    assert [(r["seq"], r["kind"]) for r in log(served, terminal)] == [
        (1, "journal_lost"),
        (5, "service_action"),
    ]
    bad = {**head, "lost_from": 6, "first": 6, "prev": "1" * 16, "last": "1" * 16}
    assert "refused" in terminal.ask(json.dumps(bad).encode()), "lost_from >= first"


def test_fork(served: Served, terminal: ForeignTerminal) -> None:
    """Rule 7: first = next with a wrong prev is a fork and an identity_clash."""
    terminal.write(*[action() for _ in range(4)])
    terminal.ask(terminal.batch(1, 2))
    assert terminal.ask(terminal.batch(3, 4, prev="f" * 16)) == terminal.expected_ack(3)
    clash = served.until(
        lambda: served.items("/incidents", terminal=terminal.number, rule="identity_clash")
    )
    assert clash[0]["cleared_at"] is None


def test_two_epochs(served: Served, terminal: ForeignTerminal) -> None:
    """Rule 8: a smaller epoch is still stored; when it moves twice, it is an identity_clash."""
    terminal.write(*[action() for _ in range(4)])
    terminal.ask(terminal.batch(1, 1))
    newer = ForeignTerminal(served, terminal.number, epoch=terminal.epoch + 1000, session="another")
    newer.send(action())
    newer.close()
    assert terminal.ask(terminal.batch(2, 2)) == terminal.expected_ack(3)
    assert terminal.ask(terminal.batch(3, 4)) == terminal.expected_ack(5)
    assert len(log(served, terminal)) == 5
    assert served.get(f"/terminals/{terminal.number}")["journal"]["epoch"] == newer.epoch
    served.until(
        lambda: served.items("/incidents", terminal=terminal.number, rule="identity_clash")
    )


BAD_EVENTS: list[Any] = [
    "text", 17, None, [], {}, {"kind": "fault"}, {"at": 1}, {"kind": 7, "at": 1},
    {"kind": "", "at": 1}, {"kind": "service_action", "at": "now", "action": "door_opened"},
    {"kind": "service_action", "at": -1, "action": "door_opened"},
    {"kind": "service_action", "at": 2**53 + 2, "action": "door_opened"},
    {"kind": "service_action", "at": True, "action": "door_opened"},
    {"kind": "service_action", "at": 1763861001449.5, "action": "door_opened"},
    {"kind": "service_action", "at": 1, "action": "danced"},
    {"kind": "cash_accepted", "at": 1, "tx": "", "amount": 1, "currency": "RUB", "media": "note"},
    {"kind": "cash_accepted", "at": 1, "tx": "x" * 65, "amount": 1, "currency": "RUB",
     "media": "note"},
    {"kind": "cash_accepted", "at": 1, "tx": "1", "amount": "1", "currency": "RUB",
     "media": "note"},
    {"kind": "journal_lost", "at": 1, "through": 5},
    {"kind": "mystery", "at": 1, "text": "\x00"},
    {"kind": "service_action", "at": 1, "action": "door_opened", "person": "a\x00b"},
]  # fmt: skip


def test_bad_events_are_quarantined_one_by_one(served: Served, terminal: ForeignTerminal) -> None:
    """One bad event never stops a journal: it is kept aside and counts as stored."""
    terminal.write(action(), *BAD_EVENTS)
    for line in (
        b'{"kind":"mystery","at":1,"text":"\\ud800"}',
        b'{"kind":"mystery","at":1,"big":1e400}',
        b'{"kind":"mystery","at":1,"deep":' + b"[" * 300 + b"]" * 300 + b"}",
        b'{"kind":"mystery","at":1,"huge":' + b"9" * 400 + b"}",
    ):
        mark = hashlib.sha256(terminal.marks[-1].encode() + line).hexdigest()[:16]
        terminal.lines.append(line)
        terminal.marks.append(mark)
    terminal.write(action())
    everything = len(terminal.lines)
    assert terminal.ask(terminal.batch(1, everything)) == terminal.expected_ack(everything + 1)
    rows = log(served, terminal)
    assert [row["seq"] for row in rows] == list(range(1, everything + 1))
    kinds = [row["kind"] for row in rows]
    assert kinds[0] == kinds[-1] == "service_action"
    assert set(kinds[1 : len(BAD_EVENTS) + 2]) == {"quarantined"}
    kept = served.items("/quarantine", terminal=terminal.number)
    assert len(kept) == kinds.count("quarantined")
    assert all(each["reason"] for each in kept)


def test_unknown_kinds_and_fields_are_stored(served: Served, terminal: ForeignTerminal) -> None:
    """An unknown kind and unknown extra fields are stored and are no error."""
    terminal.send(
        {"kind": "weather", "at": now_ms(), "sky": {"colour": ["grey", None, 1.5]}},
        action(extra={"deep": [1, {"two": 2}]}),
    )
    rows = log(served, terminal)
    assert rows[0]["kind"] == "weather"
    assert rows[0]["event"]["sky"] == {"colour": ["grey", None, 1.5]}
    assert rows[1]["event"]["extra"] == {"deep": [1, {"two": 2}]}


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"garbage",
        b"[]",
        b"{",
        b'{"epoch": 1}',
        b'{"epoch": "1", "first": 1, "prev": "1", "last": "1", "events": [{}]}',
        b'{"epoch": 1, "first": 0, "prev": "1", "last": "1", "events": [{}]}',
        b'{"epoch": 1, "first": 1, "prev": "1", "last": "1", "events": []}',
        b'{"epoch": 1, "first": 1, "prev": "1", "last": "1", "events": [NaN]}',
        b'{"epoch": 1, "first": 1, "prev": "1", "last": "1", "events": ' + b"[" * 50000,
        zlib.compress(b"{" + b" " * 3_000_000 + b"}"),
        zlib.compress(b'{"epoch": 1}')[:-2],
        b'{"epoch": 1, "first": 1, "prev": "1", "last": "1", "events": ['
        + b",".join([b"{}"] * 501)
        + b"]}",
        b'{"epoch": 1, "first": 1, "prev": "1", "last": "1", "events": ["'
        + b"x" * 300_000
        + b'"]}',
    ],
    ids=range(14),
)
def test_an_unreadable_batch_is_refused(terminal: ForeignTerminal, payload: bytes) -> None:
    """A batch that cannot be read or is over its limits is refused by its digest."""
    answer = terminal.ask(payload)
    assert answer["digest"] == hashlib.sha256(payload).hexdigest()[:16]
    assert answer["refused"]
    assert "next" not in answer


def test_garbage_on_every_topic_changes_nothing(served: Served, terminal: ForeignTerminal) -> None:
    """Garbage on any topic is counted; the terminal's next batch is taken as ever."""
    for channel in ("pulse", "presence", "reply", "journal", "ack", "command", "nonsense", "a/b"):
        for payload in (b"", b"\xff\x00", b"{}", b"[1]", b'{"at": "x"}', b"x" * 1_200_000):
            terminal.publish(channel, payload, qos=0)
    echoes_and_refusals = 6 + 6
    for _ in range(echoes_and_refusals):
        with suppress(Empty):
            terminal.acks.get(timeout=2)
    terminal.send(action())
    assert seqs(served, terminal) == [1]


def test_an_untrusted_clock_is_marked_and_kept(served: Served, terminal: ForeignTerminal) -> None:
    """A time years off is kept raw; the time received stands in for it."""
    terminal.send(action(1000), action(now_ms() + 86_400_000), action())
    rows = log(served, terminal)
    assert [row["event"].get("clock") for row in rows] == ["untrusted", "untrusted", None]
    assert rows[0]["event"]["at"] == 1000
    assert rows[0]["at"] == rows[0]["received_at"]


def test_accounts_are_nowhere(served: Served, terminal: ForeignTerminal) -> None:
    """Every `account`, at any depth and of any kind, is mask and hash."""
    phone = "79031234567"
    at = now_ms()
    terminal.send(
        {"kind": "transaction_started", "at": at, "tx": "1", "service": "m", "account": phone},
        {"kind": "mystery", "at": at, "deep": [{"account": {"inner": phone}}]},
        {"kind": "fault", "at": at, "account": [phone, int(phone)]},
        {"kind": "quarantine-me", "at": "never", "account": int(phone)},
    )
    pages = [
        served.call("GET", f"/api/v1{path}").text
        for path in (
            f"/terminals/{terminal.number}/log", f"/quarantine?terminal={terminal.number}",
            f"/transactions?terminal={terminal.number}",
        )
    ]  # fmt: skip
    pages.append(served.call("GET", "/metrics").text)
    assert [page for page in pages if phone in page or phone[1:] in page] == []
    row = served.until(lambda: served.items("/transactions", terminal=terminal.number))[0]
    assert row["account_masked"].endswith("67")
    assert "*" in row["account_masked"]


def test_a_good_payment_is_no_incident_and_bad_ones_are(
    served: Served, terminal: ForeignTerminal
) -> None:
    """Each money rule opens one incident and one case for its own transaction, and no other."""
    at = now_ms() - 600_000
    payments = {
        "good": payment("good", at),
        "refused": payment("refused", at + 40_000, receipt="refused"),
        "no-paper": payment("no-paper", at + 80_000, receipt="failed"),
        "declined": payment("declined", at + 120_000, outcome="declined", receipt=None),
        "no-answer": payment("no-answer", at + 160_000, outcome="unknown", receipt=None),
        "nothing": payment("nothing", at + 200_000, outcome=None, receipt=None),
        "no-cash": payment("no-cash", at + 240_000, outcome=None, receipt=None, cash=()),
    }
    terminal.send(*[event for events in payments.values() for event in events])
    expected = {
        ("no_receipt", "no-paper"), ("payment_failed", "declined"),
        ("payment_uncertain", "no-answer"), ("payment_uncertain", "nothing"),
    }  # fmt: skip
    served.until(lambda: len(served.items("/transactions", terminal=terminal.number)) == 7)
    incidents = served.items("/incidents", terminal=terminal.number)
    assert {(i["rule"], i["subject"]) for i in incidents} == expected
    assert len(incidents) == len(expected)
    cases = served.items("/cases", terminal=terminal.number)
    assert {(case["tx"], case["opened_by"]) for case in cases} == {
        (subject, "detector") for _, subject in expected
    }
    assert {i["case"] for i in incidents} == {case["number"] for case in cases}
    money = {row["tx"]: row for row in served.items("/transactions", terminal=terminal.number)}
    assert money["good"]["accepted"] == 50_000
    assert (money["declined"]["payment"], money["no-paper"]["receipt"]) == ("declined", "failed")


def test_a_late_result_settles(served: Served, terminal: ForeignTerminal) -> None:
    """A late final result clears one incident and may open the next in the same case."""
    at = now_ms() - 300_000
    terminal.send(*payment("late", at, outcome="unknown", receipt=None))
    first = served.until(lambda: served.items("/incidents", terminal=terminal.number))[0]
    terminal.send(
        {
            "kind": "payment_result",
            "at": at + 60_000,
            "tx": "late",
            "outcome": "accepted",
            "amount": 50_000,
            "fee": 0,
            "currency": "RUB",
        }
    )
    both = served.until(
        lambda: len(found := served.items("/incidents", terminal=terminal.number)) == 2 and found
    )
    by_rule = {each["rule"]: each for each in both}
    assert by_rule["payment_uncertain"]["cleared_at"] is not None
    assert by_rule["no_receipt"]["cleared_at"] is None
    assert by_rule["no_receipt"]["case"] == first["case"]
    assert len(served.items("/cases", terminal=terminal.number)) == 1


def test_a_device_bad_for_its_hold_time(served: Served, terminal: ForeignTerminal) -> None:
    """60 s bad opens an incident and a work order, 60 s good clears both."""
    at = now_ms() - 200_000
    bad = {"kind": "device_changed", "device": "receipt_printer", "status": "online",
           "paper": "out", "cause": "paper_out"}  # fmt: skip
    terminal.send({**bad, "at": at}, {**bad, "at": at + 10_000})
    assert served.items("/incidents", terminal=terminal.number) == []
    terminal.pulse(at=at + 90_000)
    opened = served.until(lambda: served.items("/incidents", terminal=terminal.number, open="true"))
    assert [(i["rule"], i["subject"], i["cause"]) for i in opened] == [
        ("printer_unavailable", "receipt_printer", "paper_out")
    ]
    assert served.get(f"/cases/{opened[0]['case']}")["topic"] == "work_order"
    terminal.send({**bad, "at": at + 100_000, "paper": "full", "cause": None})
    terminal.pulse(at=at + 190_000)
    served.until(lambda: not served.items("/incidents", terminal=terminal.number, open="true"))
    case = served.get(f"/cases/{opened[0]['case']}")
    assert case["state"] == "resolved", "untouched, it resolves itself"
