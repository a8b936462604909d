"""Whatever comes in whatever order, and whatever breaks at whatever moment: each content once."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from desk.mailing.arrivals import API, Arrival, keep_mail
from desk.mailing.imap import Folder, Mailbox, Unreadable
from desk.mailing.imap_wire import MailboxAway
from desk.mailing.inbox import Reading
from desk.mailing.portions import PASSED_OVER_FROM
from desk.mailing.settings import MailSettings
from desk.mailing.state import Mailing
from desk.queries.database import Database
from desk.settings import DeskSettings
from desk.state import Clocks
from tests.integration.desk_world import KEY, Clock

pytestmark = pytest.mark.service

LIMIT = 2_000
LARGE = 5
"""The content that is larger than the limit."""


class Crashed(Exception):  # noqa: N818 - says what is
    """The power went, here."""


def content(n: int) -> bytes:
    """Return one of a few mails."""
    size = LIMIT + 1 if n == LARGE else 10 * n
    return f"From: a@b.ru\r\nMessage-ID: <{n}@b.ru>\r\n\r\n".encode() + b"x" * size


@dataclass
class Fuse:
    """Breaks something at the n-th step from now; 0: nothing."""

    steps: int = 0
    error: Exception = field(default_factory=Crashed)

    def step(self) -> None:
        """Count a step."""
        if self.steps:
            self.steps -= 1
            if not self.steps:
                raise self.error


@dataclass
class Flaky:
    """A database whose answer may be lost, with the statement done or not."""

    inner: Any
    fuse: Fuse

    async def _do(self, name: str, query: str, args: tuple[object, ...]) -> Any:
        self.fuse.step()
        answer = await getattr(self.inner, name)(query, *args)
        self.fuse.step()
        return answer

    async def fetchrow(self, query: str, /, *args: object) -> Any:
        """Return a row."""
        return await self._do("fetchrow", query, args)

    async def fetchval(self, query: str, /, *args: object) -> Any:
        """Return a value."""
        return await self._do("fetchval", query, args)

    async def execute(self, query: str, /, *args: object) -> Any:
        """Run a statement."""
        return await self._do("execute", query, args)


@dataclass
class Server:
    """A mailbox in memory; a `Mailbox` to who reads it."""

    fuse: Fuse
    mails_there: dict[int, bytes] = field(default_factory=dict)
    uidvalidity: int = 1
    uid_next: int = 1
    poison: int | None = None
    """A mail that the server does not give out."""

    def put(self, raw: bytes) -> None:
        """Deliver a mail."""
        self.mails_there[self.uid_next] = raw
        self.uid_next += 1

    def renumber(self) -> None:
        """Lose the index."""
        there = list(self.mails_there.values())
        self.mails_there, self.uid_next = {}, 1
        self.uidvalidity += 1
        for raw in there:
            self.put(raw)

    def restore(self, count: int) -> None:
        """Go back to when only so many mails had ever come."""
        self.mails_there = {uid: raw for uid, raw in self.mails_there.items() if uid <= count}
        self.uid_next = min(self.uid_next, count + 1)

    def folder(self) -> Folder:
        """Return what a connection finds."""
        self.fuse.step()
        return Folder(self.uidvalidity, self.uid_next, len(self.mails_there), writable=True)

    def uids(self, first: int, since: date | None = None) -> list[int]:
        """Return the uids from the first on."""
        assert since is None
        self.fuse.step()
        return [uid for uid in self.mails_there if uid >= first]

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Return sizes."""
        self.fuse.step()
        return {uid: len(self.mails_there[uid]) for uid in uids}

    def mails(self, uids: Sequence[int], *, bytes_max: int) -> dict[int, bytes]:
        """Return beginnings."""
        self.fuse.step()
        if self.poison in uids:
            raise Unreadable
        return {uid: self.mails_there[uid][:bytes_max] for uid in uids}

    def mark(self, _uids: Sequence[int], _flag: str) -> None:
        """Take a flag."""
        self.fuse.step()


@dataclass
class World:
    """A mail program that lives and dies, and all that came."""

    connection: Any
    clock: Clock = field(default_factory=Clock)
    fuse: Fuse = field(default_factory=Fuse)
    came: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.server = Server(self.fuse)
        desk = DeskSettings(dsn="", report_key=KEY, account_key=KEY, report_bytes_max=LIMIT)
        self.mailing = Mailing(
            MailSettings(imap_host="h", imap_user="u", imap_days=0),
            desk,
            cast("Database", Flaky(self.connection, self.fuse)),
            Clocks(now=lambda: self.clock.now, monotonic_s=lambda: self.clock.passed_s),
        )
        self.reading = Reading(self.mailing)

    async def round(self) -> None:
        """Connect and read; what breaks ends the connection, a crash the program."""
        try:
            folder = self.server.folder()
            await self.reading.meet(folder)
            await self.reading.catch_up(cast("Mailbox", self.server), folder)
        except MailboxAway:
            pass
        except Crashed:
            self.reading = Reading(self.mailing)

    async def brought(self, n: int, source: str) -> None:
        """Let the same content come by another way."""
        arrival = Arrival(source=source, raw=content(n), received_at=self.clock.now)
        try:
            await keep_mail(self.mailing.database, self.mailing.seal, arrival)
        except (Crashed, MailboxAway):
            return  # whoever brings it has no word that it is kept
        self.came.add(content(n))

    async def do(self, step: tuple[str, int]) -> None:
        """Let something happen."""
        what, n = step
        match what:
            case "deliver":
                self.server.put(content(n))
            case "drop" | "api" if n != LARGE:  # both refuse it before it comes so far
                await self.brought(n, API if what == "api" else what)
            case "renumber":
                self.server.renumber()
            case "restore":
                self.server.restore(n)
                self.fuse.steps = 0
                await self.round()
            case "crash" | "break":
                self.fuse.steps = n * n
                self.fuse.error = Crashed() if what == "crash" else MailboxAway()
            case _:
                await self.round()

    async def kept(self) -> Counter[bytes | None]:
        """Return what is kept; of a cut mail, the whole that it was."""
        rows = await self.connection.fetch("select content from report")
        found = [self.mailing.seal.open(row["content"]) or b"" for row in rows]
        large = content(LARGE)
        return Counter(
            large if raw.startswith(b"X-Kvitok-Cut: %d\r\n" % len(large)) else raw for raw in found
        )


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["deliver", "deliver", "drop", "api", "renumber", "restore", "crash", "break", "round"]
        ),
        st.integers(0, 6),
    ),
    max_size=25,
)


def run(database: str, happening: Any) -> None:
    """Let something happen in an empty database."""

    async def all_of_it() -> None:
        connection = await asyncpg.connect(database)
        try:
            await connection.execute("truncate report, mail_in, mail_place cascade")
            await happening(World(connection))
        finally:
            await connection.close()

    asyncio.run(all_of_it())


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([("deliver", LARGE), ("round", 0), ("renumber", 0), ("deliver", 1), ("round", 0)])
@example([("deliver", 1), ("round", 0), ("restore", 0), ("deliver", 2), ("round", 0)])
@example([("deliver", 1), ("crash", 3), ("round", 0), ("drop", 1)])
@given(STEPS)
def test_each_content_is_one_report(database: str, steps: list[tuple[str, int]]) -> None:
    """What lies in the mailbox at the end, and what was taken by another way: all, and once."""

    async def happening(world: World) -> None:
        ever: set[bytes] = set()
        for step in steps:
            await world.do(step)
            ever |= set(world.server.mails_there.values()) | world.came
        world.fuse.steps = 0
        await world.round()
        kept = await world.kept()
        assert set(kept.values()) <= {1}, "none twice"
        assert set(kept) >= set(world.server.mails_there.values()) | world.came, "none lost"
        assert set(kept) <= ever | {content(n) for what, n in steps if what in {"drop", "api"}}

    run(database, happening)


def test_a_mail_that_the_server_keeps_back_holds_up_no_other(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are taken at once; where it stays so, it is passed over, and that is told."""

    async def happening(world: World) -> None:
        for n in range(5):
            world.server.put(content(n))
        world.server.poison = 3
        await world.round()
        others = {content(n) for n in (0, 1, 3, 4)}
        assert set(await world.kept()) == others
        place = "select uid_next from mail_place"
        assert await world.connection.fetchval(place) == 3
        for _ in range(PASSED_OVER_FROM):
            await world.round()
        assert await world.connection.fetchval(place) == 6
        assert caplog.text.count("(uid 3): it is passed over") == 1
        assert set(await world.kept()) == others

    run(database, happening)


def test_a_mail_that_is_gone_with_its_trouble_is_forgotten(database: str) -> None:
    """Somebody deletes what the server could not give out: nothing is held up by it any more."""

    async def happening(world: World) -> None:
        for n in range(3):
            world.server.put(content(n))
        world.server.poison = 2
        await world.round()
        del world.server.mails_there[2]
        world.server.put(content(4))
        await world.round()
        assert await world.connection.fetchval("select uid_next from mail_place") == 5
        assert set(await world.kept()) == {content(n) for n in (0, 2, 4)}

    run(database, happening)


def test_a_mail_over_which_the_connection_ends_holds_up_no_other(database: str) -> None:
    """As if the server died of it: the others come, and it comes when the server is mended."""

    async def happening(world: World) -> None:
        def mails(uids: Sequence[int], *, bytes_max: int) -> Mapping[int, bytes]:
            if 2 in uids and broken:
                raise MailboxAway
            return whole(uids, bytes_max=bytes_max)

        broken, whole = True, world.server.mails
        world.server.mails = mails  # type: ignore[method-assign, assignment]  # a server with a fault
        for n in range(4):
            world.server.put(content(n))
        for _ in range(PASSED_OVER_FROM - 1):
            await world.round()
        assert set(await world.kept()) == {content(0), content(2), content(3)}
        broken = False
        await world.round()
        assert set(await world.kept()) == {content(n) for n in range(4)}
        assert await world.connection.fetchval("select uid_next from mail_place") == 5

    run(database, happening)
