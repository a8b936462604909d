"""What staff see of reports in a browser."""

import re

import pytest

from desk.pages.marked import Piece, pieces
from desk.queries.reports import Fact
from tests.integration.desk.test_desk_report_matching import failed, mail, paid, send
from tests.integration.desk_story import TERMINAL
from tests.integration.desk_world import EPOCH, World

pytestmark = [pytest.mark.anyio, pytest.mark.service]


@pytest.fixture
async def reader(world: World) -> World:
    """Return the story and Anna's payment, with somebody logged in by a browser's means."""
    await paid(world)
    await failed(world)
    del world.client.headers["Authorization"]
    await world.client.get("/login", params={"token": world.token})
    return world


async def sent(world: World, raw: bytes | None = None) -> str:
    """Send a mail as a program does and return its id."""
    world.client.headers["Authorization"] = f"Bearer {world.token}"
    row = await send(world, raw)
    del world.client.headers["Authorization"]
    return str(row["id"])


async def test_the_list_shows_what_became_of_reports_masked(reader: World) -> None:
    """Newest first, by status too, the account masked, no word of the text."""
    await sent(reader)
    robot = await sent(reader, mail(headers="Auto-Submitted: auto-replied\r\n"))
    whole = (await reader.client.get("/reports")).text
    assert whole.index(f"/reports/{robot}") < whole.index("/reports/1")
    for words in ("прикреплено", "отложено", "автоматический ответ", "+7 916 ***-**-67", "700,00"):
        assert words in whole
    for secret in ("123-45-67", "anna@", "Здравствуйте", "9161234567"):
        assert secret not in whole
    aside = (await reader.client.get("/reports?status=suspended")).text
    assert "/reports/1" not in aside
    assert f"/reports/{robot}" in aside
    assert "Сообщений нет" in (await reader.client.get("/reports?status=other")).text
    assert (await reader.client.get("/reports?status=x&cursor=zzz")).status_code == 200


async def test_the_list_goes_on_page_by_page(reader: World) -> None:
    """Fifty rows, then the next, nothing twice and nothing missed."""
    await reader.connection.execute(
        "insert into report (channel, received_at, status, content) "
        "select 'form', '2026-11-20T00:00:00Z', 'needs_facts', '' from generate_series(1, 120)"
    )
    address, seen = "/reports", []
    while address:
        text = (await reader.client.get(address, headers={"HX-Request": "true"})).text
        seen += re.findall(r'href="/reports/(\d+)"', text)
        more = re.search(r'hx-get="([^"]+)"', text)
        address = more[1].replace("&amp;", "&") if more else ""
    assert [int(each) for each in seen] == list(range(120, 0, -1))


async def test_a_report_shows_its_words_facts_and_reasons(reader: World) -> None:
    """The text with marks, the candidates with evidence in words, and the way to its case."""
    number = await sent(reader)
    text = (await reader.client.get(f"/reports/{number}")).text
    assert "Здравствуйте! " in text
    assert f'<mark class="fact-terminal" title="Номер терминала">{TERMINAL}</mark>' in text
    assert re.search(r'<mark class="fact-account"[^>]*>8 916 123-45-67</mark>', text)
    assert "Прикреплено: совпадает достаточно" in text
    assert "номер терминала</td><td>совпадает" in text
    assert 'href="/cases/K-2026-000500"' in text
    assert "Ни один из них" in text
    assert "anna@example.com" in text
    case = (await reader.client.get("/cases/K-2026-000500")).text
    assert f'href="/reports/{number}"' in case
    assert "Прикреплено сообщение клиента" in case
    assert "вероятность 99," in case
    reader.client.cookies.set("kvitok_language", "en")
    english = (await reader.client.get(f"/reports/{number}")).text
    assert "Attached: enough independent facts agree" in english


async def test_a_person_decides_on_the_page(reader: World) -> None:
    """Take it out, attach it to another payment by its name in the log, match again."""
    number = await sent(reader)
    post, address = reader.client.post, f"/reports/{number}"
    assert (await post(f"{address}/detach")).headers["location"] == address
    assert "Это он" in (await reader.client.get(address)).text
    assert (await post(f"{address}/match")).status_code == 303
    assert "прикрепил" not in (await reader.client.get(address)).text
    wrong = await post(f"{address}/attach", data={"terminal": TERMINAL, "tx": "tx-9"})
    assert (wrong.status_code, "нет такого платежа" in wrong.text) == (409, True)
    for data in (
        {"terminal": TERMINAL, "tx": "tx-000006"},
        {"terminal": TERMINAL, "tx": "tx-000042", "epoch": str(EPOCH)},
    ):
        assert (await post(f"{address}/attach", data=data)).status_code == 303
    assert "прикрепил сотрудник" in (await reader.client.get(address)).text
    history = (await reader.client.get("/cases/K-2026-000123")).text
    assert "Сообщение клиента откреплено" in history
    assert "tests" in history


async def test_only_our_own_pages_decide(reader: World) -> None:
    """Another site, nobody, and an unknown report decide nothing."""
    number = await sent(reader)
    away = {"Sec-Fetch-Site": "cross-site"}
    for what in ("detach", "match", "attach"):
        answer = await reader.client.post(f"/reports/{number}/{what}", headers=away)
        assert answer.status_code == 403, what
        answer = await reader.client.post(f"/reports/99/{what}", data={"terminal": "1", "tx": "1"})
        assert answer.status_code == 404, what
    for path in ("/reports/99", "/reports/x"):
        assert (await reader.client.get(path)).status_code == 404
    await reader.client.post("/logout")
    for path in ("/reports", f"/reports/{number}"):
        assert (await reader.client.get(path)).status_code == 303


async def test_what_a_customer_writes_is_never_markup(reader: World) -> None:
    """Text, name, subject and file names are shown as text."""
    evil = "<script>alert(1)</script> терминал <b>104233</b>"
    number = await sent(reader, mail('"<i>x</i>" <a@example.com>', text=evil))
    text = (await reader.client.get(f"/reports/{number}")).text
    assert "<script>alert" not in text
    assert "<i>x" not in text
    assert "&lt;script&gt;alert(1)" in text


async def test_a_report_that_was_not_read_is_shown_too(reader: World) -> None:
    """What was stored before anything could be understood has a page, and can be matched."""
    await reader.connection.execute(
        "insert into report (channel, received_at, status, content) values "
        "('mail', now(), 'needs_facts', 'x')"
    )
    assert "Ещё не прочитано" in (await reader.client.get("/reports/1")).text
    answer = await reader.client.post("/reports/1/match")
    assert (answer.status_code, "Сопоставить не удалось" in answer.text) == (409, True)


def test_marks_stand_where_facts_do() -> None:
    """Pieces make up the text again; of two facts at one place the shorter one shows."""
    facts = [
        Fact("symptom", "x", "", (0, 11), 0.9), Fact("account", "x", "", (4, 7), 0.9),
        Fact("topic", "x", "", (0, 16), 0.9), Fact("terminal", "x", "", (0, 0), 0.9),
        Fact("place", "x", "", (13, 99), 0.9),
    ]  # fmt: skip
    assert pieces("не на номер, вот", facts) == [
        Piece("не н", "symptom"), Piece("а н", "account"), Piece("омер", "symptom"),
        Piece(", вот", None),
    ]  # fmt: skip
    assert pieces("", facts) == []
