"""One day at a terminal: a good payment, one without a receipt, the printer that ran dry."""

from datetime import datetime, timedelta
from typing import Final

from tests.integration.desk_world import ACCOUNT, EPOCH, NOW, World

TERMINAL: Final = "104233"


async def tell(world: World) -> None:
    """Let the day happen."""
    await world.terminal(
        TERMINAL, registered=True, city="Москва", address="ул. Тверская, 1", metro="Охотный Ряд",
        place="Продукты у дома", name="Тверская у входа", technician="Иван Петров",
    )  # fmt: skip
    await world.terminal(
        "104234", registered=True, city="Москва", address="Щёлковское шоссе, 75", metro="Щёлковская"
    )
    await world.terminal(
        "200001", registered=True, city="Екатеринбург", address="ул. Ленина, 5",
        timezone="Asia/Yekaterinburg", place="ТЦ «Мега»",
    )  # fmt: skip
    await world.terminal("lab-7")
    await world.terminal("300300", registered=True, city="Казань", heard_at=None)
    morning = NOW - timedelta(hours=3)
    add = world.event
    await add(
        TERMINAL, "agent_started", morning - timedelta(days=1), agent="1.0.0", cause="power_on"
    )
    await add(TERMINAL, "device_changed", morning - timedelta(days=1), device="receipt_printer",
              status="online", paper="full")  # fmt: skip
    for number, minutes in enumerate((0, 9, 31, 52, 95), start=1):
        await payment(world, f"tx-{number:06d}", morning + timedelta(minutes=minutes))
    low = morning + timedelta(minutes=100)
    await add(
        TERMINAL, "device_changed", low, device="receipt_printer", status="online", paper="low"
    )
    await no_receipt(world, "tx-000006", NOW - timedelta(minutes=40))
    await add(TERMINAL, "service_action", NOW - timedelta(minutes=3), action="door_opened",
              person="Иван Петров")  # fmt: skip
    await add(TERMINAL, "future_kind", NOW - timedelta(minutes=2), anything=[1])
    await world.connection.execute(
        """
        insert into device_now (terminal, device, status, paper, storage, cause, since) values
        ($1, 'receipt_printer', 'online', 'out', null, 'paper_out', $2),
        ($1, 'note_acceptor', 'online', null, 'ok', null, $3)
        """,
        TERMINAL, NOW - timedelta(minutes=39), morning - timedelta(days=1),
    )  # fmt: skip
    acceptor = {"status": "online", "storage": "high"}
    await world.pulse(TERMINAL, NOW - timedelta(seconds=10), devices={"note_acceptor": acceptor})
    await world.case("K-2026-000123", TERMINAL, NOW - timedelta(minutes=39), epoch=EPOCH,
                     tx="tx-000006")  # fmt: skip
    await world.incident(
        TERMINAL, "no_receipt", NOW - timedelta(minutes=39), epoch=EPOCH, subject="tx-000006",
        cause="paper_out", case_number="K-2026-000123",
    )  # fmt: skip
    await world.case("K-2026-000124", TERMINAL, NOW - timedelta(minutes=38), topic="work_order")
    await world.incident(
        TERMINAL, "printer_unavailable", NOW - timedelta(minutes=38), severity="critical",
        subject="receipt_printer", cause="paper_out", case_number="K-2026-000124",
    )  # fmt: skip
    await world.incident("200001", "terminal_silent", NOW - timedelta(hours=2), severity="critical")
    await world.incident(
        "104234", "paper_low", NOW - timedelta(days=2), subject="receipt_printer",
        cleared_at=NOW - timedelta(days=1),
    )  # fmt: skip


async def payment(world: World, tx: str, at: datetime, terminal: str = TERMINAL) -> None:
    """Let a customer pay 500 and get a receipt."""
    second = timedelta(seconds=1)
    add = world.event
    await add(terminal, "transaction_started", at, tx=tx, service="mts", service_name="МТС",
              account=ACCOUNT)  # fmt: skip
    await add(terminal, "cash_accepted", at + 9 * second, tx=tx, amount=50000, currency="RUB",
              media="note")  # fmt: skip
    await add(terminal, "payment_result", at + 14 * second, tx=tx, outcome="accepted", amount=48500,
              fee=1500, currency="RUB", reference="77")  # fmt: skip
    await add(terminal, "receipt_result", at + 17 * second, tx=tx, outcome="printed", number="4471")
    await add(terminal, "transaction_ended", at + 20 * second, tx=tx, cause="completed")
    await world.transaction(terminal, tx, at)


async def no_receipt(world: World, tx: str, at: datetime) -> None:
    """Let a customer pay and go without what he paid for: paper ran out."""
    second = timedelta(seconds=1)
    add = world.event
    late = timedelta(minutes=6)
    await add(TERMINAL, "transaction_started", at, tx=tx, service="beeline", service_name="Билайн",
              account=ACCOUNT, late=late)  # fmt: skip
    await add(TERMINAL, "cash_accepted", at + 5 * second, tx=tx, amount=100000, currency="RUB",
              media="note", late=late)  # fmt: skip
    await add(TERMINAL, "payment_result", at + 20 * second, tx=tx, outcome="accepted", amount=97000,
              fee=3000, currency="RUB", late=late)  # fmt: skip
    await add(TERMINAL, "device_changed", at + 24 * second, device="receipt_printer",
              status="online", paper="out", cause="paper_out", late=late)  # fmt: skip
    await add(TERMINAL, "receipt_result", at + 25 * second, tx=tx, outcome="failed",
              cause="paper_out", late=late)  # fmt: skip
    await add(TERMINAL, "transaction_ended", at + 60 * second, tx=tx, cause="completed", late=late)
    await world.transaction(
        TERMINAL, tx, at, service="beeline", service_name="Билайн", accepted=100000,
        payment_amount=97000, payment_fee=3000, receipt="failed", receipt_cause="paper_out",
        receipt_number=None,
    )  # fmt: skip
