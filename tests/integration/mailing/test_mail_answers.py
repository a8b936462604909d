import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desk.mail.letter import OwnAddresses
from desk.mail.mime import read_letter
from desk.mail.reading import read_mail
from desk.mail.suspicion import Reason
from desk.mail.thread import Trace, traces
from tests.integration.mail_world import NOW, MailWorld, body, letter, mail_over

pytestmark = [pytest.mark.service, pytest.mark.anyio]


async def test_a_report_is_answered_once(world: MailWorld) -> None:
    """Number in the subject, the day, what is missing; the null sender; the letter's thread."""
    report = await world.report(letter())
    await world.write()
    await world.write()
    assert await world.answer(report) == "written"
    [mail], [outgoing] = await world.mails(), await world.outgoing()
    assert mail["Subject"] == "[K-2026-000001] Ваше обращение получено"
    assert (mail["To"], outgoing.to) == ("ivan@customer.example", "ivan@customer.example")
    assert mail["From"] == "Служба поддержки <support@kvitok.example>"
    assert outgoing.envelope == ""
    assert mail["In-Reply-To"] == mail["References"] == "<a@mail.example>"
    assert (mail["Auto-Submitted"], mail["Precedence"]) == ("auto-replied", "auto_reply")
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail.get_content_type() == "text/plain"
    text = body(mail)
    assert "K-2026-000001" in text
    assert "не позднее 30 ноября 2026 года" in text
    assert "номер чека" in text
    assert "номер терминала" in text
    assert "сумму" not in text
    for told in ("777", "9161234567", "10042", "4471", "ivan", "Ivan", "customer"):
        assert told not in text
        assert told not in mail["Subject"]


async def test_our_own_mail_is_known_again(world: MailWorld) -> None:
    """Its signed Message-ID names the case, and the mail itself is never taken for a customer's."""
    await world.report(letter())
    await world.write()
    [outgoing] = await world.outgoing()
    raw = outgoing.mail.encode()
    back = read_mail(raw, received_at=NOW, own=OwnAddresses())
    assert back.suspicion is not None
    assert back.suspicion.reason is Reason.OWN_MAIL
    own_id = read_letter(raw).message_id
    reply = read_letter(letter(headers=f"In-Reply-To: <{own_id}>\n"))
    assert list(traces(reply, world.mailing.ids, known={})) == [("K-2026-000001", Trace.SIGNED_ID)]


async def test_the_day_is_the_terminal_s(world: MailWorld) -> None:
    """A term is told by the clock where the payment was made."""
    await world.connection.execute(
        "insert into terminal (terminal, timezone) values ('10042', 'Asia/Vladivostok')"
    )
    case = await world.case(terminal="10042")
    await world.report(letter(), case=case, status="attached")
    await world.write()
    [mail] = await world.mails()
    assert "не позднее 1 декабря 2026 года" in body(mail)
    assert "номер чека" not in body(mail), "its payment is found: nothing is missing"


async def test_a_day_that_nobody_knows_is_not_promised(world: MailWorld) -> None:
    """Where the calendar was guessed, the answer names working days; a term that is over, none."""
    case = await world.case()
    await world.move(case, "due_guessed", state="open")
    await world.report(letter(), case=case)
    over = await world.case(due_at=NOW - timedelta(days=1))
    unknown = await world.case(due_at=datetime(2038, 1, 12, tzinfo=UTC))
    await world.report(letter("olga@customer.example"), case=unknown)
    await world.report(letter("petr@customer.example"), case=over)
    await world.write()
    by_address = {str(mail["To"])[:4]: mail for mail in await world.mails()}
    guessed, late, unknown_year = (by_address[name] for name in ("ivan", "petr", "olga"))
    assert "в течение 5 рабочих дней" in body(guessed)
    assert "в ближайшее время" in body(late)
    assert "в течение 5 рабочих дней" in body(unknown_year)
    assert " года" not in body(guessed) + body(late) + body(unknown_year)


async def test_the_same_customer_is_asked_again_only_for_something_new(world: MailWorld) -> None:
    """A second letter of the case is answered if a fact is missing that was not asked for yet."""
    case = await world.case()
    await world.report(letter(name="a"), case=case, ask=("receipt",))
    await world.write()
    same = await world.report(letter(name="b"), case=case, ask=("receipt",))
    await world.write()
    assert await world.answer(same) == "none"
    new = await world.report(letter(name="c"), case=case, ask=("receipt", "terminal"))
    await world.write()
    assert await world.answer(new) == "written"
    assert [(await world.mails())[n]["In-Reply-To"] for n in (0, 1)] == [
        "<a@mail.example>",
        "<c@mail.example>",
    ]


async def test_an_address_gets_two_in_three_hours(world: MailWorld) -> None:
    """The third is withheld, whatever the case; after three hours there is room again."""
    reports = [await world.report(letter(name=str(n))) for n in range(3)]
    other = await world.report(letter("petr@customer.example"))
    await world.write()
    assert [await world.answer(each) for each in (*reports, other)] == [
        "written", "written", "withheld", "written",
    ]  # fmt: skip
    world.clock.move(3 * 3600 + 1)
    late = await world.report(letter(name="late"))
    await world.write()
    assert await world.answer(late) == "written"


async def test_an_address_gets_ten_in_a_day(world: MailWorld) -> None:
    """However slowly they come."""
    answers = []
    for number in range(12):
        report = await world.report(letter(name=str(number)))
        await world.write()
        answers.append(await world.answer(report))
        world.clock.move(2 * 3600)
    assert answers == ["written"] * 10 + ["withheld"] * 2


async def test_in_a_flood_answers_wait_for_their_minute(database: str, tmp_path: Path) -> None:
    """What is beyond the cap of everybody stays owed and comes later, the first first."""
    async with mail_over(database, outbox=tmp_path, minute_answers_max=3) as world:
        reports = [
            await world.report(letter(f"c{n}@customer.example", name=str(n))) for n in range(5)
        ]
        await world.write()
        assert [await world.answer(each) for each in reports] == ["written"] * 3 + ["owed"] * 2
        world.clock.move(61)
        await world.write()
        assert [await world.answer(each) for each in reports] == ["written"] * 5


async def test_what_waited_three_days_is_not_answered(world: MailWorld) -> None:
    """An answer that comes so late only puzzles."""
    report = await world.report(letter())
    world.clock.move(3 * 86_400 + 1)
    await world.write()
    assert await world.answer(report) == "withheld"
    assert await world.mails() == []


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        (NOW - timedelta(days=20), "withheld"),
        (NOW - timedelta(days=2), "written"),
        (NOW - timedelta(days=4000), "written"),
        (NOW + timedelta(days=4000), "written"),
        (None, "written"),
    ],
)
async def test_a_mailbox_s_old_letters_are_not_answered(
    world: MailWorld, written: datetime | None, answer: str
) -> None:
    """It is read for the first time: weeks of letters come at once. A wrong clock is no age."""
    report = await world.report(letter())
    await world.connection.execute(
        "update report set reported_at = $2 where id = $1", report, written
    )
    await world.write()
    assert await world.answer(report) == answer


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (letter("anna@staff.kvitok.example"), "needs_facts"),
        (letter("support@kvitok.example"), "needs_facts"),
        (letter("no-reply@bank.example"), "needs_facts"),
        (letter(headers="X-Auto-Response-Suppress: All\n"), "needs_facts"),
        (letter(headers="Precedence: bulk\n"), "needs_facts"),
        (letter(headers="Auto-Submitted: auto-replied\n"), "needs_facts"),
        (letter(headers="Return-Path: <>\n"), "needs_facts"),
        (letter("ivan@localhost"), "needs_facts"),
        (letter("a@customer.example, b@customer.example"), "needs_facts"),
        (letter(), "suspended"),
    ],
)
async def test_nobody_else_is_answered(world: MailWorld, raw: bytes, status: str) -> None:
    """Staff who pass a letter on, we ourselves, robots, lists, addresses without a domain."""
    report = await world.report(raw, status=status)
    await world.write()
    assert await world.answer(report) == "withheld"
    assert await world.mails() == []


async def test_a_typed_report_is_answered_at_its_address(world: MailWorld) -> None:
    """A phone call and a form that name an address; one that names none is withheld."""
    typed = b'{"channel":"phone","text":"x","reported_at":"2026-11-23T09:00:00Z","email":%s}'
    given = await world.report(typed % b'"ivan@customer.example"', channel="phone")
    none = await world.report(typed % b"null", channel="phone")
    await world.write()
    assert [await world.answer(given), await world.answer(none)] == ["written", "withheld"]
    [mail] = await world.mails()
    assert mail["To"] == "ivan@customer.example"
    assert mail["In-Reply-To"] is None


async def test_one_that_cannot_be_read_holds_up_nobody(world: MailWorld) -> None:
    """Content under another key is withheld; a decision that is no decision is left aside."""
    sealed = await world.report(letter())
    await world.connection.execute("update report set content = $1 where id = $2", b"\x01x", sealed)
    broken = await world.report(letter("petr@customer.example"))
    await world.connection.execute(
        "update report_match set decision = '[1]' where report = $1", broken
    )
    good = await world.report(letter())
    await world.write()
    answers = [await world.answer(each) for each in (sealed, broken, good)]
    assert answers == ["withheld", "owed", "written"]
    await world.connection.execute(
        "update report_match set decision = '{}' where report = $1", broken
    )
    world.clock.move(601)
    await world.write()
    assert await world.answer(broken) == "written"


async def test_two_programs_write_one_answer(world: MailWorld) -> None:
    """Whoever has the report's row; the other takes the next."""
    reports = [await world.report(letter(f"c{n}@customer.example")) for n in range(20)]
    await asyncio.gather(world.write(), world.write(), world.write())
    assert {await world.answer(each) for each in reports} == {"written"}
    assert len(await world.mails()) == 20


async def test_nothing_is_in_the_clear(world: MailWorld) -> None:
    """No table holds the address, or what the mail says."""
    await world.report(letter())
    await world.write()
    rows = await world.connection.fetch("select mail_out::text from mail_out")
    told = rows[0]["mail_out"]
    assert "customer.example" not in told
    assert b"customer.example".hex() not in told
