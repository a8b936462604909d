import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Served
from tests.integration.desk_story import TERMINAL
from tests.integration.desk_world import NOW

pytestmark = [pytest.mark.service]

WIDTHS = (360, 768, 1280)


@pytest.fixture
def page(served: Served, browser: Browser) -> Iterator[Page]:
    """Return a page that is logged in; anything in its console fails the test."""
    context = browser.new_context(locale="ru-RU")
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto(served.login)
    yield opened
    context.close()
    # A server that is made to fail is told of by Chromium too.
    assert [each for each in said if "503" not in each] == []


def test_a_login_link_works_and_its_token_leaves_the_address(served: Served, page: Page) -> None:
    """The link that `kvitok serve` prints opens the front page; nothing of it stays."""
    assert page.url == f"{served.address}/"
    expect(page.get_by_role("heading", name="Найти терминал")).to_be_visible()


def test_terminals_are_found_while_typing(served: Served, page: Page) -> None:
    """The list follows the keys; arrows and Enter open a terminal without a mouse."""
    search = page.locator("input[type=search]").first
    expect(search).to_be_focused()  # the first key must not fall before the page is ready
    page.keyboard.type("охотн")
    expect(page.locator("[data-result]")).to_have_count(1)
    expect(page.locator("[data-result]")).to_contain_text("2 инцидента")
    expect(page.locator("[data-result]")).to_contain_text("Не работает")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{served.address}/terminals/{TERMINAL}")
    page.wait_for_load_state()
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("200001")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{served.address}/terminals/200001")
    page.goto(f"{served.address}/")
    expect(search).to_be_focused()
    page.keyboard.type("Неглинная")
    expect(page.locator("#found")).to_contain_text("Терминал не найден: Неглинная")


def test_the_log_is_live(served: Served, page: Page) -> None:
    """A new event appears by itself, on top; a late one in its place; "earlier" stays open."""
    page.goto(f"{served.address}/terminals/{TERMINAL}")
    rows = page.locator("#fresh .log li")
    expect(rows).to_have_count(36)
    served.do(served.world.event(TERMINAL, "service_action", NOW, action="door_closed"))
    expect(rows.first).to_contain_text("Дверца закрыта", timeout=10_000)
    expect(rows.first).to_have_class(re.compile("new"))
    late = NOW - timedelta(hours=10)
    served.do(served.world.event(TERMINAL, "service_action", late, action="test_receipt"))
    expect(rows).to_have_count(38, timeout=10_000)
    expect(rows.first).to_contain_text("Дверца закрыта")
    served.do(served.world.incident(TERMINAL, "device_fault", NOW, subject="modem"))
    expect(page.locator("#incidents")).to_contain_text("Неисправность устройства", timeout=10_000)


def test_a_lost_server_is_told(served: Served, page: Page) -> None:
    """A page that can no longer ask says so, and takes it back when it can."""
    page.goto(f"{served.address}/terminals/{TERMINAL}")
    page.route("**/live?*", lambda route: route.fulfill(status=503))
    expect(page.locator(".lost")).to_be_visible(timeout=10_000)
    page.unroute("**/live?*")
    expect(page.locator(".lost")).to_be_hidden(timeout=10_000)


def test_the_language_is_switched_in_place(served: Served, page: Page) -> None:
    """One button, the same page in the other language, and back."""
    page.goto(f"{served.address}/terminals/{TERMINAL}?show=money")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_url(f"{served.address}/terminals/{TERMINAL}?show=money")
    expect(page.get_by_role("heading", name="Incident log")).to_be_visible()
    page.get_by_role("button", name="Русский").click()
    expect(page.get_by_role("heading", name="Журнал событий")).to_be_visible()


def test_filters_and_days_work_by_mouse(served: Served, page: Page) -> None:
    """Chips filter, the date shows its day, a payment's time shows only that payment."""
    page.goto(f"{served.address}/terminals/{TERMINAL}")
    page.get_by_role("link", name="Устройства").click()
    expect(page.locator("#fresh .log li")).to_have_count(3)
    page.get_by_role("link", name="Всё").click()
    page.locator("input[type=date]").fill("2026-11-22")
    expect(page.locator("#fresh .log li")).to_have_count(2)
    page.get_by_role("link", name="Все дни").click()
    page.locator("#transactions .when").first.click()
    expect(page.locator("#fresh .log li")).to_have_count(5)
    expect(page.locator(".chips [aria-current]")).to_contain_text("tx-000006")


@pytest.mark.parametrize("path", ["/", f"/terminals/{TERMINAL}", "/cases/K-2026-000123", "/login"])
def test_nothing_scrolls_sideways(served: Served, page: Page, path: str) -> None:
    """From a phone of 360 pixels up, in both colour schemes, with a number as long as they get."""
    served.do(served.world.terminal("W" * 32, address="Ы" * 80, metro="М" * 60, place="д" * 90))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 740})
            page.goto(f"{served.address}{path}")
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (path, width, scheme)


REPORT = {
    "channel": "phone", "reported_at": NOW.isoformat(), "terminal": TERMINAL, "amount": 100000,
    "text": "Внёс 1000 рублей на номер 8 916 123-45-67, чек не вышел. " + "Ж" * 300,
    "email": "customer.with.a.long.name@a-very-long-domain-of-somebody.example.com",
}  # fmt: skip


def test_a_person_finds_the_payment_of_a_report(served: Served, page: Page) -> None:
    """From the list to the report, to the payment that it is, to its case."""
    taken = served.do(served.world.client.post("/api/v1/reports", json=REPORT))
    assert taken.status_code == 201, taken.text
    for path in ("/reports", "/reports/1"):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 740})
            page.goto(f"{served.address}{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
    page.goto(f"{served.address}/reports")
    page.get_by_role("link", name="Сообщение 1").click()
    expect(page.locator("mark").first).to_be_visible()
    row = page.locator(".candidates > li", has_text="tx-000006")
    row.get_by_role("button", name="Это он").click()
    expect(page.locator(".candidates .chosen")).to_contain_text("tx-000006")
    page.get_by_role("link", name="K-2026-000123").click()
    expect(page.locator(".history")).to_contain_text("Прикреплено сообщение клиента")


def test_it_prints_without_its_buttons(served: Served, page: Page) -> None:
    """On paper there is the terminal and its log."""
    page.goto(f"{served.address}/terminals/{TERMINAL}")
    page.emulate_media(media="print")
    expect(page.locator(".bar")).to_be_hidden()
    expect(page.locator(".chips")).to_be_hidden()
    expect(page.locator("#fresh .log li").first).to_be_visible()
