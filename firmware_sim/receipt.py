"""A payment receipt's text, as kiosks in Russia print it."""

from dataclasses import dataclass
from typing import Final

from firmware_sim.places import Place
from firmware_sim.services import Wish

_WIDTH: Final = 40
_RULE: Final = "-" * _WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What is printed besides who and where; kopecks."""

    number: str
    time: str
    inserted: int
    credited: int
    fee: int
    reference: str


def receipt(place: Place, customer: Wish, paid: Paid) -> str:
    """Return the text; its first and last lines name the receipt's number."""
    return "\n".join(
        (
            f"КВИТАНЦИЯ № {paid.number}".center(_WIDTH).rstrip(),
            "Платёжный агент: ООО «Образец»",
            "ИНН 0000000000",
            "Телефон агента: 8 800 000-00-01",
            _RULE,
            f"Терминал № {place.terminal}",
            f"{place.city}, {place.address}"[:_WIDTH],
            place.place[:_WIDTH],
            f"Дата: {paid.time}",
            _RULE,
            customer.service.name[:_WIDTH],
            f"Телефон поставщика: {customer.service.phone}",
            f"Счёт: {customer.account}",
            f"Код операции: {paid.reference}",
            _RULE,
            _sum("Внесено", paid.inserted),
            _sum("Комиссия", paid.fee),
            _sum("Зачислено", paid.credited),
            _RULE,
            "Оператор по приёму платежей:",
            "АО «Расчёты», 8 800 000-00-02",
            "Сохраняйте квитанцию до зачисления",
            f"конец квитанции {paid.number}",
        )
    )


def rubles(kopecks: int) -> str:
    """Return an amount as people read it."""
    return f"{kopecks // 100}.{kopecks % 100:02d} руб."


def _sum(name: str, kopecks: int) -> str:
    amount = rubles(kopecks)
    return f"{name}{amount:>{_WIDTH - len(name)}}"
