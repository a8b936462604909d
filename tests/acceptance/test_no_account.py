"""What a customer typed as an account is in no table, log, metric or answer, and in no file."""

import json
import mmap
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from kvitok.embedded.postgres import binary
from kvitok.place import settings_of
from kvitok.settings import DatabaseSettings
from tests.acceptance.foreign import ForeignTerminal, now_ms
from tests.acceptance.killing import log_of
from tests.acceptance.serving import Served, serving

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

PHONE = "79167654321"
WALLET = "410018765432109"
QUARANTINED = "79031112233"
DEEP = "79265557788"
CUT = "79850001122"
RAW = (PHONE, WALLET, QUARANTINED, DEEP, CUT)


def events() -> list[dict[str, Any]]:
    """Return events with accounts in every place where one can be."""
    at = now_ms()
    return [
        {"kind": "transaction_started", "at": at, "tx": "a1", "service": "mts", "account": PHONE},
        {"kind": "cash_accepted", "at": at, "tx": "a1", "amount": 10000, "currency": "RUB",
         "media": "note"},
        {"kind": "transaction_started", "at": at, "tx": "a2", "service": "w", "account": WALLET},
        {"kind": "cash_accepted", "at": "?", "tx": "a2", "account": QUARANTINED},
        {"kind": "never_heard_of", "at": at, "inner": [{"account": DEEP}, {"account": [DEEP]}]},
    ]  # fmt: skip


def test_no_account_is_anywhere(tmp_path: Path) -> None:
    """The raw numbers are searched for in a dump, in logs, metrics, pages, answers and files."""
    folder = tmp_path / "data"
    with serving(folder) as served:
        terminal = ForeignTerminal(served, "ACC-1")
        terminal.write(*events())
        assert terminal.ask(terminal.batch(1, 5))["next"] == 6
        terminal.publish("journal", f'{{"epoch": 1, "account": "{CUT}", "events": ['.encode())
        terminal.publish("pulse", f'{{"account": "{CUT}"'.encode())
        terminal.close()
        served.until(lambda: served.items("/transactions", terminal="ACC-1"), what="folded")
        time.sleep(1.0)
        said = answers(served) + dump(folder)
        assert "ACC-1" in said
        assert "***" in said, "the masked form is there"
        assert [raw for raw in RAW if raw in said] == []
    assert [raw for raw in RAW if raw in log_of(folder).read_text("utf-8")] == []
    # What the broker keeps is the message as sent: it is not ours to search.
    assert found_in_files(folder / "postgres") == []


def answers(served: Served) -> str:
    """Return all that the service says about the terminal."""
    paths = (
        "/api/v1/terminals/ACC-1", "/api/v1/terminals/ACC-1/log", "/api/v1/transactions",
        "/api/v1/quarantine", "/api/v1/incidents", "/api/v1/cases", "/metrics",
    )  # fmt: skip
    texts = [served.call("GET", path).text for path in paths]
    with httpx.Client(base_url=served.ready["http"], follow_redirects=True) as browser:
        browser.get("/login", params={"token": served.ready["token"]})
        texts.append(browser.get("/terminals/ACC-1").text)
    return "\n".join(texts)


def dump(folder: Path) -> str:
    """Return the whole database as text."""
    dsn = settings_of(folder, None).section(DatabaseSettings).dsn
    result = subprocess.run(
        [str(binary("pg_dump")), dsn], capture_output=True, text=True, check=True
    )
    return json.dumps(result.stdout, ensure_ascii=False)


def found_in_files(folder: Path) -> list[tuple[str, str]]:
    """Return every raw number found in a file of the database, its write-ahead log included."""
    found = []
    for path in folder.rglob("*"):
        if not path.is_file() or not path.stat().st_size:
            continue
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            found += [(path.name, raw) for raw in RAW if content.find(raw.encode()) >= 0]
    return found
