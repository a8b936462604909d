"""The incidents process: joins settings, worker and signals."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from typing import Final

import prometheus_client

from incidents.settings import IncidentsSettings
from incidents.worker import Worker

log: Final = logging.getLogger(__name__)

LOOPBACK: Final = "127.0.0.1"


def run(settings: IncidentsSettings, ready: Callable[[], None] = lambda: None) -> None:
    """Fold until SIGTERM or SIGINT; call `ready` once the work has begun."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if settings.metrics_port:
        prometheus_client.start_http_server(settings.metrics_port, addr=LOOPBACK)
    if os.name == "posix":
        import uvloop  # noqa: PLC0415 - there is none for Windows

        uvloop.run(_run(settings, ready))
    else:
        asyncio.run(_run(settings, ready))


async def _run(settings: IncidentsSettings, ready: Callable[[], None]) -> None:
    worker = Worker(settings, ready)
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, worker.stop)
    log.info("incidents: folding in %d lanes", settings.lanes)
    ready()
    await worker.run()
    log.info("incidents: stopped")
