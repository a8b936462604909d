"""Pages on which a person decides about reports, and a case's conversation."""

import re
from email.message import EmailMessage

import pytest

from desk.pages.search import case_number
from tests.integration.desk.test_desk_report_matching import TX, failed, mail, paid, send
from tests.integration.desk_story import TERMINAL
from tests.integration.desk_world import World
from tests.unit.desk.mail.mail_codes import receipt, saved

pytestmark = [pytest.mark.anyio, pytest.mark.service]

ROBOT = mail(headers="Auto-Submitted: auto-replied\r\n")


@pytest.fixture
async def reader(world: World) -> World:
    """Return the story and Anna's payment, with somebody logged in; the token works on."""
    await paid(world)
    await failed(world)
    await world.client.get("/login", params={"token": world.token})
    return world


async def page(world: World, path: str) -> str:
    """Return a page's text."""
    answer = await world.client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.text


async def post(world: World, path: str, **data: str) -> str:
    """Press a button and return where it leads."""
    answer = await world.client.post(path, data=data)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_a_suspended_report_is_released_from_the_list(reader: World) -> None:
    """The reason in words, a button beside it, and back to the list, where it no longer stands."""
    number = (await send(reader, ROBOT))["id"]
    aside = await page(reader, "/reports?status=suspended")
    assert "автоматический ответ" in aside
    assert "Это письмо клиента" in aside
    assert "Это письмо клиента" not in await page(reader, "/reports")
    shown = await page(reader, f"/reports/{number}")
    assert "Это письмо клиента" in shown
    assert "Оно не считается письмом клиента" in shown
    back = await post(reader, f"/reports/{number}/release", next="/reports?status=suspended")
    assert back == "/reports?status=suspended"
    assert f"/reports/{number}" not in await page(reader, back)
    shown = await page(reader, f"/reports/{number}")
    assert "Признал письмом клиента" in shown
    assert "прикрепил Kvitok" in shown
    assert await post(reader, f"/reports/{number}/release") == f"/reports/{number}"
    assert await post(reader, f"/reports/{number}/release", next="//evil.example") == "/"


async def test_none_of_these_by_a_button(reader: World) -> None:
    """Who said so stands on the page and in the list, and in the case; attaching takes it back."""
    row = await send(reader, mail(text="Терминал у Тверской, 700 рублей, чек не вышел"))
    assert row["attached"] is None
    address = f"/reports/{row['id']}"
    assert f'action="{address}/none"' in await page(reader, address)
    await post(reader, f"{address}/none")
    shown = await page(reader, address)
    assert "Ни один из этих платежей – решение: tests" in shown
    assert f'action="{address}/none"' not in shown
    assert "ни один из найденных" in await page(reader, "/reports")
    assert "не относится ни к одному" in await page(reader, f"/cases/{row['case']}")
    await post(reader, f"{address}/attach", terminal=TERMINAL, tx=TX)
    assert "решение: tests" not in await page(reader, address)


async def test_attach_to_a_terminal_alone_on_the_page(reader: World) -> None:
    """The payment's field may stay empty; the case then tells that there is none."""
    row = await send(reader, mail(text=f"Терминал {TERMINAL} взял деньги и погас"))
    address = f"/reports/{row['id']}"
    assert re.search(rf'name="terminal"[^>]*value="{TERMINAL}"', await page(reader, address))
    wrong = await reader.client.post(f"{address}/attach", data={"terminal": "7"})
    assert (wrong.status_code, "Такого терминала нет" in wrong.text) == (409, True)
    nul = await reader.client.post(f"{address}/attach", data={"terminal": "7\0"})
    assert nul.status_code == 409
    await post(reader, f"{address}/attach", terminal=f" {TERMINAL} ", tx=" ")
    assert "без платежа" in await page(reader, address)
    assert "такого платежа нет" in await page(reader, f"/cases/{row['case']}")


async def test_evidence_is_told_in_a_sentence(reader: World) -> None:
    """What speaks for a candidate and what against, the heaviest first."""
    number = (await send(reader))["id"]
    shown = await page(reader, f"/reports/{number}")
    sentence = re.search(r'<p class="why">(.*?)</p>', shown)
    assert sentence
    assert sentence[1].startswith("За: ")
    assert "номер счёта – совпадает" in sentence[1]
    assert "априори" not in sentence[1]


async def test_a_case_shows_its_conversation(reader: World) -> None:
    """The customer's words and our mails, the latest first; nothing of it is markup."""
    first = (await send(reader))["id"]
    reader.clock.move(60)
    second = mail(text="Когда <b>вернёте</b>? Терминал 104233, 11:20, 700 рублей, 8 916 123-45-67")
    number = (await send(reader, second.replace(b"<1@", b"<2@")))["id"]
    for text in ("answer", "answer: 550 mailbox unavailable"):
        reader.clock.move(60)
        action = "mail_failed" if ":" in text else "mail_sent"
        await reader.connection.execute(
            "insert into case_history (number, at, actor, action, text) "
            "values ('K-2026-000500', $1, 'detector', $2, $3)",
            reader.clock.now, action, text,
        )  # fmt: skip
    shown = (await page(reader, "/cases/K-2026-000500")).split("Переписка")[1].split("История")[0]
    order = [
        "не доставлено", "550 mailbox unavailable", "Клиенту отправлено письмо",
        f"/reports/{number}", "Когда &lt;b&gt;вернёте", f"/reports/{first}", "Здравствуйте",
    ]  # fmt: skip
    places = [shown.index(each) for each in order]
    assert places == sorted(places)
    assert "anna@example.com" in shown


async def test_a_merged_case_leads_to_the_one_that_went_on(reader: World) -> None:
    """By its address and by the search; the list says so; the page says where one came from."""
    await reader.client.post("/help?topic=not_credited", data={
        "email": "anna@example.com", "account": "89161234567", "amount": "700",
        "day": "2026-11-23", "clock": "11:20", "terminal": TERMINAL,
    })  # fmt: skip
    merged = await reader.connection.fetchval(
        "select number from support_case where merged_into = 'K-2026-000500'"
    )
    answer = await reader.client.get(f"/cases/{merged}")
    there = answer.headers["location"]
    assert (answer.status_code, there) == (303, f"/cases/K-2026-000500?merged={merged}")
    assert f"{merged} продолжается здесь" in await page(reader, there)
    assert "продолжается здесь" not in await page(reader, "/cases/K-2026-000500?merged=K-1-1")
    listed = await page(reader, "/cases")
    assert "объединено с" in listed
    found = await reader.client.get("/", params={"query": merged.lower()})
    assert found.headers["location"] == f"/cases/{merged}"
    assert (await reader.client.get("/", params={"query": "K-2026-999999"})).status_code == 200


async def test_a_case_without_a_terminal_has_a_page(reader: World) -> None:
    """It says that the place is not known, and leads to the report that tells most."""
    row = await send(reader, mail("Олег <oleg@example.com>", text="Деньги не пришли, верните"))
    shown = await page(reader, f"/cases/{row['case']}")
    assert "терминал пока неизвестен" in shown
    assert "Искать по сообщению" in shown
    assert "/terminals/None" not in shown
    assert "терминал пока неизвестен" in await page(reader, "/cases")
    report = await page(reader, f"/reports/{row['id']}")
    assert f'href="/cases/{row["case"]}"' in report
    assert "30.11.2026" in report


async def test_a_stranger_s_answer_is_a_hint(reader: World) -> None:
    """Who names another's case does not get into it; a person sees which one it named."""
    await send(reader)
    stranger = mail("Чужой <x@example.org>", text="По обращению [K-2026-000500]: чека всё нет")
    row = await send(reader, stranger.replace(b"<1@", b"<9@"))
    assert row["case"] != "K-2026-000500"
    shown = await page(reader, f"/reports/{row['id']}")
    assert "Возможно, ответ на" in shown
    assert 'href="/cases/K-2026-000500"' in shown


async def test_only_our_own_pages_decide_here_too(reader: World) -> None:
    """Another site's page releases nothing."""
    number = (await send(reader, ROBOT))["id"]
    for what in ("release", "none"):
        answer = await reader.client.post(
            f"/reports/{number}/{what}", headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert answer.status_code == 403
    assert (await reader.get(f"/reports/{number}"))["status"] == "suspended"


@pytest.mark.parametrize(
    ("text", "number"),
    [("K-2026-000123", "K-2026-000123"), ("к-2026-123", "K-2026-000123"),
     ("K 2026 000123", "K-2026-000123"), ("k2026-1234567", "K-2026-1234567"),
     ("К-2026", None), ("104233", None), ("K-2026-12345678901", None), ("Тверская 1", None)],
)  # fmt: skip
def test_a_case_number_is_read_as_people_write_it(text: str, number: str | None) -> None:
    """With a Cyrillic letter, without its zeros, with blanks."""
    assert case_number(text) == number


async def test_a_file_is_shown_or_downloaded(reader: World) -> None:
    """A picture by its content is drawn, all else only saved; nobody else gets it."""
    letter = EmailMessage()
    letter["From"], letter["To"] = "anna@example.com", "konsultant@pay.example"
    letter["Subject"] = "чек"
    letter.set_content("Терминал не выдал чек, фото прилагаю")
    picture = saved(receipt())
    letter.add_attachment(picture, "image", "jpeg", filename="чек\r\nX: 1.jpg")
    letter.add_attachment(b"<script>alert(1)</script>", "text", "html", filename="a.html")
    number = (await send(reader, letter.as_bytes()))["id"]
    shown = await page(reader, f"/reports/{number}")
    assert f'href="/reports/{number}/files/1"' in shown
    answer = await reader.client.get(f"/reports/{number}/files/1")
    assert answer.content == picture
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"].startswith("inline; filename*=UTF-8''%D1%87")
    other = await reader.client.get(f"/reports/{number}/files/2")
    assert other.headers["content-type"] == "application/octet-stream"
    assert other.headers["content-disposition"].startswith("attachment;")
    assert other.headers["x-content-type-options"] == "nosniff"
    for path in (f"{number}/files/0", f"{number}/files/3", "99/files/1", "x/files/1"):
        assert (await reader.client.get(f"/reports/{path}")).status_code == 404, path
    reader.client.cookies.clear()
    assert (await reader.client.get(f"/reports/{number}/files/1")).status_code == 303
