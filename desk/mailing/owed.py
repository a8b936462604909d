"""The loop *owed*: what has to be written to customers, derived from what is committed.

Laws: a report whose answer is owed and a case that was resolved are taken up until something is
committed about them: the mail together with `answer = 'written'`, or why there is none. So a crash
owes the same again, and two programs at once write one mail. Nothing of a report is logged but its
number.
"""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from desk.database import GONE
from desk.mailing.answers import answer_one
from desk.mailing.metrics import OWED
from desk.mailing.put_off import PutOff, Taken
from desk.mailing.resolutions import resolve_one
from desk.mailing.state import Mailing, can_send
from desk.queries.mail_out import COUNT_OWED

LOG: Final = logging.getLogger("kvitok.mail")

EVERY_S: Final = 1.0
ROUND_MAX: Final = 100
"""Of each kind in one round."""

Step = Callable[[Mailing, Sequence[int], Taken], Awaitable[bool]]
"""Takes up one thing that is owed, but those put off; False: there is none for now."""


async def forever(mailing: Mailing) -> None:
    """Write what is owed, round after round, until cancelled."""
    if not can_send(mailing.settings):
        LOG.warning("No mail is written: [mail] names neither smtp_host nor an outbox folder")
        return
    reports, resolved = PutOff(), PutOff()
    while True:
        await one_round(mailing, reports, resolved)
        await asyncio.sleep(EVERY_S)


async def one_round(mailing: Mailing, reports: PutOff, resolved: PutOff) -> None:
    """Write what is owed now; what fails is said, and put off."""
    await _steps(mailing, answer_one, reports)
    if mailing.settings.resolutions:
        await _steps(mailing, resolve_one, resolved)
    OWED.set(await mailing.database.fetchval(COUNT_OWED))


async def _steps(mailing: Mailing, step: Step, put_off: PutOff) -> None:
    for _ in range(ROUND_MAX):
        taken = Taken()
        try:
            if not await step(mailing, put_off.ids(mailing.clocks.monotonic_s()), taken):
                return
        except GONE:
            raise
        except Exception as error:  # one that cannot be written must not hold up the others
            if taken.id is None:
                raise
            last = traceback.extract_tb(error.__traceback__)[-1]
            LOG.error(  # noqa: TRY400 - its text may hold what the customer wrote
                "Nothing could be written (%s %d): %s in %s, line %s",
                step.__name__, taken.id, type(error).__name__, last.filename, last.lineno,
            )  # fmt: skip
            put_off.put(taken.id, mailing.clocks.monotonic_s())
