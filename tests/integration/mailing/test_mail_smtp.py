import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from desk.mailing.delivery import Delivered, Door, ServerAway
from desk.mailing.out import Postman, door_of
from desk.mailing.outgoing import Outgoing
from tests.integration.authority import Authority
from tests.integration.mail_world import OURS, MailWorld, letter, mail_over
from tests.integration.smtp_server import DROP, HANG, NULL, ScriptedServer, serving

pytestmark = [pytest.mark.service, pytest.mark.anyio]

CASE = "K-2026-000001"
RIGHT = "right"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Return a server that takes everything until it is told otherwise."""
    with serving(ScriptedServer()) as server:
        yield server


@pytest.fixture
async def world(database: str, server: ScriptedServer) -> AsyncIterator[MailWorld]:
    """Return a mail program with one mail written, that sends to the server."""
    async with over(database, server) as world:
        await world.report(letter())
        await world.write()
        yield world


def over(
    database: str, server: ScriptedServer, **more: Any
) -> AbstractAsyncContextManager[MailWorld]:
    """Return a mail program that sends to the server, and waits for it no longer than 2 s."""
    wanted: dict[str, Any] = {"smtp_host": "127.0.0.1", "smtp_port": server.port}
    wanted |= {"smtp_security": "none", "smtp_timeout_s": 2.0} | more
    return mail_over(database, **wanted)


async def test_a_mail_is_sent_once(world: MailWorld, server: ScriptedServer) -> None:
    """To its one recipient, from nobody; the case says so, and it is not sent again."""
    await world.send()
    await world.send()
    [mail], [written] = server.taken, await world.outgoing()
    assert (mail.sender, mail.recipients) == (NULL, ("ivan@customer.example",))
    assert mail.content.rstrip() == written.mail.encode().rstrip()
    assert await world.states() == [("sent", 1, None)]
    assert await world.history(CASE) == [("mail_sent", "answer")]


async def test_a_burst_goes_through_one_connection(
    world: MailWorld, server: ScriptedServer
) -> None:
    """However many are due."""
    for number in range(20):
        await world.report(letter(f"c{number}@customer.example"))
    await world.write()
    await world.send()
    assert len(server.taken) == 21
    assert server.connections == 1


@pytest.mark.parametrize("where", ["mail", "rcpt", "data"])
async def test_not_now_is_tried_again_later(
    world: MailWorld, server: ScriptedServer, where: str
) -> None:
    """Greylisting and every other 4xx: not before about a minute, then about two."""
    getattr(server, where).extend(["450 4.2.0 <ivan@customer.example> greylisted"] * 2)
    await world.send()
    assert await world.states() == [("waiting", 1, "450 4.2.0")]
    world.clock.move(30)
    await world.send()
    assert await world.states() == [("waiting", 1, "450 4.2.0")]
    world.clock.move(45)
    await world.send()
    assert await world.states() == [("waiting", 2, "450 4.2.0")]
    world.clock.move(90)
    await world.send()
    assert await world.states() == [("waiting", 2, "450 4.2.0")]
    world.clock.move(60)
    await world.send()
    assert await world.states() == [("sent", 3, None)]
    assert len(server.taken) == 1


async def test_one_that_is_refused_now_holds_up_no_other(
    world: MailWorld, server: ScriptedServer
) -> None:
    """The others of the burst go over the same connection."""
    await world.report(letter("petr@customer.example"))
    await world.write()
    server.rcpt.append("451 4.3.0 try later")
    await world.send()
    assert [state for state, _, _ in await world.states()] == ["waiting", "sent"]
    assert server.connections == 1


async def test_after_three_days_it_is_given_up(world: MailWorld, server: ScriptedServer) -> None:
    """Each try waits longer, four hours at most, and the case's history says that it failed."""
    server.rcpt.extend(["450 no"] * 200)
    tries = 0
    for _ in range(4 * 24 * 4):
        await world.send()
        world.clock.move(900)
    [(state, tries, error)] = await world.states()
    assert (state, error) == ("failed", "450, given up")
    assert 18 < tries < 40
    assert await world.history(CASE) == [("mail_failed", "answer: 450, given up")]


@pytest.mark.parametrize("where", ["rcpt", "data"])
async def test_never_is_never(world: MailWorld, server: ScriptedServer, where: str) -> None:
    """5xx of a recipient or a text: failed with the code, and no address anywhere."""
    getattr(server, where).append("550 5.1.1 <ivan@customer.example> unknown")
    await world.send()
    assert await world.states() == [("failed", 1, "550 5.1.1")]
    assert await world.history(CASE) == [("mail_failed", "answer: 550 5.1.1")]
    world.clock.move(86_400)
    await world.send()
    assert server.taken == []


@pytest.mark.parametrize("how", [DROP, HANG])
async def test_silence_after_the_text_is_uncertain(
    world: MailWorld, server: ScriptedServer, how: str
) -> None:
    """It may be there: it goes again, later, under the same Message-ID."""
    server.data.append(how)
    await world.send()
    [(state, tries, error)] = await world.states()
    assert (state, tries, error) == ("waiting", 1, "lost")
    world.clock.move(90)
    await world.send()
    assert await world.states() == [("sent", 2, None)]
    first, second = server.taken
    assert first.message_id == second.message_id
    assert first.content == second.content


@pytest.mark.parametrize("how", [DROP, HANG])
async def test_silence_before_the_text_is_a_try(
    world: MailWorld, server: ScriptedServer, how: str
) -> None:
    """Nobody has it."""
    server.rcpt.append(how)
    await world.send()
    assert await world.states() == [("waiting", 1, "lost")]
    assert server.taken == []


async def test_a_connection_that_was_closed_between_two_mails_is_opened_again(
    world: MailWorld, server: ScriptedServer
) -> None:
    """Servers allow so many mails a connection: that is held against no mail."""
    await world.report(letter("petr@customer.example"))
    await world.report(letter("olga@customer.example"))
    await world.write()
    server.mail.extend(["250 OK", DROP, "250 OK", "421 4.7.0 enough"])
    await world.send()
    assert await world.states() == [("sent", 1, None)] * 3
    assert len(server.taken) == 3


async def test_a_server_that_is_away_costs_a_mail_no_try(database: str) -> None:
    """Nobody listens: everything stays due, and goes as soon as somebody does."""
    script = ScriptedServer()
    async with over(database, script) as world:
        await world.report(letter())
        await world.write()
        with pytest.raises(ServerAway, match="smtp: SMTPConnectError"):
            await world.send()
        assert await world.states() == [("waiting", 0, "smtp: SMTPConnectError")]
        with serving(script):
            await world.send()
        assert await world.states() == [("sent", 1, None)]
        assert len(script.taken) == 1


async def test_a_provider_that_refuses_the_null_sender_gets_ours(
    world: MailWorld, server: ScriptedServer
) -> None:
    """Mailbox providers want the mailbox itself as sender."""
    server.null_sender = "553 5.7.1 Sender address rejected: not owned by user"
    await world.send()
    assert [each.sender for each in server.taken] == [OURS]


async def test_a_refused_sender_is_nobody_s_fault(world: MailWorld, server: ScriptedServer) -> None:
    """It is a setting: every mail stays due until it is right."""
    server.null_sender = "553 no"
    server.mail.append("553 5.7.1 no")
    with pytest.raises(ServerAway, match=r"smtp: sender refused, 553 5\.7\.1"):
        await world.send()
    assert await world.states() == [("waiting", 0, "smtp: sender refused, 553 5.7.1")]
    await world.send()
    assert await world.states() == [("sent", 1, None)]


async def test_tls_and_a_login(database: str, tmp_path: Path) -> None:
    """STARTTLS with our own authority and a password; with a wrong one nothing goes."""
    authority = Authority(tmp_path, "authority")
    certificate, key = authority.issue("mail")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    with serving(ScriptedServer(password=RIGHT), tls) as server:
        login: dict[str, Any] = {
            "smtp_security": "starttls",
            "ca_file": authority.file,
            "smtp_user": "us",
        }
        async with over(database, server, **login, smtp_password=RIGHT[1:]) as world:
            await world.report(letter())
            await world.write()
            with pytest.raises(ServerAway, match="smtp: SMTPAuthenticationError 535"):
                await world.send()
        login.pop("ca_file")
        async with over(database, server, **login, smtp_password=RIGHT) as world:
            with pytest.raises(ServerAway, match=r"CERTIFICATE_VERIFY_FAILED|SMTPConnectError"):
                await world.send()
        login["ca_file"] = authority.file
        async with over(database, server, **login, smtp_password=RIGHT) as world:
            await world.send()
            assert await world.states() == [("sent", 1, None)]
        assert len(server.taken) == 1


async def test_what_came_of_a_mail_survives_the_database(
    world: MailWorld, server: ScriptedServer
) -> None:
    """The database goes while the mail is at the door: it is not handed over a second time."""
    postman = Postman(world.mailing, _Cutting(world, door_of(world.mailing)))
    with pytest.raises(Exception, match="connection"):
        await postman.round()
    assert await world.states() == [("sending", 1, None)]
    world.clock.move(10)
    await postman.round()
    assert await world.states() == [("sent", 2, None)]
    assert len(server.taken) == 1


class _Cutting:
    """A door behind which the program loses its database."""

    def __init__(self, world: MailWorld, door: Door) -> None:
        self._world, self._door = world, door

    async def deliver(self, mail: Outgoing) -> Delivered:
        """Deliver, then cut."""
        came = await self._door.deliver(mail)
        await self._world.connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'kvitok desk' and datname = current_database()"
        )
        return came

    async def rest(self) -> None:
        """Rest."""
        await self._door.rest()
