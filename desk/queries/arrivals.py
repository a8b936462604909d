"""Mail that came, once each: by its content and by its place in a mailbox; how far one was read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from desk.queries.database import Database, Record

FIND: Final = """
select report, digest, message_id from mail_in where digest = $1
union all
select report, digest, message_id from mail_in
where source = $2 and uidvalidity = $3 and uid = $4 and digest <> $1
"""
STORE: Final = """
with kept as (
  insert into report (channel, received_at, reported_at, status, content, tried_at)
  values ('mail', $1, $2, 'needs_facts', $3, $4)
  returning id
)
insert into mail_in (source, uidvalidity, uid, digest, message_id, received_at, report)
select $5, $6, $7, $8, $9, $1, id from kept
returning report
"""
READ_PLACE: Final = "select uid_next from mail_place where source = $1 and uidvalidity = $2"
MOVE_PLACE: Final = """
insert into mail_place (source, uidvalidity, uid_next) values ($1, $2, $3)
on conflict (source, uidvalidity) do update
set uid_next = greatest(mail_place.uid_next, excluded.uid_next)
"""
FORGET_PLACE: Final = "update mail_place set uid_next = 1 where source = $1 and uidvalidity = $2"


class Place(NamedTuple):
    """Where a mail stands in its mailbox (RFC 3501, 2.3.1.1)."""

    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedMail:
    """A mail on its way into the database."""

    source: str
    place: Place | None
    digest: bytes
    message_id: bytes | None
    received_at: datetime
    reported_at: datetime | None
    content: bytes
    tried_at: datetime | None


async def find_mail(
    database: Database, digest: bytes, source: str, place: Place | None
) -> Record | None:
    """Return the mail of this content, else what stands at this place."""
    return await database.fetchrow(FIND, digest, source, *(place or (None, None)))


async def store_mail(database: Database, mail: SealedMail) -> int:
    """Keep a mail as a report, both or neither; when this returns it is durable.

    Raises:
        AlreadyThere: its content, or another mail at its place, is there (`desk.database`).
    """
    number: int = await database.fetchval(
        STORE, mail.received_at, mail.reported_at, mail.content, mail.tried_at,
        mail.source, *(mail.place or (None, None)), mail.digest, mail.message_id,
    )  # fmt: skip
    return number


async def read_up_to(database: Database, source: str, uidvalidity: int) -> int:
    """Return the uid from which on a mailbox has not been read."""
    return await database.fetchval(READ_PLACE, source, uidvalidity) or 1


async def keep_place(database: Database, source: str, place: Place) -> None:
    """Write down that everything below a uid is stored; never backwards."""
    await database.execute(MOVE_PLACE, source, *place)


async def forget_place(database: Database, source: str, uidvalidity: int) -> None:
    """Write down that nothing of a mailbox is known to be stored: it gives uids out again."""
    await database.execute(FORGET_PLACE, source, uidvalidity)
