"""The mail program's process: joins the parts by hand, runs its loops until told to stop.

Each loop of `LOOPS` runs by itself: one that fails is called again after a pause and holds up none
of the others.
"""

import asyncio
import logging
import signal
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import prometheus_client

from desk.database import pool
from desk.mailing import inbox, out, owed
from desk.mailing.fitness import check
from desk.mailing.settings import MailSettings
from desk.mailing.state import Loop, Mailing
from desk.settings import DeskSettings
from desk.state import Clocks

LOG: Final = logging.getLogger("kvitok.mail")

LOOPS: Final[tuple[tuple[str, Loop], ...]] = (
    ("mailbox", inbox.mailbox),
    ("drop folder", inbox.drop_folder),
    ("owed", owed.forever),
    ("out", out.forever),
)
"""The loops by their names in the log."""

PAUSE_FIRST_S: Final = 1.0
PAUSE_MAX_S: Final = 60.0
STEADY_S: Final = 120.0
"""A loop that worked this long starts again with the first pause."""
STOP_S: Final = 10.0
"""How long the loops may take to end: a thread of theirs may wait for a mail server."""
NAME: Final = "kvitok mail"
"""What the database calls our connections; `kvitok doctor` looks for it."""
CONNECTIONS_MAX: Final = 6
LOOPBACK: Final = "127.0.0.1"


def run(
    settings: MailSettings, desk: DeskSettings, ready: Callable[[], None] = lambda: None
) -> None:
    """Fetch, write and send until SIGTERM or SIGINT; call `ready` once the loops run.

    Raises:
        MailUnfit: no mail could be made with these settings.
    """
    check(settings)
    for folder in (settings.drop, settings.outbox):
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if settings.metrics_port:
        prometheus_client.start_http_server(settings.metrics_port, addr=LOOPBACK)
    asyncio.run(_run(settings, desk, ready))


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - this is the program's door to the clock


async def _run(settings: MailSettings, desk: DeskSettings, ready: Callable[[], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    async with pool(desk.dsn, connections_max=CONNECTIONS_MAX, name=NAME) as database:
        mailing = Mailing(settings, desk, database, Clocks(now=_now, monotonic_s=time.monotonic))
        tasks = [asyncio.create_task(keep(name, each, mailing)) for name, each in LOOPS]
        LOG.info("The mail program runs")
        ready()
        await stop.wait()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S)
    LOG.info("The mail program has stopped")


async def keep(name: str, loop: Loop, mailing: Mailing) -> None:
    """Call a loop again whenever it fails, until cancelled or until it returns by itself."""
    pause = PAUSE_FIRST_S
    while True:
        began = mailing.clocks.monotonic_s()
        try:
            await loop(mailing)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other loops go on
            if mailing.clocks.monotonic_s() - began > STEADY_S:
                pause = PAUSE_FIRST_S
            last = traceback.extract_tb(error.__traceback__)[-1]
            LOG.warning(  # its text may hold an address
                "%s: %s in %s, line %s; again in %.0f s",
                name, type(error).__name__, last.filename, last.lineno, pause,
            )  # fmt: skip
        else:
            return
        await asyncio.sleep(pause)
        pause = min(pause * 2, PAUSE_MAX_S)
