"""The outermost layer of the desk: bounds bodies, adds headers, counts, and never leaks an error.

Whatever breaks inside ends here as one log line of types and places, without a word of what the
request held, and as an answer in the shape that its asker reads (`desk.site` writes it).
"""

import logging
import traceback
from collections.abc import Callable, MutableMapping
from pathlib import PurePath
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.api.problems import Problem
from desk.metrics import REQUESTS, SECONDS

LOG: Final = logging.getLogger("kvitok.desk")

CONTENT_POLICY: Final = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self'; "
    "connect-src 'self'; "
    "form-action 'self'; "
    "base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

ErrorAnswer = Callable[[Request, int, str], Response]


class Edge:
    """Wraps the whole program; `answer` writes an error for a request."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Callable[[str], int],
        answer: ErrorAnswer,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._app = app
        self._limits = limits
        self._answer = answer
        self._monotonic_s = monotonic_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = self._monotonic_s()
        sent = _Sent(send, private=not scope["path"].startswith("/static/"))
        limit = self._limits(scope["path"])
        try:
            if _announced(scope) > limit:
                answer = self._answer(Request(scope), 413, _too_large(limit).detail)
                await answer(scope, receive, sent)
            else:
                await self._app(scope, _bounded(receive, limit), sent)
        except Exception as error:  # noqa: BLE001 - the top: one line in the log, and an answer
            LOG.error("A request failed: %s", _places(error))  # noqa: TRY400 - its text is private
            if not sent.whole:
                # The answer had begun: cutting it short is the only honest end.
                raise ConnectionResetError from None
        finally:
            route = getattr(scope.get("route"), "path", "(none)")
            # A method is whatever the asker wrote: a label for each would grow without end.
            method = scope["method"] if scope["method"] in _METHODS else "other"
            REQUESTS.labels(route, method, str(sent.status)).inc()
            SECONDS.labels(route).observe(self._monotonic_s() - began_s)


class _Sent:
    """Sends on, adds the headers, and remembers the status, and whether the answer is out."""

    def __init__(self, send: Send, *, private: bool) -> None:
        self._send = send
        self._private = private
        self.status = 0
        self.whole = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            if self._private:
                headers.setdefault("Cache-Control", "no-store")
        await self._send(message)
        self.whole = message["type"] == "http.response.body" and not message.get("more_body")


def _announced(scope: MutableMapping[str, Any]) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            # Python reads no integer of thousands of digits; twenty are beyond every limit of ours.
            return int(value[:20]) if value.isdigit() else 0
    return 0


def _bounded(receive: Receive, limit: int) -> Receive:
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > limit:
                raise _too_large(limit)
        return message

    return bounded


def _too_large(limit: int) -> Problem:
    return Problem(413, f"The body is larger than {limit} bytes.")


def _places(error: BaseException) -> str:
    """Return the error's type and where it arose, never its text: it may quote a customer."""
    frames = traceback.extract_tb(error.__traceback__)
    places = (f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in frames[-12:])
    return f"{type(error).__name__} at {' > '.join(places)}"
