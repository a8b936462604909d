"""Writes the mail that tells a customer of the end of their case, or why nobody gets one."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from desk.database import one_connection
from desk.mailing.addressee import Addressee, Withheld
from desk.mailing.compose import Heading, resolution
from desk.mailing.correspondent import Correspondent, correspondent
from desk.mailing.metrics import WITHHELD, WRITTEN
from desk.mailing.outgoing import Outgoing
from desk.mailing.put_off import Taken
from desk.mailing.state import Mailing
from desk.queries.database import Record
from desk.queries.mail_out import (
    PUBLIC_TEXTS,
    REPORTS_OF_CASE,
    RESOLVED,
    STILL_RESOLVED,
    WRITE,
    next_number,
    note,
)
from desk.reports.content import Received
from desk.reports.masking import customer_keys
from incidents.store import Connection

LOG: Final = logging.getLogger("kvitok.mail")

KIND: Final = "resolution"
WITHIN: Final = timedelta(days=3)
"""A case that was resolved before is not written about any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """A resolved case and whom its mail goes to."""

    case: str
    number: int
    history: int
    report: int
    who: Correspondent
    to: Addressee
    now: datetime


async def resolve_one(mailing: Mailing, but: Sequence[int], taken: Taken) -> bool:
    """Take up a case that was resolved and whose customer does not know it; False: there is none.

    The newest of its reports whose sender may be written to says where the mail goes. A sender is
    only a claim: another address for answers counts where no report gives its sender's own, and
    then the first one's, so that no later letter in a customer's name directs it elsewhere.
    """
    async with one_connection(mailing.database) as connection, connection.transaction():
        now = mailing.clocks.now()
        row = await connection.fetchrow(RESOLVED, now - WITHIN, but)
        if row is None:
            return False
        taken.id, case = row["id"], row["number"]
        # Reports first, then the case: the order in which everybody takes them.
        reports = await connection.fetch(REPORTS_OF_CASE, case)
        number = await next_number(connection, case)
        if await connection.fetchval(STILL_RESOLVED, row["id"]) is None:
            return True
        report, who = await _who(mailing, reports)
        if isinstance(who.to, Addressee):
            told = _Told(
                case=case, number=number, history=row["id"], report=report, who=who, to=who.to,
                now=now,
            )  # fmt: skip
            await _write(mailing, connection, told)
        else:
            await note(connection, case, "mail_withheld", at=now, text=who.to.value)
            WITHHELD.labels(KIND, who.to.value).inc()
            LOG.info("The end of case %s is mailed to nobody: %s", case, who.to.value)
    return True


async def _who(mailing: Mailing, reports: Sequence[Record]) -> tuple[int, Correspondent]:
    """Return the report whose sender is written to; else the newest, and why nobody is."""
    nobody: tuple[int, Correspondent] | None = None
    directed: tuple[int, Correspondent] | None = None
    for row in reports:
        raw = mailing.seal.open(row["content"])
        who = Correspondent(to=Withheld.UNREADABLE)
        if raw is not None:
            received = Received(
                channel=row["channel"], at=row["received_at"], reported_at=row["reported_at"]
            )
            who = await asyncio.to_thread(
                correspondent, raw, received, mailing.own, automatic=False
            )
        if not isinstance(who.to, Addressee):
            nobody = nobody or (row["id"], who)
        elif who.directed:
            directed = (row["id"], who)
        else:
            return row["id"], who
    return directed or nobody or (0, Correspondent(to=Withheld.SUSPENDED))


async def _write(mailing: Mailing, connection: Connection, told: _Told) -> None:
    settings = mailing.settings
    heading = Heading(
        case=told.case,
        own_id=mailing.ids.issue(told.case, told.number),
        to=told.to.address,
        sender=settings.sender,
        sender_name=settings.sender_name,
        answered=told.who.message_id,
        references=told.who.references,
        at=told.now,
    )
    texts = await connection.fetch(PUBLIC_TEXTS, told.case, told.history)
    language = told.who.language or settings.language
    mail = resolution(heading, language=language, texts=[each["text"] for each in texts])
    # A person's decision: what bounces comes back to us, and somebody sees it.
    packed = Outgoing.of(heading, mail, envelope=settings.sender).packed()
    customer = next(iter(customer_keys(told.to.address, (), mailing.desk.account_key)))
    await connection.execute(
        WRITE, KIND, told.case, told.number, told.report, told.history, customer,
        mailing.seal.seal(packed), told.now,
    )  # fmt: skip
    WRITTEN.labels(KIND).inc()
