import contextlib
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from sql.roles import ROLES, ensure_roles
from tests.integration.brokers import Broker, start_mosquitto
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

TERMINALS = 8
EVENTS = 120


@pytest.fixture
def broker() -> Iterator[Broker]:
    """Return a Mosquitto of the test's own."""
    one = start_mosquitto()
    yield one
    one.close()


def _sell(terminal: Terminal, journal: Journal) -> None:
    """Send a journal in batches as a terminal does, resending until each is acknowledged."""
    for first in range(1, EVENTS + 1, 5):
        terminal.send_until_acked(journal.batch(first, first + 4), first + 5)


@contextlib.contextmanager
def _traffic(broker: Broker) -> Iterator[list[tuple[Terminal, Journal]]]:
    """Let terminals send their journals beside the test; at the end all are acknowledged."""
    fleet = [(Terminal(broker), Journal(1763860000000 + number)) for number in range(TERMINALS)]
    with ThreadPoolExecutor(TERMINALS) as pool:
        for _, journal in fleet:
            journal.faults(EVENTS)
        running = [pool.submit(_sell, *each) for each in fleet]
        yield fleet
        for each in running:
            each.result(timeout=90)
    for terminal, _ in fleet:
        terminal.close()


def _exactly_once(dsn: str, fleet: list[tuple[Terminal, Journal]]) -> None:
    for terminal, journal in fleet:
        expected = [(seq, "fault") for seq in range(1, EVENTS + 1)]
        assert stored(dsn, terminal.name) == expected
        query = "select body ->> 'code' from event where terminal = %s order by seq"
        codes = [row[0] for row in rows(dsn, query, terminal.name)]
        assert codes == [event["code"] for event in journal.events]
    assert rows(dsn, "select from journal_clash") == []


def test_kill_9_in_mid_traffic(database: str, broker: Broker, tmp_path: Path) -> None:
    """A collector that dies at any instant loses nothing and stores nothing twice."""
    collector = CollectorProcess(database, broker, tmp_path)
    with _traffic(broker) as fleet:
        for _ in range(4):
            time.sleep(0.4)
            collector.kill()
            collector.start()
    _exactly_once(database, fleet)
    assert collector.stop() == 0


def test_two_collectors_at_once(database: str, broker: Broker, tmp_path: Path) -> None:
    """Two collectors that both see everything, and die in turn, still store each event once."""
    first = CollectorProcess(database, broker, tmp_path, "first", share=False)
    second = CollectorProcess(database, broker, tmp_path, "second", share=False)
    with _traffic(broker) as fleet:
        for each in (first, second):
            time.sleep(0.4)
            each.kill()
            each.start()
    _exactly_once(database, fleet)
    assert [first.stop(), second.stop()] == [0, 0]


def test_collectors_share_the_work(database: str, broker: Broker, tmp_path: Path) -> None:
    """Where the broker delivers to shared subscriptions, each batch reaches one collector."""
    both = [CollectorProcess(database, broker, tmp_path, name) for name in ("first", "second")]
    with _traffic(broker) as fleet:
        pass
    _exactly_once(database, fleet)
    for each in both:
        assert "$share/collectors/" in each.log.read_text()
        assert each.stop() == 0
    names = rows(database, "select collector from listening order by 1")
    assert names == [("first",), ("second",)]


def test_the_database_crashes(
    database: str, broker: Broker, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    """A database that crashes and comes back costs only time."""
    collector = CollectorProcess(database, broker, tmp_path)
    with _traffic(broker) as fleet:
        time.sleep(0.5)
        postgres_server.stop()
        time.sleep(1.0)
        postgres_server.start()
    _exactly_once(database, fleet)
    assert "the database cannot commit" in collector.log.read_text()
    assert collector.stop() == 0


def test_connections_are_cut_at_commit(database: str, broker: Broker, tmp_path: Path) -> None:
    """A commit whose answer is lost is found out and acknowledged."""
    collector = CollectorProcess(database, broker, tmp_path)
    stop = threading.Event()

    def cut() -> None:
        kill = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s"
        with psycopg.connect(database, autocommit=True) as connection:
            while not stop.wait(0.15):
                connection.execute(kill, ["collector"])

    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        with _traffic(broker) as fleet:
            time.sleep(1.5)
            stop.set()
    finally:
        stop.set()
        cutter.join()
    _exactly_once(database, fleet)
    assert collector.stop() == 0


def test_the_broker_forgets_everything(database: str, broker: Broker, tmp_path: Path) -> None:
    """After a restart of the broker the collector subscribes again by itself."""
    collector = CollectorProcess(database, broker, tmp_path)
    broker.stop()
    broker.start()
    terminal, journal = Terminal(broker), Journal()
    with contextlib.closing(terminal):
        journal.faults(5)
        terminal.send_until_acked(journal.batch(1, 5), 6)
    assert stored(database, terminal.name) == [(seq, "fault") for seq in range(1, 6)]
    assert collector.stop() == 0


def test_what_the_broker_kept_is_no_sign_of_life(
    database: str, broker: Broker, tmp_path: Path
) -> None:
    """Presence that was retained before the collector came changes state, not the time heard."""
    terminal = Terminal(broker)
    with contextlib.closing(terminal):
        online = json.dumps({"online": True, "boot": "b1"}).encode()
        terminal.publish("presence", online, retain=True)
        collector = CollectorProcess(database, broker, tmp_path)
        pulse = {"at": 1, "epoch": 1, "next": 1, "unacked": 0, "boot": "b1"}
        terminal.publish("pulse", json.dumps(pulse).encode())
        query = "select heard_at, online from terminal_now where terminal = %s"
        before = eventually(lambda: rows(database, query, terminal.name))
        collector.stop()
        terminal.publish("presence", b'{"online": false, "boot": "b1"}', retain=True)
        collector.start()
        eventually(lambda: rows(database, query, terminal.name) == [(before[0][0], False)])
    assert collector.stop() == 0


def test_it_works_as_its_own_role(database: str, broker: Broker, tmp_path: Path) -> None:
    """The rights of kvitok_collector suffice for all that it does."""
    ensure_roles(database, dict.fromkeys(ROLES, "secret"))
    dsn = database.replace("postgres@", "kvitok_collector:secret@")
    collector = CollectorProcess(dsn, broker, tmp_path)
    terminal, journal = Terminal(broker), Journal()
    with contextlib.closing(terminal):
        journal.add({"kind": "fault"})
        journal.faults(4)
        assert terminal.send(journal.batch(1, 5)) == journal.ack(6)
        clash = {**journal.batch(1, 5), "first": 6}
        assert terminal.send(clash) == journal.ack(6)
        terminal.publish("pulse", b"garbage")
        eventually(lambda: rows(database, "select from refusal"))
    assert len(rows(database, "select from journal_clash")) == 1
    log = collector.log.read_text()
    assert "cannot" not in log, log
    assert "5 made, 0 dropped" in log
    assert collector.stop() == 0


POISON = """
create function poison() returns trigger language plpgsql as $$
begin
  if new.body ->> 'code' = 'poison' then raise 'as if it could not be held' using errcode = '22000';
  end if;
  return new;
end $$;
create trigger poison before insert on event for each row execute function poison();
"""


def test_an_unstorable_batch_stops_nobody_else(
    database: str, broker: Broker, tmp_path: Path
) -> None:
    """Of a commit that PostgreSQL refuses, all is stored but the batch at fault, which is told."""
    collector = CollectorProcess(database, broker, tmp_path)
    fleet = [(Terminal(broker), Journal(1763860000000 + number)) for number in range(24)]
    bad, bad_journal = fleet[15]
    for terminal, journal in fleet:
        journal.faults(2)
        if terminal is bad:
            journal.events[1] = fault("poison")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(POISON)
        # What comes while the first commits wait comes together in the next ones.
        with connection.transaction():
            connection.execute("lock table journal in exclusive mode")
            for terminal, journal in fleet:
                terminal.publish("journal", json.dumps(journal.batch(1, 2)).encode())
            time.sleep(0.2)
    for terminal, journal in fleet:
        answer = terminal.acks.get(timeout=15)
        if terminal is bad:
            payload = json.dumps(bad_journal.batch(1, 2)).encode()
            assert answer == {"refused": "unstorable", "digest": digest(payload)}
        else:
            assert answer == journal.ack(3)
        expected = [] if terminal is bad else [(1, "fault"), (2, "fault")]
        assert stored(database, terminal.name) == expected
        terminal.close()
    # Its halves went in together, so there were some.
    query = "select count(distinct xmin::text) from event"
    assert rows(database, query)[0][0] < len(fleet) - 1
    assert f"a batch of {bad.name} cannot be stored" in collector.log.read_text()
    # Half of it, as the agent does next, is taken.
    again = Terminal(broker, bad.name)
    with contextlib.closing(again):
        assert again.send(bad_journal.batch(1, 1)) == bad_journal.ack(2)
    assert collector.stop() == 0
