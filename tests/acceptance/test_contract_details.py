"""What the contract says in half a sentence: fields, bounds, orders, late events; from outside."""

import json
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from tests.acceptance.foreign import ForeignTerminal, JsonObject, now_ms, payment
from tests.acceptance.serving import Served, serving

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

NUMBERS = count(1)
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

TEXT, NUMBER, LIST, FLAG, OBJECT = str, int, list, bool, dict
Shape = dict[str, tuple[type, ...]]
NONE: Final = type(None)
SHAPES: Final[dict[str, Shape]] = {
    "terminal": {
        "terminal": (TEXT,), "registered": (FLAG,), "address": (TEXT, NONE), "health": (TEXT,),
        "devices": (LIST,), "open_incidents": (LIST,), "last_pulse_at": (TEXT, NONE),
        "journal": (OBJECT, NONE),
    },
    "log": {
        "at": (TEXT,), "received_at": (TEXT,), "epoch": (NUMBER,), "seq": (NUMBER,),
        "kind": (TEXT,), "event": (OBJECT,), "text": (TEXT,),
    },
    "transaction": {
        "terminal": (TEXT,), "epoch": (NUMBER,), "tx": (TEXT,), "started_at": (TEXT,),
        "ended_at": (TEXT, NONE), "service": (TEXT, NONE), "account_masked": (TEXT, NONE),
        "accepted": (NUMBER,), "returned": (NUMBER,), "currency": (TEXT, NONE),
        "payment": (TEXT, NONE), "receipt": (TEXT, NONE), "receipt_number": (TEXT, NONE),
        "incidents": (LIST,),
    },
    "incident": {
        "id": (TEXT,), "terminal": (TEXT,), "rule": (TEXT,), "epoch": (NUMBER, NONE),
        "subject": (TEXT, NONE), "cause": (TEXT, NONE), "severity": (TEXT,),
        "provisional": (FLAG,), "opened_at": (TEXT,), "detected_at": (TEXT,),
        "cleared_at": (TEXT, NONE), "proof": (LIST,), "case": (TEXT, NONE),
    },
    "case": {
        "number": (TEXT,), "topic": (TEXT,), "state": (TEXT,), "terminal": (TEXT, NONE),
        "tx": (TEXT, NONE), "opened_at": (TEXT,), "due_at": (TEXT, NONE), "opened_by": (TEXT,),
        "incidents": (LIST,), "reports": (LIST,), "history": (LIST,),
    },
    "report": {
        "id": (TEXT,), "facts": (LIST,), "candidates": (LIST,), "none_probability": (float,),
        "terminals": (LIST,), "attached": (OBJECT, NONE), "status": (TEXT,),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return one service for all of this module's terminals."""
    with serving(tmp_path_factory.mktemp("details") / "data") as service:
        yield service


@pytest.fixture
def terminal(served: Served) -> Iterator[ForeignTerminal]:
    """Return a terminal that the service has never heard of."""
    one = ForeignTerminal(served, f"D-{next(NUMBERS):03d}")
    yield one
    one.close()


def action(at: int) -> JsonObject:
    """Return a small event that no rule minds."""
    return {"kind": "service_action", "at": at, "action": "door_opened"}


def device(at: int, **state: Any) -> JsonObject:
    """Return a state of the printer."""
    base = {"kind": "device_changed", "at": at, "device": "receipt_printer", "status": "online"}
    return {**base, **state}


def iso(at: int, hours: int = 0) -> str:
    """Return a time as a client in some zone writes it."""
    return datetime.fromtimestamp(at / 1000, timezone(timedelta(hours=hours))).isoformat()


def is_shaped(row: JsonObject, shape: Shape) -> bool:
    """Whether a row has every field of the contract, of its type, times in milliseconds and Z."""
    return all(
        name in row
        and type(row[name]) in kinds
        and (not name.endswith("_at") or row[name] is None or MOMENT.fullmatch(row[name]))
        for name, kinds in shape.items()
    )


def incidents(served: Served, terminal: ForeignTerminal) -> list[tuple[Any, ...]]:
    """Return what is known of each incident of a terminal, in few words."""
    return sorted(
        (row["rule"], row["subject"], row["cause"], row["cleared_at"] is None)
        for row in served.items("/incidents", terminal=terminal.number)
    )


def becomes(served: Served, terminal: ForeignTerminal, *expected: tuple[Any, ...]) -> None:
    """Wait until these are the incidents of a terminal, and no others."""
    served.until(
        lambda: incidents(served, terminal) == sorted(expected), within_s=10, what=str(expected)
    )


def test_every_answer_has_its_fields(served: Served, terminal: ForeignTerminal) -> None:
    """Each call answers with the fields of the contract, of their types."""
    terminal.send(*payment("1", now_ms() - 60_000, receipt="failed"))
    terminal.pulse(devices={"receipt_printer": {"status": "online", "paper": "low"}})
    becomes(served, terminal, ("no_receipt", "1", "unknown", True))
    number = terminal.number
    shown = served.until(lambda: (row := served.get(f"/terminals/{number}"))["devices"] and row)
    assert is_shaped(shown, SHAPES["terminal"])
    assert shown["devices"][0].keys() == {"device", "status", "paper", "storage", "since"}
    assert shown["journal"] == {"epoch": terminal.epoch, "next": 6}
    incident = served.items("/incidents", terminal=number)[0]
    case = served.get(f"/cases/{incident['case']}")
    transaction = served.items("/transactions", terminal=number)[0]
    assert shown["open_incidents"] == case["incidents"] == transaction["incidents"]
    assert transaction["incidents"] == [incident["id"]]
    assert incident["epoch"] == terminal.epoch
    rows = {
        "log": served.items(f"/terminals/{number}/log")[0], "transaction": transaction,
        "incident": incident, "case": case, "terminal": served.items("/terminals", query=number)[0],
    }  # fmt: skip
    assert [name for name, row in rows.items() if not is_shaped(row, SHAPES[name])] == []


def test_pages_stand_still(served: Served, terminal: ForeignTerminal) -> None:
    """Rows of one moment come once each, newest seq first, while more of that moment arrive."""
    at = now_ms() - 60_000
    terminal.send(*[action(at) for _ in range(10)])
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = served.get(f"/terminals/{terminal.number}/log", limit=3, **cursor)
        seen += [row["seq"] for row in page["items"]]
        terminal.send(action(at))
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == list(range(10, 0, -1))


def test_since_and_until(served: Served, terminal: ForeignTerminal) -> None:
    """`since <= t < until` by event time, in any zone and spelling; no end of time is an error."""
    at = (now_ms() - 60_000) // 1000 * 1000
    terminal.send(*[action(at + step) for step in range(4)])
    path = f"/terminals/{terminal.number}/log"

    def seqs(since: str, until: str) -> list[int]:
        return [row["seq"] for row in served.get(path, since=since, until=until)["items"]]

    for hours in (0, 3, -11):
        assert seqs(iso(at + 1, hours), iso(at + 3, hours)) == [3, 2]
    small = iso(at + 1).replace("+00:00", "z").replace("T", "t")
    assert seqs(small, "9999-12-31T23:59:59Z") == [4, 3, 2]
    assert seqs("0001-01-01T00:00:00Z", iso(at + 1)) == [1]
    assert seqs(iso(at + 3), iso(at)) == []


@pytest.mark.parametrize(
    ("status", "asked", "more"),
    [
        (401, "GET /terminals", {"headers": {"Authorization": "Bearer wrong"}}),
        (404, "GET /terminals/nobody", {}),
        (404, "GET /terminals/nobody/log", {}),
        (404, "GET /cases/K-1999-000001", {}),
        (404, "GET /reports/99999999999999999999", {}),
        (404, "GET /nothing", {}),
        (405, "DELETE /terminals", {}),
        (413, "POST /terminals", {"content": b"x" * 10_000_000}),
        (415, "POST /reports", {"content": b"x", "headers": {"Content-Type": "text/plain"}}),
        (422, "POST /reports", {"json": {"channel": "fax"}}),
        (422, "POST /terminals", {"json": [{"terminal": "T"}]}),
        (422, "POST /terminals", {"json": {"terminal": "T", "lat": True}}),
        (422, "GET /incidents?limit=1001", {}),
        (422, "GET /incidents?limit=0", {}),
        (422, "GET /incidents?cursor=x", {}),
        (422, "GET /incidents?open=maybe", {}),
        (422, "GET /transactions?since=2026-11-23T04:52:00", {}),
    ],
)
def test_errors_are_problem_documents(
    served: Served, status: int, asked: str, more: dict[str, Any]
) -> None:
    """What cannot be answered is told as RFC 9457 has it."""
    method, path = asked.split()
    answer = served.call(method, f"/api/v1{path}", **more)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["title"]


@pytest.mark.parametrize(
    ("path", "filters"),
    [
        ("/incidents", {"terminal": "nobody"}),
        ("/incidents", {"rule": "none"}),
        ("/cases", {"terminal": "nobody"}),
        ("/transactions", {"terminal": "nobody"}),
        ("/quarantine", {"terminal": "nobody"}),
        ("/terminals", {"query": "\0"}),
    ],
)
def test_an_unknown_filter_is_an_empty_list(
    served: Served, path: str, filters: dict[str, str]
) -> None:
    """A terminal or rule that nobody knows is no error in a filter."""
    assert served.get(path, **filters) == {"items": [], "next": None}


def test_a_terminal_is_made_known_and_changed(served: Served) -> None:
    """201 with the row, then 200 with what was changed; due days end in its own zone."""
    row = {"terminal": "V-1", "address": "ул. Светланская, 5", "timezone": "Asia/Vladivostok"}
    first = served.call("POST", "/api/v1/terminals", json=row)
    again = served.call("POST", "/api/v1/terminals", json={"terminal": "V-1", "metro": "нет"})
    assert (first.status_code, again.status_code) == (201, 200)
    changed = again.json()
    assert (changed["address"], changed["metro"]) == ("ул. Светланская, 5", "нет")
    assert (changed["registered"], changed["health"]) == (True, "unknown")
    assert [each["terminal"] for each in served.items("/terminals", query="светланская")] == ["V-1"]
    one = ForeignTerminal(served, "V-1")
    one.send(*payment("1", now_ms() - 60_000, receipt="failed"))
    case = served.until(lambda: served.items("/cases", terminal="V-1"))[0]
    one.close()
    due = datetime.fromisoformat(case["due_at"]).astimezone(timezone(timedelta(hours=10)))
    assert (due + timedelta(milliseconds=1)).strftime("%H:%M:%S.%f") == "00:00:00.000000"
    assert timedelta(days=5) < due - datetime.now(UTC) < timedelta(days=17)


def test_reports_are_taken_as_they_come(served: Served) -> None:
    """Mail in any bytes and a form in JSON answer 201 with the row that `GET` shows."""
    head = b"From: a@b.ru\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n"
    mail = {"content": head + "Чека нет".encode("koi8-r") + b"\x00\xff",
            "headers": {"Content-Type": "message/rfc822"}}  # fmt: skip
    form = {"json": {"channel": "form", "text": "Чека нет", "reported_at": iso(now_ms(), 3),
                     "account": "+79165550142", "amount": 50_000, "paid_at": None}}  # fmt: skip
    for body in (mail, form):
        answer = served.call("POST", "/api/v1/reports", **body)
        assert answer.status_code == 201, answer.text
        assert is_shaped(answer.json(), SHAPES["report"])
        assert served.get(f"/reports/{answer.json()['id']}") == answer.json()
        assert "5550142" not in answer.text


def test_a_mail_in_the_drop_folder_is_understood_soon_and_once(served: Served) -> None:
    """Committed, then removed; the same bytes by the API are the report that is there (200)."""
    drop = served.folder / "mail" / "drop"
    mail = (
        "From: a@b.ru\r\nMessage-ID: <dropped@b.ru>\r\nContent-Transfer-Encoding: 8bit\r\n"
        "Content-Type: text/plain; charset=windows-1251\r\n\r\n"
        "Терминал не выдал чек, номер 8 916 555-01-42\r\n"
    ).encode("windows-1251")
    (drop / "1.tmp").write_bytes(mail)
    (drop / "1.tmp").rename(drop / "1.eml")
    served.until(lambda: not list(drop.glob("*.eml")), what="an empty folder")
    answer = served.call("POST", "/api/v1/reports", content=mail,
                         headers={"Content-Type": "message/rfc822"})  # fmt: skip
    assert answer.status_code == 200, answer.text
    path = f"/reports/{answer.json()['id']}"
    facts = served.until(lambda: served.get(path)["facts"], within_s=5, what="facts")
    assert "no_receipt" in {each["value"] for each in facts if each["kind"] == "symptom"}
    assert "5550142" not in str(facts)


def test_presence_is_of_a_boot(served: Served, terminal: ForeignTerminal) -> None:
    """The newest presence or pulse names the boot; an offline of another is ignored. All zlib."""

    def say(channel: str, **body: Any) -> None:
        terminal.publish(channel, zlib.compress(json.dumps(body).encode()), retain=False)

    def online_becomes(expected: object) -> None:
        path = f"/api/v1/terminals/{terminal.number}"
        served.until(
            lambda: served.call("GET", path).json().get("online") is expected,
            what=f"online {expected}",
        )

    say("presence", online=True, boot="one")
    online_becomes(expected=True)
    say("presence", online=False, boot="another")
    time.sleep(0.6)
    online_becomes(expected=True)
    say("presence", online=False, boot="one")
    online_becomes(expected=False)
    say("pulse", at=now_ms(), epoch=terminal.epoch, next=1, unacked=0, boot="two")
    say("presence", online=True, boot="two")
    online_becomes(expected=True)
    say("presence", online=False, boot="one")
    time.sleep(0.6)
    online_becomes(expected=True)
    assert served.get(f"/terminals/{terminal.number}")["health"] == "ok"


def test_a_backlog_is_answered_now_and_then(terminal: ForeignTerminal) -> None:
    """Pulses with something unacknowledged are answered at most once in 5 s."""
    for _ in range(30):
        terminal.pulse(unacked=1)
        time.sleep(0.2)
    time.sleep(0.5)
    assert terminal.acks.qsize() == 2


def test_a_pulse_of_tomorrow_is_heard(served: Served, terminal: ForeignTerminal) -> None:
    """A device, status or value that we do not know makes nobody silent."""
    terminal.pulse(
        devices={
            "note_acceptor": {"status": "online", "storage": "ok", "lights": 3},
            "barcode_reader": {"status": "online"},
            "receipt_printer": {"status": "dreaming"},
        },
        interval_s="often",
    )
    known = f"/api/v1/terminals/{terminal.number}"
    served.until(lambda: served.call("GET", known).status_code == 200)
    shown = served.get(f"/terminals/{terminal.number}")
    assert shown["health"] == "ok"
    assert [each["device"] for each in shown["devices"]] == ["note_acceptor"]


def result(tx: str, at: int, outcome: str) -> JsonObject:
    """Return what processing said of 500.00."""
    return {"kind": "payment_result", "at": at, "tx": tx, "outcome": outcome, "amount": 50_000,
            "fee": 0, "currency": "RUB"}  # fmt: skip


def test_the_last_result_counts(served: Served, terminal: ForeignTerminal) -> None:
    """Declined after accepted reopens, accepted settles, and returned money settles too."""
    at = now_ms() - 300_000
    terminal.send(*payment("1", at))
    terminal.send(result("1", at + 60_000, "declined"))
    becomes(served, terminal, ("payment_failed", "1", "declined", True))
    terminal.send(result("1", at + 70_000, "accepted"))
    becomes(served, terminal, ("payment_failed", "1", "declined", False))
    terminal.send(result("1", at + 80_000, "declined"))
    becomes(served, terminal, ("payment_failed", "1", "declined", True))
    terminal.send({"kind": "cash_returned", "at": at + 90_000, "tx": "1", "amount": 50_000,
                   "currency": "RUB"})  # fmt: skip
    becomes(served, terminal, ("payment_failed", "1", "declined", False))
    case = served.items("/cases", terminal=terminal.number)
    assert [each["state"] for each in case] == ["resolved"]


@pytest.mark.parametrize("end", ["agent_started", "transaction_started", "larger epoch"])
def test_what_ends_a_transaction(served: Served, terminal: ForeignTerminal, end: str) -> None:
    """A new run, the next customer and a larger epoch end what is open; what comes late settles."""
    at = now_ms() - 300_000
    # Cash for an unknown tx opens it.
    terminal.send(*payment("1", at, outcome=None, receipt=None, ended=False)[1:])
    newer = ForeignTerminal(
        served, terminal.number, epoch=terminal.epoch + 1000, session=f"{terminal.number}-newer"
    )
    assert incidents(served, terminal) == []
    if end == "larger epoch":
        newer.send({"kind": "nonsense", "at": "never"})
    elif end == "agent_started":
        terminal.send({"kind": end, "at": at + 20_000, "agent": "1", "cause": "power_on"})
    else:
        terminal.send({"kind": end, "at": at + 20_000, "tx": "2", "service": "mobile"})
    newer.close()
    becomes(served, terminal, ("payment_uncertain", "1", "no_result", True))
    terminal.send(result("1", at + 30_000, "accepted"))
    settled = ("payment_uncertain", "1", "no_result", False)
    becomes(served, terminal, settled, ("no_receipt", "1", "unknown", True))
    terminal.send({"kind": "receipt_result", "at": at + 40_000, "tx": "1", "outcome": "printed"})
    becomes(served, terminal, settled, ("no_receipt", "1", "unknown", False))
    assert len(served.items("/cases", terminal=terminal.number)) == 1


@pytest.mark.parametrize("status", ["starting", "device_busy", "unknown"])
def test_a_mute_device_stays_bad(served: Served, terminal: ForeignTerminal, status: str) -> None:
    """A status that says nothing, without a word of paper, loads no paper."""
    at = now_ms() - 300_000
    terminal.send(device(at, paper="out"), device(at + 30_000, status=status), action(at + 90_000))
    becomes(served, terminal, ("printer_unavailable", "receipt_printer", "paper_out", True))
    terminal.send(device(at + 100_000), action(at + 170_000))
    becomes(served, terminal, ("printer_unavailable", "receipt_printer", "paper_out", False))


def test_a_backlog_sends_no_one_out(served: Served, terminal: ForeignTerminal) -> None:
    """In a backlog nothing opens; what was over when it is through leaves a closed incident."""
    at = now_ms() - 500_000
    terminal.pulse(unacked=5)
    terminal.acks.get(timeout=10)
    terminal.send(device(at, paper="out"), action(at + 100_000))
    terminal.send(device(at + 120_000, paper="full"), action(at + 200_000))
    terminal.pulse()
    becomes(served, terminal, ("printer_unavailable", "receipt_printer", "paper_out", False))
    assert served.items("/cases", terminal=terminal.number) == []


def test_a_signal_while_its_modules_are_read() -> None:
    """`serve` is told to stop before it has begun: exit status 0."""
    program = (
        "import os, signal, sys\n"
        "from kvitok import cli\n"
        "sys.argv = ['kvitok', 'serve', '--embedded']\n"
        "cli.status_of = lambda _: os.kill(os.getpid(), signal.SIGTERM)\n"
        "cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, cwd=Path.cwd())
    assert done.returncode == 0
