"""The one door by which a mail comes in, whoever brings it: kept sealed, once.

Laws: when `keep_mail` returns, the mail is durable and may be forgotten by who brought it; the same
bytes are one report, however often and from wherever they come. A place in a mailbox that holds
another mail than before (a server restored from a backup gives uids out again) hides no mail.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.parser import BytesHeaderParser
from email.policy import default as modern
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from desk.database import AlreadyThere
from desk.metrics import REPORTS
from desk.queries.arrivals import Place, SealedMail, find_mail, store_mail
from desk.queries.database import Database
from desk.sealing import Seal
from desk.times import ALWAYS, FOREVER

API: Final = "api"
"""The source of mail that came by the API or the command line."""
_HEADER_BYTES_MAX: Final = 262_144
_HEADER_END: Final = re.compile(rb"\r?\n\r?\n")
_MESSAGE_ID: Final = re.compile(rb"(?im)^message-id:(?:[ \t]|\r?\n[ \t])*<([^<>\s]{1,500})>")
_TRIES_MAX: Final = 3
"""Of storing a mail that somebody else stores at the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A mail as it came."""

    source: str
    """The mailbox, the drop folder, or `API`."""
    raw: bytes
    received_at: datetime
    place: Place | None = None
    """Where it stands in its mailbox."""


class Kept(NamedTuple):
    """What became of an arrival."""

    report: int
    is_new: bool
    """False: it had come before, and nothing was written."""


async def keep_mail(
    database: Database, seal: Seal, arrival: Arrival, *, tried_at: datetime | None = None
) -> Kept:
    """Keep a mail as a report; the same mail again makes nothing new.

    `tried_at` is given by who goes on to understand the report at once; else the desk takes it up.
    """
    digest = hashlib.sha256(arrival.raw).digest()
    message_id = _message_id(arrival.raw)
    key = None if message_id is None else message_key(seal, message_id)
    for _ in range(_TRIES_MAX):
        known = await find_mail(database, digest, arrival.source, arrival.place)
        if known is not None and (known["digest"] == digest or _same(known["message_id"], key)):
            return Kept(known["report"], is_new=False)
        mail = SealedMail(
            source=arrival.source,
            # Another mail has been read from this place: this one is known by its content alone.
            place=arrival.place if known is None else None,
            digest=digest,
            message_id=key,
            received_at=arrival.received_at,
            reported_at=sent_at(arrival.raw),
            content=seal.seal(arrival.raw),
            tried_at=tried_at,
        )
        try:
            report = await store_mail(database, mail)
        except AlreadyThere:
            continue
        REPORTS.labels("mail").inc()
        return Kept(report, is_new=True)
    raise AssertionError("A mail is there and is not found.")


def _same(known: bytes | None, key: bytes | None) -> bool:
    """Tell whether other bytes at one place are one mail: some servers write it anew each time."""
    return key is not None and known == key


def message_key(seal: Seal, message_id: str) -> bytes:
    """Return what a Message-ID (without angle brackets) is stored and looked up as."""
    return seal.fingerprint(message_id)


def sent_at(raw: bytes) -> datetime | None:
    """Return when a mail says it was written; a mail without a readable date has none."""
    header = BytesHeaderParser(policy=modern).parsebytes(raw[:_HEADER_BYTES_MAX])
    try:
        # To look a date up is to parse it: already that fails for a year beyond every calendar.
        text = header.get("Date")
        moment = parsedate_to_datetime(str(text)) if text else None
    except (ValueError, TypeError, OverflowError):
        return None
    if moment is None or moment.tzinfo is None:
        return None
    return moment if ALWAYS <= moment <= FOREVER else None


def _message_id(raw: bytes) -> str | None:
    head = raw[:_HEADER_BYTES_MAX].lstrip()
    end = _HEADER_END.search(head)
    found = _MESSAGE_ID.search(head, 0, end.start() if end else len(head))
    return None if found is None else found[1].decode("utf-8", "surrogateescape")
