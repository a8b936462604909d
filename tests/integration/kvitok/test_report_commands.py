"""`kvitok report add|list|show|match|release` on a real database."""

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from kvitok.cli import status_of

pytestmark = pytest.mark.service

MAIL = (
    "From: Anna <anna@example.com>\nTo: help@pay.example\nSubject: receipt\n"
    "Date: Mon, 23 Nov 2026 12:00:00 +0300\nContent-Type: text/plain; charset=utf-8\n\n"
    "Терминал 104233 не выдал чек, 500 рублей на номер 8 916 123-45-67\n"
).encode()


def test_a_mail_is_taken_and_shown(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the API would say, with the account masked; an unknown id is told."""
    config = tmp_path / "kvitok.toml"
    key = "0" * 64
    config.write_text(
        f'[database]\ndsn = "{database}"\n[secrets]\nreport_key = "{key}"\naccount_key = "{key}"\n'
    )
    file = tmp_path / "one.eml"
    file.write_bytes(MAIL)

    def kvitok(*arguments: str) -> tuple[int, str]:
        status = status_of(["report", *arguments, "--config", str(config)])
        said = capsys.readouterr()
        assert "9161234567" not in said.out + said.err
        return status, said.out + said.err

    def row(text: str) -> Any:
        return json.loads(text)

    assert kvitok("list") == (0, "no reports\n")
    status, said = kvitok("add", str(file))
    assert status == 0
    assert "+7 916 ***-**-67" in said
    assert "no payment fits" in said
    shown = row(kvitok("show", "1", "--json")[1])
    assert (shown["status"], shown["channel"]) == ("needs_facts", "mail")
    assert row(kvitok("match", "1", "--json")[1]) == shown
    assert row(kvitok("list", "--json")[1]) == [shown]
    assert "no_receipt" in kvitok("list", "--status", "needs_facts")[1]
    assert kvitok("list", "--status", "attached") == (0, "no reports\n")
    for unknown in ("2", "x", "9" * 30):
        for command in ("show", "match"):
            status, said = kvitok(command, unknown)
            assert (status, "there is no report" in said) == (1, True)


def test_a_file_that_is_no_mail_is_told(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing or empty file takes nothing."""
    config = tmp_path / "kvitok.toml"
    config.write_text(f'[database]\ndsn = "{database}"\n')
    empty = tmp_path / "empty.eml"
    empty.write_text("\n")
    for file, words in ((empty, "is empty"), (tmp_path / "none.eml", "No such file")):
        assert status_of(["report", "add", str(file), "--config", str(config)]) == 1
        assert words in capsys.readouterr().err

    async def count() -> int:
        connection = await asyncpg.connect(database)
        try:
            found: int = await connection.fetchval("select count(*) from report")
            return found
        finally:
            await connection.close()

    assert asyncio.run(count()) == 0


def test_a_report_that_was_set_aside_is_released(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`kvitok report release`: once, by name; what is not set aside is told."""
    config = tmp_path / "kvitok.toml"
    key = "0" * 64
    config.write_text(
        f'[database]\ndsn = "{database}"\n[secrets]\nreport_key = "{key}"\naccount_key = "{key}"\n'
    )
    file = tmp_path / "robot.eml"
    file.write_bytes(b"Auto-Submitted: auto-replied\n" + MAIL)

    def kvitok(*arguments: str) -> tuple[int, str]:
        status = status_of(["report", *arguments, "--config", str(config)])
        said = capsys.readouterr()
        return status, said.out + said.err

    assert kvitok("add", str(file))[0] == 0
    assert "automatic_reply" in kvitok("list", "--status", "suspended")[1]
    status, said = kvitok("release", "1", "--as", "anna", "--json")
    assert status == 0
    row = json.loads(said)
    assert (row["set_aside"], row["released_by"]) == (None, "anna")
    assert row["status"] in {"needs_facts", "suggested"}
    assert kvitok("list", "--status", "suspended") == (0, "no reports\n")
    status, said = kvitok("release", "1")
    assert (status, "not set aside" in said) == (1, True)
    assert "there is no report" in kvitok("release", "2")[1]
