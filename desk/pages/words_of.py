"""A report's own words, unsealed for the pages that show them and for nothing else."""

from desk.queries.report_keeping import read_sealed
from desk.reports.understanding import Reading, unpacked
from desk.state import Desk


async def words_of(desk: Desk, report: int) -> Reading | None:
    """Return what was read of a report; None until it was read, or sealed with another key."""
    sealed = await read_sealed(desk.database, report)
    packed = sealed["reading"] if sealed else None
    content = None if packed is None else desk.seal.open(packed)
    return None if content is None else unpacked(content)
