"""Letters of customers, what we sent them, and the payment that they are about."""

from datetime import datetime, timedelta
from typing import Any, Final

from desk.mail.thread import MessageIds
from desk.reports.masking import customer_keys
from desk.state import Desk
from tests.integration.desk_story import TERMINAL
from tests.integration.desk_world import EPOCH, KEY, NOW, World
from wire.accounts import account_hash, account_mask

PHONE: Final = "9161234567"
TX: Final = "tx-000042"
PAID_AT: Final = NOW - timedelta(minutes=70)
"""08:20 UTC, 11:20 in Moscow."""
ANNA: Final = "anna@example.com"
PETR: Final = "Пётр <petr@example.com>"
VAGUE: Final = "Здравствуйте! Терминал съел деньги, верните."
PLACED: Final = f"Это был терминал {TERMINAL}, сегодня в 11:20"
WHOLE: Final = (
    f"Сегодня в 11:20 на терминале {TERMINAL} внесла 700 рублей на МТС, номер 8 916 123-45-67, "
    "чек не вышел и деньги не пришли."
)


def letter(
    text: str = WHOLE,
    sender: str = f"Анна <{ANNA}>",
    *,
    answers: str = "",
    subject: str = "Деньги",
    headers: str = "",
    n: int = 1,
) -> bytes:
    """Return a mail; `answers` is the id, in angle brackets, of what it answers."""
    if answers:
        headers += f"In-Reply-To: {answers}\r\nReferences: {answers}\r\n"
    return (
        f"From: {sender}\r\nTo: konsultant@pay.example\r\nSubject: {subject}\r\n{headers}"
        f"Message-ID: <{n}@example.com>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Date: Mon, 23 Nov 2026 12:{n % 30:02}:00 +0300\r\n\r\n{text}\r\n"
    ).encode()


def signed(case: str, number: int = 1) -> str:
    """Return the id of a mail that we sent about a case, in angle brackets."""
    return f"<{MessageIds(KEY, 'pay.example').issue(case, number)}>"


async def send(world: World, raw: bytes | None = None) -> dict[str, Any]:
    """Send a mail and return what was understood."""
    answer = await world.client.post(
        "/api/v1/reports",
        content=raw or letter(),
        headers={"Content-Type": "message/rfc822"},
    )
    assert answer.status_code == 201, answer.text
    row = answer.json()
    assert isinstance(row, dict)
    return row


async def steps(world: World, number: str) -> list[str]:
    """Return what was done with a case."""
    return [step["action"] for step in (await world.get(f"/cases/{number}"))["history"]]


def desk_of(world: World) -> Desk:
    """Return the desk behind the client."""
    desk = world.app._app.state.desk  # noqa: SLF001 - the edge wraps the program
    assert isinstance(desk, Desk)
    return desk


async def paid(
    world: World, tx: str = TX, *, terminal: str = TERMINAL, started_at: datetime = PAID_AT
) -> None:
    """Let Anna pay, as the fold leaves it."""
    await world.transaction(
        terminal, tx, started_at, account_masked=account_mask(PHONE),
        account_hash=account_hash(PHONE, KEY), accepted=70000, payment="failed",
        payment_amount=None, payment_fee=None, receipt="failed", receipt_number=None,
    )  # fmt: skip


async def failed(world: World, number: str = "K-2026-000500") -> str:
    """Let the detector open the case of Anna's payment."""
    await world.case(number, TERMINAL, PAID_AT, topic="payment_failed", epoch=EPOCH, tx=TX)
    await world.incident(
        TERMINAL, "payment_failed", PAID_AT, epoch=EPOCH, subject=TX, case_number=number
    )
    return number


async def tell_customer(world: World, number: str, report: str, sender: str = ANNA) -> None:
    """Let our answer to a report have been sent."""
    count = "select count(*) from mail_out where case_number = $1"
    before: int = await world.connection.fetchval(count, number)
    (key,) = customer_keys(sender, (), KEY)
    await world.connection.execute(
        """
        insert into mail_out (kind, case_number, number, report, customer, content, state,
          created_at, due_at)
        values ('answer', $1, $5, $2, $3, '', 'sent', $4, $4)
        """,
        number, int(report), key, NOW, before + 1,
    )  # fmt: skip
