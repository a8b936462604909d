"""What fuzzing has found, each by name: inputs that once broke a program."""

import json

import pytest
from pydantic import ValidationError

from agent.commands import reply_to
from agent.program import _line
from agent.requests import read_line
from desk.api.reports import _sent_at
from desk.metrics import REQUESTS
from desk.registration import Registration
from kvitok.terminals import read_csv
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
    assert _sent_at(f"Date: {date}\r\n\r\nNo receipt".encode()) is None


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
    for content in (b"terminal\n" + b"x" * 100_000, b"x" * 100_000 + b"\nA"):
        assert all(len(str(each)) < 400 for each in read_csv(content).wrong)
