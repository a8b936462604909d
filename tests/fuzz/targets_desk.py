"""Fuzzing of the desk's whole program, without a database: targets, queries, headers, bodies."""

import asyncio
import atexit
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, NoReturn
from urllib.parse import unquote

from desk.queries import tokens
from desk.settings import DeskSettings
from desk.site import make_site
from desk.state import Clocks, Desk
from tests.fuzz import laws

KEY: Final = b"a key of the fuzzer, 32 bytes..."
NOW: Final = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
STATUSES: Final = frozenset(
    {200, 201, 303, 304, 307, 400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 503}
)
"""What an asker may deserve; 503 is how far a good request comes without a database."""
_HEADERS: Final = (b"content-type", b"cookie", b"accept-language", b"content-length", b"accept")


class NoDatabase:
    """Knows every token and nothing else; sees that what it is asked with can be asked at all."""

    async def fetch(self, _query: str, /, *args: object) -> list[Any]:
        """Return no rows."""
        laws.is_argument(args)
        return []

    async def fetchrow(self, query: str, /, *args: object) -> Mapping[str, Any] | None:
        """Return whose token it is."""
        laws.is_argument(args)
        if query == tokens.FIND:
            return {"id": 1, "name": "fuzz", "hash": args[0]}
        raise ConnectionError

    async def fetchval(self, query: str, /, *args: object) -> Any:
        """Return a plain yes where something is read."""
        laws.is_argument(args)
        if query.lstrip().startswith("select exists"):
            return True
        raise ConnectionError

    async def execute(self, _query: str, /, *args: object) -> str:
        """Store nothing."""
        laws.is_argument(args)
        raise ConnectionError

    def acquire(self) -> NoReturn:
        """Lend no connection."""
        raise ConnectionError


class Failures(logging.Handler):
    """Keeps what the desk logs of an error, for whoever reads the fuzzer's report."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the text."""
        self.last = record.getMessage()


@cache
def _site() -> tuple[Any, asyncio.AbstractEventLoop, Failures]:
    settings = DeskSettings(dsn="", report_key=KEY, account_key=KEY)
    clocks = Clocks(now=lambda: NOW, monotonic_s=lambda: 0.0)
    failures = Failures()
    logging.getLogger("kvitok.desk").addHandler(failures)
    loop = asyncio.new_event_loop()
    atexit.register(loop.close)
    return make_site(Desk(settings, NoDatabase(), clocks)), loop, failures


def api(data: bytes) -> None:
    """Ask the desk: a line of method and target, a line of headers between tabs, the body.

    A server has already refused what is no HTTP (a target beyond ASCII, control characters).
    """
    first, _, rest = data.partition(b"\n")
    second, _, body = rest.partition(b"\n")
    method, _, target = first.partition(b" ")
    if not (first + second).isascii() or not (method + target).decode().isprintable():
        return
    if not method.isalnum() or not target.startswith(b"/"):
        return
    values = second.split(b"\t")
    if not all(each.decode().isprintable() for each in values):
        return
    headers = [(b"authorization", b"Bearer kvt_fuzz"), (b"host", b"desk.test")]
    headers += [(name, value) for name, value in zip(_HEADERS, values, strict=False) if value]
    site, loop, failures = _site()
    status, size = loop.run_until_complete(
        _ask(site, _scope(method.decode(), target.decode(), headers), body)
    )
    assert status in STATUSES, (status, failures.last)
    assert size < 1_000_000


def _scope(method: str, target: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """Return a request as uvicorn hands it on."""
    path, _, query = target.partition("?")
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
        "method": method, "scheme": "http", "path": unquote(path), "raw_path": path.encode(),
        "query_string": query.encode(), "root_path": "", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("desk.test", 80), "state": {},
    }  # fmt: skip


async def _ask(site: Any, scope: dict[str, Any], body: bytes) -> tuple[int, int]:
    """Return status and size of the answer."""
    parts = [body[: len(body) // 2], body[len(body) // 2 :]]
    answers: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not parts:
            return {"type": "http.disconnect"}
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: Any) -> None:
        answers.append(message)

    await site(scope, receive, send)
    assert answers, "no answer"
    return answers[0]["status"], sum(len(each.get("body", b"")) for each in answers[1:])
