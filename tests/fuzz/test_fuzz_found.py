"""What fuzzing has found, each by name: inputs that once broke a program."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.commands import reply_to
from agent.inbox import INBOX_BYTES_MAX, Inbox
from agent.program import _line
from agent.requests import read_line
from agent.settings import SettingsWrong, load_settings
from desk.metrics import REQUESTS
from desk.queries.quarantine import _masked
from desk.registration import Registration
from desk.reports.taking import mailed
from kvitok.settings import SettingsError, load
from kvitok.terminals import read_csv
from tests.fuzz.seeds import AGENT_TOML
from tests.fuzz.targets_desk import api


def test_an_order_whose_id_is_half_a_character_does_not_end_the_agent() -> None:
    """A lone surrogate in `id` made an answer that could not be encoded: now it is no id."""
    for name in ('"\\ud800"', '"a\\udfff"', '"\\u0000"'):
        assert reply_to(f'{{"id":{name},"order":"reboot"}}'.encode()) is None


def test_half_a_character_from_the_payment_program_does_not_end_the_agent() -> None:
    """A lone surrogate in `ref`, `tx` or a field's name goes back as the escape that it was."""
    ref = read_line(b'{"do":"stop_cash","ref":"\\ud800"}', at=1).ref
    line = _line({"ok": True, "ref": ref})
    assert line == b'{"ok":true,"ref":"\\ud800"}\n'
    assert json.loads(line)["ref"] == ref


@pytest.mark.parametrize("zone", [[], {}, [["Europe/Moscow"]], 5, True])
def test_a_timezone_that_is_no_text_is_refused(zone: object) -> None:
    """A list as `timezone` was an error 500: it has no hash."""
    with pytest.raises(ValidationError, match="IANA name"):
        Registration.of({"terminal": "A", "timezone": zone})


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 1 Jan 99999999999999999999 00:00:00 +0000",
        "Mon, 1 Jan 2020 00:00:00 +99999999999999",
        "1 Jan 2020 99999999999:0:0 +0000",
    ],
)
def test_a_mail_of_an_impossible_date_is_taken_without_one(date: str) -> None:
    """A customer's mail was lost in an error 500 for its year, hour or zone."""
    raw = f"Date: {date}\r\n\r\nNo receipt".encode()
    assert mailed(raw, datetime(2026, 11, 23, tzinfo=UTC)).reported_at is None


def test_methods_that_nobody_knows_are_counted_as_one() -> None:
    """Each new method made a metric that was never forgotten: memory for the asking."""
    for number in range(300):
        api(f"X{number} /api/v1/terminals\n\n".encode())
    methods = {
        sample.labels.get("method") for each in REQUESTS.collect() for sample in each.samples
    }
    assert "other" in methods
    assert not any(str(each).startswith("X") for each in methods)


def test_a_body_that_is_announced_with_thousands_of_digits_is_too_large() -> None:
    """Python reads no such integer; the answer is 413, not a closed connection."""
    api(b"POST /api/v1/reports\napplication/json\t\t\t" + b"9" * 5000 + b"\n{}")


def test_a_header_of_a_hundred_thousand_columns_is_refused_at_once() -> None:
    """Each name was compared with each: ten seconds for 200 KB, an hour for a few MB."""
    reading = read_csv(b"terminal," + b"a," * 1_000_000)
    assert len(reading.wrong) == 1


def test_a_message_quotes_only_the_beginning_of_a_long_cell() -> None:
    """A cell of 100 KB filled the screen of whoever imported the file."""
    long = b"x" * 100_000
    for content in (b"terminal\n" + long, long + b"\nA", long + b"," + long + b"\nA,B"):
        assert all(len(str(each)) < 400 for each in read_csv(content).wrong)


NO_TOML = (b"a=" + b"[" * 5000, b"a=" + b"9" * 5000, b"\xff", b"a=1\na=2")


@pytest.mark.parametrize("content", NO_TOML)
def test_no_settings_file_is_answered_by_a_traceback(tmp_path: Path, content: bytes) -> None:
    """Too deep and too many digits were no TOML errors to the reader of TOML."""
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsWrong):
        load_settings(path)
    with pytest.raises(SettingsError):
        load(path, {})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('password = "p"', 'password_file = "\\u0000"'),
        ('"journal.db"', '"\\u0000"'),
        ('"journal.db"', '"~nobody-of-this-name/j"'),
        ('"cp866"', '"undefined"'),
        ('"cp866"', '"idna"'),
        ('"cp866"', '"\\u0000"'),
    ],
)
def test_an_odd_path_or_encoding_in_agent_toml_is_named(tmp_path: Path, old: str, new: str) -> None:
    """A NUL, a home that is not there, an encoding that encodes nothing: the key is said."""
    path = tmp_path / "agent.toml"
    text = AGENT_TOML.decode().replace(old, new)
    assert new in text
    path.write_text(text)
    with pytest.raises(SettingsWrong, match=r"path|password_file|encoding"):
        load_settings(path)


def test_a_secret_s_file_with_an_odd_name_is_named(tmp_path: Path) -> None:
    """The same for `<key>_file` in kvitok.toml."""
    path = tmp_path / "kvitok.toml"
    path.write_text('[mqtt]\npassword_file = "\\u0000"')
    with pytest.raises(SettingsError, match="password_file"):
        load(path, {})


def test_a_broker_that_floods_the_agent_fills_only_its_share() -> None:
    """10,000 messages of 1 MiB could wait for a loop that was busy; now 4 MiB of them."""
    inbox: Inbox[bytes] = Inbox()
    try:
        payload = bytes(1024 * 1024)
        assert sum(inbox.offer(payload, size=len(payload)) for _ in range(100)) == 4
        assert not inbox.offer(payload, size=INBOX_BYTES_MAX + 1)
        inbox.put(b"the line is down")
        assert len(inbox.take()) == 5
        assert inbox.offer(payload, size=len(payload))
    finally:
        for each in (inbox.file, inbox._wake):  # noqa: SLF001 - its other end
            each.close()


@pytest.mark.parametrize("levels", [5, 150, 500, 900, 950, 5000])
def test_a_deep_event_in_quarantine_hides_no_list_and_shows_no_hash(levels: int) -> None:
    """One event of 500 lists inside each other made the list of what cannot be read an error 500.

    A deeper one went out as it was kept, with the hash of its account.
    """
    kept = "[" * levels + '{"account":{"masked":"***","hash":"0a0b0c"}}' + "]" * levels
    shown = _masked(kept)
    assert "0a0b0c" not in shown
    json.loads(shown)
