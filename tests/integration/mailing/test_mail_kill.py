"""The mail program killed in the middle of a burst, again and again: no mail lost, none twice."""

import asyncio
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import asyncpg
import pytest

from tests.integration.mail_world import KEY, OURS, MailWorld, files, letter, mail_over
from tests.integration.postgres import killed_with_parent
from tests.integration.smtp_server import SLOW, ScriptedServer, serving

pytestmark = [pytest.mark.service, pytest.mark.anyio, pytest.mark.timeout(300)]

MAILS = 60
LIVES = 6
WAIT_S = 90.0
PROGRAM = """
import sys
from pathlib import Path
from desk.mailing.app import run
from desk.mailing.settings import MailSettings
from desk.settings import DeskSettings

dsn, key, sender, outbox, port, timeout_s = sys.argv[1:7]
server = {"smtp_host": "127.0.0.1", "smtp_port": int(port), "smtp_security": "none"}
door = server if int(port) else {"outbox": Path(outbox)}
run(
    MailSettings(sender=sender, smtp_timeout_s=float(timeout_s), minute_answers_max=10_000, **door),
    DeskSettings(dsn=dsn, report_key=key.encode(), account_key=key.encode()),
    ready=lambda: print("ready", flush=True),
)
print("ended", flush=True)
"""


class Program:
    """The mail program in a process of its own."""

    def __init__(
        self, database: str, outbox: Path, port: int = 0, *, timeout_s: float = 1.0
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, database, KEY.decode(), OURS, outbox, str(port),
             str(timeout_s)],
            stdout=subprocess.PIPE, text=True, preexec_fn=killed_with_parent,  # noqa: PLW1509 - one call to prctl
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.communicate()

    def end(self) -> None:
        """Ask it to end, and see that it does."""
        self.process.terminate()
        out, _ = self.process.communicate(timeout=30)
        assert (self.process.returncode, out) == (0, "ended\n")


async def count(world: MailWorld, state: str) -> int:
    """Return how many mails are in a state."""
    number: int = await world.connection.fetchval(
        "select count(*) from mail_out where state = $1", state
    )
    return number


async def until(world: MailWorld, sent: int) -> None:
    """Wait until so many mails are sent."""
    ends = time.monotonic() + WAIT_S
    while await count(world, "sent") < sent:
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)


async def owe(world: MailWorld) -> None:
    """Add reports that are owed an answer, received just now."""
    now = await world.connection.fetchval("select now()")
    world.clock.now = now
    for number in range(MAILS):
        await world.report(letter(f"c{number}@customer.example"))


async def killed_often(world: MailWorld, database: str, outbox: Path, port: int = 0) -> None:
    """Let the program live and die in the burst, then live until all is sent."""
    await owe(world)
    for life in range(1, LIVES):
        program = Program(database, outbox, port)
        await until(world, life * MAILS // (LIVES + 2))
        program.kill()
    program = Program(database, outbox, port)
    await until(world, MAILS)
    program.end()


async def test_each_mail_is_one_file_through_kills(database: str, tmp_path: Path) -> None:
    """(a) An outbox folder has every mail exactly once, and nothing half."""
    outbox = tmp_path / "outbox"
    async with mail_over(database, outbox=outbox) as world:
        await killed_often(world, database, outbox)
        written = {each.name: each.mail for each in await world.outgoing()}
        assert len(written) == MAILS
        found = {path.name: path.read_bytes().decode() for path in outbox.glob("*.eml")}
        assert found == written
        assert len({mail["To"] for mail in files(outbox).values()}) == MAILS
        sent = await world.connection.fetchval(
            "select count(*) from case_history where action = 'mail_sent'"
        )
        assert sent == MAILS


async def test_each_message_id_arrives_through_kills(database: str, tmp_path: Path) -> None:
    """(b) A server gets every mail; twice only the one at the door, under the same Message-ID."""
    with serving(ScriptedServer()) as server:
        async with mail_over(database, smtp_host="127.0.0.1") as world:
            await killed_often(world, database, tmp_path, server.port)
            written = {each.name for each in await world.outgoing()}
            rows = await world.connection.fetch("select tries from mail_out")
    arrived = Counter(each.message_id for each in server.taken)
    assert {f"{each.strip('<>').partition('@')[0]}.eml" for each in arrived} == written
    assert max(arrived.values()) <= LIVES
    # One mail is at the door at a time: a kill repeats one at most.
    assert sum(arrived.values()) - MAILS <= LIVES - 1
    assert sum(row["tries"] for row in rows) - MAILS <= LIVES - 1
    contents = {(each.message_id, each.content) for each in server.taken}
    assert len(contents) == MAILS


async def test_two_programs_never_send_one_mail_at_a_time(database: str, tmp_path: Path) -> None:
    """Each of two programs sends some; every mail goes once."""
    with serving(ScriptedServer()) as server:
        async with mail_over(database, smtp_host="127.0.0.1") as world:
            await owe(world)
            programs = [Program(database, tmp_path, server.port) for _ in range(2)]
            await until(world, MAILS)
            for program in programs:
                program.end()
    arrived = Counter(each.message_id for each in server.taken)
    assert len(arrived) == MAILS
    assert set(arrived.values()) == {1}


async def test_a_program_that_is_told_to_stop_finishes_its_mail(
    database: str, tmp_path: Path
) -> None:
    """What is at the door is said to be sent: the next program sends the others, and not that."""
    with serving(ScriptedServer(data=[SLOW])) as server:
        async with mail_over(database, smtp_host="127.0.0.1") as world:
            await owe(world)
            program = Program(database, tmp_path, server.port, timeout_s=10.0)
            await until_sending(world.connection)
            program.end()
            assert (await count(world, "sent"), await count(world, "sending")) == (1, 0)
            program = Program(database, tmp_path, server.port)
            await until(world, MAILS)
            program.end()
    arrived = Counter(each.message_id for each in server.taken)
    assert sorted(arrived.values()) == [1] * MAILS


async def test_a_frozen_program_keeps_its_mail(database: str, tmp_path: Path) -> None:
    """Frozen at the door: nobody else sends its mail, whatever the lease says, until it is dead."""
    with serving(ScriptedServer(data=["hang"])) as server:
        async with mail_over(database, smtp_host="127.0.0.1") as world:
            await owe(world)
            frozen = Program(database, tmp_path, server.port)
            await until_sending(world.connection)
            frozen.process.send_signal(signal.SIGSTOP)
            other = Program(database, tmp_path, server.port)
            await until(world, MAILS - 1)
            await asyncio.sleep(3)
            assert await count(world, "sending") == 1
            assert len(server.taken) == MAILS
            frozen.kill()
            await until(world, MAILS)
            other.end()
    arrived = Counter(each.message_id for each in server.taken)
    assert sorted(arrived.values()) == [1] * (MAILS - 1) + [2]


async def until_sending(connection: asyncpg.Connection) -> None:
    """Wait until a mail is at the door, and let it get there."""
    sending = "select count(*) from mail_out where state = 'sending'"
    for _ in range(1000):
        if await connection.fetchval(sending):
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
