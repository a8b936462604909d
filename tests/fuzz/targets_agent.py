"""Fuzzing of what an agent hears: from the service on `ack` and `command`, and from the program."""

import json
import random
from functools import cache
from typing import Any, Final, cast

from agent.checking import Wrong
from agent.clock import ClockWatch
from agent.commands import reply_to
from agent.devices.escpos.text import encode_text
from agent.devices.machine import Instant, NoteStacked
from agent.effects import Answer, Client, Effect, Print, Tell
from agent.journal import Journal, Limits
from agent.kiosk import Equipment, Kiosk
from agent.program import _Connection, _line, _taken
from agent.requests import LINE_BYTES_MAX, Asked, read_line
from agent.shape import Entry
from agent.uplink import Forked, Outcome, Publish, Uplink
from collector.reading import Readable, read_batch
from tests.fuzz import laws
from tests.fuzz.tape import Tape, portions
from tests.unit.agent.store_memory import MemoryStore
from wire.codec import encode

NOW_MS: Final = 1_795_435_200_000
EPOCH: Final = 1_763_860_000_000
MESSAGES_MAX: Final = 8
PORTIONS_MAX: Final = 64
LINES_MAX: Final = 40
"""More of the same shows nothing new and costs the fuzzer its speed."""
PROGRAM: Final = Client(1)


@cache
def _store_of(events: int) -> MemoryStore:
    store = MemoryStore()
    journal = Journal(store, at=EPOCH, limits=Limits())
    for number in range(events):
        event = {"kind": "fault", "at": NOW_MS, "component": "a", "severity": "warning"}
        data = json.dumps({**event, "code": str(number)}).encode()
        journal.append([Entry(at=NOW_MS, money=False, event=data)])
    return store


def journal_of(events: int) -> Journal:
    """Return a journal with so many plain events, the same each time."""
    return Journal(_store_of(events).copy(), at=EPOCH, limits=Limits())


def ack_topic(data: bytes) -> None:
    """Hear messages on `ack`, a line each: what is sent then can be read, and it goes on."""
    journal = journal_of(events=6)
    uplink = Uplink(journal, random.Random(1))
    now = Instant(0.0)
    told: list[Outcome] = [*uplink.connected(now)]
    for message in data.split(b"\n")[:MESSAGES_MAX]:
        epoch = journal.epoch
        outcomes = uplink.received(message, now=now, at=EPOCH + 1)
        assert (journal.epoch > epoch) == any(isinstance(each, Forked) for each in outcomes)
        told += outcomes
        due = uplink.deadline()
        if due is not None:
            now = max(now, due)
            told += uplink.elapsed(now)
        assert 0 <= uplink.unacked < journal.next
        assert (uplink.deadline() is not None) == (uplink.unacked > 0)
    assert len(told) <= 1 + 3 * MESSAGES_MAX
    for outcome in told:
        if isinstance(outcome, Publish):
            _is_taken(outcome.payload)


def _is_taken(payload: bytes) -> None:
    """See that the service reads a batch whole: nothing refused, nothing quarantined."""
    read = read_batch(payload, laws.moment(NOW_MS), b"key")
    assert isinstance(read, Readable), read
    assert read.quarantined == []


def command(data: bytes) -> None:
    """Hear an order: the answer to it can be sent."""
    reply = reply_to(data)
    if reply is not None:
        payload = encode(reply)
        assert len(payload) <= 2048
        assert json.loads(payload)["id"] == reply.id


def program(data: bytes) -> None:
    """Hear a payment program's stream: each line has an answer that can be sent, nothing grows.

    What it makes the agent write into the journal, the service takes.
    """
    tape = Tape(data)
    # Byte by byte only what is short: the rest is for the parser, not for the copying of portions.
    size = max(tape.byte() * 257 + 1, len(data) // PORTIONS_MAX)
    journal = journal_of(events=0)
    now = Instant(100.0)
    kiosk = Kiosk(journal, Equipment(acceptor=True, printer=True), ClockWatch(at=NOW_MS, now=now))
    connection = _Connection(PROGRAM, cast("Any", None))
    lines = 0
    for portion in portions(tape.take(len(data)), size):
        connection.input += portion
        for line in _taken(connection):
            lines += 1
            if lines > LINES_MAX:
                return
            asked = Asked(line) if isinstance(line, Wrong) else read_line(line, at=NOW_MS)
            effects = kiosk.asked(PROGRAM, asked, at=NOW_MS, now=now)
            assert any(isinstance(each, Answer) for each in effects)
            _effects(effects)
            note = NoteStacked(amount=10_000, currency="RUB")
            _effects(kiosk.device(note, at=NOW_MS, now=now))
        assert len(connection.input) <= LINE_BYTES_MAX
    uplink = Uplink(journal, random.Random(1))
    for outcome in uplink.connected(now):
        assert isinstance(outcome, Publish)
        _is_taken(outcome.payload)


def _effects(effects: Any) -> None:
    each: Effect
    for each in effects:
        if isinstance(each, Answer | Tell):
            line = _line(each.message)
            assert line.count(b"\n") == 1
            assert json.loads(line) == each.message
        elif isinstance(each, Print):
            assert all(byte == 0x0A or byte >= 0x20 for byte in encode_text(each.text, "cp866"))
