"""Takes a report: kept sealed first, then read, matched and attached; what fails can be repeated.

Nothing that a report says is logged: of an error its kind and its place only.
"""

import logging
import traceback
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from desk.database import one_connection
from desk.mailing.arrivals import API, Arrival, Kept, keep_mail, sent_at
from desk.metrics import MATCHES, REPORTS
from desk.queries.report_keeping import (
    SealedReport,
    Understood,
    keep_understood,
    read_sealed,
    store_report,
)
from desk.reports.content import Received
from desk.reports.masking import customer_keys, stored_facts
from desk.reports.understanding import Read, unpacked
from desk.state import Desk
from incidents.actions import Refused, Word
from incidents.cases import DETECTOR
from incidents.matching.link import TOPIC_UNKNOWN, Link, attach, detach, named
from incidents.matching.matcher import Asked, Match, match
from wire.accounts import account_hash

LOG: Final = logging.getLogger("kvitok.desk.reports")


class SealBroken(Exception):  # noqa: N818 - says what is
    """A report was sealed with another key, or changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReport:
    """A report as it comes in."""

    channel: str
    content: bytes
    received_at: datetime
    reported_at: datetime | None


def mailed(raw: bytes, received_at: datetime) -> NewReport:
    """Return a mail as a report that came in."""
    return NewReport(channel="mail", content=raw, received_at=received_at, reported_at=sent_at(raw))


async def take(desk: Desk, report: NewReport) -> Kept:
    """Keep a report and find what it is about; once kept, it is never refused.

    A mail that came before, by whatever way, is the report that it was then.
    """
    kept = await (_keep_mail if report.channel == "mail" else _keep)(desk, report)
    if kept.is_new:
        await try_to_match(desk, kept.report)
    return kept


async def _keep(desk: Desk, report: NewReport) -> Kept:
    number = await store_report(
        desk.database,
        SealedReport(
            report.channel,
            report.received_at,
            report.reported_at,
            desk.seal.seal(report.content),
        ),
    )
    REPORTS.labels(report.channel).inc()
    return Kept(number, is_new=True)


async def _keep_mail(desk: Desk, report: NewReport) -> Kept:
    arrival = Arrival(source=API, raw=report.content, received_at=report.received_at)
    return await keep_mail(desk.database, desk.seal, arrival, tried_at=report.received_at)


async def try_to_match(desk: Desk, report: int) -> bool:
    """Match a report; return False, and say so in the log, if that failed."""
    try:
        await match_report(desk, report)
    except Exception as error:  # noqa: BLE001 - the report is kept: whatever it is, it is tried again
        last = traceback.extract_tb(error.__traceback__)[-1]
        LOG.error(  # noqa: TRY400 - its text may hold what the customer wrote
            "Report %d could not be matched: %s in %s, line %s",
            report, type(error).__name__, last.filename, last.lineno,
        )  # fmt: skip
        MATCHES.labels("failed").inc()
        return False
    return True


async def match_report(desk: Desk, report: int) -> bool:
    """Read a report anew and match it; False if there is none.

    Raises:
        SealBroken: its content cannot be opened.
    """
    row = await read_sealed(desk.database, report)
    if row is None:
        return False
    raw = desk.seal.open(row["content"])
    if raw is None:
        raise SealBroken
    packed = None if row["reading"] is None else desk.seal.open(row["reading"])
    received = Received(
        channel=row["channel"], at=row["received_at"], reported_at=row["reported_at"]
    )
    before = None if packed is None else unpacked(packed)
    read = await desk.reader.read(desk.database, raw, received, before)
    async with one_connection(desk.database) as connection:
        found = await match(connection, _asked(desk, read))
        now = desk.now()
        understood = _understood(desk, read, found, now)
        await keep_understood(connection, report, understood)
        link = _link(report, read, found)
        free = row["attached_by"] is None and not row["held"]
        if link is not None and free:
            await attach(connection, link, _by_matcher(link, found, now))
        MATCHES.labels("attached" if link is not None and free else understood.status).inc()
    return True


async def attach_by_person(desk: Desk, link: Link, actor: str) -> str | Refused:
    """Join a report to a transaction's case by a person's word."""
    word = Word(actor=actor, at=desk.now(), text=named(link.report))
    async with one_connection(desk.database) as connection:
        return await attach(connection, link, word)


async def detach_by_person(desk: Desk, report: int, actor: str) -> Refused | None:
    """Part a report from its case by a person's word."""
    word = Word(actor=actor, at=desk.now(), text=named(report))
    async with one_connection(desk.database) as connection:
        return await detach(connection, report, word)


def _asked(desk: Desk, read: Read) -> Asked:
    key = desk.settings.account_key
    return Asked(
        facts=read.facts,
        received_at=read.content.told_at,
        hash_of=lambda digits: account_hash(digits, key),
        suspended=read.content.suspicion is not None,
    )


def _understood(desk: Desk, read: Read, found: Match, now: datetime) -> Understood:
    key = desk.settings.account_key
    return Understood(
        facts=stored_facts(read.shown, key),
        customers=customer_keys(read.content.customer, read.facts, key),
        reading=desk.seal.seal(read.reading.packed()),
        set_aside=read.content.suspicion,
        match=found,
        at=now,
    )


def _link(report: int, read: Read, found: Match) -> Link | None:
    """Return what the matcher is sure of; a terminal alone is no transaction."""
    decision = found.decision
    sure = decision.status == "attached" and read.content.suspicion is None
    if not sure or decision.terminal is None or decision.epoch is None or decision.tx is None:
        return None
    return Link(
        report=report,
        terminal=decision.terminal,
        epoch=decision.epoch,
        tx=decision.tx,
        by="matcher",
        topic=next((str(f.value) for f in read.facts if f.kind == "topic"), TOPIC_UNKNOWN),
    )


def _by_matcher(link: Link, found: Match, now: datetime) -> Word:
    place = (link.terminal, link.epoch, link.tx)
    probability = next(
        (one.probability for one in found.candidates if (one.terminal, one.epoch, one.tx) == place),
        0.0,
    )
    text = f"{named(link.report)}: probability {probability:.4f}, model {found.model}"
    return Word(actor=DETECTOR, at=now, text=text)
