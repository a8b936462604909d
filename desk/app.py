"""The desk's process: joins the parts by hand, serves until told to stop."""

import asyncio
import logging
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import uvicorn

from desk.database import pool
from desk.reports.again import forever
from desk.settings import DeskSettings
from desk.site import make_site
from desk.state import Clocks, Desk

LOG: Final = logging.getLogger("kvitok.desk")

_GRACE_S: Final = 5
"""How long running requests may still take after the word to stop."""
_CONCURRENT_MAX: Final = 512
_KEEP_ALIVE_S: Final = 30


def run(settings: DeskSettings, ready: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGTERM or SIGINT; call `ready` once requests are answered."""
    asyncio.run(_serve(settings, ready))


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - this is the desk's door to the clock


async def _serve(settings: DeskSettings, ready: Callable[[], None]) -> None:
    clocks = Clocks(now=_now, monotonic_s=time.monotonic)
    listening = _listen(settings.host, settings.port)
    async with pool(settings.dsn, connections_max=settings.connections_max) as database:
        desk = Desk(settings, database, clocks)
        server = _Server(_config(desk), ready)
        host, port = listening.getsockname()[:2]
        LOG.info("The desk listens on http://%s:%d", host, port)
        again = asyncio.create_task(forever(desk))
        await server.serve(sockets=[listening])
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)
    LOG.info("The desk has stopped")


def _config(desk: Desk) -> uvicorn.Config:
    return uvicorn.Config(
        make_site(desk),
        log_config=None,
        access_log=desk.settings.access_log,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        timeout_keep_alive=_KEEP_ALIVE_S,
        limit_concurrency=_CONCURRENT_MAX,
        lifespan="off",
    )


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        logging.getLogger("uvicorn.access").addFilter(_NoQuery())
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on SIGTERM and SIGINT without raising them again: a clean end is status 0."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self.handle_exit, each, None)
        try:
            yield
        finally:
            for each in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(each)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, then say so."""
        await super().startup(sockets)
        self._ready()


class _NoQuery(logging.Filter):
    """Leaves the query out of the access log: it holds tokens, and what people search for."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                re.sub(r"\?.*", "", each) if isinstance(each, str) and each[:1] == "/" else each
                for each in record.args
            )
        return True


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise SystemExit(
            f"desk: cannot listen on {host}:{port}: {error.strerror}; is another program there? "
            "[desk] port says where"
        ) from error
    listening.set_inheritable(False)
    return listening
