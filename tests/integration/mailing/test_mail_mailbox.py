"""Mail comes in from a real mailbox: each once, whatever breaks."""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from desk.database import pool
from desk.mailing.imap import Mailbox
from desk.mailing.imap_wire import MailboxRefuses
from desk.mailing.inbox import Reading, mailbox
from desk.mailing.portions import BEGINNING_BYTES
from desk.mailing.settings import MailSettings
from desk.mailing.state import Mailing
from desk.sealing import Seal
from desk.settings import DeskSettings
from desk.state import Clocks
from tests.integration.desk_world import KEY
from tests.integration.mailboxes import PASSWORD, Dovecot, start_dovecot
from tests.integration.postgres import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.service]

SEAL: Final = Seal(KEY)
LIMIT: Final = 2_000_000
COUNT: Final = "select count(*) from report"


def letter(n: int, text: str = "Терминал съел деньги", charset: str = "utf-8") -> bytes:
    """Return the n-th mail, as its bytes go over the line."""
    head = (
        f"From: c{n}@example.com\r\nSubject: {n}\r\nMessage-ID: <{n}@example.com>\r\n"
        f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return head.encode() + text.encode(charset) + b"\r\n"


@pytest.fixture
async def mailing(database: str, dovecot: Dovecot) -> AsyncIterator[Mailing]:
    """Return a mail program's parts, reading the test's mailbox."""
    desk = DeskSettings(dsn=database, report_key=KEY, account_key=KEY, report_bytes_max=LIMIT)
    clocks = Clocks(now=lambda: datetime.now(UTC), monotonic_s=time.monotonic)
    async with pool(database, connections_max=4) as open_pool:
        yield Mailing(dovecot.settings(), desk, open_pool, clocks)


def changed(mailing: Mailing, **settings: Any) -> Mailing:
    """Return the same with other settings."""
    wanted: MailSettings = replace(mailing.settings, **settings)
    return Mailing(wanted, mailing.desk, mailing.database, mailing.clocks)


async def kept(mailing: Mailing) -> list[bytes]:
    """Return the contents of all reports, in order."""
    rows = await mailing.database.fetch(
        "select content, digest, channel, tried_at from report "
        "join mail_in on mail_in.report = report.id order by report.id"
    )
    found = []
    for row in rows:
        content = SEAL.open(row["content"])
        assert content is not None
        assert row["digest"] == hashlib.sha256(content).digest()
        assert (row["channel"], row["tried_at"]) == ("mail", None)
        found.append(content)
    return found


async def until(mailing: Mailing, count: int, within_s: float) -> float:
    """Wait for so many reports; return how long that took."""
    began = time.monotonic()
    async with asyncio.timeout(within_s):
        while await mailing.database.fetchval(COUNT) < count:  # noqa: ASYNC110 - a commit
            await asyncio.sleep(0.02)
    return time.monotonic() - began


@asynccontextmanager
async def reading(mailing: Mailing) -> AsyncIterator[None]:
    """Let the loop run meanwhile, and see that it ends at once."""
    task = asyncio.create_task(mailbox(mailing))
    try:
        yield
    finally:
        began = time.monotonic()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert time.monotonic() - began < 1


async def one_pass(mailing: Mailing) -> int:
    """Connect, store what is there and go; return how many were new."""
    reader, connection = Reading(mailing), Mailbox(mailing.settings)
    try:
        folder = await asyncio.to_thread(connection.open)
        await reader.meet(folder)
        return await reader.catch_up(connection, folder)
    finally:
        connection.close()


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
async def test_new_mail_is_there_within_two_seconds(
    mailing: Mailing, dovecot: Dovecot, security: str
) -> None:
    """The server tells of it (IDLE); its bytes are kept as they came, and it is marked as read."""
    port = dovecot.tls_port if security == "tls" else dovecot.port
    wanted = changed(mailing, imap_poll_s=300, imap_security=security, imap_port=port)
    async with reading(wanted):
        await asyncio.sleep(1)
        for n in range(1, 4):
            await asyncio.to_thread(dovecot.deliver, letter(n))
            assert await until(mailing, n, 10) < 2
        await asyncio.sleep(0.3)
    assert await kept(mailing) == [letter(n) for n in range(1, 4)]
    assert dovecot.flags() == {n: {r"\Seen"} for n in range(1, 4)}


async def test_bytes_are_kept_as_they_came(mailing: Mailing, dovecot: Dovecot) -> None:
    """Raw windows-1251, lone dots, long lines, odd headers: nothing is parsed and written anew."""
    mails = [
        letter(1, "Чек не вышел, деньги не пришли", "windows-1251"),
        letter(2, "Ї ґ", "koi8-u"),
        b"Subject: \xcf\xf0\xe8\xe2\xe5\xf2\r\nX-Odd:  two  blanks \r\n\tfolded\r\n\r\n.\r\n..\r\n",
        b"no header at all\r\n",
        b"A: b\r\n\r\n" + b"x" * 200_000 + b"\r\n",
        b"From: a@b.ru\r\n\r\nno line end",
    ]
    await asyncio.to_thread(dovecot.deliver, *mails)
    assert await one_pass(mailing) == len(mails)
    assert await kept(mailing) == mails


async def test_a_backlog_is_taken_whole_and_in_order(mailing: Mailing, dovecot: Dovecot) -> None:
    """Three hundred mails, in portions; a second pass finds nothing."""
    mails = [letter(n, "x" * (n * 500)) for n in range(1, 301)]
    await asyncio.to_thread(dovecot.deliver, *mails)
    assert await one_pass(mailing) == 300
    assert await kept(mailing) == mails
    assert await one_pass(mailing) == 0
    assert {str(each) for each in dovecot.flags().values()} == {str({r"\Seen"})}
    assert await mailing.database.fetchval("select uid_next from mail_place") == 301


async def test_two_programs_may_read_one_mailbox(mailing: Mailing, dovecot: Dovecot) -> None:
    """At the same time: who comes second finds each mail there."""
    mails = [letter(n) for n in range(1, 61)]
    await asyncio.to_thread(dovecot.deliver, *mails)
    assert sum(await asyncio.gather(*(one_pass(mailing) for _ in range(3)))) == 60
    assert sorted(await kept(mailing)) == sorted(mails)


async def test_another_uidvalidity_doubles_nothing(mailing: Mailing, dovecot: Dovecot) -> None:
    """A server that lost its index numbers anew: all is read again, only what is new is taken."""
    await asyncio.to_thread(dovecot.deliver, letter(1), letter(2))
    assert await one_pass(mailing) == 2
    dovecot.renumber()
    await asyncio.to_thread(dovecot.deliver, letter(3))
    assert await one_pass(mailing) == 1
    assert await kept(mailing) == [letter(1), letter(2), letter(3)]
    assert await mailing.database.fetchval("select count(*) from mail_place") == 2


async def test_a_restored_mailbox_hides_nothing(mailing: Mailing, dovecot: Dovecot) -> None:
    """It gives uids to other mails that it gave before, under the same UIDVALIDITY."""
    await asyncio.to_thread(dovecot.deliver, letter(1), letter(2), letter(3))
    assert await one_pass(mailing) == 3
    validity = await mailing.database.fetchval("select uidvalidity from mail_place")
    dovecot.empty(uidvalidity=validity)
    await asyncio.to_thread(dovecot.deliver, letter(4))
    assert await one_pass(mailing) == 1
    await asyncio.to_thread(dovecot.deliver, letter(5))
    assert await one_pass(mailing) == 1
    assert await kept(mailing) == [letter(n) for n in range(1, 6)]


async def test_a_broken_connection_is_made_again(database: str) -> None:
    """The server ends and comes back; what arrived meanwhile is read, nothing twice."""
    server = start_dovecot()
    try:
        desk = DeskSettings(dsn=database, report_key=KEY, account_key=KEY)
        clocks = Clocks(now=lambda: datetime.now(UTC), monotonic_s=time.monotonic)
        async with pool(database, connections_max=4) as open_pool:
            mailing = Mailing(server.settings(), desk, open_pool, clocks)
            async with reading(mailing):
                await asyncio.to_thread(server.deliver, letter(1))
                await until(mailing, 1, 10)
                await asyncio.to_thread(server.stop)
                await asyncio.sleep(1.5)
                await asyncio.to_thread(server.start)
                await asyncio.to_thread(server.deliver, letter(2))
                await until(mailing, 2, 20)
            assert await kept(mailing) == [letter(1), letter(2)]
    finally:
        server.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"imap_password": "wrong-Passw0rd"}, "login: [AUTHENTICATIONFAILED]"),
        ({"imap_folder": "Nowhere"}, "folder Nowhere: "),
        ({"imap_security": "tls"}, "does not speak TLS"),
        ({"imap_port": free_port()}, "nothing listens there"),
        ({"imap_host": "no.such.host.invalid"}, "there is no host of that name"),
        ({"imap_security": "starttls", "ca_file": None}, "does not prove who it is"),
    ],
    ids=["password", "folder", "no tls", "port", "host", "certificate"],
)
async def test_what_is_wrong_is_told_once_a_pause(
    mailing: Mailing, caplog: pytest.LogCaptureFixture, change: dict[str, Any], words: str
) -> None:
    """In a line without the password; a refused login is not tried again at once."""
    caplog.set_level(logging.INFO)
    async with reading(changed(mailing, **change)):
        async with asyncio.timeout(10):
            while words not in caplog.text:  # noqa: ASYNC110 - a line in the log
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
    assert len([each for each in caplog.records if each.levelno >= logging.WARNING]) == 1
    assert PASSWORD not in caplog.text
    assert "wrong-Passw0rd" not in caplog.text
    assert await kept(mailing) == []


async def test_of_a_mail_too_large_the_beginning_is_kept(
    mailing: Mailing, dovecot: Dovecot, caplog: pytest.LogCaptureFixture
) -> None:
    """Its text can be read, its size is told, and the whole stays in the mailbox, flagged."""
    large = letter(1, "Чек не вышел. " + "x" * (2 * LIMIT))
    await asyncio.to_thread(dovecot.deliver, large, letter(2))
    assert await one_pass(mailing) == 2
    first, second = await kept(mailing)
    assert first == f"X-Kvitok-Cut: {len(large)}\r\n".encode() + large[:BEGINNING_BYTES]
    assert second == letter(2)
    assert dovecot.flags() == {1: {r"\Flagged"}, 2: {r"\Seen"}}
    assert "too large" in caplog.text
    dovecot.renumber()
    assert await one_pass(mailing) == 0


async def test_stored_mail_is_moved_where_that_is_wanted(
    mailing: Mailing, dovecot: Dovecot
) -> None:
    """The folder is made; a mail that somebody else marked as deleted is not expunged."""
    await asyncio.to_thread(dovecot.deliver, letter(1), letter(2))
    client = dovecot.client()
    client.uid("STORE", "1", "+FLAGS", r"(\Deleted)")
    client.logout()
    assert await one_pass(changed(mailing, imap_processed="Разобрано", imap_seen=False)) == 2
    assert dovecot.flags() == {}
    await asyncio.to_thread(dovecot.deliver, letter(3))
    client = dovecot.client()
    client.uid("STORE", "3", "+FLAGS", r"(\Deleted)")
    client.logout()
    assert await one_pass(mailing) == 1
    assert dovecot.flags() == {3: {r"\Deleted", r"\Seen"}}
    assert await one_pass(changed(mailing, imap_folder="Разобрано")) == 0
    assert await kept(mailing) == [letter(1), letter(2), letter(3)]


async def test_a_mail_gone_in_between_is_no_trouble(mailing: Mailing, dovecot: Dovecot) -> None:
    """Somebody deletes it after it was listed: the others are taken."""
    await asyncio.to_thread(dovecot.deliver, letter(1), letter(2), letter(3))
    connection = Mailbox(mailing.settings)
    reader = Reading(mailing)
    folder = await asyncio.to_thread(connection.open)
    await reader.meet(folder)
    client = dovecot.client()
    client.uid("STORE", "2", "+FLAGS", r"(\Deleted)")
    client.expunge()
    client.logout()
    assert await reader.catch_up(connection, folder) == 2
    connection.close()
    assert await kept(mailing) == [letter(1), letter(3)]


async def test_the_first_look_goes_so_far_back(mailing: Mailing, dovecot: Dovecot) -> None:
    """Years of a mailbox are not answered when the service is installed; 0: all of it."""
    client = dovecot.client()
    client.append("INBOX", "", '"01-Jan-2020 12:00:00 +0000"', letter(1))
    client.logout()
    await asyncio.to_thread(dovecot.deliver, letter(2))
    assert await one_pass(mailing) == 1
    assert await kept(mailing) == [letter(2)]
    assert await one_pass(changed(mailing, imap_days=0)) == 0, "it has been looked at"
    dovecot.renumber()
    assert await one_pass(changed(mailing, imap_days=0)) == 1


async def test_a_folder_that_may_only_be_read_is_read(mailing: Mailing, dovecot: Dovecot) -> None:
    """Nothing can be marked there, and nothing is lost by that."""
    await asyncio.to_thread(dovecot.deliver, letter(1))
    connection = Mailbox(mailing.settings)
    reader = Reading(mailing)
    folder = replace(await asyncio.to_thread(connection.open), writable=False)
    await reader.meet(folder)
    assert await reader.catch_up(connection, folder) == 1
    with pytest.raises(MailboxRefuses):
        await asyncio.to_thread(connection.move, [1], "Nowhere")
    connection.close()
    assert dovecot.flags() == {1: set()}
