"""`kvitok case move|comment` on a real database."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from kvitok.cli import status_of

pytestmark = pytest.mark.service

CASE = """
insert into support_case (number, topic, state, terminal, opened_at, due_at, opened_by, changed_at)
values ('K-2026-000001', 'work_order', 'new', 'T1', now(), now(), 'detector', now())
"""


async def _open(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(CASE)
    finally:
        await connection.close()


def test_a_person_works_on_a_case(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The history says who did what; a wrong move is answered with the right ones."""
    config = tmp_path / "kvitok.toml"
    config.write_text(
        f'[database]\ndsn = "{database}"\n[secrets]\nreport_key = "{"0" * 64}"\n'
        f'account_key = "{"0" * 64}"\n'
    )
    asyncio.run(_open(database))

    def kvitok(*arguments: str) -> tuple[int, str]:
        status = status_of(["case", *arguments, "--config", str(config)])
        said = capsys.readouterr()
        return status, said.out + said.err

    number = "K-2026-000001"
    assert kvitok("move", number, "take", "--as", "anna") == (0, f"{number}: open\n")
    assert kvitok("comment", number, "бумага едет", "--public") == (0, f"{number}: noted\n")
    status, said = kvitok("move", number, "answered")
    assert (status, "answered is not one of ask_customer, resolve" in said) == (1, True)
    assert kvitok("comment", "K-2026-000009", "x")[0] == 1
    assert kvitok("move", number, "dance")[0] == 2
    history = json.loads(kvitok("show", number, "--json")[1])["history"]
    done = [(step["actor"], step["action"], step["text"]) for step in history]
    assert done == [("anna", "take", None), ("command line", "comment", "бумага едет")]
