"""What a person says of a report: a customer wrote it; none of these; only this terminal."""

import logging
from collections import Counter

import pytest

from desk.reports.again import one_round, read_next
from incidents.matching.confirmed import confirmed_levels, levels_of
from tests.integration.desk.test_desk_report_matching import (
    TX,
    desk_of,
    failed,
    history,
    mail,
    paid,
    send,
)
from tests.integration.desk_story import TERMINAL
from tests.integration.desk_world import EPOCH, World

pytestmark = [pytest.mark.anyio, pytest.mark.service]

ROBOT = mail(headers="Auto-Submitted: auto-replied\r\n")


async def say(
    world: World, report: str, word: str, status: int = 200, **body: object
) -> dict[str, object]:
    """Let a person decide by the API and return the row."""
    answer = await world.client.post(f"/api/v1/reports/{report}/{word}", json=body or None)
    assert answer.status_code == status, answer.text
    row: dict[str, object] = answer.json()
    return row


async def vague(world: World, number: int = 1, **text: str) -> str:
    """Send a mail that only suggests; return its id."""
    raw = mail(text=text.get("text") or f"Терминал {TERMINAL} взял деньги и погас").replace(
        b"<1@", b"<v%d@" % number
    )
    return str((await send(world, raw))["id"])


async def test_a_released_report_goes_the_way_of_every_other(world: World) -> None:
    """It is matched and joins its case; who said so stays; no later match sets it aside again."""
    await paid(world)
    number = await failed(world)
    row = await send(world, ROBOT)
    assert (row["status"], row["set_aside"], row["case"]) == ("suspended", "automatic_reply", None)
    released = await say(world, row["id"], "release")
    assert (released["status"], released["set_aside"]) == ("attached", None)
    assert (released["released_by"], released["case"]) == ("tests", number)
    again = await say(world, row["id"], "match")
    assert (again["status"], again["set_aside"]) == ("attached", None)
    row_now = await world.connection.fetchrow("select released_at, answer from report")
    assert row_now["released_at"] == world.clock.now
    assert row_now["answer"] is not None
    await say(world, row["id"], "release", status=409)
    await say(world, "99", "release", status=404)


async def test_a_release_survives_a_match_that_fails(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """It is released and taken up again, as old as it may be."""
    caplog.set_level(logging.CRITICAL)
    await paid(world)
    await failed(world)
    row = await send(world, ROBOT)
    world.clock.move(30 * 86_400)
    await world.connection.execute("alter table report_fact rename to gone")
    broken = await world.client.post(f"/api/v1/reports/{row['id']}/release")
    assert broken.status_code == 500  # the row cannot be read either
    await world.connection.execute("alter table gone rename to report_fact")
    shown = await world.get(f"/reports/{row['id']}")
    assert (shown["status"], shown["set_aside"]) == ("needs_facts", None)
    assert not await read_next(desk_of(world), set())
    world.clock.move(30 * 86_400)
    assert await read_next(desk_of(world), set())
    assert (await world.get(f"/reports/{row['id']}"))["status"] == "attached"


async def test_none_of_these_holds_until_it_is_attached(world: World) -> None:
    """The status stays, the case's history has a line, later matches only suggest."""
    await paid(world)
    await failed(world)
    report = await vague(world, text="Терминал у Тверской, 700 рублей, чек не вышел")
    before = await world.get(f"/reports/{report}")
    assert before["attached"] is None
    row = await say(world, report, "none")
    assert (row["status"], row["none_by"]) == (before["status"], "tests")
    assert row["case"] == before["case"]
    steps = await history(world, str(before["case"]))
    assert steps[-1] == ("tests", "report_none")
    world.clock.move(86_400)
    await one_round(desk_of(world))
    await say(world, report, "match")
    assert (await world.get(f"/reports/{report}"))["attached"] is None
    held = await world.connection.fetchval("select held from report")
    assert held
    attached = await say(world, report, "attach", terminal=TERMINAL, epoch=EPOCH, tx=TX)
    assert attached["none_by"] is None
    await say(world, report, "none", status=409)
    await say(world, "99", "none", status=404)


async def test_what_people_attach_teaches_the_weights(world: World) -> None:
    """The evidence of the transaction that a person chose is counted, the matcher's own is not."""
    await paid(world)
    await failed(world)
    await send(world, mail())
    assert await confirmed_levels(world.connection) == (0, Counter())
    report = await vague(world)
    row = await say(world, report, "attach", terminal=TERMINAL, epoch=EPOCH, tx=TX)
    links, levels = await confirmed_levels(world.connection)
    (chosen,) = [each for each in row["candidates"] if each["tx"] == TX]  # type: ignore[attr-defined]
    assert links == 1
    assert levels == Counter(levels_of(chosen["evidence"]))
    assert levels["terminal", "equal"] == 1


async def test_money_without_a_transaction_is_attached_to_its_terminal(world: World) -> None:
    """`tx` null; the customer's case is placed there, and keeps its number."""
    report = await vague(world)
    case = (await world.get(f"/reports/{report}"))["case"]
    row = await say(world, report, "attach", terminal=TERMINAL)
    assert row["attached"] == {
        "terminal": TERMINAL, "epoch": None, "tx": None, "case": case, "by": "person",
    }  # fmt: skip
    shown = await world.get(f"/cases/{case}")
    topic = next(fact["value"] for fact in row["facts"] if fact["kind"] == "topic")  # type: ignore[attr-defined]  # JSON
    assert (shown["terminal"], shown["tx"], shown["topic"]) == (TERMINAL, None, topic)
    answer = await say(world, report, "attach", status=422, terminal="no such one")
    assert "terminal" in str(answer["detail"])
    for body in ({"terminal": TERMINAL, "tx": TX}, {"terminal": TERMINAL, "epoch": 1}, {"tx": TX}):
        await say(world, report, "attach", status=422, **body)


async def test_one_case_for_a_customer_and_a_terminal_while_it_is_open(world: World) -> None:
    """The second report joins the first's case; another customer's, and one of later, do not."""
    first, second = await vague(world), await vague(world, 2)
    other = await send(world, mail("Пётр <petr@example.com>", text=f"{TERMINAL} взял деньги"))
    cases = [
        (await say(world, each, "attach", terminal=TERMINAL))["case"]
        for each in (first, second, str(other["id"]))
    ]
    assert cases[0] == cases[1] != cases[2]
    await world.connection.execute("update support_case set state = 'resolved'")
    world.clock.move(10 * 86_400)
    later = await vague(world, 3)
    assert (await say(world, later, "attach", terminal=TERMINAL))["case"] not in cases


async def test_a_terminal_only_report_never_comes_into_a_work_order(world: World) -> None:
    """The technician's case at the same terminal stays the technician's."""
    report = await vague(world)
    row = await say(world, report, "attach", terminal=TERMINAL)
    assert row["case"] != "K-2026-000124"
    assert (await world.get("/cases/K-2026-000124"))["reports"] == []
