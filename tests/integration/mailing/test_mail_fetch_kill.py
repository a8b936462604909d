"""`kvitok mail run` killed while it fetches, again and again: every mail is one report."""

import asyncio
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from desk.sealing import Seal
from tests.integration.mailboxes import PASSWORD, USER, Dovecot
from tests.integration.postgres import killed_with_parent

pytestmark = [pytest.mark.service, pytest.mark.anyio]

MAILS = 300
DROPPED = 100
LIVES = 8
WAIT_S = 60.0
KEY = bytes(32)


class Program:
    """The command in a process of its own."""

    def __init__(self, config: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kvitok", "mail", "run", "--config", config],
            stderr=subprocess.PIPE, text=True, preexec_fn=killed_with_parent,  # noqa: PLW1509 - one call to prctl
        )  # fmt: skip

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.communicate()

    def end(self) -> float:
        """Ask it to end; return how long that took, in seconds."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=15)
        assert self.process.returncode == 0, said
        assert PASSWORD not in said
        assert "example.com" not in said
        return time.monotonic() - began


def mails(first: int, count: int) -> list[bytes]:
    """Return mails, the n-th by its number."""
    return [
        f"From: c{n}@example.com\r\nMessage-ID: <{n}@example.com>\r\n\r\n".encode()
        + b"x" * (50 * (n % 40))
        + b"\r\n"
        for n in range(first, first + count)
    ]


@pytest.fixture
def config(database: str, dovecot: Dovecot, tmp_path: Path) -> Path:
    """Return the settings of a mail program that reads a mailbox and a drop folder."""
    file = tmp_path / "kvitok.toml"
    file.write_text(
        f'[database]\ndsn = "{database}"\n[mail]\nimap_host = "127.0.0.1"\n'
        f'imap_port = {dovecot.port}\nimap_security = "none"\nimap_user = "{USER}"\n'
        f'imap_password = "{PASSWORD}"\ndrop = "drop"\n'
        f'[secrets]\nreport_key = "{KEY.hex()}"\naccount_key = "{KEY.hex()}"\n'
    )
    (tmp_path / "drop").mkdir()
    return file


async def reports(connection: asyncpg.Connection, at_least: int) -> int:
    """Wait until there are so many reports; return how many there are."""
    ends = time.monotonic() + WAIT_S
    while True:
        count: int = await connection.fetchval("select count(*) from report")
        if count >= at_least:
            return count
        assert time.monotonic() < ends, count
        await asyncio.sleep(0.005)


async def test_a_program_killed_while_it_fetches_loses_and_doubles_nothing(
    database: str, dovecot: Dovecot, config: Path
) -> None:
    """Mailbox and drop folder at once; one mail comes by both."""
    boxed, dropped = mails(0, MAILS), mails(MAILS - 1, DROPPED)
    await asyncio.to_thread(dovecot.deliver, *boxed)
    for n, raw in enumerate(dropped):
        (config.parent / "drop" / f"{n}.eml").write_bytes(raw)
    wanted = MAILS + DROPPED - 1
    connection = await asyncpg.connect(database)
    for life in range(1, LIVES):
        program = Program(config)
        count = await reports(connection, wanted * life // LIVES)
        program.kill()
        assert count < wanted, "it was killed in the midst of it"
    program = Program(config)
    await reports(connection, wanted)
    ends = time.monotonic() + WAIT_S
    while any((config.parent / "drop").iterdir()) or len(dovecot.flags()) < MAILS:
        assert time.monotonic() < ends
        await asyncio.sleep(0.1)
    while {str(each) for each in dovecot.flags().values()} != {str({r"\Seen"})}:
        assert time.monotonic() < ends
        await asyncio.sleep(0.1)
    assert program.end() < 5, "also while it waits for mail"
    rows = await connection.fetch("select content from report")
    await connection.close()
    found = Counter(Seal(KEY).open(row["content"]) for row in rows)
    assert found == Counter(set(boxed + dropped))
