from pathlib import Path

import pytest

from tests.integration.desk_world import desk_over
from tests.integration.mail_world import letter, mail_over

pytestmark = [pytest.mark.service, pytest.mark.anyio]


async def test_staff_read_what_was_sent(database: str, tmp_path: Path) -> None:
    """On the case's page, as the customer got it; a mail that only waits is not there yet."""
    async with mail_over(database, outbox=tmp_path) as world, desk_over(database) as desk:
        case = await world.case()
        await world.report(letter(), case=case)
        await world.write()
        login = await desk.client.get("/login", params={"token": desk.token})
        assert login.status_code == 303
        before = (await desk.client.get(f"/cases/{case}")).text
        assert "Мы получили ваше обращение" not in before
        await world.send()
        shown = (await desk.client.get(f"/cases/{case}")).text
    assert f"Мы получили ваше обращение и присвоили ему номер {case}." in shown
    assert "номер чека: он напечатан на чеке" in shown
    assert "ks.K-2026" not in shown
