"""An old backup of the database is put back: what was told to customers since stays true."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kvitok import backup as backups
from kvitok.backup import Backup, Origin
from kvitok.dump import dump, facts_of, restore
from sql.roles import ensure_roles
from tests.integration.mail_world import MailWorld, files, letter, mail_over

pytestmark = [pytest.mark.service, pytest.mark.anyio]

CASE = "K-2026-000001"


def silent(_text: str) -> None:
    """Hear how far it is."""


def backed_up(dsn: str, target: Path) -> Backup:
    """Return a backup of a database as it is."""
    facts = facts_of(dsn)
    origin = Origin(datetime.now(UTC), "test", facts.schema, facts.postgres, {})
    return backups.write(target, origin, lambda file: dump(dsn, file, silent), silent)


@pytest.fixture
async def before(database: str, tmp_path: Path) -> AsyncIterator[MailWorld]:
    """Return the mail program of before, whose customer has had one mail."""
    ensure_roles(database, {})
    (tmp_path / "outbox").mkdir()
    async with mail_over(database, outbox=tmp_path / "outbox") as world:
        await world.report(letter(), case=await world.case())
        await world.write()
        await world.send()
        yield world


async def test_no_message_id_is_given_to_two_mails(
    before: MailWorld, database: str, empty_database: str, tmp_path: Path
) -> None:
    """A case's second mail, lost with the database of before, and the one written since."""
    backup = backed_up(database, tmp_path / "backup")
    await before.move(CASE, "resolve", state="resolved", text="Деньги зачислены.", public=True)
    await before.write()
    await before.send()
    restore(empty_database, backup, datetime.now(UTC), given={}, tell=silent)
    async with mail_over(empty_database, outbox=tmp_path / "outbox") as after:
        await after.move(CASE, "resolve", state="resolved", text="Деньги вернули.", public=True)
        await after.write()
        await after.send()
        ids = {mail["Message-ID"] for world in (before, after) for mail in await world.mails()}
    assert len(ids) == 3
    assert {str(mail["Message-ID"]) for mail in files(tmp_path / "outbox").values()} == ids


async def test_what_waited_in_an_old_backup_is_not_sent_any_more(before: MailWorld) -> None:
    """It went days ago, or its term is over; the case says that it did not go."""
    await before.report(letter("petr@customer.example"), case=CASE)
    await before.write()
    before.clock.move(timedelta(days=3, minutes=1).total_seconds())
    await before.send()
    await before.send()
    assert [state for state, _, _ in await before.states()] == ["sent", "failed"]
    assert await before.history(CASE) == [
        ("mail_sent", "answer"), ("mail_failed", "answer: waited for more than three days"),
    ]  # fmt: skip
