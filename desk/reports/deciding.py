"""A person's word on a report that is no attachment: a customer wrote it; it is none of these."""

from desk.database import one_connection
from desk.queries.report_decisions import none_fits, release
from desk.reports.taking import try_to_match
from desk.state import Desk
from incidents.actions import Refused
from incidents.matching.unplaced import named


async def release_by_person(desk: Desk, report: int, actor: str) -> Refused | None:
    """Let a report that was set aside go the way of every other; from then on it is a customer's.

    Should matching fail, it is released all the same, and taken up again.
    """
    word = desk.word(actor, named(report))
    async with one_connection(desk.database) as connection:
        refused = await release(connection, report, word)
    if refused is None:
        await try_to_match(desk, report)
    return refused


async def none_by_person(desk: Desk, report: int, actor: str) -> Refused | None:
    """Say that a report is about none of its candidates; to attach it takes that back."""
    word = desk.word(actor, named(report))
    async with one_connection(desk.database) as connection:
        return await none_fits(connection, report, word)
