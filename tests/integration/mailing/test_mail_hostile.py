"""IMAP servers as they should not be: silent, chatty, dying, with literals without end."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any

import pytest

from desk.mailing import imap, imap_wire
from desk.mailing.aside import aside
from desk.mailing.imap import Mailbox
from desk.mailing.imap_wire import LITERAL_BYTES_MAX, MailboxAway, MailboxRefuses
from desk.mailing.inbox import Reading, mailbox
from desk.mailing.portions import PASSED_OVER_FROM
from desk.mailing.settings import MailSettings
from desk.queries.arrivals import read_up_to
from tests.integration.mail_world import mail_over

pytestmark = pytest.mark.anyio

MAILBOX = ("imap_host", "imap_port", "imap_security", "imap_user", "imap_password")

Answer = Callable[[bytes, bytes], bytes | None]
"""(tag, command) → what is sent; None: nothing, and no more is read."""


def polite(tag: bytes, command: bytes) -> bytes:
    """Answer as a server does that has one mail."""
    name = command.split()[0].upper()
    if name == b"CAPABILITY":
        return b"* CAPABILITY IMAP4rev1 IDLE\r\n" + tag + b" OK done\r\n"
    if name in {b"SELECT", b"EXAMINE"}:
        return (
            b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 2] ok\r\n"
            + tag
            + b" OK done\r\n"
        )
    if b"SEARCH" in command.upper():
        return b"* SEARCH\r\n" + tag + b" OK done\r\n"
    if name == b"IDLE":
        return b"+ idling\r\n"
    if name == b"DONE":
        return b"IDLE1 OK done\r\n"
    return tag + b" OK done\r\n"


def instead(name: bytes, text: bytes | None) -> Answer:
    """Answer politely but to one command (`%s` is its tag)."""

    def answer(tag: bytes, command: bytes) -> bytes | None:
        if name in command.upper():
            return text if text is None else text.replace(b"%s", tag)
        return polite(tag, command)

    return answer


@contextmanager
def serving(answer: Answer, greeting: bytes | None = b"* OK hello\r\n") -> Iterator[MailSettings]:
    """Run a server that answers so."""
    listening = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []

    def converse(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, suppress(OSError):
            if greeting is not None:
                connection.sendall(greeting)
            for line in lines:
                tag, _, command = line.strip().partition(b" ")
                said = answer(tag, command or tag)
                if said is None:
                    time.sleep(5)
                    return
                connection.sendall(said)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                connections.append(connection)
                threading.Thread(target=converse, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    port = listening.getsockname()[1]
    yield MailSettings(
        imap_host="127.0.0.1", imap_port=port, imap_security="none", imap_user="u",
        imap_password="s3cret",  # noqa: S106 - of the test
    )  # fmt: skip
    listening.close()
    for connection in connections:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a silent server be given up after a second."""
    monkeypatch.setattr(imap, "IO_S", 1.0)
    monkeypatch.setattr(imap_wire, "IO_S", 1.0)


def opened(settings: MailSettings) -> Mailbox:
    """Return a mailbox that is open."""
    box = Mailbox(settings)
    box.open()
    return box


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("silent", [b"CAPABILITY", b"LOGIN", b"SELECT", None])
def test_a_silent_server_is_given_up(silent: bytes | None) -> None:
    """At every step, from its greeting on."""
    answer = instead(silent or b"CAPABILITY", None)
    with serving(answer, None if silent is None else b"* OK\r\n") as settings:
        began = time.monotonic()
        with pytest.raises(MailboxAway):
            opened(settings)
        assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        (b"LOGIN", b"%s NO [UNAVAILABLE] later\r\n", MailboxAway),
        (b"LOGIN", b"%s NO no s3cret\r\n", MailboxRefuses),
        (b"LOGIN", b"%s BAD LOGIN u s3cret\r\n", MailboxRefuses),
        (b"LOGIN", b"* BYE too many\r\n", MailboxAway),
        (b"LOGIN", b"nonsense\r\n", MailboxAway),
        (b"SELECT", b"%s NO no such folder\r\n", MailboxRefuses),
        (b"SELECT", b"* 1 EXISTS\r\n%s OK without uids\r\n", MailboxRefuses),
        (b"SELECT", b"* OK [UIDVALIDITY x] ok\r\n%s OK done\r\n", MailboxRefuses),
    ],
)
def test_what_a_server_says_is_told_apart(name: bytes, text: bytes, error: type[Exception]) -> None:
    """What may pass by itself, and what somebody has to change; never with the password."""
    with serving(instead(name, text)) as settings, pytest.raises(error) as raised:
        opened(settings)
    assert "s3cret" not in str(raised.value)


def test_a_literal_without_end_is_not_read() -> None:
    """Nobody asked for so much: the connection is given up before memory is."""
    bomb = b"* 1 FETCH (UID 1 BODY[]<0> {%d}\r\n" % (LITERAL_BYTES_MAX * 100)
    with serving(instead(b"FETCH", bomb)) as settings:
        box = opened(settings)
        with pytest.raises(MailboxAway, match="literal"):
            box.mails([1], bytes_max=1000)
        box.close()


IDLE_TOLD = [
    (b"+ idling\r\n* 2 EXISTS\r\n", None),
    (b"* 2 EXISTS\r\n+ idling\r\n", None),
    (b"* OK still here\r\n+ idling\r\n* OK still here\r\n* 3 RECENT\r\n* 2 EXISTS\r\n", None),
    (b"+ idling\r\n* BYE going down\r\n", MailboxAway),
    (b"+ idling\r\n* BY", MailboxAway),
]


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(("said", "error"), IDLE_TOLD)
def test_what_comes_with_idle_is_heard(said: bytes, error: type[Exception] | None) -> None:
    """Also what came before or together with its begin, where no poll of the socket sees it."""
    with serving(instead(b"IDLE", said)) as settings:
        box = opened(settings)
        began = time.monotonic()
        if error is None:
            box.wait(20)
            assert box.can_idle
        else:
            with pytest.raises(error):
                box.wait(20)
        assert time.monotonic() - began < 3
        box.close()


def test_what_was_told_with_an_answer_is_not_waited_for() -> None:
    """A mail that comes during a search is told with its end, and not once more by IDLE."""
    said = b"* SEARCH\r\n* 2 EXISTS\r\n%s OK done\r\n"
    with serving(instead(b"SEARCH", said)) as settings:
        box = opened(settings)
        assert box.uids(1) == []
        began = time.monotonic()
        box.wait(20)
        assert time.monotonic() - began < 1
        box.wait(0.2)
        assert time.monotonic() - began > 0.15, "told once, asked for once"
        box.close()


def test_a_server_that_only_claims_to_idle_is_asked_each_time() -> None:
    """It refuses the command: from then on we look by ourselves."""
    with serving(instead(b"IDLE", b"IDLE1 BAD what?\r\n")) as settings:
        box = opened(settings)
        box.wait(20)
        assert not box.can_idle
        began = time.monotonic()
        box.wait(0.2)
        assert 0.1 < time.monotonic() - began < 2
        box.close()


def test_idle_ends_in_time_and_can_begin_again() -> None:
    """After the time that was given, where nothing has come."""
    with serving(polite) as settings:
        box = opened(settings)
        for _ in range(3):
            began = time.monotonic()
            box.wait(0.2)
            assert 0.1 < time.monotonic() - began < 2
        assert box.uids(1) == []
        box.close()


@pytest.mark.parametrize("silent", [b"LOGIN", b"IDLE", b"FETCH", None])
async def test_to_stop_waits_for_no_server(silent: bytes | None) -> None:
    """Whatever it is asked for at that moment; its thread ends by itself."""
    answer = polite if silent is None else instead(silent, None)
    with serving(answer, None if silent is None else b"* OK\r\n") as settings:
        box = Mailbox(settings)

        def work() -> Any:
            box.open()
            box.wait(60)
            return box.mails([1], bytes_max=10)

        task = asyncio.create_task(aside(work, most_s=60))
        await asyncio.sleep(0.5)
        began = time.monotonic()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        box.close()
        assert time.monotonic() - began < 1


async def test_work_aside_gives_its_answer_its_error_or_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As if it had been called here; one that comes too late is nobody's."""
    caplog.set_level(logging.DEBUG)
    assert await aside(lambda: 7, most_s=5) == 7
    with pytest.raises(ZeroDivisionError):
        await aside(lambda: 1 / 0, most_s=5)
    with pytest.raises(TimeoutError):
        await aside(lambda: time.sleep(0.3), most_s=0.1)
    await asyncio.sleep(0.4)
    assert "never retrieved" not in caplog.text


@pytest.mark.service
async def test_a_server_that_never_gets_further_is_left_alone_for_longer(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It lets us in and then hangs up: each login comes later than the one before."""
    with serving(instead(b"SEARCH", b"* BYE over\r\n")) as settings:
        wanted = {name: getattr(settings, name) for name in MAILBOX}
        async with mail_over(database, **wanted) as world:
            task = asyncio.create_task(mailbox(world.mailing))
            await asyncio.sleep(6)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert 2 <= caplog.text.count("The mailbox: search: ") <= 4


def withholding(what: bytes, mails: list[bytes]) -> Answer:
    """Answer as a server that lists one mail and, asked for its size or text, says only OK."""

    def answer(tag: bytes, command: bytes) -> bytes | None:
        if b"SEARCH" in command:
            return b"* SEARCH " + b" ".join(mails) + b"\r\n" + tag + b" OK done\r\n"
        if b"FETCH" in command and what not in command:
            return b"* 1 FETCH (UID 1 RFC822.SIZE 100)\r\n" + tag + b" OK done\r\n"
        return polite(tag, command)

    return answer


@pytest.mark.service
@pytest.mark.parametrize("what", [b"BODY", b"SIZE"])
async def test_a_mail_that_is_there_and_not_given_out_is_not_passed_over_in_silence(
    database: str, caplog: pytest.LogCaptureFixture, what: bytes
) -> None:
    """It is asked for again, and its uid is in the log at last; one that was deleted is not."""
    mails = [b"1"]
    with serving(withholding(what, mails)) as settings:
        wanted = {name: getattr(settings, name) for name in MAILBOX}
        async with mail_over(database, **wanted) as world, AsyncExitStack() as stack:
            reading, box = Reading(world.mailing), Mailbox(world.mailing.settings)
            stack.callback(box.close)
            folder = await aside(box.open, most_s=10)
            await reading.meet(folder)
            where = (world.mailing.database, reading.source, folder.uidvalidity)
            for _ in range(PASSED_OVER_FROM - 1):
                await reading.catch_up(box, folder)
                assert await read_up_to(*where) == 1
            assert "passed over" not in caplog.text
            await reading.catch_up(box, folder)
            await reading.catch_up(box, folder)
            assert caplog.text.count("does not give out a mail (uid 1)") == 1
            assert await read_up_to(*where) == 2
