"""A report finds the case of its transaction: end to end, on PostgreSQL."""

import asyncio
import io
import json
import logging
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from desk.reports.again import one_round
from desk.reports.fleet import KnownFleet
from desk.sealing import Seal
from desk.state import Desk
from tests.integration.desk_story import TERMINAL
from tests.integration.desk_world import EPOCH, KEY, NOW, World
from tests.unit.desk.mail.mail_codes import receipt
from wire.accounts import account_hash, account_mask

pytestmark = [pytest.mark.anyio, pytest.mark.service]

PHONE = "9161234567"
TX = "tx-000042"
PAID_AT = NOW - timedelta(minutes=70)
"""08:20 UTC, 11:20 in Moscow."""


def mail(
    sender: str = "Анна <anna@example.com>", text: str | None = None, headers: str = ""
) -> bytes:
    """Return a mail that names terminal, minute, sum and account."""
    text = text or (
        f"Здравствуйте! Сегодня в 11:20 на терминале {TERMINAL} внесла 700 рублей на МТС, "
        "номер 8 916 123-45-67, чек не вышел и деньги не пришли. Верните деньги."
    )
    return (
        f"From: {sender}\r\nTo: konsultant@pay.example\r\nSubject: Нет денег\r\n{headers}"
        "Message-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Date: Mon, 23 Nov 2026 12:00:00 +0300\r\n\r\n{text}\r\n"
    ).encode()


async def paid(world: World, tx: str = TX, **more: Any) -> None:
    """Let Anna pay, as the fold leaves it."""
    values: dict[str, Any] = {
        "account_masked": account_mask(PHONE), "account_hash": account_hash(PHONE, KEY),
        "accepted": 70000, "payment": "failed", "payment_amount": None, "payment_fee": None,
        "receipt": "failed", "receipt_number": None,
    } | more  # fmt: skip
    await world.transaction(TERMINAL, tx, PAID_AT, **values)


async def failed(world: World, number: str = "K-2026-000500", **more: Any) -> str:
    """Let the detector open the case of Anna's payment."""
    await world.case(number, TERMINAL, PAID_AT, topic="payment_failed", epoch=EPOCH, tx=TX, **more)
    await world.incident(
        TERMINAL, "payment_failed", PAID_AT, epoch=EPOCH, subject=TX, case_number=number
    )
    return number


async def send(world: World, raw: bytes | None = None) -> dict[str, Any]:
    """Send a mail and return what was understood."""
    answer = await world.client.post(
        "/api/v1/reports",
        content=raw or mail(),
        headers={"Content-Type": "message/rfc822"},
    )
    assert answer.status_code == 201, answer.text
    row = answer.json()
    assert isinstance(row, dict)
    assert await world.get(f"/reports/{row['id']}") == row
    return row


async def history(world: World, number: str) -> list[tuple[str, str]]:
    """Return who did what with a case."""
    steps = (await world.get(f"/cases/{number}"))["history"]
    assert not any(step["public"] for step in steps)
    return [(step["actor"], step["action"]) for step in steps]


def desk_of(world: World) -> Desk:
    """Return the desk behind the client."""
    desk = world.app._app.state.desk  # noqa: SLF001 - the edge wraps the program
    assert isinstance(desk, Desk)
    return desk


async def test_a_mail_joins_the_detectors_case(world: World) -> None:
    """Terminal, minute, sum and account agree: the case of the payment takes the report."""
    await paid(world)
    number = await failed(world)
    row = await send(world)
    assert row["status"] == "attached", row
    assert row["attached"] == {
        "terminal": TERMINAL, "epoch": EPOCH, "tx": TX, "case": number, "by": "matcher",
    }  # fmt: skip
    best = row["candidates"][0]
    assert (best["terminal"], best["tx"]) == (TERMINAL, TX)
    assert best["probability"] > 0.9
    assert best["evidence"]
    assert len(row["candidates"]) <= 10
    assert row["none_probability"] < 0.1
    facts = {(fact["kind"], fact["role"]): fact["value"] for fact in row["facts"]}
    assert facts["amount", "inserted"] == 70000
    assert facts["account", "paid"] == account_mask(PHONE)
    assert facts["terminal", None] == TERMINAL
    assert facts["paid_at", None]["best"] == "2026-11-23T08:20:00.000Z"
    case = await world.get(f"/cases/{number}")
    assert case["reports"] == [row["id"]]
    last = case["history"][-1]
    assert (last["actor"], last["action"]) == ("detector", "report_attached")
    assert last["text"].startswith(f"report {row['id']}: probability 0.9")
    touched = "select touched from support_case where number = $1"
    assert await world.connection.fetchval(touched, number) is True


async def test_a_form_finds_its_transaction_by_its_fields(world: World) -> None:
    """Fields are facts too, and a case is opened where the detector has none."""
    await paid(world, payment="accepted", payment_amount=68000, receipt="printed")
    answer = await world.client.post("/api/v1/reports", json={
        "channel": "form", "text": "Чек не вышел", "reported_at": "2026-11-23T12:00:00+03:00",
        "email": "anna@example.com", "account": "+7 (916) 123-45-67", "terminal": TERMINAL,
        "amount": 70000, "paid_at": "2026-11-23T08:21:00Z",
    })  # fmt: skip
    row = answer.json()
    assert row["status"] == "attached", row
    case = await world.get(f"/cases/{row['attached']['case']}")
    assert (case["opened_by"], case["state"], case["tx"]) == ("form", "new", TX)
    assert case["topic"] == "no_receipt"
    # Monday's report: five working days later, the end of the day in Moscow.
    assert case["due_at"] == "2026-11-30T20:59:59.999Z"
    assert [step["action"] for step in case["history"]] == ["opened", "report_attached"]
    origins = {fact["kind"]: fact["origin"] for fact in row["facts"]}
    assert origins["account"] == origins["amount"] == "field"


async def test_another_customer_gets_a_case_of_his_own(world: World) -> None:
    """One case per customer and transaction: nobody's words come into somebody else's case."""
    await paid(world)
    number = await failed(world)
    first = await send(world)
    again = await send(world, mail(headers="X-Sent: again\r\n"))
    other = await send(world, mail("Пётр <petr@example.com>"))
    other_again = await send(world, mail("petr@EXAMPLE.com"))
    assert {row["status"] for row in (first, again, other, other_again)} == {"attached"}
    assert first["attached"]["case"] == again["attached"]["case"] == number
    own = other["attached"]["case"]
    assert own != number
    assert other_again["attached"]["case"] == own
    case = await world.get(f"/cases/{own}")
    assert (case["opened_by"], case["topic"], case["tx"]) == ("mail", "payment_failed", TX)
    assert case["reports"] == [other["id"], other_again["id"]]


async def test_two_customers_at_once_get_a_case_each(world: World) -> None:
    """However their commits fall, the detector's case has one customer."""
    await paid(world)
    number = await failed(world)
    rows = await asyncio.gather(*(send(world, mail(f"c{n}@example.com")) for n in range(4)))
    cases = [row["attached"]["case"] for row in rows]
    assert len(set(cases)) == 4
    assert number in cases


async def test_a_report_reopens_what_was_settled(world: World) -> None:
    """A resolved case is opened again with a new term; a customer who was asked has answered."""
    await paid(world)
    number = await failed(world, state="resolved")
    await send(world)
    case = await world.get(f"/cases/{number}")
    assert (case["state"], case["due_at"]) == ("open", "2026-11-30T20:59:59.999Z")
    assert (await history(world, number))[-2:] == [
        ("detector", "report_attached"), ("detector", "reopen"),
    ]  # fmt: skip
    await world.connection.execute("update support_case set state = 'waiting_customer'")
    await send(world, mail(headers="X-Sent: again\r\n"))
    assert (await history(world, number))[-1] == ("detector", "answered")


async def test_a_payment_that_never_was_is_not_attached(world: World) -> None:
    """Another account, sum and minute: no case, no history, and the customer is to be asked."""
    await paid(world)
    number = await failed(world)
    text = "Сегодня в 09:00 положил 1300 рублей на номер 8 903 555-44-33, деньги не дошли."
    row = await send(world, mail(text=text))
    assert row["status"] in {"needs_facts", "suggested"}
    assert row["attached"] is None
    assert (await world.get(f"/cases/{number}"))["reports"] == []


async def test_what_no_customer_wrote_is_set_aside(world: World) -> None:
    """A robot's mail is kept with the reason, whatever it quotes; a person may attach it."""
    await paid(world)
    await failed(world)
    row = await send(world, mail(headers="Auto-Submitted: auto-replied\r\n"))
    assert (row["status"], row["set_aside"]) == ("suspended", "automatic_reply")
    assert row["attached"] is None
    attached = await world.client.post(
        f"/api/v1/reports/{row['id']}/attach",
        json={"terminal": TERMINAL, "epoch": EPOCH, "tx": TX},
    )
    assert attached.json()["status"] == "attached"
    parted = await world.client.delete(f"/api/v1/reports/{row['id']}/attachment")
    assert parted.json()["status"] == "suspended"


async def test_a_report_waits_for_its_journal(world: World) -> None:
    """It came before the terminal's backlog: a later round finds the transaction."""
    row = await send(world)
    assert row["attached"] is None
    assert await one_round(desk_of(world)) == 0, "only what has waited"
    await paid(world)
    number = await failed(world)
    world.clock.move(16)
    assert await one_round(desk_of(world)) == 1
    assert (await world.get(f"/reports/{row['id']}"))["attached"]["case"] == number
    world.clock.move(301)
    assert await one_round(desk_of(world)) == 0, "what is attached is done"


async def test_rounds_share_the_work(world: World) -> None:
    """Several desks at once: each report is taken up by one."""
    for n in range(5):
        await send(world, mail(f"c{n}@example.com", text="Терминал съел деньги, верните"))
    world.clock.move(301)
    counts = await asyncio.gather(*(one_round(desk_of(world)) for _ in range(3)))
    assert sum(counts) == 5


async def test_what_is_too_old_is_left_alone(world: World) -> None:
    """After a week no journal brings its transaction any more."""
    await send(world, mail(text="Терминал съел деньги, верните"))
    world.clock.move(8 * 86_400)
    assert await one_round(desk_of(world)) == 0


async def test_match_again_is_a_call_too(world: World) -> None:
    """POST …/match reads the sealed content anew."""
    row = await send(world)
    await paid(world)
    answer = await world.client.post(f"/api/v1/reports/{row['id']}/match")
    assert (answer.status_code, answer.json()["status"]) == (200, "attached")
    for unknown in ("99", "x"):
        answer = await world.client.post(f"/api/v1/reports/{unknown}/match")
        assert answer.status_code == 404


async def test_a_failing_matcher_loses_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The report is kept and can be matched later; the log tells no word of it."""
    await paid(world)
    await world.connection.execute("alter table report_match rename to report_match_away")
    await world.connection.execute(
        "create view report_match as select report, none_probability, terminals, decision, model, "
        "at from report_match_away where false"
    )
    await world.connection.execute(
        "create rule no as on insert to report_match do instead select 1/0"
    )
    answer = await world.client.post(
        "/api/v1/reports", content=mail(), headers={"Content-Type": "message/rfc822"}
    )
    row = answer.json()
    assert (answer.status_code, row["status"], row["facts"]) == (201, "needs_facts", [])
    assert f"Report {row['id']} could not be matched" in caplog.text
    assert "916" not in caplog.text
    sealed = await world.connection.fetchval("select content from report")
    assert Seal(KEY).open(sealed) == mail()
    await world.connection.execute("drop view report_match")
    await world.connection.execute("alter table report_match_away rename to report_match")
    world.clock.move(301)
    assert await one_round(desk_of(world)) == 1
    assert (await world.get(f"/reports/{row['id']}"))["status"] == "attached"


async def test_a_person_attaches_and_parts(world: World) -> None:
    """Each is a line in the case's history; what a person decided the matcher leaves alone."""
    await paid(world)
    number = await failed(world)
    row = await send(world)
    address = f"/api/v1/reports/{row['id']}"
    parted = await world.client.delete(f"{address}/attachment")
    assert (parted.status_code, parted.json()["attached"]) == (200, None)
    assert parted.json()["status"] == "suggested"
    assert (await world.client.delete(f"{address}/attachment")).status_code == 409
    assert (await world.client.post(f"{address}/match")).json()["attached"] is None
    world.clock.move(301)
    assert await one_round(desk_of(world)) == 0
    wanted = {"terminal": TERMINAL, "epoch": EPOCH, "tx": "tx-000006"}
    moved = (await world.client.post(f"{address}/attach", json=wanted)).json()
    assert moved["attached"] == {**wanted, "case": "K-2026-000123", "by": "person"}
    wanted["tx"] = TX
    back = (await world.client.post(f"{address}/attach", json=wanted)).json()
    assert back["attached"] == {**wanted, "case": number, "by": "person"}
    assert (await history(world, "K-2026-000123"))[-2:] == [
        ("tests", "report_attached"), ("tests", "report_detached"),
    ]  # fmt: skip
    assert [step for step in await history(world, number) if "report" in step[1]] == [
        ("detector", "report_attached"), ("tests", "report_detached"), ("tests", "report_attached"),
    ]  # fmt: skip
    before = await history(world, number)
    assert (await world.client.post(f"{address}/attach", json=wanted)).status_code == 200
    assert await history(world, number) == before, "to say it twice is to say it once"


async def test_what_cannot_be_attached_is_told(world: World) -> None:
    """No report: 404; no such transaction, or no number: 422, and nothing has changed."""
    await paid(world)
    row = await send(world, mail(text="Терминал съел деньги, верните"))
    address = f"/api/v1/reports/{row['id']}/attach"
    good = {"terminal": TERMINAL, "epoch": EPOCH, "tx": TX}
    for change, status in (
        ({"tx": "tx-9"}, 422), ({"tx": "a\0"}, 422), ({"epoch": "1"}, 422), ({"epoch": -1}, 422),
        ({"terminal": None}, 422), ({"terminal": "nowhere"}, 422),
    ):  # fmt: skip
        answer = await world.client.post(address, json=good | change)
        assert answer.status_code == status, change
    assert (await world.client.post("/api/v1/reports/99/attach", json=good)).status_code == 404
    assert (await world.client.delete("/api/v1/reports/99/attachment")).status_code == 404
    assert (await world.get(f"/reports/{row['id']}")) == row


async def test_no_account_lies_in_the_clear(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Not in any row of any table, not in the log, not in the API: masks and keyed hashes only."""
    caplog.set_level(logging.DEBUG)
    await paid(world)
    await failed(world)
    text = (
        f"Терминал {TERMINAL}, 11:20, 700 рублей. Вместо 9161234567 надо было 9161234576. "
        "Операция 89161234567, чек № 9161234567, счёт 4081 7810 0999 1000 4312. "
        "Звоните 8 (903) 222-11-00 или +79032221100, petr.ivanov@example.com"
    )
    row = await send(world, mail(text=text))
    await world.client.post("/api/v1/reports", json={
        "channel": "phone", "text": text, "reported_at": NOW.isoformat(),
        "email": "petr.ivanov@example.com", "account": "8 916 123-45-67",
    })  # fmt: skip
    await world.client.post(f"/api/v1/reports/{row['id']}/match")
    tables = await world.connection.fetch(
        "select tablename from pg_tables where schemaname = 'public'"
    )
    told = [
        caplog.text,
        str(await world.get(f"/reports/{row['id']}")),
        str(await world.get("/cases")),
    ]
    for table in tables:
        rows = await world.connection.fetch(f'select t::text from "{table[0]}" t')  # noqa: S608
        told += [each[0] for each in rows]
    for whole in told:
        bare = whole.replace(" ", "").replace("-", "").replace("(", "").replace(")", "")
        for secret in (
            "9161234567",
            "9161234576",
            "9032221100",
            "40817810",
            "petr.ivanov",
            "anna@",
        ):
            assert secret not in bare, whole[:300]


async def test_times_are_read_by_the_clock_of_the_terminal(world: World) -> None:
    """A "today at 14:10" in Yekaterinburg is no future: it is 09:10 UTC, twenty minutes ago."""
    at = NOW - timedelta(minutes=20)
    await world.transaction(
        "200001", TX, at, account_hash=account_hash(PHONE, KEY), accepted=70000, payment="failed"
    )
    text = "Сегодня в 14:10 терминал 200001, 700 рублей на 8 916 123-45-67, деньги не дошли"
    form = {
        "channel": "form", "text": "деньги не дошли", "reported_at": NOW.isoformat(),
        "account": PHONE, "terminal": "200001", "amount": 70000, "paid_at": at.isoformat(),
    }  # fmt: skip
    row = await send(world, mail(text=text))
    typed = (await world.client.post("/api/v1/reports", json=form)).json()
    for each in (row, typed):
        fact = next(fact for fact in each["facts"] if fact["kind"] == "paid_at")
        assert fact["value"]["best"] == "2026-11-23T09:10:00.000Z"
        evidence = {one["fact"]: one["level"] for one in each["candidates"][0]["evidence"]}
        assert evidence["paid_at"] == "exact: 3min"
        assert each["status"] == "attached"


async def test_a_report_comes_back_to_the_case_it_opened(world: World) -> None:
    """Taken out and put back, it opens no second case."""
    await paid(world)
    row = await send(world)
    number = row["attached"]["case"]
    address = f"/api/v1/reports/{row['id']}"
    await world.client.delete(f"{address}/attachment")
    wanted = {"terminal": TERMINAL, "epoch": EPOCH, "tx": TX}
    back = (await world.client.post(f"{address}/attach", json=wanted)).json()
    assert back["attached"]["case"] == number


def with_photo(text: str, code: str) -> bytes:
    """Return a mail with a photo of a receipt."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "anna@example.com", "help@pay.example", "Чек"
    made["Date"] = "Mon, 23 Nov 2026 12:00:00 +0300"
    made.set_content(text)
    photo = io.BytesIO()
    receipt(code, module=6).save(photo, "JPEG")
    made.add_attachment(photo.getvalue(), maintype="image", subtype="jpeg", filename="чек.jpg")
    return made.as_bytes()


async def test_a_photo_of_the_receipt_is_enough(world: World) -> None:
    """Its fiscal code names the transaction; the photo is opened once, though matched again."""
    fiscal = {"fn": "9960440301234567", "fd": "4471", "fp": "3345567812"}
    await paid(world, payment="accepted", receipt="printed", fiscal=json.dumps(fiscal))
    code = "t=20261123T1120&s=700.00&fn=9960440301234567&i=4471&fp=3345567812&n=1"
    row = await send(world, with_photo("Деньги не пришли, чек во вложении", code))
    assert row["status"] == "attached", row
    fact = next(each for each in row["facts"] if each["kind"] == "fiscal")
    assert (fact["value"]["fp"], fact["origin"]) == ("3345567812", "attachment")
    assert row["candidates"][0]["evidence"][0]["fact"] == "fiscal"
    await world.connection.execute(
        "update report set content = $1", Seal(KEY).seal(with_photo("Деньги не пришли", "nothing"))
    )
    again = await world.client.post(f"/api/v1/reports/{row['id']}/match")
    assert again.json()["candidates"][0]["probability"] > 0.99


async def test_the_fleets_addresses_are_built_once_and_anew_when_one_changes(world: World) -> None:
    """Many who ask at once wait for one building; a new terminal is known to the next report."""
    known, database = KnownFleet(), desk_of(world).database
    first, second = await asyncio.gather(known.get(database), known.get(database))
    assert first is second
    assert await known.get(database) is first
    assert "500500" not in first.gazetteer.fleet
    await world.terminal("500500", address="Кутузовский проспект, 30")
    third = await known.get(database)
    assert "500500" in third.gazetteer.fleet
    await world.connection.execute(
        "update terminal set timezone = 'Asia/Omsk', changed_at = now() + interval '1 s' "
        "where terminal = '500500'"
    )
    fourth = await known.get(database)
    assert fourth.zone_of(["500500"]).key == "Asia/Omsk"
    assert fourth.zone_of(["500500", TERMINAL]).key == "Europe/Moscow"
