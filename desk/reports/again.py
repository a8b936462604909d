"""Takes up what waits: reports that nobody has understood yet, and those without a transaction.

Laws: a report is stored before it is understood, so a mail program and a crashed desk leave the
same behind, and each desk asks for it every second. To take one up is written down before it is
tried: a report that kills the process comes again after half a minute, then ever more seldom, and
holds up no other. What was understood and found no transaction is matched again: its journal may
still be on its way.
"""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from desk.queries.report_keeping import take_up, take_up_unread
from desk.reports.taking import try_to_match
from desk.state import Desk

LOG: Final = logging.getLogger("kvitok.desk.reports")

EVERY_S: Final = 15.0
AGE_MAX: Final = timedelta(days=7)
"""As long as a terminal keeps what it has not sent."""
WAIT_MIN: Final = timedelta(seconds=15)
"""Between two attempts at a young report; a quarter of its age at an old one."""
ROUND_MAX: Final = 200
"""Reports matched in one round; the others come in the next."""

UNREAD_EVERY_S: Final = 1.0
"""How long a mail may lie before the desk looks for it; one look is one probe of an index."""
UNREAD_WAIT_MIN: Final = timedelta(seconds=30)
"""Between two attempts to understand a young report; a quarter of its age at an old one."""
AT_ONCE: Final = 3
"""Reports understood at once: a photo holds up no plain text."""
PAUSE_MAX_S: Final = 30.0


async def forever(desk: Desk) -> None:
    """Take up what waits until cancelled."""
    busy: set[int] = set()
    await asyncio.gather(_match_again(desk), *(_read_first(desk, busy) for _ in range(AT_ONCE)))


async def one_round(desk: Desk) -> int:
    """Match what has waited long enough; return how many reports that were."""
    for count in range(ROUND_MAX):
        report = await take_up(desk.database, desk.now(), age=AGE_MAX, wait=WAIT_MIN)
        if report is None:
            return count
        await try_to_match(desk, report)
    return ROUND_MAX


async def read_next(desk: Desk, busy: set[int]) -> bool:
    """Understand one report that nobody has understood yet; False if none waits.

    `busy` are those that this desk is at: one that takes long is not begun a second time.
    """
    report = await take_up_unread(desk.database, desk.now(), wait=UNREAD_WAIT_MIN)
    if report is None:
        return False
    if report not in busy:
        busy.add(report)
        try:
            await try_to_match(desk, report)
        finally:
            busy.discard(report)
    return True


async def _match_again(desk: Desk) -> None:
    while True:
        try:
            await desk.reader.warm(desk.database)
            await one_round(desk)
        except Exception as error:  # noqa: BLE001 - nobody waits for this loop: the next round may do
            LOG.warning("Reports are not matched again: %s", type(error).__name__)
        await asyncio.sleep(EVERY_S)


async def _read_first(desk: Desk, busy: set[int]) -> None:
    pause = UNREAD_EVERY_S
    while True:
        try:
            while await read_next(desk, busy):
                pause = UNREAD_EVERY_S
        except Exception as error:  # noqa: BLE001 - the same
            pause = min(pause * 2, PAUSE_MAX_S)
            LOG.warning(
                "New reports are not read: %s; again in %.0f s", type(error).__name__, pause
            )
        else:
            pause = UNREAD_EVERY_S
        await asyncio.sleep(pause)
