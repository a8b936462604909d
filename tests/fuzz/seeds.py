"""Good examples for each target: what mutation begins with, by Hypothesis and by atheris."""

import json
import random
import zlib
from typing import Any, Final

from agent.devices.ccnet.frame import encode as ccnet
from agent.devices.escpos.profiles import PROFILES
from agent.devices.machine import Instant
from agent.uplink import Publish, Uplink
from tests.fuzz.seeds_mail import MAILS, TEXTS
from tests.fuzz.targets_agent import journal_of
from wire.journal import digest

AT: Final = 1_795_435_200_000
EPOCH: Final = 1_763_860_000_000
MONEY: Final[dict[str, Any]] = {"tx": "a", "amount": 50_000, "currency": "RUB"}
EVENTS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "agent_started", "agent": "1.0", "cause": "power_on"},
    {"kind": "transaction_started", "tx": "a", "service": "mts", "account": "8 916 123-45-67"},
    {"kind": "cash_accepted", "media": "note", **MONEY},
    {"kind": "cash_returned", **MONEY},
    {"kind": "payment_result", "outcome": "accepted", "fee": 0, "reference": "r1", **MONEY},
    {"kind": "receipt_result", "tx": "a", "outcome": "printed", "number": "4471",
     "fiscal": {"fn": "1", "fd": "2", "fp": "3"}},
    {"kind": "transaction_ended", "tx": "a", "cause": "completed"},
    {"kind": "device_changed", "device": "receipt_printer", "status": "online", "paper": "low"},
    {"kind": "cassette_collected", "collection": "1", "total": 50_000, "currency": "RUB",
     "notes": {"50000": 1}},
    {"kind": "fault", "component": "app", "severity": "warning", "code": "c", "text": "Отказ"},
    {"kind": "service_action", "action": "door_opened", "person": "Иванов"},
    {"kind": "clock_stepped", "step_ms": -5},
    {"kind": "unreadable", "size": 5},
    {"kind": "of_tomorrow", "deep": [1, 0.5, None, True, {"account": 9161234567, "x": "\u20bd"}]},
)  # fmt: skip
PULSE: Final = {
    "at": AT, "epoch": EPOCH, "next": 5, "unacked": 4, "boot": "01J", "uptime_s": 86_400,
    "devices": {"receipt_printer": {"status": "online", "paper": "low"}}, "interval_s": 60,
    "paper_mm": 12_000, "notes": 3, "cash": 2, "currency": "RUB", "signal_dbm": -87, "agent": "1",
}  # fmt: skip


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def batch_of(*events: object, **head: object) -> bytes:
    """Return a batch of these events."""
    fields = {"epoch": EPOCH, "first": 1, "prev": str(EPOCH), "last": "60303ae22b998861"}
    return _json({**fields, **head, "events": events})


def _batches() -> list[bytes]:
    whole = batch_of(*({**each, "at": AT} for each in EVENTS))
    singles = [batch_of({**each, "at": AT}) for each in EVENTS]
    lost = batch_of(first=5, lost_from=1, prev="ab", last="ab")
    return [whole, zlib.compress(whole), *singles, lost, batch_of("text", None, {"at": 1})]


def _program() -> list[bytes]:
    told = ("transaction_started", "payment_result", "receipt_result", "transaction_ended",
            "fault", "service_action", "cassette_collected", "cash_returned")  # fmt: skip
    asked: list[object] = [{"do": "hello", "program": "shop", "ref": 1}]
    asked += [
        {"do": "record", "event": each, "ref": "r"} for each in EVENTS if each["kind"] in told
    ]
    asked += [{"do": "accept_cash", "tx": "a"}, {"do": "stop_cash"}, {"do": "status"}]
    asked += [{"do": "print_receipt", "tx": "a", "text": "Чек\n1", "number": "4"}]
    lines = [_json(each) for each in asked]
    return [b"\x08" + b"\n".join(lines) + b"\n", *(b"\xff" + each + b"\n" for each in lines)]


def _ccnet() -> list[bytes]:
    bodies = ("00", "ff", "30", "13", "14", "19", "1c60", "8002", "8102", "82", "4701", "41", "12")
    frames = [ccnet(3, bytes.fromhex(each)) for each in bodies]
    table = b"".join(bytes((1,)) + b"RUS" + bytes((n,)) for n in range(5)).ljust(120, b"\0")
    return [b"\x04" + b"".join(frames), b"\x00" + ccnet(3, table) + ccnet(3, bytes(34) + b"SM")]


def _acceptor() -> list[bytes]:
    table = b"".join(bytes((1,)) + b"RUS" + bytes((n,)) for n in range(5)).ljust(120, b"\0")
    step = b"\x07"

    def say(*body: int) -> bytes:
        return bytes(((len(body) - 1) * 32,)) + bytes(body)

    begun = b"\x0d" + step + say(0x19) + step + b"\x02" + table + step + say(0) + step
    note = say(0x14) + step + say(0x80, 2) + step + say(0) + step + say(0x81, 2) + step
    return [begun + note + step * 4, begun + say(0x47, 1) + step + say(0x42) + step, note]


def _printer() -> list[bytes]:
    ask, order = b"\x05", bytes((4 * 12 + 3 - 51 % 6 + 0,))
    answers = [b"\x18\x12", b"\x18\x16", b"\x36\x10\x0f\x25\x00\x01\x00"]
    good = [b"".join((ask + each) * 6 for each in answers)]
    told = [bytes((n,)) + b"\x1b" + good[0] + ask * 8 for n in range(len(PROFILES))]
    return [*told, b"\x00" + order + b"text" + good[0]]


CSV: Final = (
    "terminal,name,city,address,lat,lon,timezone,opens,closes\n"
    'A-1,"Касса, у входа",Москва,"Тверская, 1",55.75,37.61,Europe/Moscow,08:00,24:00\n'
    "A-2,,,,,,,,\n"
)
REGISTRATION: Final = {
    "terminal": "A-1", "name": "n", "lat": 55.75, "lon": "37.6", "timezone": "Europe/Moscow",
    "opens": "08:00", "closes": None,
}  # fmt: skip
REPORT: Final = {
    "channel": "form", "text": "Чек не вышел", "reported_at": "2026-11-23T04:52:00Z",
    "email": "a@b.example", "account": "9161234567", "amount": 50_000,
    "paid_at": "2026-11-23T07:52:00+03:00",
}  # fmt: skip
MAIL: Final = (
    b"From: a@b.example\r\nDate: Mon, 23 Nov 2026 07:52:00 +0300\r\nSubject: x\r\n\r\nbody"
)
CURSOR: Final = "WzYzODk5NjI2ODYwMDAwMDAwLDEsMV0"


def _api() -> list[bytes]:
    heads = [
        "/", "/search?query=A", "/login", "/login?token=x&next=/cases", "/terminals/A-1", "/cases",
        "/api/v1/terminals?query=A%201&limit=5", f"/api/v1/transactions?cursor={CURSOR}",
        "/api/v1/terminals/A-1/log?since=2026-11-23T04:52:00Z&until=2026-11-24T00:00:00%2B03:00",
        "/api/v1/incidents?open=true&rule=no_receipt&terminal=A", "/api/v1/incidents/1",
        f"/api/v1/incidents?cursor={CURSOR}", "/api/v1/cases?state=new&limit=1000",
        "/api/v1/cases/K-2026-000123", "/api/v1/quarantine?terminal=A", "/api/v1/reports/1",
        "/healthz", "/metrics", "/api/v1/openapi.json", "/static/desk.css", "/nothing",
    ]  # fmt: skip
    asked = [f"GET {each}\n\n".encode() for each in heads]
    as_json = b"\napplication/json\n"
    asked += [b"POST /api/v1/terminals" + as_json + _json(REGISTRATION)]
    asked += [b"POST /api/v1/reports" + as_json + _json(REPORT)]
    asked += [b"POST /api/v1/reports\nmessage/rfc822\n" + MAIL]
    asked += [b"POST /api/v1/incidents/1/clear\n\n"]
    form = b"\napplication/x-www-form-urlencoded\tkvitok_session=1.2.3\tru,en;q=0.5\n"
    asked += [
        b"POST /login" + form + b"token=abc&next=/cases",
        b"POST /language" + form + b"language=en",
    ]
    parts = b"\nmultipart/form-data; boundary=x\n--x\r\nContent-Disposition: form-data; "
    asked += [b"POST /login" + parts + b'name="token"\r\n\r\nabc\r\n--x--\r\n']
    return asked


AGENT_TOML: Final = b"""terminal = "A-1"
[journal]
path = "journal.db"
most_mib = 64
[mqtt]
host = "broker.example"
port = 8883
tls = true
password = "p"
[program]
port = 7070
[pulse]
interval_s = 60
[[device]]
kind = "ccnet"
port = "COM1"
accept = [5000, 10000]
[[device]]
kind = "escpos"
port = "COM2"
profile = "epson"
encoding = "cp866"
"""
KVITOK_TOML: Final = b"""[database]
dsn = "postgresql://k@127.0.0.1/kvitok"
[secrets]
account_key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
report_key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
[mqtt]
host = "127.0.0.1"
port = 1883
[collector]
queue_mib = 64
share = false
[desk]
language = "en"
token_believe_s = 0.5
"""
PRESENCE: Final = _json({"online": True, "boot": "01J"})


def _acks() -> list[bytes]:
    journal = journal_of(events=6)
    marks = [journal.mark(seq) for seq in range(7)]
    acks = [
        _json({"epoch": EPOCH, "next": seq + 1, "mark": mark}) for seq, mark in enumerate(marks)
    ]
    (sent,) = Uplink(journal, random.Random(1)).connected(Instant(0.0))
    assert isinstance(sent, Publish)
    refusal = _json({"refused": "not_json", "digest": digest(sent.payload)})
    fork = _json({"epoch": EPOCH, "next": 3, "mark": "e0a9c7d1"})
    beyond = _json({"epoch": EPOCH, "next": 2**60, "mark": "a"})
    return [*acks, refusal, fork, beyond, b"\n".join([acks[3], refusal, acks[2], fork])]


SEEDS: Final[dict[str, list[bytes]]] = {
    "payload": [_json(PULSE), zlib.compress(_json(PULSE)), PRESENCE],
    "topic": [b"kvitok/v1/T-1/journal", b"kvitok/v1/A_b/ack", b"kvitok/v2/T/pulse"],
    "batch": _batches(),
    "pulse": [_json(PULSE), zlib.compress(_json(PULSE))],
    "presence": [PRESENCE, zlib.compress(PRESENCE), _json({"online": False, "boot": "x"})],
    "ack_topic": _acks(),
    "command": [_json({"id": "01J", "at": AT, "expires": AT, "order": "reboot", "args": {}})],
    "program": _program(),
    "ccnet_frames": _ccnet(),
    "note_acceptor": _acceptor(),
    "receipt_printer": _printer(),
    "terminal_file": [CSV.encode(), b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode(), b""],
    "api": _api(),
    "agent_settings": [AGENT_TOML],
    "service_settings": [KVITOK_TOML],
    "mail": [*MAILS],
    "facts": [*TEXTS],
}
