from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Served
from tests.integration.desk.test_desk_report_matching import failed, mail, paid, send
from tests.integration.desk_story import TERMINAL
from tests.integration.desk_world import World
from tests.unit.desk.mail.mail_codes import receipt, saved

pytestmark = [pytest.mark.service]

WIDTHS = (360, 390, 768, 1280)


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """Return a stranger's phone whose browser runs no script."""
    context = browser.new_context(
        locale="ru-RU", viewport={"width": 390, "height": 800}, java_script_enabled=False
    )
    yield context.new_page()
    assert context.cookies() == []
    context.close()


@pytest.fixture
def staff(served: Served, browser: Browser) -> Iterator[Page]:
    """Return a page that is logged in."""
    context = browser.new_context(locale="ru-RU")
    page = context.new_page()
    page.goto(served.login)
    yield page
    context.close()


def test_a_customer_reports_from_the_sticker_s_code(
    served: Served, phone: Page, tmp_path: Path
) -> None:
    """Two taps, a few fields, a photo: the number of the case, without a script or a cookie."""
    photo = tmp_path / "чек.jpg"
    photo.write_bytes(saved(receipt()))
    phone.goto(f"{served.address}/help?t={TERMINAL}")
    phone.get_by_role("link", name="Деньги не поступили").click()
    expect(phone.get_by_label("Номер терминала")).to_have_value(TERMINAL)
    phone.get_by_label("Номер телефона или счёта").fill("+7 9")
    phone.get_by_label("Ваша электронная почта").fill("anna@example.com")
    phone.get_by_label("Ошибка").check()
    phone.get_by_role("button", name="Отправить").click()
    expect(phone.locator(".error")).to_contain_text("номер целиком")
    expect(phone.get_by_label("Ошибка")).to_be_checked()
    expect(phone.get_by_label("Ваша электронная почта")).to_have_value("anna@example.com")
    phone.get_by_label("Номер телефона или счёта").fill("+7 916 123-45-67")
    phone.get_by_label("День платежа").fill("2026-11-23")
    phone.get_by_label("Время").fill("11:50")
    phone.get_by_label("Фотография чека").set_input_files(photo)
    phone.get_by_role("button", name="Отправить").click()
    expect(phone.locator(".sent .number")).to_contain_text("K-2026-")
    expect(phone.locator(".sent")).to_contain_text("30.11.2026")
    phone.reload()
    expect(phone.locator(".sent .number")).to_contain_text("K-2026-")
    sent = served.do(served.world.connection.fetchval("select count(*) from report"))
    assert sent == 1


@pytest.mark.parametrize("topic", ["", "wrong_number", "note_swallowed", "fee", "other"])
def test_the_form_fits_every_screen(served: Served, browser: Browser, topic: str) -> None:
    """Nothing scrolls sideways, in both languages and colour schemes; fields are large enough."""
    page = browser.new_page()
    for lang in ("ru", "en"):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 740})
            page.emulate_media(color_scheme="dark" if width == 768 else "light")
            page.goto(f"{served.address}/help?lang={lang}&topic={topic}&t={'W' * 64}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (lang, width)
            for field in page.locator(".field > input, button.main").all():
                box = field.bounding_box()
                assert box is not None
                assert box["height"] >= 44, "a finger hits 44 pixels"
    page.close()


async def _story(world: World) -> None:
    await paid(world)
    await failed(world)
    await send(world)
    await send(world, mail(headers="Auto-Submitted: auto-replied\r\n").replace(b"<1@", b"<2@"))
    await world.connection.execute(
        "insert into case_history (number, at, actor, action, text) values "
        "('K-2026-000500', $1, 'detector', 'mail_failed', $2)",
        world.clock.now, f"answer: 550 {'x' * 300}",
    )  # fmt: skip


def test_a_person_releases_and_reads_the_conversation(served: Served, staff: Page) -> None:
    """From the suspended list by one button; then both letters stand in the case, on any screen."""
    served.do(_story(served.world))
    for path in ("/reports?status=suspended", "/reports/2", "/cases/K-2026-000500", "/cases"):
        for width in WIDTHS:
            staff.set_viewport_size({"width": width, "height": 740})
            staff.goto(f"{served.address}{path}")
            wide = staff.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (path, width)
    staff.goto(f"{served.address}/reports?status=suspended")
    staff.get_by_role("button", name="Это письмо клиента").click()
    expect(staff.get_by_text("Сообщений нет")).to_be_visible()
    staff.locator("[data-find]").first.fill("к-2026-500")
    staff.keyboard.press("Enter")
    expect(staff).to_have_url(f"{served.address}/cases/K-2026-000500")
    expect(staff.locator(".letters > li")).to_have_count(3)
    expect(staff.locator(".letters .failed")).to_contain_text("не доставлено")
