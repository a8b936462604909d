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
from desk.queries.report_keeping import SealedReport, store_report
from desk.reports.matching import match_report
from desk.state import Desk
from incidents.actions import Refused
from incidents.matching.link import Link, attach, detach
from incidents.matching.unplaced import named

LOG: Final = logging.getLogger("kvitok.desk.reports")


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


async def attach_by_person(desk: Desk, link: Link, actor: str) -> str | Refused:
    """Join a report to a transaction's case by a person's word."""
    word = desk.word(actor, named(link.report))
    async with one_connection(desk.database) as connection:
        return await attach(connection, link, word)


async def detach_by_person(desk: Desk, report: int, actor: str) -> Refused | None:
    """Part a report from its case by a person's word."""
    word = desk.word(actor, named(report))
    async with one_connection(desk.database) as connection:
        return await detach(connection, report, word)
