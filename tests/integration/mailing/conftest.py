"""A mail program over a fresh database, with an outbox folder."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.mail_world import MailWorld, mail_over


@pytest.fixture
def anyio_backend() -> str:
    """Run the async tests on asyncio, as the program does."""
    return "asyncio"


@pytest.fixture
async def world(database: str, tmp_path: Path) -> AsyncIterator[MailWorld]:
    """Return a mail program that writes into a folder."""
    outbox = tmp_path / "outbox"
    outbox.mkdir()
    async with mail_over(database, outbox=outbox) as world:
        yield world
