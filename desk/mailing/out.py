"""The loop *out*: every written mail to its door, and what came of it into the case's history.

Laws, by `mail_out.state`: *waiting* until it is due; *sending* is committed before the door sees
the mail, so that a crash leaves it there; then *sent*, *failed*, or *waiting* again.

Who holds the advisory lock of a mail is at the door with it: a frozen program keeps its lock, a
dead one loses it with its connection. A mail that is *sending* under no lock is taken up again
when its lease is over (`due_at`): longer than any delivery takes, for a program that lost its
database may still be talking to the server. So two programs never hand over one mail at a time,
and what is repeated has the same Message-ID.
"""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from desk.database import GONE, one_connection
from desk.mailing.backoff import GIVE_UP, is_over, wait
from desk.mailing.delivery import Delivered, Door, Outcome, ServerAway
from desk.mailing.metrics import AWAY, DELIVERIES, OLDEST_S, WAITING
from desk.mailing.outbox import Outbox
from desk.mailing.outgoing import unpacked
from desk.mailing.smtp import SmtpServer
from desk.mailing.state import Mailing, can_send
from desk.queries.database import Record
from desk.queries.mail_out import (
    FAILED,
    LATER,
    SENT,
    STANDING,
    TRY_LOCK,
    UNLOCK,
    due,
    note,
    take,
)
from incidents.store import Connection

LOG: Final = logging.getLogger("kvitok.mail")

EVERY_S: Final = 1.0
AWAY_FIRST_S: Final = 5.0
AWAY_MAX_S: Final = 300.0
FINISH_S: Final = 5.0
"""How long a mail at the door may still take when the program is told to stop."""
LEASE_MORE_S: Final = 30.0
"""Beyond the longest delivery, for what comes after it."""
FOLDER_LEASE: Final = timedelta(seconds=5)
"""A file that is written twice is the same file."""
SKIPPED_MAX: Final = 200
"""Mails that others are at the door with; with so many of them a round ends."""


async def forever(mailing: Mailing) -> None:
    """Send what is due, round after round, until cancelled."""
    if not can_send(mailing.settings):
        return  # the loop *owed* says so
    postman = Postman(mailing, door_of(mailing))
    pause_s = AWAY_FIRST_S
    while True:
        try:
            await postman.round()
        except ServerAway as away:
            AWAY.inc()
            LOG.warning("Mail is not taken: %s; again in %.0f s", away.reason, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, AWAY_MAX_S)
        except GONE as error:
            LOG.warning("Mail waits for the database: %s", type(error).__name__)
            await asyncio.sleep(AWAY_FIRST_S)
        else:
            pause_s = AWAY_FIRST_S
            await asyncio.sleep(EVERY_S)


def door_of(mailing: Mailing) -> Door:
    """Return the door that the settings name; a server before a folder."""
    settings = mailing.settings
    if settings.smtp_host:
        return SmtpServer(settings)
    assert settings.outbox is not None
    return Outbox(settings.outbox)


class Postman:
    """Takes mails to one door, one at a time."""

    def __init__(self, mailing: Mailing, door: Door) -> None:
        self._mailing = mailing
        self._door = door
        self._unwritten: dict[int, Delivered] = {}
        """What came of mails while the database was away: they are not handed over again."""

    @property
    def _lease(self) -> timedelta:
        settings = self._mailing.settings
        if not settings.smtp_host:
            return FOLDER_LEASE
        return timedelta(
            seconds=settings.smtp_timeout_s + min(LEASE_MORE_S, settings.smtp_timeout_s)
        )

    async def round(self) -> None:
        """Send all that is due.

        Raises:
            ServerAway: the door takes nothing; what is due stays due.
        """
        skipped: list[int] = []
        try:
            async with one_connection(self._mailing.database) as connection:
                while len(skipped) < SKIPPED_MAX:
                    mails = await due(connection, self._mailing.clocks.now(), skipped)
                    if not mails:
                        break
                    skipped += [mail for mail in mails if not await self._alone(connection, mail)]
                await self._tell(connection)
        finally:
            await self._door.rest()

    async def _alone(self, connection: Connection, mail: int) -> bool:
        """Send one mail; False if somebody else is at the door with it.

        Told to stop, it first finishes with what is at the door, if that does not take long: else
        every restart would send a mail twice.
        """
        work = asyncio.ensure_future(self._one(connection, mail))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            done, _ = await asyncio.wait({work}, timeout=FINISH_S)
            if not done:
                work.cancel()
                await asyncio.wait({work})
            if not work.cancelled():
                work.exception()
            raise

    async def _one(self, connection: Connection, mail: int) -> bool:
        name = f"mail {mail}"
        if not await connection.fetchval(TRY_LOCK, name):
            return False
        try:
            now = self._mailing.clocks.now()
            row = await take(connection, mail, now=now, lease=self._lease)
            if row is not None:
                await self._send(connection, row)
        finally:
            await connection.execute(UNLOCK, name)
        return True

    async def _send(self, connection: Connection, row: Record) -> None:
        outcome = self._unwritten.get(row["id"])
        if outcome is None:
            try:
                outcome = await self._handed_over(row)
            except ServerAway as away:
                await self._back(connection, row, away)
                raise
            DELIVERIES.labels(outcome.outcome.value).inc()
            self._unwritten[row["id"]] = outcome
        async with connection.transaction():
            await self._write_down(connection, row, outcome)
        del self._unwritten[row["id"]]
        LOG.info(
            "Mail %d of case %s (%s, try %d): %s%s",
            row["id"], row["case_number"], row["kind"], row["tries"], outcome.outcome.value,
            f", {outcome.reason}" if outcome.reason else "",
        )  # fmt: skip

    async def _handed_over(self, row: Record) -> Delivered:
        if self._mailing.clocks.now() - row["created_at"] > GIVE_UP:
            # A restored backup has mails that went long ago, and terms that are over.
            return Delivered(Outcome.FAILED, "waited for more than three days")
        content = self._mailing.seal.open(row["content"])
        if content is None:
            return Delivered(Outcome.FAILED, "sealed with another key")
        return await self._door.deliver(unpacked(content))

    async def _back(self, connection: Connection, row: Record, away: ServerAway) -> None:
        """Put a mail back that nobody looked at: it was no try of its own."""
        now = self._mailing.clocks.now()
        if is_over(now - row["created_at"], tries=1, mail=row["id"]):
            async with connection.transaction():
                await self._fail(connection, row, away.reason)
            return
        await connection.execute(LATER, row["id"], now, away.reason, 1)

    async def _write_down(self, connection: Connection, row: Record, outcome: Delivered) -> None:
        now, mail = self._mailing.clocks.now(), row["id"]
        if outcome.outcome is Outcome.SENT:
            if await connection.fetchrow(SENT, mail, now) is not None:
                await note(connection, row["case_number"], "mail_sent", at=now, text=row["kind"])
        elif outcome.outcome is Outcome.FAILED:
            await self._fail(connection, row, outcome.reason)
        elif is_over(now - row["created_at"], tries=row["tries"], mail=mail):
            await self._fail(connection, row, f"{outcome.reason}, given up")
        else:
            later = now + wait(row["tries"], mail=mail)
            await connection.execute(LATER, mail, later, outcome.reason, 0)

    async def _fail(self, connection: Connection, row: Record, reason: str | None) -> None:
        if await connection.fetchrow(FAILED, row["id"], reason) is None:
            return
        text = f"{row['kind']}: {reason}"
        await note(
            connection, row["case_number"], "mail_failed", at=self._mailing.clocks.now(), text=text
        )

    async def _tell(self, connection: Connection) -> None:
        row = await connection.fetchrow(STANDING)
        WAITING.set(row["waiting"])
        age = self._mailing.clocks.now() - row["oldest"] if row["oldest"] else timedelta()
        OLDEST_S.set(age.total_seconds())
