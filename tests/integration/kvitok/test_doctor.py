"""What `kvitok doctor` says of the fold and the desk, on a real database."""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from kvitok.cli import status_of
from tests.integration.postgres import free_port

pytestmark = pytest.mark.service

JOURNAL = "insert into journal (terminal, epoch, next_seq, mark) values ('T1', 1, 3, 'm')"
EVENT = """
insert into event (terminal, epoch, seq, kind, at, received_at, body)
values ('T1', 1, %s, 'x', %s, %s, '{}')
"""
POSITION = """
insert into fold_position (terminal, epoch, next_seq, received_at) values ('T1', 1, %s, %s)
"""

CASE = """
insert into support_case (number, topic, state, opened_at, due_at, opened_by, changed_at)
values ('K-2026-000001', 'report', 'open', now(), now(), 'mail', now())
"""
REPORT = """
insert into report (channel, received_at, status, content)
values ('mail', now() - interval '20 minutes', 'needs_facts', '')
"""
MAIL = """
insert into mail_out (kind, case_number, number, report, customer, content, created_at, due_at)
select 'answer', 'K-2026-000001', 1, id, 'c', '', now(), now() from report
"""


@contextlib.contextmanager
def folding(dsn: str) -> Iterator[None]:
    """Be connected as the fold is."""
    with psycopg.connect(dsn, application_name="kvitok incidents", autocommit=True):
        yield


class Doctor:
    """The command, on one database, with no broker and no desk."""

    def __init__(self, dsn: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.config = folder / "kvitok.toml"
        self.config.write_text(
            f'[database]\ndsn = "{dsn}"\n[mqtt]\nhost = "127.0.0.1"\nport = {free_port()}\n'
            f'[secrets]\naccount_key = "{"0" * 64}"\n[desk]\nport = {free_port()}\n'
        )

    def says(self, what: str) -> tuple[str, str]:
        """Return grade and text of one line."""
        assert status_of(["doctor", "--json", "--config", str(self.config)]) == 1
        lines = json.loads(self.capsys.readouterr().out)
        return next((each["grade"], each["text"]) for each in lines if each["what"] == what)


def test_a_fold_that_is_away_or_behind_is_found(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It must be connected, and no stored row may wait for it longer than a minute."""
    doctor = Doctor(database, tmp_path, capsys)
    grade, text = doctor.says("incidents")
    assert (grade, "`kvitok serve`" in text) == ("FAIL", True)
    now = datetime.now(UTC)
    old, fresh = now - timedelta(seconds=90), now - timedelta(seconds=5)
    with folding(database), psycopg.connect(database, autocommit=True) as connection:
        assert doctor.says("incidents")[0] == "OK"
        connection.execute(JOURNAL)
        connection.execute(EVENT, (1, old, old))
        connection.execute(EVENT, (2, fresh, fresh))
        grade, text = doctor.says("incidents")
        assert (grade, "1 journals" in text, "see its log" in text) == ("FAIL", True, True)
        connection.execute(POSITION, (2, old))
        assert doctor.says("incidents")[0] == "OK"


def test_a_desk_that_does_not_answer_is_found(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The address is named, and what to do."""
    grade, text = Doctor(database, tmp_path, capsys).says("desk")
    assert (grade, "start it" in text, "127.0.0.1:" in text) == ("FAIL", True, True)


def test_mail_that_is_not_sent_is_found(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without settings nobody is answered; with them the program runs, and nothing waits long."""
    doctor = Doctor(database, tmp_path, capsys)
    assert doctor.says("mail")[0] == "WARN"
    with doctor.config.open("a") as file:
        file.write('[mail]\noutbox = "outbox"\n')
    assert doctor.says("mail") == (
        "FAIL",
        "does not run, nobody is answered: start it (`kvitok serve`)",
    )
    with (
        psycopg.connect(database, application_name="kvitok mail", autocommit=True),
        psycopg.connect(database, autocommit=True) as connection,
    ):
        assert doctor.says("mail") == ("OK", "0 mails wait; no mailbox and no drop folder is read")
        connection.execute(CASE)
        connection.execute(REPORT)
        connection.execute(MAIL)
        assert doctor.says("mail")[0] == "OK"
        connection.execute("update mail_out set created_at = now() - interval '20 minutes'")
        grade, text = doctor.says("mail")
        assert (grade, "1 mails wait, the oldest for 20 min" in text) == ("WARN", True)
        connection.execute("update mail_out set state = 'failed'")
        assert doctor.says("mail")[1].startswith("1 mails of the last days were refused")
        connection.execute("update mail_out set state = 'sent'")
        connection.execute("update report set answer = 'owed'")
        assert "1 answers are not written" in doctor.says("mail")[1]
