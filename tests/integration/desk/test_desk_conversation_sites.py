"""Letters that a form on another site writes: one sender for all its customers."""

import pytest

from tests.integration.desk.conversing import ANNA, VAGUE, letter, send, signed
from tests.integration.desk_world import World

pytestmark = [pytest.mark.anyio, pytest.mark.service]


async def test_a_form_on_another_site_joins_nobodys_case(world: World) -> None:
    """It writes for all its customers from one address: only its Reply-To tells them apart."""
    site = "Site <info@site.example>"
    first = await send(world, letter(VAGUE, site, headers=f"Reply-To: {ANNA}\r\n"))
    for_petr = "Reply-To: petr@example.com\r\n"
    second = await send(world, letter(VAGUE, site, headers=for_petr, n=2))
    assert second["case"] != first["case"]
    subject = f"[{first['case']}]"
    third = await send(world, letter("Ну что там?", site, headers=for_petr, subject=subject, n=3))
    assert third["case"] not in {first["case"], second["case"]}
    assert third["hint_case"] == first["case"]


async def test_who_has_another_address_for_answers_goes_on_by_answering(world: World) -> None:
    """The id of our mail is known only to whom it was sent: that joins."""
    elsewhere = "Reply-To: anna@work.example\r\n"
    first = await send(world, letter(VAGUE, headers=elsewhere))
    reply = letter("Вот ответ", headers=elsewhere, answers=signed(first["case"]), n=2)
    assert (await send(world, reply))["case"] == first["case"]
