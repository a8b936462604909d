"""Reports that found no transaction yet are matched again: its journal may still be on its way."""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from desk.queries.report_keeping import take_up
from desk.reports.taking import try_to_match
from desk.state import Desk

LOG: Final = logging.getLogger("kvitok.desk.reports")

EVERY_S: Final = 300.0
AGE_MAX: Final = timedelta(days=7)
"""As long as a terminal keeps what it has not sent."""
WAIT_MIN: Final = timedelta(minutes=4)
"""Between two attempts at a young report; an eighth of its age at an old one."""
ROUND_MAX: Final = 200
"""Reports matched in one round; the others come in the next."""


async def forever(desk: Desk) -> None:
    """Match again, round after round, until cancelled."""
    while True:
        try:
            await desk.reader.warm(desk.database)
            await one_round(desk)
        except Exception as error:  # noqa: BLE001 - nobody waits for this loop: the next round may do
            LOG.warning("Reports are not matched again: %s", type(error).__name__)
        await asyncio.sleep(EVERY_S)


async def one_round(desk: Desk) -> int:
    """Match what has waited long enough; return how many reports that were."""
    for count in range(ROUND_MAX):
        report = await take_up(desk.database, desk.now(), age=AGE_MAX, wait=WAIT_MIN)
        if report is None:
            return count
        await try_to_match(desk, report)
    return ROUND_MAX
