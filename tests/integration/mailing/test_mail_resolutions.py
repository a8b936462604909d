import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from tests.integration.mail_world import DUE, OURS, MailWorld, body, letter, mail_over

pytestmark = [pytest.mark.service, pytest.mark.anyio]


async def resolved(world: MailWorld, raw: bytes, **more: str) -> str:
    """Add a case with a report that is answered, and resolve it."""
    case = await world.case()
    await world.report(raw, case=case, answer="written", **more)  # type: ignore[arg-type]  # texts
    await world.move(case, "resolve", state="resolved")
    return case


async def test_the_end_of_a_case_is_mailed(world: MailWorld) -> None:
    """Its number, and what staff said publicly; nothing that only staff may read."""
    case = await world.case()
    await world.report(letter(), case=case, answer="written")
    await world.comment(case, "Клиент врёт, счёт 5551234", public=False)
    await world.comment(case, "Деньги зачислены оператором 23 ноября.", public=True)
    await world.move(case, "resolve", state="resolved", text="Готово.", public=True)
    await world.write()
    await world.write()
    [mail], [outgoing] = await world.mails(), await world.outgoing()
    assert mail["Subject"] == f"[{case}] Ваше обращение рассмотрено"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["In-Reply-To"] == "<a@mail.example>"
    assert (outgoing.to, outgoing.envelope) == ("ivan@customer.example", OURS)
    text = body(mail)
    assert "Деньги зачислены оператором 23 ноября.\n\nГотово." in text
    assert "врёт" not in text
    assert "5551234" not in text


async def test_a_resolution_s_words_are_of_this_time(world: MailWorld) -> None:
    """A case that was opened again: only what was said since; and each end has its mail."""
    case = await world.case()
    await world.report(letter(), case=case, answer="written")
    await world.move(case, "resolve", state="resolved", text="Первый раз.", public=True)
    await world.write()
    await world.move(case, "reopen", state="open")
    await world.write()
    await world.move(case, "resolve", state="resolved", text="Второй раз.", public=True)
    await world.write()
    first, second = await world.mails()
    assert "Первый раз." in body(first)
    assert "Второй раз." in body(second)
    assert "Первый раз." not in body(second)
    assert first["Message-ID"] != second["Message-ID"]


async def test_one_that_was_opened_again_at_once_is_not_mailed(world: MailWorld) -> None:
    """Nobody is told of an end that is none."""
    case = await resolved(world, letter())
    await world.move(case, "reopen", state="open")
    await world.write()
    assert await world.mails() == []


async def test_a_program_that_asks_for_no_automatic_answers_gets_a_person_s_word(
    world: MailWorld,
) -> None:
    """A person resolved the case; robots and staff still get nothing, and the case says so."""
    await resolved(world, letter(headers="X-Auto-Response-Suppress: All\n"))
    robot = await resolved(world, letter("noreply@bank.example"))
    staff = await resolved(world, letter("anna@staff.kvitok.example"))
    phone = await resolved(
        world,
        b'{"channel":"phone","text":"x","reported_at":"2026-11-23T09:00:00Z"}',
        channel="phone",
    )
    await world.write()
    await world.write()
    assert len(await world.mails()) == 1
    assert await world.history(robot) == [("mail_withheld", "robot")]
    assert await world.history(staff) == [("mail_withheld", "ours")]
    assert await world.history(phone) == [("mail_withheld", "no_address")]


async def test_the_newest_report_that_can_be_reached_says_where(world: MailWorld) -> None:
    """A colleague's forward came last: the customer's own letter before it is answered."""
    case = await world.case()
    await world.report(letter("old@customer.example", name="1"), case=case, answer="written")
    world.clock.move(60)
    await world.report(letter("new@customer.example", name="2"), case=case, answer="written")
    world.clock.move(60)
    await world.report(letter("anna@staff.kvitok.example"), case=case, answer="withheld")
    await world.move(case, "resolve", state="resolved")
    await world.write()
    [outgoing] = await world.outgoing()
    assert outgoing.to == "new@customer.example"


async def test_a_case_without_a_customer_is_nobody_s_mail(world: MailWorld) -> None:
    """What the detector opened and people resolved."""
    case = await world.case()
    await world.move(case, "resolve", state="resolved")
    await world.write()
    assert await world.mails() == []
    assert await world.history(case) == []


async def test_what_was_resolved_long_ago_is_history(world: MailWorld) -> None:
    """After three days, and where the setting says no, nobody is written to."""
    await resolved(world, letter())
    world.clock.move(timedelta(days=3, seconds=1).total_seconds())
    await world.write()
    assert await world.mails() == []


async def test_resolutions_can_be_switched_off(database: str, tmp_path: Path) -> None:
    """And answers: then they are withheld, and counted."""
    async with mail_over(database, outbox=tmp_path, resolutions=False, answers=False) as world:
        await resolved(world, letter())
        report = await world.report(letter("petr@customer.example"))
        await world.write()
        assert await world.mails() == []
        assert await world.answer(report) == "withheld"


async def test_two_programs_write_one_mail(world: MailWorld) -> None:
    """Of the same end; and the numbers of a case's mails never meet."""
    cases = [await resolved(world, letter(f"c{n}@customer.example")) for n in range(8)]
    for case in cases:
        await world.report(letter("other@customer.example"), case=case)
    await asyncio.gather(*(world.write() for _ in range(4)))
    rows = await world.connection.fetch(
        "select case_number, kind, number from mail_out order by case_number, number"
    )
    ends = [row["case_number"] for row in rows if row["kind"] == "resolution"]
    assert ends == cases
    assert len({row["number"] for row in rows}) == len(rows)


async def test_a_merged_case_s_end_is_not_told(world: MailWorld) -> None:
    """What went on elsewhere is not over."""
    on = await world.case(due_at=DUE)
    case = await resolved(world, letter())
    await world.connection.execute(
        "update support_case set merged_into = $2 where number = $1", case, on
    )
    await world.write()
    assert await world.mails() == []


async def test_what_resolves_by_itself_tells_nobody(world: MailWorld) -> None:
    """The detector's own resolutions are of cases without a customer."""
    case = await world.case()
    await world.report(letter(), case=case, answer="written")
    await world.move(case, "resolve", state="resolved", actor="detector")
    await world.write()
    assert await world.mails() == []


async def test_another_address_for_answers_gets_no_end_of_a_case(world: MailWorld) -> None:
    """A sender's name is only a claim: nobody directs what staff say to an address of their own."""
    case = await world.case()
    await world.report(letter(name="1"), case=case, answer="written")
    world.clock.move(60)
    elsewhere = "Reply-To: mallory@elsewhere.example\n"
    await world.report(letter(name="2", headers=elsewhere), case=case, answer="none")
    await world.move(case, "resolve", state="resolved", text="Зачислено.", public=True)
    await world.write()
    [outgoing] = await world.outgoing()
    assert outgoing.to == "ivan@customer.example"


async def test_a_form_elsewhere_that_writes_for_its_customer_names_whom_to_tell(
    world: MailWorld,
) -> None:
    """From a robot, for answers the customer's address: the report is that customer's."""
    for_anna = "Reply-To: Anna <anna@customer.example>\n"
    await resolved(world, letter("noreply@site.example", headers=for_anna))
    await world.write()
    [outgoing] = await world.outgoing()
    assert outgoing.to == "anna@customer.example"
