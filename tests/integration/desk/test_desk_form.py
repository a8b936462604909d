"""The customer's form: what it asks, keeps, takes, and never tells."""

import asyncio
import random
import re
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx import Response

from desk.reports.written import FILLED, FilledForm
from desk.sealing import Seal
from desk.visitors import AGAIN_S, MAILBOX, PLACE
from tests.integration.desk.test_desk_report_matching import TX, desk_of, failed, paid
from tests.integration.desk_story import TERMINAL
from tests.integration.desk_world import KEY, World, desk_over
from tests.unit.desk.mail.mail_codes import receipt, saved

pytestmark = [pytest.mark.anyio, pytest.mark.service]

FORM: Final = {
    "email": "anna@example.com", "account": "+7 916 123-45-67", "amount": "700",
    "day": "2026-11-23", "clock": "11:20", "terminal": TERMINAL, "receipt": "",
    "text": "Деньги не пришли", "screen": "error", "homepage": "",
}  # fmt: skip
CASE: Final = re.compile(r"K-\d{4}-\d{6}")


@pytest.fixture
async def street(world: World) -> World:
    """Return the story and Anna's payment, and a visitor whom nobody knows."""
    await paid(world)
    await failed(world)
    world.client.headers.pop("Authorization")
    world.client.headers["Accept-Language"] = "ru-RU,ru;q=0.9"
    return world


async def fill(world: World, topic: str = "not_credited", **change: Any) -> Response:
    """Send the form as a browser does."""
    files = change.pop("files", None) or {"photo": ("", b"", "application/octet-stream")}
    headers = change.pop("headers", None)
    return await world.client.post(
        "/help", params={"topic": topic}, data=FORM | change, files=files, headers=headers
    )


async def told(world: World, answer: Response) -> tuple[str, str]:
    """Follow to the page that says under which number the message stands."""
    assert answer.status_code == 303, answer.text
    page = await world.client.get(answer.headers["location"])
    assert page.status_code == 200
    found = CASE.search(page.text)
    assert found, page.text
    return found[0], page.text


async def stored(world: World) -> FilledForm:
    """Return the newest report as it is kept."""
    sealed = await world.connection.fetchval("select content from report order by id desc limit 1")
    opened = Seal(KEY).open(sealed)
    assert opened is not None
    return FILLED.validate_json(opened)


class Away:
    """A database that does not answer."""

    async def fetch(self, query: str, /, *args: object) -> Any:  # noqa: ARG002 - the protocol has them
        """Fail as a connection does that nobody takes."""
        raise ConnectionRefusedError

    fetchrow = fetchval = execute = fetch


async def reports(world: World) -> int:
    """Count reports."""
    count: int = await world.connection.fetchval("select count(*) from report")
    return count


async def test_the_page_asks_what_happened_first(street: World) -> None:
    """No login, no script, no cookie; six topics that keep the terminal of the sticker."""
    page = await street.client.get("/help", params={"t": TERMINAL})
    assert page.status_code == 200
    assert "set-cookie" not in page.headers
    assert "<script" not in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    topics = re.findall(r'href="/help\?t=104233&amp;topic=(\w+)"', page.text)
    assert len(topics) == 6
    for topic in topics:
        form = (await street.client.get(f"/help?t={TERMINAL}&topic={topic}")).text
        assert f'name="terminal" type="text" value="{TERMINAL}"' in form, topic
        assert "<script" not in form
        assert "Какая это была купюра" in form or topic != "note_swallowed"
    assert await reports(street) == 0


async def test_a_filled_form_finds_its_payment_and_says_only_a_number(street: World) -> None:
    """The report joins the detector's case; the visitor sees a new number, not that one."""
    number, text = await told(street, await fill(street))
    assert number != "K-2026-000500"
    assert "30.11.2026" in text
    assert "anna@example.com" in text
    row = await street.connection.fetchrow("select * from report")
    assert (row["channel"], row["status"], row["tx"]) == ("form", "attached", TX)
    assert (row["case_number"], row["answer"]) == ("K-2026-000500", "owed")
    into = await street.connection.fetchval(
        "select merged_into from support_case where number = $1", number
    )
    assert into == "K-2026-000500"
    for secret in ("000500", TERMINAL, TX, "700", "***"):
        assert secret not in text


async def test_nobody_learns_whether_a_payment_is_there(street: World) -> None:
    """One that is found, one that is not, one of an account that nobody has: the same words."""
    pages = []
    for change in ({}, {"account": "9990001122", "terminal": "", "amount": "13"}):
        street.clock.move(60)
        _, text = await told(street, await fill(street, **change))
        pages.append(CASE.sub("K", text))
    assert pages[0] == pages[1]
    numbers = await street.connection.fetch(
        "select number from support_case where opened_by = 'form' order by number"
    )
    assert len(numbers) == 2


async def test_another_message_of_the_same_customer_has_a_new_number_too(street: World) -> None:
    """Whether a mail address has written before is nobody's business; both lead to one case."""
    first, _ = await told(street, await fill(street))
    street.clock.move(120)
    second, _ = await told(street, await fill(street, text="Так и не пришли"))
    assert first != second
    cases = await street.connection.fetch("select distinct case_number from report")
    assert [row["case_number"] for row in cases] == ["K-2026-000500"]


async def test_what_was_typed_is_kept_with_what_is_wrong_beside_it(street: World) -> None:
    """422, the words next to the field, every other field as it was; nothing is taken."""
    answer = await fill(
        street, email="anna at example", amount="много", clock="25:00", day="завтра",
        text="Всё <b>пропало</b>",
    )  # fmt: skip
    assert answer.status_code == 422
    for words in (
        "Это не адрес электронной почты", "сумму в рублях", "напишите время так",
        "напишите дату так", 'value="anna at example"', 'value="много"',
        "Всё &lt;b&gt;пропало&lt;/b&gt;", 'value="+7 916 123-45-67"', 'value="error" checked',
        'aria-describedby="email-hint email-error" aria-invalid="true"',
    ):  # fmt: skip
        assert words in answer.text, words
    assert "Заново нужно выбрать" not in answer.text
    photo = {"photo": ("чек.jpg", b"x", "image/jpeg")}
    assert "Заново нужно выбрать" in (await fill(street, email="", files=photo)).text
    assert await reports(street) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"email": ""}, "нужен адрес электронной почты"),
        ({"account": " "}, "нужен номер"),
        ({"account": "1"}, "номер целиком"),
        ({"day": "2026-12-24"}, "ещё не наступил"),
        ({"day": "2020-01-01"}, "раньше, чем начинаются"),
        ({"day": ""}, "укажите и день"),
        ({"amount": "0"}, "сумму в рублях"),
        ({"text": "ы" * 5001}, "не больше 5000"),
        ({"terminal": "1" * 65}, "Слишком длинно"),
    ],
)
async def test_each_field_says_what_is_wrong(
    street: World, change: dict[str, str], words: str
) -> None:
    """One error, told at its field."""
    answer = await fill(street, **change)
    assert answer.status_code == 422
    assert answer.text.count('class="error"') == 1
    assert words in answer.text


async def test_fields_become_facts(street: World) -> None:
    """Account, sum, day and clock by the terminal's clock, receipt, topic; answers are words."""
    await told(
        street,
        await fill(
            street, "wrong_number", account="8(916)123-45-67", intended="9161234568",
            receipt="4471",
            amount="1 500,50 руб.", day="22.11.2026", clock="9.05", text="",
        ),
    )  # fmt: skip
    facts = await street.connection.fetch(
        "select kind, value::text as value from report_fact order by number"
    )
    said = [(row["kind"], row["value"]) for row in facts]
    kinds = [kind for kind, _ in said]
    assert kinds == ["account", "account", "contact", "terminal", "receipt", "amount", "paid_at",
                     "symptom", "topic"]  # fmt: skip
    assert '"role": "intended"' in said[1][1]
    assert '"minor": 150050' in said[5][1]
    assert '"best": "2026-11-22T06:05:00.000Z"' in said[6][1]
    assert '"precision": "exact"' in said[6][1]
    assert said[8] == ("topic", '"wrong_number"')
    form = await stored(street)
    assert (form.email, form.reported_at) == ("anna@example.com", street.clock.now)


async def test_a_day_alone_is_a_day_and_a_memory_is_around(street: World) -> None:
    """What nobody read from a receipt is no minute."""
    seen = {}
    for clock in ("", "11:20"):
        await told(street, await fill(street, clock=clock))
        seen[clock] = await street.connection.fetchval(
            "select value->>'precision' from report_fact where kind = 'paid_at' "
            "order by report desc limit 1"
        )
    assert seen == {"": "day", "11:20": "around"}


async def test_the_answers_stand_before_staff(street: World) -> None:
    """What was chosen follows the customer's words, in the desk's language, and is no fact."""
    street.client.headers["Accept-Language"] = "en"
    page = await told(street, await fill(street, "no_receipt", arrived="no", copy="yes"))
    assert "your message has come" in page[1]
    street.client.headers["Authorization"] = "x"
    await street.client.get("/login", params={"token": street.token})
    text = (await street.client.get("/reports/1")).text
    assert "Деньги поступили? Нет" in text
    assert "Нужна ли вам копия чека? Да" in text
    symptoms = await street.connection.fetch(
        "select value #>> '{}' as value from report_fact where kind = 'symptom'"
    )
    assert {row["value"] for row in symptoms} == {"no_receipt", "not_credited"}


async def test_a_photo_of_the_receipt_is_read(street: World) -> None:
    """Its code is a fact, as of a mail's; the file lies sealed with the form."""
    code = "t=20261123T1120&s=700.00&fn=9960440300000001&i=12345&fp=1234567890&n=1"
    picture = saved(receipt(code))
    photo = {"photo": ("C:\\чек.jpg", picture, "image/jpeg")}
    await told(street, await fill(street, clock="", day="", terminal="", files=photo))
    fiscal = await street.connection.fetchval(
        "select value::text from report_fact where kind = 'fiscal'"
    )
    assert "1234567890" in fiscal
    form = await stored(street)
    assert [(each.name, each.content) for each in form.files] == [("чек.jpg", picture)]
    broken = {"photo": ("x.jpg", b"\xff\xd8\xffnothing", "image/jpeg")}
    await told(street, await fill(street, files=broken))


async def test_a_robot_is_set_aside_and_not_told(street: World) -> None:
    """Who fills in the field that nobody sees gets the same page; a person may still release it."""
    answer = await fill(street, homepage="https://spam.example")
    page = await street.client.get(answer.headers["location"])
    assert "ваше сообщение принято" in page.text
    row = await street.connection.fetchrow("select status, set_aside, case_number from report")
    assert tuple(row) == ("suspended", "robot", None)


async def test_too_many_are_turned_away_and_lose_nothing(street: World) -> None:
    """By network address and by mail address; with time they may come again."""
    for number in range(MAILBOX.most):
        assert (await fill(street, receipt=str(number))).status_code == 303
    late = await fill(street)
    assert (late.status_code, "слишком много сообщений" in late.text) == (429, True)
    assert "Деньги не пришли" in late.text
    for number in range(PLACE.most - MAILBOX.most):
        assert (await fill(street, email=f"a{number}@example.com")).status_code == 303
    assert (await fill(street, email="b@example.com")).status_code == 429
    street.clock.move(PLACE.within_s)
    assert (await fill(street, email="b@example.com")).status_code == 303
    assert await reports(street) == PLACE.most + 1


async def test_only_the_form_itself_sends(street: World) -> None:
    """Another site's page sends nothing; a GET changes nothing; an unknown topic is no page."""
    away = await fill(street, headers={"Sec-Fetch-Site": "cross-site"})
    assert away.status_code == 403
    assert "/login" not in away.text
    for address in ("/help", "/help?topic=not_credited&email=a@b.cd&account=9161234567"):
        assert (await street.client.get(address)).status_code == 200
    assert (await fill(street, "nothing")).status_code == 404
    assert (await street.client.post("/help?topic=fee", content=b"x")).status_code == 422
    headers = {"Content-Type": "multipart/form-data; boundary=a"}
    broken = await street.client.post("/help?topic=fee", content=b"--b", headers=headers)
    assert (broken.status_code, "пришла не целиком" in broken.text) == (422, True)
    plain = await street.client.post("/help?topic=not_credited", data=FORM)
    assert plain.status_code == 303
    assert await reports(street) == 1


async def test_the_last_page_says_only_what_we_made_it_say(street: World) -> None:
    """An address that somebody made up, or changed, leads to the beginning."""
    answer = await fill(street)
    there = answer.headers["location"]
    assert "anna" not in there
    about = parse_qs(urlsplit(there).query)["about"][0]
    other = "A" if about[-5] != "A" else "B"
    for text in ("", "x", "ы", about[:-5] + other + about[-4:]):
        page = await street.client.get("/help/sent", params={"about": text})
        assert (page.status_code, page.headers["location"]) == (303, "/help")


async def test_the_form_can_be_switched_off(database: str) -> None:
    """`[desk] form = false`: there is no such page."""
    async with desk_over(database, form=False) as world:
        for path in ("/help", "/help/sent"):
            assert (await world.client.get(path)).status_code == 404
        assert (await world.client.post("/help?topic=fee", data=FORM)).status_code == 404


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("ru", "ru"), ("uk-UA,uk;q=0.9,en;q=0.8", "ru"), ("kk-KZ", "ru"), ("en-GB", "en"),
     ("de,fr", "en"), ("", "ru"), ("*", "ru"), ("en;q=0.2,ru;q=0.9", "ru"), ("x;q=zz,en", "en")],
)  # fmt: skip
async def test_the_visitor_s_language(street: World, accepted: str, language: str) -> None:
    """By the browser's wish; `?lang=` is stronger, and goes with every link."""
    headers = {"Accept-Language": accepted}
    page = (await street.client.get("/help", headers=headers)).text
    assert f'<html lang="{language}">' in page
    other = {"ru": "en", "en": "ru"}[language]
    page = (await street.client.get("/help", params={"lang": other}, headers=headers)).text
    assert f'<html lang="{other}">' in page
    assert f"lang={other}&amp;topic=fee" in page


async def test_a_form_that_could_not_be_matched_is_kept(
    street: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The visitor is thanked all the same; nothing of the form is in the log."""
    await street.connection.execute("alter table report_fact rename to gone")
    answer = await fill(street)
    number, _ = await told(street, answer)
    row = await street.connection.fetchrow("select case_number, status from report")
    assert tuple(row) == (number, "needs_facts")
    assert "anna" not in caplog.text
    assert "916" not in caplog.text


async def test_a_body_beyond_the_limit_is_refused(street: World) -> None:
    """413, in words, and without the way to the login."""
    photo = {"photo": ("a.jpg", b"x" * (25 * 1024 * 1024 + 1), "image/jpeg")}
    answer = await fill(street, files=photo)
    assert (answer.status_code, "не больше 20 МБ" in answer.text) == (413, True)
    assert "/help" in answer.text
    assert "/login" not in answer.text


async def test_the_same_form_twice_is_one_report(street: World) -> None:
    """A second tap while the first is on its way, and a reload: one report, one number."""
    first, second = await asyncio.gather(fill(street), fill(street))
    assert first.headers["location"] == second.headers["location"]
    for _ in range(MAILBOX.most):
        assert (await fill(street)).headers["location"] == first.headers["location"]
    assert await reports(street) == 1
    photo = {"photo": ("a.jpg", b"x", "image/jpeg")}
    assert (await fill(street, files=photo)).status_code == 303
    assert await reports(street) == 2
    street.clock.move(AGAIN_S)
    await fill(street)
    assert await reports(street) == 3


async def test_a_form_that_cannot_be_kept_loses_nothing(street: World) -> None:
    """503, the form as it was typed; sent again it is taken."""
    desk = desk_of(street)
    database, desk.database = desk.database, Away()
    answer = await fill(street)
    desk.database = database
    assert (answer.status_code, "Деньги не пришли" in answer.text) == (503, True)
    assert "отправьте его ещё раз" in answer.text
    assert (await fill(street)).status_code == 303
    assert await reports(street) == 1


PARTS: Final = (
    b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\na@b.cd\r\n'
    b'--b\r\nContent-Disposition: form-data; name="account"\r\n\r\n9161234567\r\n'
    b'--b\r\nContent-Disposition: form-data; name="photo"; filename="x.jpg"\r\n'
    b"Content-Type: image/jpeg\r\n\r\n\xff\xd8\xffabc\r\n--b--\r\n"
)


async def test_any_bytes_are_a_form_or_are_told_so(street: World) -> None:
    """However a body is broken: taken, or told in words; never an error of ours."""
    chance = random.Random(11)
    odd = (b"\r\n", b"--b", b'"', b"\0", b"\xed\xa0\x80", b"name=", b"filename*=UTF-8")
    kinds = ("multipart/form-data; boundary=b", "multipart/form-data; boundary=b; charset=utf-16",
             "multipart/form-data", "application/x-www-form-urlencoded", "text/plain")  # fmt: skip
    seen = set()
    for number in range(90):
        body = bytearray(PARTS)
        for _ in range(number % 5):
            at = chance.randrange(len(body))
            match chance.randrange(3):
                case 0:
                    body[at] = chance.randrange(256)
                case 1:
                    del body[at : at + chance.randrange(1, 9)]
                case _:
                    body[at:at] = chance.choice(odd)
        headers = {"Content-Type": chance.choice(kinds) if number % 3 else kinds[0]}
        street.clock.move(PLACE.within_s)
        answer = await street.client.post("/help?topic=fee", content=bytes(body), headers=headers)
        assert answer.status_code in {303, 422}, (headers, bytes(body))
        seen.add(answer.status_code)
    assert seen == {303, 422}
