"""How `serve` learns that the desk works."""

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kvitok.serve import _DeskReady

pytestmark = pytest.mark.service


def test_serve_says_once_why_the_desk_waits(caplog: pytest.LogCaptureFixture) -> None:
    """A reason is told once; 200 is ready, and so is a desk beyond loopback that wants a token."""
    answers = [503, 503, 200, 401]

    class Desk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"detail": "Not ready: no tables."}).encode()
            self.send_response(answers.pop(0))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
            pass

    with HTTPServer(("127.0.0.1", 0), Desk) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ready = _DeskReady("127.0.0.1", server.server_port)
        with caplog.at_level(logging.WARNING):
            assert [ready() for _ in range(4)] == [False, False, True, True]
        server.shutdown()
    assert [line.getMessage() for line in caplog.records] == [
        "the desk waits: Not ready: no tables."
    ]
    assert not _DeskReady("127.0.0.1", server.server_port)()
