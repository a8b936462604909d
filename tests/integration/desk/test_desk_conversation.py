"""A customer's letters make one conversation: a case at once, replies in it, strangers outside."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from desk.reports.again import one_round
from desk.reports.matching import match_report
from desk.reports.taking import mailed, take
from desk.settings import DeskSettings
from desk.state import Desk
from incidents.actions import Refused, Word, move_case
from tests.integration.desk.conversing import (
    ANNA,
    PETR,
    PLACED,
    TX,
    VAGUE,
    desk_of,
    failed,
    letter,
    paid,
    send,
    signed,
    steps,
    tell_customer,
)
from tests.integration.desk_story import TERMINAL
from tests.integration.desk_world import EPOCH, KEY, NOW, World

pytestmark = [pytest.mark.anyio, pytest.mark.service]


async def answer_of(world: World, report: str) -> Any:
    """Return whether a report's sender is owed an answer."""
    return await world.connection.fetchval("select answer from report where id = $1", int(report))


async def test_a_mail_without_facts_has_a_case_at_once(world: World) -> None:
    """Number and term count from the message; nobody knows the terminal, and nothing is claimed."""
    row = await send(world, letter(VAGUE))
    assert (row["attached"], row["hint_case"]) == (None, None)
    assert row["status"] in {"needs_facts", "other"}
    case = await world.get(f"/cases/{row['case']}")
    assert (case["terminal"], case["epoch"], case["tx"], case["merged_into"]) == (None,) * 4
    assert (case["state"], case["opened_by"], case["reports"]) == ("new", "mail", [row["id"]])
    assert case["due_at"] == "2026-11-30T20:59:59.999Z"
    assert await steps(world, row["case"]) == ["opened", "report_joined"]
    assert case in (await world.get("/cases?state=new"))["items"]
    assert await answer_of(world, row["id"]) == "owed"


@pytest.mark.parametrize("channel", ["phone", "form"])
@pytest.mark.parametrize("text", ["Деньги не пришли", "Здравствуйте, как вас найти?"])
async def test_a_call_and_a_form_too(world: World, channel: str, text: str) -> None:
    """Whatever a customer says, and whichever way: there is a case."""
    report = {"channel": channel, "text": text, "reported_at": NOW.isoformat()}
    row = (await world.client.post("/api/v1/reports", json=report)).json()
    case = await world.get(f"/cases/{row['case']}")
    assert (case["opened_by"], case["terminal"], row["attached"]) == (channel, None, None)
    assert await answer_of(world, row["id"]) == "none", "there is nobody to write to"


async def test_a_robot_has_no_case_and_no_answer(world: World) -> None:
    """It is set aside: nothing is decided until a person says that a customer wrote it."""
    row = await send(world, letter(VAGUE, headers="Auto-Submitted: auto-replied\r\n"))
    assert (row["status"], row["case"]) == ("suspended", None)
    assert await answer_of(world, row["id"]) is None


async def test_a_reply_brings_the_payment_and_the_detectors_case_takes_over(world: World) -> None:
    """What letters say together finds it; the number that the customer knows leads on."""
    await paid(world)
    number = await failed(world)
    first = await send(world, letter("Номер 8 916 123-45-67, деньги не пришли"))
    assert first["attached"] is None
    told = first["case"]
    await move_case(world.connection, told, "ask_customer", Word(actor="tests", at=NOW))
    world.clock.move(600)
    reply = await send(world, letter(PLACED, answers=signed(told), n=2))
    assert reply["attached"]["case"] == number, reply
    assert (await world.get(f"/reports/{first['id']}"))["attached"]["case"] == number
    merged = await world.get(f"/cases/{told}")
    assert (merged["state"], merged["merged_into"], merged["reports"]) == ("closed", number, [])
    assert await steps(world, told) == [
        "opened", "report_joined", "ask_customer", "report_joined", "answered", "merged",
    ]  # fmt: skip
    assert (await steps(world, number))[-3:] == ["merged", "report_attached", "report_attached"]
    assert await answer_of(world, reply["id"]) == "none", "one answer for one case"
    refused = await move_case(world.connection, told, "reopen", Word(actor="tests", at=NOW))
    assert isinstance(refused, Refused)
    assert refused.reason == "merged"


async def test_without_a_detectors_case_the_customers_own_is_placed(world: World) -> None:
    """Number and term stay; the transaction's incidents without a case get it."""
    first = await send(world, letter("Номер 8 916 123-45-67, деньги не пришли"))
    due_at = (await world.get(f"/cases/{first['case']}"))["due_at"]
    await paid(world)
    incident = await world.incident(
        TERMINAL, "payment_failed", NOW - timedelta(minutes=70), epoch=EPOCH, subject=TX
    )
    world.clock.move(2 * 86_400)
    # By its own date, which is that of the first letter.
    reply = await send(world, letter(PLACED, answers="<1@example.com>", n=2))
    assert reply["attached"]["case"] == first["case"], reply
    case = await world.get(f"/cases/{first['case']}")
    assert (case["terminal"], case["tx"], case["topic"]) == (TERMINAL, TX, "payment_failed")
    assert (case["due_at"], case["incidents"]) == (due_at, [incident])
    assert set(case["reports"]) == {first["id"], reply["id"]}
    assert "placed" in await steps(world, first["case"])


async def test_a_case_is_placed_when_its_journal_comes(world: World) -> None:
    """The desk goes on matching what has a case and no payment."""
    row = await send(world)
    assert (row["attached"], row["case"]) == (None, "K-2026-000001")
    await paid(world)
    world.clock.move(301)
    assert await one_round(desk_of(world)) == 1
    later = await world.get(f"/reports/{row['id']}")
    assert later["attached"]["case"] == row["case"]


async def test_a_stranger_with_a_stolen_number_stays_outside(world: World) -> None:
    """A signed id, an id seen before, the token: staff see a hint, the case sees nothing."""
    row = await send(world, letter(VAGUE))
    before = await world.get(f"/cases/{row['case']}")
    stolen = [
        letter(VAGUE, PETR, answers=signed(row["case"]), n=2),
        letter(VAGUE, "Ольга <olga@example.com>", answers="<1@example.com>", n=3),
        letter(VAGUE, "Иван <ivan@example.com>", subject=f"Re: [{row['case']}]", n=4),
    ]
    for raw in stolen:
        other = await send(world, raw)
        assert other["case"] not in {None, row["case"]}
        assert (other["attached"], other["hint_case"]) == (None, row["case"])
    assert await world.get(f"/cases/{row['case']}") == before


async def test_a_forged_sender_is_nobody(database: str, world: World) -> None:
    """Our own server saw it: no case of Anna's, no answer; an id that only she got outweighs it."""
    desk = desk_of(world)
    believing = Desk(
        DeskSettings(dsn=database, report_key=KEY, account_key=KEY, mail_hosts="mx.pay.example"),
        desk.database, desk.clocks,
    )  # fmt: skip
    row = await send(world, letter(VAGUE))
    results = "Authentication-Results: mx.pay.example; dmarc=fail\r\n"

    async def taken(raw: bytes) -> dict[str, Any]:
        kept = await take(believing, mailed(raw, desk.now()))
        found = await world.get(f"/reports/{kept.report}")
        assert isinstance(found, dict)
        return found

    forged = await taken(letter("Ну что там?", headers=results, n=2))
    named = await taken(letter("Ну?", headers=results, subject=f"[{row['case']}]", n=3))
    proved = await taken(letter("Ну?", headers=results, answers=signed(row["case"]), n=4))
    assert len({forged["case"], named["case"], row["case"]}) == 3
    assert (named["hint_case"], proved["case"]) == (row["case"], row["case"])
    assert [await answer_of(world, one["id"]) for one in (forged, named)] == ["withheld"] * 2


async def test_two_desks_at_once_make_one_case(world: World) -> None:
    """However their commits fall, a report has one case."""
    desk = desk_of(world)
    for n in range(3):
        row = await send(world, letter(VAGUE, f"c{n}@example.com", n=n))
        await world.connection.execute(
            "update report set case_number = null where id = $1", int(row["id"])
        )
    others = [desk, *(Desk(desk.settings, desk.database, desk.clocks) for _ in range(3))]
    before = await world.connection.fetchval("select count(*) from support_case")
    await asyncio.gather(*(match_report(one, n) for one in others for n in (1, 2, 3)))
    after = await world.connection.fetchval("select count(*) from support_case")
    assert after - before == 3


async def test_letters_of_one_customer_at_once_share_a_case(world: World) -> None:
    """Two that tell of no payment are about one thing, whoever comes first."""
    rows = await asyncio.gather(*(send(world, letter(VAGUE, n=n)) for n in range(4)))
    assert len({row["case"] for row in rows}) == 1
    answers = [await answer_of(world, row["id"]) for row in rows]
    assert sorted(answers) == ["none", "none", "none", "owed"]


async def test_what_dies_in_the_midst_leaves_nothing(world: World) -> None:
    """Understood, case and answer are one commit; the next try makes all of them, once."""
    await world.connection.execute(
        "create rule no as on insert to case_history do instead select 1/0"
    )
    row = await send(world, letter(VAGUE))
    assert (row["case"], row["model"], row["facts"]) == (None, None, [])
    await world.connection.execute("drop rule no on case_history")
    world.clock.move(301)
    assert await match_report(desk_of(world), int(row["id"]))
    later = await world.get(f"/reports/{row['id']}")
    assert await steps(world, later["case"]) == ["opened", "report_joined"]
    count = "select count(*) from support_case where terminal is null"
    assert await world.connection.fetchval(count) == 1


async def test_a_reply_opens_what_waited_or_was_settled(world: World) -> None:
    """To a case that was placed: the letter belongs to its payment, whatever it does not say."""
    await paid(world)
    number = await failed(world)
    first = await send(world)
    assert first["attached"]["case"] == number
    word = Word(actor="tests", at=NOW)
    await move_case(world.connection, number, "ask_customer", word)
    reply = await send(world, letter("Чека нет", answers=signed(number), n=2))
    assert (reply["attached"]["case"], reply["attached"]["by"]) == (number, "matcher")
    assert (await steps(world, number))[-1] == "answered"
    await move_case(world.connection, number, "resolve", word)
    await send(world, letter("Денег так и нет!", subject=f"Re: [{number}]", n=3))
    assert (await steps(world, number))[-2:] == ["report_attached", "reopen"]
    assert (await world.get(f"/cases/{number}"))["state"] == "open"


async def test_a_reply_reopens_a_case_that_nobody_has_placed(world: World) -> None:
    """With a new term; what answers nothing then is a matter of its own."""
    told = (await send(world, letter(VAGUE)))["case"]
    await move_case(world.connection, told, "resolve", Word(actor="tests", at=NOW))
    world.clock.move(86_400)
    other = await send(world, letter("Ну что там?", n=2))
    assert other["case"] != told
    reply = await send(world, letter("Я не согласна", answers=signed(told), n=3))
    assert reply["case"] == told
    case = await world.get(f"/cases/{told}")
    assert (case["state"], case["due_at"]) == ("open", "2026-12-01T20:59:59.999Z")


async def test_two_customers_of_one_payment_stay_apart(world: World) -> None:
    """Their cases from before the journal, too: one joins the detector's, one is placed."""
    first = await send(world)
    other = await send(world, letter(sender=PETR, n=2))
    assert first["case"] != other["case"]
    await paid(world)
    number = await failed(world)
    world.clock.move(301)
    assert await one_round(desk_of(world)) == 2
    cases = [
        (await world.get(f"/reports/{row['id']}"))["attached"]["case"] for row in (first, other)
    ]
    assert cases == [number, other["case"]]


async def test_a_second_letter_opens_no_second_case_unless_it_tells_another_payment(
    world: World,
) -> None:
    """«Ну что там?» is about what was told; another sum at another terminal is not."""
    first = await send(world, letter("500 рублей на 8 916 123-45-67 не пришли, вчера в 10:00"))
    nagging = await send(world, letter("Ну что там?", n=2))
    again = await send(world, letter("Пишу снова: не пришли 500 рублей на 89161234567", n=3))
    another = await send(world, letter("И ещё 300 рублей на 89161234567 не пришли", n=4))
    assert first["case"] == nagging["case"] == again["case"] != another["case"]
    assert nagging["attached"] is None
    world.clock.move(8 * 86_400)
    late = await send(world, letter("Ну что там?", n=5))
    assert late["case"] not in {first["case"], another["case"]}


async def test_a_form_proves_no_sender(world: World) -> None:
    """Anybody can type Anna's address: it is no letter of hers; what answers our mail is."""
    first = await send(world, letter(VAGUE))
    form = {"channel": "form", "reported_at": NOW.isoformat(), "email": ANNA}
    rows = [
        (await world.client.post("/api/v1/reports", json=form | {"text": text})).json()
        for text in ("Ну что там?", "500 рублей на 8 916 123-45-67 не пришли")
    ]
    assert len({first["case"], *(row["case"] for row in rows)}) == 3
    reply = await send(world, letter("Вот ответ", answers=signed(rows[1]["case"]), n=2))
    assert reply["case"] == rows[1]["case"]


async def test_a_letter_that_explains_an_empty_one_takes_its_case_along(world: World) -> None:
    """One matter, one number; what told of no payment is not said to mean this one."""
    await paid(world)
    number = await failed(world)
    empty = await send(world, letter(VAGUE))
    row = await send(world, letter(n=2))
    assert row["attached"]["case"] == number
    assert (await world.get(f"/cases/{empty['case']}"))["merged_into"] == number
    carried = await world.get(f"/reports/{empty['id']}")
    assert (carried["case"], carried["attached"]) == (number, None)
    assert await answer_of(world, row["id"]) == "none"
    parted = (await world.client.delete(f"/api/v1/reports/{row['id']}/attachment")).json()
    assert parted["case"] not in {None, number}


async def test_a_silent_letter_to_a_placed_case_is_in_it_and_claims_no_payment(
    world: World,
) -> None:
    """It is listed there; the matcher does not say that it means the payment."""
    await paid(world)
    number = await failed(world)
    await send(world)
    await move_case(world.connection, number, "ask_customer", Word(actor="tests", at=NOW))
    row = await send(world, letter("Ну что там?", n=2))
    assert (row["case"], row["attached"]) == (number, None)
    assert (await steps(world, number))[-2:] == ["report_joined", "answered"]


async def test_what_is_taken_out_keeps_a_case(world: World) -> None:
    """Its own from before, else a new one; and back again, by the number that was told."""
    first = await send(world)
    told = first["case"]
    await paid(world)
    number = await failed(world)
    address = f"/api/v1/reports/{first['id']}"
    assert (await world.client.post(f"{address}/match")).json()["case"] == number
    parted = (await world.client.delete(f"{address}/attachment")).json()
    assert (parted["attached"], parted["case"]) == (None, told)
    case = await world.get(f"/cases/{told}")
    assert (case["state"], case["merged_into"], case["terminal"]) == ("open", None, None)
    wanted = {"terminal": TERMINAL, "epoch": EPOCH, "tx": TX}
    back = (await world.client.post(f"{address}/attach", json=wanted)).json()
    assert back["case"] == number
    assert (await world.get(f"/cases/{told}"))["merged_into"] == number
    other = (await world.client.post(f"{address}/attach", json=wanted | {"tx": "tx-000006"})).json()
    assert (await world.get(f"/cases/{told}"))["merged_into"] == other["case"] == "K-2026-000123"


async def test_what_a_person_found_to_be_none_of_these_is_not_said_to_be_one(world: World) -> None:
    """A reply that tells all by itself goes to its payment; the first letter only comes along."""
    await paid(world)
    number = await failed(world)
    first = await send(world, letter("Номер 8 916 123-45-67, деньги не пришли"))
    address = f"/api/v1/reports/{first['id']}"
    assert (await world.client.post(f"{address}/none")).status_code == 200
    thin = await send(world, letter(PLACED, answers=signed(first["case"]), n=2))
    assert (thin["attached"], thin["case"]) == (None, first["case"])
    whole = await send(world, letter(answers=signed(first["case"]), n=3))
    assert whole["attached"]["case"] == number
    assert (await world.get(f"/cases/{first['case']}"))["merged_into"] == number
    again = await world.get(f"/reports/{first['id']}")
    assert (again["case"], again["attached"]) == (number, None)


async def test_what_we_wrote_leads_to_where_the_report_is_now(world: World) -> None:
    """A number of the detector's, told to a customer who was taken out, is still the customer's."""
    await paid(world)
    number = await failed(world)
    first = await send(world)
    await tell_customer(world, number, first["id"])
    parted = (await world.client.delete(f"/api/v1/reports/{first['id']}/attachment")).json()
    assert parted["case"] not in {None, number}
    reply = await send(world, letter("Ну что?", answers=signed(number), n=2))
    assert (reply["case"], reply["hint_case"]) == (parted["case"], None)


async def test_an_old_message_is_answered_no_more(world: World) -> None:
    """What was understood two days late says nothing of having been received."""
    row = await send(world, letter(VAGUE))
    world.clock.move(2 * 86_400)
    await world.connection.execute("update report set answer = null")
    assert await match_report(desk_of(world), int(row["id"]))
    assert await answer_of(world, row["id"]) == "withheld"


async def test_a_conversation_is_read_by_the_clock_of_the_terminal_that_a_reply_names(
    world: World,
) -> None:
    """A "today at 14:10" counts in Yekaterinburg when the next letter says that it was there."""
    at = NOW - timedelta(minutes=20)
    await paid(world, terminal="200001", started_at=at)
    form = {"channel": "form", "text": "Сегодня в 14:10 внесла 700 рублей, деньги не дошли",
            "reported_at": NOW.isoformat(), "email": ANNA}  # fmt: skip
    first = (await world.client.post("/api/v1/reports", json=form)).json()
    assert first["attached"] is None
    text = "Терминал 200001, номер 8 916 123-45-67"
    reply = await send(world, letter(text, answers=signed(first["case"]), n=2))
    evidence = {one["fact"]: one["level"] for one in reply["candidates"][0]["evidence"]}
    assert evidence["paid_at"] == "exact: 3min"
    assert reply["attached"]["tx"] == TX


async def test_pages_and_lists_live_without_a_terminal(world: World) -> None:
    """The list of cases, the case, the search and the report's page."""
    row = await send(world, letter(VAGUE))
    await world.client.get("/login", params={"token": world.token})
    for path in ("/cases", f"/cases/{row['case']}", f"/search?query={row['case']}",
                 f"/reports/{row['id']}"):  # fmt: skip
        page = await world.client.get(path, follow_redirects=True)
        assert page.status_code == 200, path
        assert row["case"] in page.text or not path.startswith("/cases"), path
        assert "/terminals/None" not in page.text
    rows = await world.connection.fetch("select * from grafana.support_case where terminal is null")
    assert [each["number"] for each in rows] == [row["case"]]
