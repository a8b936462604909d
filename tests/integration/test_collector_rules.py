import contextlib
import json
import queue
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.integration.brokers import Broker, start_mosquitto, start_nats
from tests.integration.collecting import (
    CollectorProcess,
    Journal,
    Terminal,
    eventually,
    fault,
    rows,
    stored,
)
from tests.integration.postgres import PostgresServer
from wire.journal import digest

pytestmark = pytest.mark.service


@dataclass
class Service:
    """What the tests of this file share: they use terminals of their own."""

    dsn: str
    broker: Broker
    collector: CollectorProcess


@pytest.fixture(scope="module", params=["mosquitto", "nats"])
def service(
    request: pytest.FixtureRequest,
    postgres_server: PostgresServer,
    _template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """Return a collector with a database, on each broker."""
    broker = start_mosquitto() if request.param == "mosquitto" else start_nats()
    name = f"rules_{request.param}"
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
        connection.execute(f"create database {name} template {_template}".encode())
    dsn = postgres_server.dsn(name)
    collector = CollectorProcess(dsn, broker, tmp_path_factory.mktemp("logs"))
    yield Service(dsn, broker, collector)
    assert collector.stop() == 0, collector.log.read_text()
    broker.close()


@pytest.fixture
def terminal(service: Service) -> Iterator[Terminal]:
    """Return a fresh terminal."""
    one = Terminal(service.broker)
    with contextlib.closing(one):
        yield one


def _clashes(service: Service, terminal: Terminal) -> list[tuple[Any, ...]]:
    query = "select epoch, evidence, seq, times from journal_clash where terminal = %s"
    return list(rows(service.dsn, query, terminal.name))


def test_events_are_stored_in_order_and_acked(service: Service, terminal: Terminal) -> None:
    """Batches in a row are stored and acked with the mark of their last event (rule 1)."""
    journal = Journal()
    journal.faults(30)
    assert terminal.send(journal.batch(1, 10)) == journal.ack(11)
    assert terminal.send(journal.batch(11, 30)) == journal.ack(31)
    assert stored(service.dsn, terminal.name) == [(seq, "fault") for seq in range(1, 31)]
    query = "select registered from terminal where terminal = %s"
    assert rows(service.dsn, query, terminal.name) == [(False,)]


def test_repetitions_overlaps_and_holes_change_nothing(
    service: Service, terminal: Terminal
) -> None:
    """What does not begin at `next` is answered with the cursor and stored nowhere (rule 2)."""
    journal = Journal()
    journal.faults(20)
    assert terminal.send(journal.batch(5, 9)) == journal.ack(1)
    assert rows(service.dsn, "select from journal where terminal = %s", terminal.name) == []
    terminal.send(journal.batch(1, 10))
    for first, last in ((1, 10), (3, 7), (8, 15), (15, 20)):
        assert terminal.send(journal.batch(first, last)) == journal.ack(11)
    assert len(stored(service.dsn, terminal.name)) == 10
    assert _clashes(service, terminal) == []


def test_a_declared_loss_is_stored_as_one_event(service: Service, terminal: Terminal) -> None:
    """`lost_from = next` is taken whatever `prev` says; the range is one row (rule 6)."""
    journal = Journal()
    journal.faults(20)
    terminal.send(journal.batch(1, 5))
    lost = journal.batch(11, 12, lost_from=6)
    assert terminal.send(lost) == journal.ack(13)
    assert terminal.send(lost) == journal.ack(13)
    empty = journal.batch(16, 15, lost_from=13)
    assert terminal.send(empty) == journal.ack(16)
    kinds = [(6, "journal_lost"), (11, "fault"), (12, "fault"), (13, "journal_lost")]
    assert stored(service.dsn, terminal.name)[5:] == kinds
    query = "select body ->> 'through' from event where terminal = %s and kind = 'journal_lost'"
    assert rows(service.dsn, query, terminal.name) == [("10",), ("15",)]


def test_a_loss_from_the_beginning_begins_a_journal(service: Service, terminal: Terminal) -> None:
    """A journal not known before may begin with a loss from 1."""
    journal = Journal()
    journal.faults(9)
    assert terminal.send(journal.batch(8, 9, lost_from=1)) == journal.ack(10)
    kinds = [(1, "journal_lost"), (8, "fault"), (9, "fault")]
    assert stored(service.dsn, terminal.name) == kinds


def test_an_unreadable_loss_is_refused(service: Service, terminal: Terminal) -> None:
    """`lost_from >= first`, and emptiness without a loss, are refused by digest."""
    journal = Journal()
    journal.faults(5)
    for batch in (journal.batch(3, 4, lost_from=3), journal.batch(1, 0)):
        answer = terminal.send(batch)
        assert set(answer) == {"refused", "digest"}
        assert answer["digest"] == digest(json.dumps(batch).encode())
    assert stored(service.dsn, terminal.name) == []


def test_another_history_is_a_fork(service: Service, terminal: Terminal) -> None:
    """`first = next` with a wrong `prev` stores nothing and is kept as evidence (rule 7)."""
    journal, clone = Journal(), Journal()
    clone.epoch, clone.marks = journal.epoch, list(journal.marks)
    journal.faults(5)
    terminal.send(journal.batch(1, 5))
    clone.faults(8)
    clone.marks[5] = "0123456789abcdef"
    assert terminal.send(clone.batch(6, 8)) == journal.ack(6)
    assert terminal.send(clone.batch(6, 8)) == journal.ack(6)
    assert _clashes(service, terminal) == [(journal.epoch, "fork", 6, 2)]


def test_two_epochs_are_both_stored(service: Service, terminal: Terminal) -> None:
    """A smaller epoch that moves after a larger one is stored, acked and kept as evidence."""
    old, new = Journal(1763860000000), Journal(1763860000001)
    old.faults(4)
    new.faults(2)
    assert terminal.send(old.batch(1, 2)) == old.ack(3)
    assert terminal.send(new.batch(1, 2)) == new.ack(3)
    assert _clashes(service, terminal) == []
    assert terminal.send(old.batch(1, 2)) == old.ack(3)
    assert _clashes(service, terminal) == []
    assert terminal.send(old.batch(3, 3)) == old.ack(4)
    assert terminal.send(old.batch(4, 4)) == old.ack(5)
    assert _clashes(service, terminal) == [(old.epoch, "old_epoch", 4, 2)]
    assert len(stored(service.dsn, terminal.name)) == 6


def test_bad_events_never_stop_a_journal(service: Service, terminal: Terminal) -> None:
    """What is no event is quarantined in its place with the reason; the rest is stored."""
    events = [
        fault("good"),
        17,
        {"kind": "fault"},
        fault("x", at="yesterday"),
        {"kind": "cash_accepted", "at": 1, "tx": "1", "amount": 1.5, "currency": "RUB"},
        fault("x", severity="enormous"),
        fault("nul \0"),
        {"kind": "journal_lost", "at": 5, "through": 7},
        {"kind": "quarantined", "at": 5},
        {"kind": "from_the_future", "at": 5, "deep": [{"er": 1e300}], "ч": "ы"},
        fault("extra", more={"unknown": [1, 2, None]}, number=12345678901234567890123),
    ]
    journal = Journal()
    journal.add(*events)
    payload = json.dumps(journal.batch(1, 11)).encode()
    payload = payload.replace(b'"nul ', b'"\\ud800 nul ')
    assert terminal.send(payload) == journal.ack(12)
    kinds = [kind for _, kind in stored(service.dsn, terminal.name)]
    assert kinds == ["fault", *["quarantined"] * 8, "from_the_future", "fault"]
    query = "select seq, reason from quarantine where terminal = %s order by seq"
    reasons = dict(rows(service.dsn, query, terminal.name))
    assert sorted(reasons) == list(range(2, 10))
    assert reasons[7] == "lone_surrogate"
    body = rows(
        service.dsn, "select body from event where terminal = %s and seq = 11", terminal.name
    )
    assert body[0][0]["number"] == 12345678901234567890123
    assert body[0][0]["more"] == {"unknown": [1, 2, None]}


def test_numbers_that_no_database_holds(service: Service, terminal: Terminal) -> None:
    """A number out of range quarantines its event, not its batch."""
    journal = Journal()
    journal.add(fault("a", x=1), fault("b"))
    payload = json.dumps(journal.batch(1, 2)).encode().replace(b'"x": 1', b'"x": 1e999')
    assert terminal.send(payload) == journal.ack(3)
    assert stored(service.dsn, terminal.name) == [(1, "quarantined"), (2, "fault")]


def test_zlib_is_read_everywhere(terminal: Terminal) -> None:
    """A zlib stream is as good as plain JSON."""
    journal = Journal()
    journal.faults(500)
    payload = zlib.compress(json.dumps(journal.batch(1, 500)).encode())
    assert terminal.send(payload) == journal.ack(501)
    pulse = {"at": 1, "epoch": journal.epoch, "next": 502, "unacked": 1, "boot": "b"}
    terminal.publish("pulse", zlib.compress(json.dumps(pulse).encode()))
    assert terminal.acks.get(timeout=5) == journal.ack(501)


def _too_many() -> bytes:
    journal = Journal()
    journal.faults(501)
    return json.dumps(journal.batch(1, 501)).encode()


def _too_long() -> bytes:
    journal = Journal()
    journal.add(*(fault("x", text="y" * 30_000) for _ in range(9)))
    return json.dumps(journal.batch(1, 9)).encode()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"garbage", "not_json_not_zlib"),
        (b"{", "not_json"),
        (b'{"epoch": NaN}', "not_json"),
        (b'{"epoch": "1"}', "bad_batch: epoch: int_type"),
        (b'{"a": "\xff"}', "not_utf8"),
        (zlib.compress(b"[]"), "not_an_object"),
        (zlib.compress(b"{" + b" " * 2_000_000), "too_large"),
        (b"{" + b" " * 1_500_000, "too_large"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "too_deep"),
        (_too_many(), "too_many_events"),
        (_too_long(), "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_garbage_is_refused_by_digest(
    service: Service, terminal: Terminal, payload: bytes, reason: str
) -> None:
    """A payload that is no batch is answered with the reason and its digest, and kept as these."""
    assert terminal.send(payload) == {"refused": reason, "digest": digest(payload)}
    query = "select reason, digest, size_bytes from refusal where terminal = %s"
    kept = eventually(lambda: rows(service.dsn, query, terminal.name))
    assert kept == [(reason, digest(payload), len(payload))]
    journal = Journal()
    journal.faults(1)
    assert terminal.send(journal.batch(1, 1)) == journal.ack(2)


@pytest.mark.parametrize("channel", ["pulse", "presence"])
def test_garbage_elsewhere_is_counted_and_harmless(
    service: Service, terminal: Terminal, channel: str
) -> None:
    """Garbage on the other topics is refused, and the terminal is served as before."""
    for payload in (b"garbage", b"{}", b'{"at": 1e999}', b'{"boot": "\\ud800", "online": true}'):
        terminal.publish(channel, payload)
    query = "select channel from refusal where terminal = %s"
    eventually(lambda: len(rows(service.dsn, query, terminal.name)) == 4)
    journal = Journal()
    journal.faults(1)
    assert terminal.send(journal.batch(1, 1)) == journal.ack(2)


def test_no_account_is_stored(service: Service, terminal: Terminal) -> None:
    """No account number reaches a table or the log: known, unknown and unreadable events alike."""
    number = "9165550167"
    journal = Journal()
    start = {"kind": "transaction_started", "at": 1, "tx": "1", "service": "mts"}
    journal.add(
        {**start, "account": f"+7{number}"},
        {**start, "account": int(number)},
        {"kind": "from_the_future", "at": 5, "a": [{"account": {"x": [number]}}]},
        {"kind": "fault", "account": number},
        [{"account": number}],
    )
    pulse = {"at": 1, "epoch": 1, "next": 1, "unacked": 0, "boot": "b", "account": number}
    terminal.publish("pulse", json.dumps(pulse).encode())
    assert terminal.send(journal.batch(1, 5)) == journal.ack(6)
    terminal.send(json.dumps(journal.batch(1, 5)).replace("}", "", 1).encode())
    known = "select pulse from terminal_now where terminal = %s and pulse is not null"
    eventually(lambda: rows(service.dsn, known, terminal.name))
    tables = "select table_name from information_schema.tables where table_schema = 'public'"
    for (table,) in rows(service.dsn, tables):
        text = str(rows(service.dsn, f"table {table}"))
        assert number not in text
    assert number not in service.collector.log.read_text()
    masks = "select body -> 'account' ->> 'masked' from event where terminal = %s and seq = 1"
    assert rows(service.dsn, masks, terminal.name) == [("+7 916 ***-**-67",)]


def test_a_clock_that_is_wrong_is_marked(service: Service, terminal: Terminal) -> None:
    """An event's time outside the bounds gives way to the time received; the raw one is kept."""
    now = time.time_ns() // 1_000_000
    journal = Journal()
    day = 86_400_000
    journal.add(*(fault("x", at=at) for at in (5, now - 364 * day, now + 400_000, 2**53)))
    terminal.send(journal.batch(1, 4))
    query = """
      select body ->> 'clock' is not null, at = received_at, (body ->> 'at')::bigint
      from event where terminal = %s order by seq
    """
    assert rows(service.dsn, query, terminal.name) == [
        (True, True, 5),
        (False, False, now - 364 * day),
        (True, True, now + 400_000),
        (True, True, 2**53),
    ]


def test_a_pulse_is_answered_once_in_five_seconds(service: Service, terminal: Terminal) -> None:
    """A pulse with something unacknowledged is answered for its epoch, and creates no journal."""
    pulse = {"at": 1, "epoch": 77, "next": 5, "unacked": 4, "boot": "b1", "interval_s": 30}
    for _ in range(3):
        terminal.publish("pulse", json.dumps(pulse).encode())
    assert terminal.acks.get(timeout=5) == {"epoch": 77, "next": 1, "mark": "77"}
    with pytest.raises(queue.Empty):
        terminal.acks.get(timeout=1)
    assert rows(service.dsn, "select from journal where terminal = %s", terminal.name) == []
    query = "select pulse ->> 'interval_s', boot, online from terminal_now where terminal = %s"
    assert rows(service.dsn, query, terminal.name) == [("30", "b1", True)]


def test_presence_follows_the_boot(service: Service, terminal: Terminal) -> None:
    """An offline of another boot than the current one is ignored."""

    def say(boot: str, *, online: bool) -> None:
        text = json.dumps({"online": online, "boot": boot})
        terminal.publish("presence", text.encode(), retain=True)

    def becomes(boot: str, *, online: bool) -> None:
        query = "select boot, online from terminal_now where terminal = %s"
        eventually(lambda: rows(service.dsn, query, terminal.name) == [(boot, online)])

    say("b1", online=True)
    becomes("b1", online=True)
    say("b1", online=False)
    becomes("b1", online=False)
    say("b2", online=True)
    becomes("b2", online=True)
    say("b1", online=False)
    time.sleep(0.6)
    becomes("b2", online=True)


def test_hostile_terminals_do_not_hold_up_others(service: Service, terminal: Terminal) -> None:
    """A flood of garbage is bounded in the table, and another terminal gets its acks."""
    hostile = Terminal(service.broker)
    with contextlib.closing(hostile):
        for number in range(300):
            hostile.publish("journal", f"garbage {number}".encode())
        journal = Journal()
        journal.faults(1)
        assert terminal.send(journal.batch(1, 1)) == journal.ack(2)
    count = "select count(*) from refusal where terminal = %s"
    assert eventually(lambda: rows(service.dsn, count, hostile.name)[0][0]) <= 50
