"""Writes one automatic answer that is owed, or writes down why nobody gets it."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from desk.database import one_connection
from desk.mail.reading import AGE_MAX
from desk.mailing.addressee import Addressee, Withheld
from desk.mailing.caps import ALL, LONG, SHORT, WAIT_MAX, Answered, Verdict, verdict
from desk.mailing.compose import ASKED_MAX, Heading, answer
from desk.mailing.correspondent import Correspondent, correspondent
from desk.mailing.metrics import WITHHELD, WRITTEN
from desk.mailing.outgoing import Outgoing, unpacked
from desk.mailing.put_off import Taken
from desk.mailing.state import Mailing
from desk.mailing.terms import is_known, term
from desk.queries.database import Record, json_value
from desk.queries.mail_out import (
    ANSWERED,
    ANSWERS_OF_CASE,
    DECIDE,
    LOCK_CUSTOMER,
    TAKE_OWED,
    WRITE,
    next_number,
)
from desk.reports.content import Received
from desk.reports.masking import customer_keys
from incidents.calendar import Calendar, zone
from incidents.store import Connection
from incidents.terms import read_calendar

LOG: Final = logging.getLogger("kvitok.mail")

KIND: Final = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owed:
    """A report whose answer is owed, and to whom it goes."""

    row: Record
    to: Addressee
    customer: str
    who: Correspondent
    now: datetime
    calendar: Calendar

    @property
    def ask(self) -> tuple[str, ...]:
        """What its payment is not found without."""
        if self.row["status"] == "attached":
            return ()
        decision = json_value(self.row["decision"]) or {}
        return tuple(decision.get("ask", ()))[:ASKED_MAX]


async def answer_one(mailing: Mailing, but: Sequence[int], taken: Taken) -> bool:
    """Take up a report whose answer is owed; False if there is none, or all have to wait."""
    async with one_connection(mailing.database) as connection, connection.transaction():
        row = await connection.fetchrow(TAKE_OWED, but)
        if row is None:
            return False
        taken.id = row["id"]
        now = mailing.clocks.now()
        who = await _who(mailing, row, now)
        if not isinstance(who.to, Addressee):
            await _withhold(connection, row["id"], who.to)
            return True
        key = mailing.desk.account_key
        customer = next(iter(customer_keys(who.to.address, (), key)))
        calendar = await read_calendar(connection)
        owed = _Owed(
            row=row, to=who.to, customer=customer, who=who, now=now, calendar=calendar
        )  # fmt: skip
        # From here nobody else writes to this customer: what was counted stays true.
        await connection.execute(LOCK_CUSTOMER, customer)
        return await _judged(mailing, connection, owed)


async def _who(mailing: Mailing, row: Record, now: datetime) -> Correspondent:
    if not mailing.settings.answers:
        return Correspondent(to=Withheld.SWITCHED_OFF)
    if row["status"] == "suspended":
        return Correspondent(to=Withheld.SUSPENDED)
    if now - _written_at(row) > WAIT_MAX:
        return Correspondent(to=Withheld.TOO_LATE)
    raw = mailing.seal.open(row["content"])
    if raw is None:
        return Correspondent(to=Withheld.UNREADABLE)
    received = Received(
        channel=row["channel"], at=row["received_at"], reported_at=row["reported_at"]
    )
    return await asyncio.to_thread(correspondent, raw, received, mailing.own, automatic=True)


def _written_at(row: Record) -> datetime:
    """Return when a report was written: a mailbox that is read for the first time has old ones.

    A date that is older than a letter can be, or still to come, is a wrong clock's.
    """
    received: datetime = row["received_at"]
    told: datetime | None = row["reported_at"]
    if row["channel"] != "mail" or told is None:
        return received
    return told if received - AGE_MAX <= told <= received else received


async def _judged(mailing: Mailing, connection: Connection, owed: _Owed) -> bool:
    case = owed.row["case_number"]
    before = await connection.fetch(ANSWERS_OF_CASE, case, owed.customer)
    if before and not set(owed.ask) - _asked(mailing, before):
        await connection.execute(DECIDE, owed.row["id"], "none")
        return True
    counts = await connection.fetchrow(ANSWERED, owed.customer, owed.now, SHORT, LONG, ALL)
    may = verdict(Answered(**dict(counts)), mailing.settings)
    if may is Verdict.WITHHOLD:
        await _withhold(connection, owed.row["id"], Withheld.ADDRESS_CAP)
        return True
    if may is Verdict.WAIT:
        return False
    number = await next_number(connection, case)
    packed = _written(mailing, owed, mailing.ids.issue(case, number)).packed()
    await connection.execute(
        WRITE, KIND, case, number, owed.row["id"], None, owed.customer,
        mailing.seal.seal(packed), owed.now,
    )  # fmt: skip
    await connection.execute(DECIDE, owed.row["id"], "written")
    WRITTEN.labels(KIND).inc()
    return True


def _asked(mailing: Mailing, before: Sequence[Record]) -> set[str]:
    opened = (mailing.seal.open(each["content"]) for each in before)
    return {fact for one in opened if one is not None for fact in unpacked(one).asked}


def _written(mailing: Mailing, owed: _Owed, own_id: str) -> Outgoing:
    settings, row = mailing.settings, owed.row
    heading = Heading(
        case=row["case_number"],
        own_id=own_id,
        to=owed.to.address,
        sender=settings.sender,
        sender_name=settings.sender_name,
        answered=owed.who.message_id,
        references=owed.who.references,
        at=owed.now,
    )
    mail = answer(
        heading,
        language=owed.who.language or settings.language,
        term=term(
            row["due_at"],
            now=owed.now,
            zone=zone(row["timezone"]),
            is_guessed=row["guessed"] or not is_known(owed.calendar, row["due_at"], now=owed.now),
            working_days=mailing.desk.due_working_days,
        ),
        ask=owed.ask,
    )
    # The null sender: nobody answers it, and what bounces is lost instead of coming round again.
    return Outgoing.of(heading, mail, envelope="", asked=owed.ask)


async def _withhold(connection: Connection, report: int, why: Withheld) -> None:
    await connection.execute(DECIDE, report, "withheld")
    WITHHELD.labels(KIND, why.value).inc()
    LOG.info("Report %d gets no automatic answer: %s", report, why.value)
