import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.integration.postgres import free_port

pytestmark = pytest.mark.service

PROGRAM = """
import asyncio, logging, sys
from datetime import UTC, datetime
from desk.app import run
from desk.database import connected
from desk.queries.tokens import create_token
from desk.settings import DeskSettings

async def token(dsn):
    async with connected(dsn) as database:
        return await create_token(database, "tests", now=datetime.now(UTC))

dsn, port = sys.argv[1], int(sys.argv[2])
logging.basicConfig(level=logging.INFO)
print(asyncio.run(token(dsn)), flush=True)
run(DeskSettings(dsn=dsn, report_key=b"k" * 32, account_key=b"k" * 32, port=port, access_log=True),
    ready=lambda: print("ready", flush=True))
print("ended", flush=True)
"""


@pytest.fixture
def desk(database: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Return a desk's process, its address and a token."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, database, str(port)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    token = process.stdout.readline().strip()
    assert process.stdout.readline().strip() == "ready"
    yield process, f"http://127.0.0.1:{port}", token
    if process.poll() is None:
        process.kill()
        process.communicate()


def test_it_answers_when_it_says_so_and_ends_cleanly(
    desk: tuple[subprocess.Popen[str], str, str],
) -> None:
    """`ready` is true at once; SIGTERM ends it with status 0; its log holds no query, no token."""
    process, address, token = desk
    with httpx.Client(base_url=address, trust_env=False) as client:
        assert client.get("/readyz").status_code == 200
        assert client.get("/login", params={"token": token}).status_code == 303
        assert client.get("/terminals/1?tx=89161234567").status_code == 404
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/api/v1/terminals?query=89161234567", headers=headers).json() == {
            "items": [], "next": None,
        }  # fmt: skip
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=15)
    assert (process.returncode, out.strip()) == (0, "ended")
    assert time.monotonic() - began < 10
    assert "GET /api/v1/terminals " in err
    assert token not in err
    assert "89161234567" not in err


def test_a_taken_port_is_told_in_words(desk: tuple[subprocess.Popen[str], str, str]) -> None:
    """What, where, what to do: and no traceback."""
    _, address, _ = desk
    program = """
import sys
from desk.app import run
from desk.settings import DeskSettings
run(DeskSettings(dsn="", report_key=b"k" * 32, account_key=b"k" * 32, port=int(sys.argv[1])))
"""
    port = address.rpartition(":")[2]
    second = subprocess.run(
        [sys.executable, "-c", program, port], capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert re.search(rf"cannot listen on 127\.0\.0\.1:{port}.*\[desk\] port", second.stderr)
    assert "Traceback" not in second.stderr
