"""Mail coming in: a mailbox by IMAP, a drop folder; each mail is committed before it is forgotten.

Laws: a mailbox is told of a mail (read, moved), and a file removed, only after the mail is stored;
how far a mailbox was read is written down last of all. So a crash anywhere brings some mails once
more, and they are known by their content. A UIDVALIDITY that changes means: read all again.
"""

import asyncio
import logging
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

from desk.mailing.arrivals import Arrival, keep_mail
from desk.mailing.aside import aside
from desk.mailing.drop import STUCK_S, DropFolder, FileStuck, Refusal
from desk.mailing.imap import Folder, Mailbox, Unreadable
from desk.mailing.imap_wire import MailboxAway, MailboxRefuses
from desk.mailing.portions import (
    BEGINNING_BYTES,
    PASSED_OVER_FROM,
    Portion,
    cut,
    lists,
    portions,
)
from desk.mailing.state import Mailing
from desk.queries.arrivals import Place, forget_place, keep_place, read_up_to

LOG: Final = logging.getLogger("kvitok.mail.inbox")

DROP: Final = "drop"
"""The source of mail from the drop folder."""
LOOK_EVERY_S: Final = 1.0
"""How often the drop folder is looked at."""
OPEN_S: Final = 90.0
FETCH_S: Final = 600.0
"""How long one portion may take, on whatever line."""
PAUSE_AWAY_S: Final = (1.0, 60.0)
PAUSE_REFUSED_S: Final = (15.0, 300.0)
"""The first pause and the longest; a wrong password tried each second gets an account locked."""
_POLL_MIN_S: Final = 1.0
_SLACK_S: Final = 60.0
_DOUBLINGS_MAX: Final = 16


async def drop_folder(mailing: Mailing) -> None:
    """Take the files of the drop folder as they come."""
    folder = mailing.settings.drop
    if folder is None:
        LOG.info("No drop folder is watched: [mail] drop is empty")
        return
    drop = DropFolder(folder, bytes_max=mailing.desk.report_bytes_max)
    LOG.info("Files *.eml are taken from the drop folder")
    while True:
        await drop_round(mailing, drop)
        await asyncio.sleep(LOOK_EVERY_S)


async def drop_round(mailing: Mailing, drop: DropFolder) -> int:
    """Take every complete file; return how many mails were new."""
    new = 0
    for name in await asyncio.to_thread(drop.complete, mailing.clocks.monotonic_s()):
        try:
            found = await asyncio.to_thread(drop.read, name)
            if isinstance(found, Refusal):
                await asyncio.to_thread(drop.refuse, name, found)
                LOG.warning("A file is put aside in refused/ of the drop folder: %s", found.reason)
            elif found is not None:
                arrival = Arrival(source=DROP, raw=found.raw, received_at=mailing.clocks.now())
                kept = await keep_mail(mailing.database, mailing.seal, arrival)
                new += kept.is_new
                LOG.info("A file is report %d%s", kept.report, "" if kept.is_new else ", as before")
                await asyncio.to_thread(drop.remove, name, found)
        except FileStuck as stuck:
            LOG.warning("A file of the drop folder is stuck: %s; again in %.0f s", stuck, STUCK_S)
            drop.put_off(name, mailing.clocks.monotonic_s())
    return new


async def mailbox(mailing: Mailing) -> None:
    """Read the mailbox and go on as mail comes; connect again whenever that ends."""
    if not mailing.settings.imap_host:
        LOG.info("No mailbox is read: [mail] imap_host is empty")
        return
    spread = random.Random()  # noqa: S311 - so that programs do not come back at once
    reading = Reading(mailing)
    failures = 0
    while True:
        connection = Mailbox(mailing.settings)
        try:
            await reading.stay(connection)
        except (MailboxAway, MailboxRefuses) as error:
            if reading.has_read:
                failures = 0
            first, most = PAUSE_AWAY_S if isinstance(error, MailboxAway) else PAUSE_REFUSED_S
            pause = min(first * 2**failures, most) * spread.uniform(0.75, 1.25)
            failures = min(failures + 1, _DOUBLINGS_MAX)
            LOG.warning("The mailbox: %s; again in %.0f s", error, pause)
        finally:
            connection.close()
        await asyncio.sleep(pause)


@dataclass(slots=True)
class Reading:
    """One mailbox being read, over all its connections."""

    mailing: Mailing
    has_read: bool = False
    """Whether all that was there could be read over the last connection: then it was a good one."""
    _uidvalidity: int = 0
    _troubles: Counter[int] = field(default_factory=Counter)
    """uid → how often in a row it could not be had."""
    _told: set[str] = field(default_factory=set)

    @property
    def source(self) -> str:
        """Return the mailbox's name in the tables."""
        wanted = self.mailing.settings
        return f"imap:{wanted.imap_user}@{wanted.imap_host}/{wanted.imap_folder}"

    async def stay(self, connection: Mailbox) -> None:
        """Read what is there, then what comes, until the connection ends.

        Raises:
            MailboxAway, MailboxRefuses: it has ended, or could not begin.
        """
        self.has_read = False
        try:
            folder = await aside(connection.open, most_s=OPEN_S)
            await self.meet(folder)
            LOG.info("The mailbox is open: %d mails", folder.mails)
            while True:
                await self.catch_up(connection, folder)
                self.has_read = True
                wait = max(self.mailing.settings.imap_poll_s, _POLL_MIN_S)
                await aside(partial(connection.wait, wait), most_s=wait + _SLACK_S)
        except TimeoutError as error:
            raise MailboxAway("the server does not answer") from error

    async def meet(self, folder: Folder) -> None:
        """Find out whether uids mean what they meant."""
        if folder.uidvalidity != self._uidvalidity:
            self._uidvalidity = folder.uidvalidity
            self._troubles.clear()
        first = await read_up_to(self.mailing.database, self.source, folder.uidvalidity)
        if folder.uid_next is not None and folder.uid_next < first:
            LOG.warning("The mailbox gives uids out again: it was restored; all of it is read anew")
            await forget_place(self.mailing.database, self.source, folder.uidvalidity)

    async def catch_up(self, connection: Mailbox, folder: Folder) -> int:
        """Store every mail that is not stored; return how many were new."""
        database, limit = self.mailing.database, self.mailing.desk.report_bytes_max
        first = await read_up_to(database, self.source, folder.uidvalidity)
        since = None
        if first == 1 and (days := self.mailing.settings.imap_days):
            since = (self.mailing.clocks.now() - timedelta(days=days)).date()
        there = await aside(partial(connection.uids, first, since), most_s=FETCH_S)
        for gone in self._troubles.keys() - set(there):
            del self._troubles[gone]
        new = 0
        # What gave most trouble comes last: the connection may end over it once more.
        for part in lists(sorted(there, key=lambda uid: (self._troubles[uid], uid))):
            sizes = await aside(partial(connection.sizes, part), most_s=FETCH_S)
            silent = [uid for uid in part if uid not in sizes]
            self._troubles.update(silent)
            await self._let_go(connection, silent)
            for portion in portions(sizes, self._troubles, bytes_max=limit):
                new += await self._take(connection, folder, (portion, sizes))
                await self._stand(portion.uids[-1] + 1)
            await self._stand(part[-1] + 1)
        if there:
            await self._stand(there[-1] + 1)
        if new:
            LOG.info("%d new mails from the mailbox", new)
        return new

    async def _take(
        self, connection: Mailbox, folder: Folder, wanted: tuple[Portion, dict[int, int]]
    ) -> int:
        """Fetch and store a portion, then tell the mailbox; return how many were new."""
        portion, sizes = wanted
        limit = self.mailing.desk.report_bytes_max
        # Counted before it is tried: a mail over which the connection ends is known by that.
        self._troubles.update(portion.uids)
        bytes_max = limit + 1 if portion.whole else BEGINNING_BYTES
        fetch = partial(connection.mails, portion.uids, bytes_max=bytes_max)
        try:
            mails = await aside(fetch, most_s=FETCH_S)
        except Unreadable:
            return await self._apart(connection, folder, wanted)
        new = 0
        whole: list[int] = []
        beginnings: list[int] = []
        await self._let_go(connection, [uid for uid in portion.uids if uid not in mails])
        for uid, raw in ((each, mails[each]) for each in portion.uids if each in mails):
            del self._troubles[uid]
            complete = len(raw) <= limit and (portion.whole or len(raw) < BEGINNING_BYTES)
            (whole if complete else beginnings).append(uid)
            new += await self._keep(uid, raw if complete else cut(raw, max(sizes[uid], len(raw))))
        await self._tell(connection, folder, whole=whole, beginnings=beginnings)
        return new

    async def _apart(
        self, connection: Mailbox, folder: Folder, wanted: tuple[Portion, dict[int, int]]
    ) -> int:
        """Go on with the mails of a portion that the server refused, one by one."""
        portion, sizes = wanted
        if len(portion.uids) == 1:
            return 0
        self._troubles.subtract(portion.uids)
        return sum(
            [await self._take(connection, folder, (Portion((uid,)), sizes)) for uid in portion.uids]
        )

    async def _let_go(self, connection: Mailbox, missing: list[int]) -> None:
        """Forget the trouble with mails that were moved or deleted; what is there must be had."""
        if missing:
            there = await aside(partial(connection.uids, min(missing)), most_s=FETCH_S)
            for gone in set(missing) - set(there):
                del self._troubles[gone]

    async def _keep(self, uid: int, raw: bytes) -> bool:
        mailing = self.mailing
        arrival = Arrival(
            source=self.source,
            raw=raw,
            received_at=mailing.clocks.now(),
            place=Place(self._uidvalidity, uid),
        )
        return (await keep_mail(mailing.database, mailing.seal, arrival)).is_new

    async def _tell(
        self, connection: Mailbox, folder: Folder, *, whole: list[int], beginnings: list[int]
    ) -> None:
        """Tell the mailbox what is stored; where it refuses, nothing is lost, and it is said."""
        for uid in beginnings:
            LOG.warning(
                "Of a mail that is too large only the beginning is kept; the whole of it stays in "
                "the mailbox, flagged (uid %d)", uid,
            )  # fmt: skip
        if not folder.writable:
            return
        wanted = self.mailing.settings

        def tell() -> None:
            connection.mark(beginnings, r"\Flagged")
            if wanted.imap_seen:
                connection.mark(whole, r"\Seen")
            if wanted.imap_processed:
                connection.move(whole, wanted.imap_processed)

        try:
            await aside(tell, most_s=FETCH_S)
        except MailboxRefuses as error:
            if str(error) not in self._told:
                self._told.add(str(error))
                LOG.warning("Stored mails cannot be marked in the mailbox: %s", error)

    async def _stand(self, uid_next: int) -> None:
        """Write down how far the mailbox is read: up to what is still to be had."""
        for uid, count in self._troubles.items():
            if count >= PASSED_OVER_FROM and str(uid) not in self._told:
                self._told.add(str(uid))
                LOG.error("The server does not give out a mail (uid %d): it is passed over", uid)
        held = [uid for uid, count in self._troubles.items() if 0 < count < PASSED_OVER_FROM]
        place = Place(self._uidvalidity, min([uid_next, *held]))
        await keep_place(self.mailing.database, self.source, place)
