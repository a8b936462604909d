"""The program as it is started: `kvitok mail run`, alone and by its settings file."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from desk.mailing.outgoing import Outgoing
from desk.sealing import Seal
from tests.integration.postgres import killed_with_parent

pytestmark = pytest.mark.service

WAIT_S = 20.0
KEY = "ab" * 32
SETTINGS = """
[database]
dsn = {dsn}

[secrets]
account_key = "{key}"
report_key = "{key}"
"""


def settings(tmp_path: Path, database: str, more: str = "") -> Path:
    """Write a settings file."""
    path = tmp_path / "kvitok.toml"
    path.write_text(SETTINGS.format(dsn=json.dumps(database), key=KEY) + more, encoding="utf-8")
    return path


@contextmanager
def running(config: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the program until the block ends, with its log in a file beside its settings."""
    with (config.parent / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "kvitok", "mail", "run", "--config", config],
            stderr=log, text=True, preexec_fn=killed_with_parent,  # noqa: PLW1509 - one call to prctl
            env={name: value for name, value in os.environ.items() if "KVITOK" not in name},
        )  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def log_of(config: Path) -> str:
    """Return what the program has logged."""
    return (config.parent / "log").read_text()


def logged(config: Path, text: str) -> None:
    """Wait until the program has logged a text."""
    ends = time.monotonic() + WAIT_S
    while text not in log_of(config):
        assert time.monotonic() < ends, log_of(config)
        time.sleep(0.05)


def test_without_settings_it_runs_and_does_nothing(database: str, tmp_path: Path) -> None:
    """It says so once, and ends when told to."""
    config = settings(tmp_path, database)
    with running(config) as process:
        logged(config, "No mail is written: [mail] names neither smtp_host nor an outbox folder")
        time.sleep(1.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0
    assert log_of(config).count("No mail is written") == 1


def test_settings_that_cannot_be_are_told(database: str, tmp_path: Path) -> None:
    """One line with the setting's name, and no traceback."""
    config = settings(tmp_path, database, '\n[mail]\nsmtp_host = "127.0.0.1"\n')
    with running(config) as process:
        assert process.wait(WAIT_S) == 1
    assert "kvitok: [mail] sender: name our own address" in log_of(config)
    assert "Traceback" not in log_of(config)


def test_a_written_mail_becomes_a_file_and_a_line(database: str, tmp_path: Path) -> None:
    """The folder is made; the log holds the case's number and no address."""
    mail = Outgoing(
        to="ivan@customer.example", envelope="", mail="To: ivan@customer.example\r\n\r\nx\r\n",
        name="ks.K-2026-000001.1.0123456789ab.eml",
    )  # fmt: skip
    sealed = Seal(bytes.fromhex(KEY)).seal(mail.packed())
    with psycopg.connect(database) as connection:
        connection.execute(
            "insert into support_case (number, topic, state, opened_at, due_at, opened_by, "
            "changed_at) values ('K-2026-000001', 'report', 'open', now(), now(), 'mail', now())"
        )
        connection.execute(
            "insert into report (channel, received_at, status, content) "
            "values ('mail', now(), 'needs_facts', '')"
        )
        connection.execute(
            "insert into mail_out (kind, case_number, number, report, customer, content, "
            "created_at, due_at) select 'answer', 'K-2026-000001', 1, max(id), 'c', %s, now(), "
            "now() from report", [sealed],
        )  # fmt: skip
    config = settings(tmp_path, database, '\n[mail]\noutbox = "mail/outbox"\n')
    with running(config) as process:
        logged(config, "of case K-2026-000001 (answer, try 1): sent")
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0
    [file] = (tmp_path / "mail" / "outbox").iterdir()
    assert (file.name, file.read_bytes()) == (mail.name, mail.mail.encode())
    assert "customer.example" not in log_of(config)


def test_it_waits_for_its_database(tmp_path: Path) -> None:
    """One that is away is said and tried again; the program lives."""
    config = settings(tmp_path, "postgresql://nobody@127.0.0.1:1/none", '\n[mail]\noutbox = "o"\n')
    with running(config) as process:
        logged(config, "Mail waits for the database: ConnectionRefusedError")
        logged(config, "owed: ConnectionRefusedError in ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0
