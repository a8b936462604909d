"""`kvitok incident clear` on a real database."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from kvitok.cli import status_of

pytestmark = pytest.mark.service

INCIDENT = """
insert into incident (terminal, rule, subject, epoch, severity, opened_at, detected_at, proof)
values ('T1', $1, '', 1, 'critical', now(), now(), '[]') returning id
"""


async def _opened(dsn: str, rule: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(INCIDENT, rule))
    finally:
        await connection.close()


def test_a_person_clears_what_only_a_person_can(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A clash is cleared; what the journal clears, and what is not there, is refused with words."""
    config = tmp_path / "kvitok.toml"
    config.write_text(
        f'[database]\ndsn = "{database}"\n[secrets]\nreport_key = "{"0" * 64}"\n'
        f'account_key = "{"0" * 64}"\n'
    )

    def clear(number: object) -> tuple[int, str]:
        status = status_of(["incident", "clear", str(number), "--config", str(config)])
        said = capsys.readouterr()
        return status, said.out + said.err

    clash = asyncio.run(_opened(database, "identity_clash"))
    receipt = asyncio.run(_opened(database, "no_receipt"))
    assert clear(clash) == (0, f"{clash}: cleared\n")
    assert "cleared already" in clear(clash)[1]
    assert "clears when the journal shows it" in clear(receipt)[1]
    for unknown in ("999999", "x"):
        status, said = clear(unknown)
        assert (status, f"there is no incident {unknown}" in said) == (1, True)
