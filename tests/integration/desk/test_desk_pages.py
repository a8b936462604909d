import html
import re
from datetime import timedelta

import pytest

from desk.queries.cases import read_cases_open_first
from tests.integration.desk_story import TERMINAL
from tests.integration.desk_world import NOW, World

pytestmark = [pytest.mark.anyio, pytest.mark.service]

PAGES = ("/", "/?query=твер", f"/terminals/{TERMINAL}", f"/terminals/{TERMINAL}?show=money",
         f"/terminals/{TERMINAL}?day=2026-11-22", f"/terminals/{TERMINAL}?tx=tx-000006",
         "/cases", "/cases?state=new", "/cases/K-2026-000123", "/cases/K-2026-000124",
         "/reports", "/reports?status=suspended", "/login", "/terminals/nobody")  # fmt: skip


@pytest.fixture
async def reader(world: World) -> World:
    """Return the story with somebody logged in by a browser's means."""
    world.client.headers.pop("Authorization")
    answer = await world.client.get("/login", params={"token": world.token})
    assert answer.status_code == 303
    return world


async def test_without_a_session_every_page_leads_to_the_login(world: World) -> None:
    """A token in a header is for programs; pages want the cookie, and the way back is kept."""
    for path in ("/", "/search?query=1", f"/terminals/{TERMINAL}", "/cases/K-2026-000123"):
        answer = await world.client.get(path)
        assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login")
    answer = await world.client.get(f"/terminals/{TERMINAL}?show=money")
    assert answer.headers["location"] == "/login?next=%2Fterminals%2F104233%3Fshow%3Dmoney"
    answer = await world.client.get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")


async def test_a_login_link_sets_a_strict_cookie_and_leaves_the_address(world: World) -> None:
    """HttpOnly, SameSite=Strict, and a redirect without the token; the cookie is not the token."""
    answer = await world.client.get("/login", params={"token": world.token, "next": "/cases/K-1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases/K-1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert world.token not in cookie


async def test_a_login_never_leads_away(world: World) -> None:
    """`next` is a path of ours or it is the front page."""
    for away in ("https://evil.example", "//evil.example", "/\\evil.example", "/a\r\nb", "x", ""):
        answer = await world.client.get("/login", params={"token": world.token, "next": away})
        assert answer.headers["location"] == "/", away


async def test_a_wrong_token_is_told_and_sets_nothing(world: World) -> None:
    """401 with the form again."""
    for answer in (
        await world.client.get("/login?token=kvt_wrong"),
        await world.client.post("/login", data={"token": "kvt_wrong"}),
    ):
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert "Токен не подходит" in answer.text
        assert "kvt_wrong" not in answer.text


async def test_the_form_logs_in_and_the_button_out(world: World) -> None:
    """By POST, from our own pages only."""
    post = world.client.post
    answer = await post("/login", data={"token": f" {world.token} ", "next": "/?query=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?query=1")
    assert (await world.client.get("/")).status_code == 200
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        for path in ("/logout", "/login", "/language"):
            assert (await post(path, data={"language": "en"}, headers=headers)).status_code == 403
    assert (await world.client.get("/")).status_code == 200
    await post("/logout", headers={"Sec-Fetch-Site": "same-origin", "Origin": "http://desk.test"})
    assert (await world.client.get("/")).status_code == 303


async def test_a_session_ends_with_its_hours_and_with_its_token(reader: World) -> None:
    """Twelve hours, or at once when the token is revoked (within the seconds of belief)."""
    assert (await reader.client.get("/")).status_code == 200
    await reader.connection.execute("update api_token set revoked_at = now()")
    assert (await reader.client.get("/")).status_code == 200
    reader.clock.move(6)
    assert (await reader.client.get("/")).status_code == 303
    await reader.connection.execute("update api_token set revoked_at = null")
    assert (await reader.client.get("/")).status_code == 200
    reader.clock.move(12 * 3600)
    assert (await reader.client.get("/")).status_code == 303


async def test_every_page_is_strict_and_keeps_nothing(reader: World) -> None:
    """A policy without 'unsafe', no inline script or style, nothing from elsewhere, no cache."""
    for path in PAGES:
        answer = await reader.client.get(path)
        assert answer.status_code in (200, 404), path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        ours = answer.text
        assert not re.search(r"<script(?! src=)|<style|\son\w+=|\sstyle=|https?://", ours), path


async def test_what_a_terminal_says_is_never_markup(reader: World) -> None:
    """Texts of terminals, registers and reports are shown as text."""
    evil = "<script>alert(1)</script>\"'><img src=x>"
    await reader.terminal("evil", address=evil, metro=evil, place=evil, name=evil)
    await reader.event("evil", evil, NOW, text=evil, tx=evil)
    await reader.transaction("evil", evil, NOW, service_name=evil, receipt_number=evil)
    await reader.incident("evil", evil, NOW, subject=evil, cause=evil)
    for path in ("/", "/?query=script", "/terminals/evil", "/search?query=<script>",
                 "/terminals/<script>", "/terminals/evil?tx=<script>"):  # fmt: skip
        text = (await reader.client.get(path)).text
        assert "<script>" not in text, path
        assert "<img src=x" not in text, path


async def test_a_full_number_leads_straight_to_its_terminal(reader: World) -> None:
    """And so does Enter in the search box."""
    answer = await reader.client.get("/?query=104233")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/terminals/{TERMINAL}")
    answer = await reader.client.get("/?query=LAB-7")
    assert answer.headers["location"] == "/terminals/lab-7"


async def test_what_is_not_found_says_so(reader: World) -> None:
    """In words, with the query, and with the status."""
    assert "Терминал не найден: Неглинная" in (await reader.client.get("/?query=Неглинная")).text
    answer = await reader.client.get("/terminals/nobody")
    assert (answer.status_code, "Терминал не найден: nobody" in answer.text) == (404, True)
    for path in ("/cases/K-0", "/nowhere", "/terminals/nobody/live", "/terminals/%00"):
        assert (await reader.client.get(path)).status_code == 404
    assert (await reader.client.get("/login?next=" + "x" * 5000)).status_code == 200


async def all_open_first(world: World, limit: int) -> list[str]:
    """Return the numbers of all cases, read in pages of so many."""
    found, after = list[str](), None
    while True:
        rows = await read_cases_open_first(world.connection, None, after=after, limit=limit)
        assert len(rows.items) <= limit
        found += [each.number for each in rows.items]
        after = rows.next
        if after is None:
            return found


async def test_cases_that_wait_come_first_page_by_page(reader: World) -> None:
    """Unsettled before settled, each newest first; a state alone; no row twice or missing."""
    settled, waiting = list[str](), list[str]()
    for n in range(70):
        number = f"K-2025-{n:06}"
        state = "waiting_customer" if n % 2 else ("closed" if n % 4 else "resolved")
        await reader.case(number, TERMINAL, NOW - timedelta(days=100 - n), state=state)
        (waiting if n % 2 else settled).append(number)
    wanted = ["K-2026-000124", "K-2026-000123", *reversed(waiting), *reversed(settled)]
    for limit in (1, 36, 37, 38, 72, 100):
        assert await all_open_first(reader, limit) == wanted, limit
    path, found = "/cases", list[str]()
    while path:
        text = (await reader.client.get(path, headers={"HX-Request": "true"})).text
        assert ("Выйти" in text) is (path == "/cases"), "only the first is a whole page"
        found += re.findall(r'href="/cases/([^"]+)"', text)
        more = re.search(r'hx-get="([^"]+)"', text)
        path = html.unescape(more[1]) if more else ""
    assert found == wanted
    text = (await reader.client.get("/cases?state=closed")).text
    assert set(re.findall(r'href="/cases/([^"]+)"', text)) == {
        each for each in settled if int(each[-6:]) % 4
    }
    assert "Обращений нет" in (await reader.client.get("/cases?state=open")).text
    assert (await reader.client.get("/cases?state=bogus&cursor=bogus")).status_code == 200


async def test_an_error_keeps_the_header(reader: World) -> None:
    """Who is logged in can go on from a page that is not there; who is not, sees no more."""
    for path in ("/nowhere", "/cases/K-0"):
        text = (await reader.client.get(path)).text
        assert ("Выйти" in text, "Обращения" in text) == (True, True), path
    reader.client.cookies.clear()
    text = (await reader.client.get("/nowhere")).text
    assert ("Выйти" in text, "Обращения" in text) == (False, False)


async def test_a_payment_under_way_has_no_sum_yet(reader: World) -> None:
    """No money has come, so no currency is known: a dash."""
    await reader.transaction("lab-7", "under-way", NOW, accepted=0, currency=None, ended_at=None)
    text = (await reader.client.get("/terminals/lab-7")).text
    assert '<span class="sum">—</span>' in text
    assert "0,00" not in text


async def test_the_language_is_kept(reader: World) -> None:
    """Russian until somebody chooses; then English on every page."""
    assert "Журнал событий" in (await reader.client.get(f"/terminals/{TERMINAL}")).text
    answer = await reader.client.post("/language", data={"language": "en", "next": "/?query=a"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?query=a")
    for path in PAGES:
        text = (await reader.client.get(path)).text
        seen = re.sub(r"<[^>]*>", " ", text)
        theirs = ("Москва", "Тверская", "Охотный", "Продукты", "Иван", "Русский", "МТС", "Билайн",
                  "Щёлков", "Екатеринбург", "Казань", "Ленина", "Мега", "твер")  # fmt: skip
        for word in theirs:
            seen = seen.replace(word, "")
        theirs_too = {"входа", "дома", "Петров", "шоссе", "ская", "ское"}
        left = set(re.findall(r"[А-Яа-яё]{4,}", seen))
        assert left <= theirs_too, path


async def test_the_log_filters_by_kind_day_and_payment(reader: World) -> None:
    """Each filter shows its own and nothing else; a wrong one is left out."""
    get = reader.client.get
    money = (await get(f"/terminals/{TERMINAL}?show=money")).text
    assert "Принята купюра" in money
    assert "Дверца открыта" not in money
    assert "Терминал включён" in (await get(f"/terminals/{TERMINAL}?day=2026-11-22")).text
    assert "Терминал включён" not in (await get(f"/terminals/{TERMINAL}?day=2026-11-23")).text
    assert "Здесь журнал пуст" in (await get(f"/terminals/{TERMINAL}?day=2020-01-01")).text
    one = (await get(f"/terminals/{TERMINAL}?tx=tx-000006")).text
    assert "Чек не напечатан: нет бумаги" in one
    assert "Чек напечатан, № 4471" not in one.split("Журнал событий")[1]
    for wrong in ("show=x", "day=x", "day=0001-01-01", "tx=%00", "cursor=x", "day=9999-12-31"):
        assert (await get(f"/terminals/{TERMINAL}?{wrong}")).status_code == 200


async def test_earlier_rows_follow_without_a_gap(reader: World) -> None:
    """The link gives the rows after the last one, as rows for htmx or as a page."""
    await reader.connection.execute(
        """
        insert into event (terminal, epoch, seq, kind, at, received_at, body)
        select $1, 5, n, 'x', $2, $2, '{"kind": "x"}' from generate_series(1, 250) n
        """,
        "lab-7", NOW,
    )  # fmt: skip
    text = (await reader.client.get("/terminals/lab-7")).text
    seen = re.findall(r'class="seq"[^>]*>(\d+)<', text)
    for _ in range(2):
        link = re.search(r'hx-get="(/terminals/lab-7\?[^"]*cursor=[^"]*)"', text)
        assert link is not None
        address = link[1].replace("&amp;", "&")
        assert (await reader.client.get(address)).text.startswith("<!doctype")
        text = (await reader.client.get(address, headers={"HX-Request": "true"})).text
        assert "<html" not in text
        seen += re.findall(r'class="seq"[^>]*>(\d+)<', text)
    assert seen == [str(n) for n in range(250, 0, -1)]
    assert "cursor=" not in text


async def test_a_live_page_is_sent_only_what_changed(reader: World) -> None:
    """The head always, the rest when the log, the incidents or the fold moved; new rows marked."""

    def poll(text: str) -> str:
        link = re.search(r'hx-get="([^"]*/live[^"]*)"', text)
        assert link is not None
        return link[1].replace("&amp;", "&")

    get = reader.client.get
    address = poll((await get(f"/terminals/{TERMINAL}")).text)
    quiet = (await get(address)).text
    assert 'id="head"' in quiet
    assert 'id="fresh"' not in quiet
    reader.clock.move(5)
    await reader.event(TERMINAL, "service_action", reader.clock.now, action="door_closed")
    await reader.event(TERMINAL, "service_action", NOW.replace(hour=3), action="test_receipt")
    changed = (await get(poll(quiet))).text
    assert "Дверца закрыта" in changed
    assert "Напечатан пробный чек" in changed
    assert changed.count(' new"') == 2
    assert 'id="fresh"' not in (await get(poll(changed))).text
    await reader.incident(TERMINAL, "device_fault", NOW)
    assert "Неисправность устройства" in (await get(poll(changed))).text


async def test_static_files_are_our_own(reader: World) -> None:
    """Style, script and picture come from here, with their types."""
    for name, kind in (("desk.css", "text/css"), ("desk.js", "javascript"),
                       ("htmx.min.js", "javascript"), ("kvitok.svg", "image/svg+xml"),
                       ("htmx.LICENSE.txt", "text/plain")):  # fmt: skip
        answer = await reader.client.get(f"/static/{name}")
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]
    for path in ("/static/../settings.py", "/static/%2e%2e/settings.py", "/static/"):
        assert (await reader.client.get(path)).status_code == 404
