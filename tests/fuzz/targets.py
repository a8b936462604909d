"""One function a parser that faces the outside: bytes in, its law asserted, nothing returned.

The law of all: a value or a named refusal, never another exception; what is accepted can be stored.
`tests/fuzz/test_fuzz_targets.py` calls them with Hypothesis, `scripts/fuzz` with atheris.
"""

import atexit
import contextlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from agent.settings import SettingsWrong, load_settings
from collector import validators
from collector.admission import Taken, ack, admit
from collector.pulses import Bulletin
from collector.reading import (
    CLOCK_AHEAD_MAX,
    CLOCK_BEHIND_MAX,
    KIND_CHARACTERS_MAX,
    Readable,
    Refused,
    Told,
    read_batch,
    read_told,
    rule_time,
)
from desk.registration import COLUMNS, Registration
from kvitok.settings import SECTIONS, SettingsError, load
from kvitok.terminals import read_csv
from tests.fuzz import laws
from tests.fuzz.targets_agent import ack_topic, command, program
from tests.fuzz.targets_desk import api
from tests.fuzz.targets_devices import ccnet_frames, note_acceptor, receipt_printer
from tests.fuzz.targets_mail import facts, mail
from wire import codec
from wire.journal import Refusal
from wire.limits import BATCH_EVENTS_MAX, NUMBER_MAX, PAYLOAD_BYTES_MAX
from wire.topics import TerminalId, read_topic

Target = Callable[[bytes], None]

NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY: Final = b"0123456789abcdef0123456789abcdef"


def payload(data: bytes) -> None:
    """Read a payload of any topic."""
    plain = codec.unpack(data)
    if isinstance(plain, bytes):
        assert plain[:1] == b"{"
        assert len(plain) <= PAYLOAD_BYTES_MAX
    read = codec.read(data)
    if isinstance(read, codec.PayloadRefused):
        laws.is_named(read.reason)
        return
    # Out of a double's range, a lone surrogate, too deep: for the reader of the message to judge.
    with contextlib.suppress(ValueError, RecursionError):
        assert codec.read(codec.encode(read)) == read


def topic(data: bytes) -> None:
    """Read a topic."""
    found = read_topic(data.decode("utf-8", "replace"))
    if found is not None:
        assert re.fullmatch("[A-Za-z0-9_-]{1,32}", found[0])
        assert "/".join(("kvitok/v1", *found)).encode() == data


def batch(data: bytes) -> None:
    """Read a `journal` payload, and admit it to a journal not known before."""
    read = read_batch(data, NOW, KEY)
    if isinstance(read, Refused):
        _refused(read)
        return
    _readable(read)
    decision = admit(None, read.batch, len(read.rows))
    assert decision.cursor.next <= NUMBER_MAX + 1
    answer = json.loads(ack(read.batch.epoch, decision.cursor))
    assert answer["epoch"] == read.batch.epoch
    if isinstance(decision, Taken):
        assert answer["next"] == read.batch.first + len(read.rows)


def _readable(read: Readable) -> None:
    head, rows = read.batch, read.rows
    assert 0 <= head.epoch <= NUMBER_MAX
    assert 1 <= head.first <= head.first + len(rows) <= NUMBER_MAX
    assert len(rows) <= BATCH_EVENTS_MAX
    assert rows or head.lost_from is not None
    assert head.lost_from is None or 1 <= head.lost_from < head.first
    for mark in (head.prev, head.last):
        assert re.fullmatch("[0-9a-fA-F]{1,16}", mark)
    bad = {each.seq: each for each in read.quarantined}
    assert len(bad) == len(read.quarantined)
    for seq, row in enumerate(rows, head.first):
        assert 0 < len(row.kind) <= KIND_CHARACTERS_MAX
        laws.is_text(row.kind)
        assert NOW - CLOCK_BEHIND_MAX <= row.at <= NOW + CLOCK_AHEAD_MAX
        body = laws.json_of(row.body)
        assert body["kind"] == row.kind
        laws.is_storable(body)
        laws.is_masked(body)
        assert (seq in bad) == (row.kind == "quarantined")
    for each in read.quarantined:
        assert head.first <= each.seq < head.first + len(rows)
        laws.is_named(each.reason)
        assert each.body.isascii()
        laws.is_masked(json.loads(each.body))


def _refused(refused: Refused) -> None:
    laws.is_named(refused.reason)
    assert re.fullmatch("[0-9a-f]{16}", refused.digest)
    codec.encode(Refusal(refused=refused.reason, digest=refused.digest))


def _told(data: bytes, check: validators.Validator) -> Told | None:
    told = read_told(data, check, KEY)
    if isinstance(told, Refused):
        _refused(told)
        return None
    body = laws.json_of(told.body)
    laws.is_storable(body)
    laws.is_masked(body)
    laws.is_text(told.fields["boot"])
    assert 0 < len(told.fields["boot"]) <= 64
    if told.left_out is not None:
        laws.is_named(told.left_out)
    return told


def pulse(data: bytes) -> None:
    """Read a `pulse` payload and put it into a bulletin."""
    told = _told(data, validators.PULSE)
    if told is None:
        return
    fields = told.fields
    for name in ("at", "epoch", "next", "unacked"):
        assert 0 <= fields[name] <= NUMBER_MAX
    bulletin = Bulletin()
    bulletin.pulse(
        TerminalId("T1"),
        fields["boot"],
        told.body,
        at=rule_time(fields["at"], NOW) or NOW,
        received_at=NOW,
        interval_s=fields.get("interval_s"),
    )
    assert bulletin.take()[TerminalId("T1")].pulse == told.body


def presence(data: bytes) -> None:
    """Read a `presence` payload."""
    told = _told(data, validators.PRESENCE)
    assert told is None or isinstance(told.fields["online"], bool)


def terminal_file(data: bytes) -> None:
    """Read the CSV file of `kvitok terminal import`."""
    reading = read_csv(data)
    for wrong in reading.wrong:
        assert wrong.line >= 1
        text = str(wrong)
        assert text.isprintable()
        assert len(text) <= 1000
    names = [row.terminal for row in reading.rows]
    assert len(set(names)) == len(names)
    for row in reading.rows:
        _registration(row)


def _registration(row: Registration) -> None:
    assert re.fullmatch("[A-Za-z0-9_-]{1,32}", row.terminal)
    for name in COLUMNS:
        laws.is_argument(getattr(row, name))
    assert row.lat is None or -90 <= row.lat <= 90
    assert row.lon is None or -180 <= row.lon <= 180


def agent_settings(data: bytes) -> None:
    """Read `agent.toml`."""
    if _names_a_device_file(data):
        return
    path = _folder() / "agent.toml"
    path.write_bytes(data)
    try:
        load_settings(path)
    except SettingsWrong as wrong:
        laws.is_told(wrong)


def service_settings(data: bytes) -> None:
    """Read `kvitok.toml`, every section of it."""
    if _names_a_device_file(data):
        return
    path = _folder() / "kvitok.toml"
    path.write_bytes(data)
    try:
        found = load(path, {})
    except SettingsError as error:
        laws.is_told(error)
        return
    for kind in SECTIONS.values():
        with contextlib.suppress(SettingsError):
            found.section(kind)


def _names_a_device_file(data: bytes) -> bool:
    # `password_file = "/dev/zero"` is the administrator's own endless password.
    return any(each in data for each in (b"/dev", b"/proc", b"/sys", b".."))


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="kvitok-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


TARGETS: Final[dict[str, Target]] = {
    each.__name__: each
    for each in (
        payload,
        topic,
        batch,
        pulse,
        presence,
        ack_topic,
        command,
        program,
        ccnet_frames,
        note_acceptor,
        receipt_printer,
        terminal_file,
        api,
        agent_settings,
        service_settings,
        mail,
        facts,
    )
}
