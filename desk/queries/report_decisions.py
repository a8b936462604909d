"""What a person says of a report beside its case: a customer wrote it; it is none of these."""

from typing import Final

from incidents.actions import Refused, Word
from incidents.matching.link import CUSTOMERS, lock
from incidents.matching.unplaced import note
from incidents.store import Connection

RELEASED: Final = "report_released"
NONE_FITS: Final = "report_none"

LOCKED: Final = """
select case_number, attached_by, set_aside from report where id = $1 for update
"""
RELEASE: Final = """
update report set released_by = $2, released_at = $3, set_aside = null, answer = null,
  reading = null, tried_at = $3,
  status = case when attached_by is null then 'needs_facts' else status end
where id = $1
"""
"""Not read any more: should we crash now, it is taken up as if it had just come."""
NONE: Final = "update report set held = true, none_by = $2, none_at = $3 where id = $1"


async def release(connection: Connection, report: int, word: Word) -> Refused | None:
    """Say that a customer wrote a report that was set aside; it never is again by itself."""
    async with connection.transaction():
        await lock(connection, await connection.fetchval(CUSTOMERS, report) or ())
        row = await connection.fetchrow(LOCKED, report)
        if row is None:
            return Refused("unknown", f"there is no report {report}")
        if row["set_aside"] is None:
            return Refused("not_set_aside", f"report {report} is not set aside")
        await connection.execute(RELEASE, report, word.actor, word.at)
        if row["case_number"] is not None:
            await note(connection, row["case_number"], RELEASED, word)
    return None


async def none_fits(connection: Connection, report: int, word: Word) -> Refused | None:
    """Say that a report is about none of its candidates; later matches only suggest."""
    async with connection.transaction():
        await lock(connection, await connection.fetchval(CUSTOMERS, report) or ())
        row = await connection.fetchrow(LOCKED, report)
        if row is None:
            return Refused("unknown", f"there is no report {report}")
        if row["attached_by"] is not None:
            return Refused("attached", f"report {report} is attached: take it out of its case")
        await connection.execute(NONE, report, word.actor, word.at)
        if row["case_number"] is not None:
            await note(connection, row["case_number"], NONE_FITS, word)
    return None
