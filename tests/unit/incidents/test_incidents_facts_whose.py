"""Whose a number is: paid, to be called, a bank's, an operation's."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from incidents.matching.facts import read_facts
from incidents.matching.passage import Origin, Passage

ZONE = ZoneInfo("Europe/Moscow")
WRITTEN = datetime(2026, 11, 23, 10, 15, tzinfo=ZONE)


def told(text: str) -> list[str]:
    """Return a text's accounts, contacts and operations, the paid accounts without a word."""
    passage = Passage(origin=Origin.NEW, text=text, written_at=WRITTEN)
    found = []
    for fact in read_facts([passage], zone=ZONE, gazetteer=None):
        if fact.kind == "account" and isinstance(fact.value, dict):
            found.append(str(fact.value["digits"]))
        elif fact.kind in {"contact", "operation"}:
            found.append(f"{fact.kind} {fact.value}")
    return sorted(found)


@pytest.mark.parametrize(
    "text",
    [
        "Звонить лучше мне: +7 916 000-11-22",
        "Связь: 916-000-11-22",
        "связь со мной по 89160001122",
        "9160001122 - рабочий для связи",
        "Контакт: 8 916 000 11 22",
        "Звонить сюда: 89160001122",
        "мой для связи 89160001122",
        "ответ на вотсап 89160001122",
        "ответьте мне на 89160001122",
        "жду звонка 89160001122",
        "пишите в телеграм +79160001122",
        "звонить вечером на 8-916-000-11-22",
        "набирайте 89160001122 после шести",
        "please text me +79160001122",
        "8 916 000 11 22 это для звонков",
        "вернуть можно по СБП 89160001122",
        "мой вацап 8 916 000 11 22",
    ],
)
def test_a_phone_to_be_called_was_not_paid(text: str) -> None:
    """Alone, and beside the paid one."""
    assert told(text) == ["contact 9160001122"]
    assert told(f"Положила 500 р на МТС 8 903 777-66-55. {text[0].upper()}{text[1:]}") == [
        "9037776655",
        "contact 9160001122",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "на мегафон 89037776655. Телефон девушки 8 916 000 11 22",
        "пополнила 89037776655. Мой рабочий: 89160001122",
        "клал на 89037776655. Номер обратившейся 89160001122",
    ],
)
def test_the_writers_own_phone_is_a_contact_beside_the_paid_one(text: str) -> None:
    """Though nothing says that it is to be called."""
    assert told(text) == ["9037776655", "contact 9160001122"]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Деньги верните на карту Мир 2204 3101 0047 8816", []),
        ("верните на карту сбера 4276380012345678", []),
        ("вернуть можно на 4111 1111 1111 1111", []),
        ("мой расчетный 40702810500000071310", []),
        ("счет 40817 810 0 3800 1234567, банк", []),
        ("вернуть на счёт 40817810938001234567 в Сбере", []),
        ("оплачивала кредит, лицевой 40817810099910004312", ["40817810099910004312"]),
        ("МТС +79160001122, звонить на него же", ["9160001122"]),
        ("карта тройка 0041558207", ["0041558207"]),
        ("лицевой счет 4111111111111111", ["4111111111111111"]),
        ("клал на 89037776655, деньги на карту 5469 3800 1234 5678", ["9037776655"]),
        ("Номер операции вы просили, на экране было 40721616825", ["operation 40721616825"]),
        ("Номер операции с экрана я сфотографировал: 40720320771", ["operation 40720320771"]),
        ("код платежа у меня записан: 40720320772", ["operation 40720320772"]),
        ("номер операции не помню, лицевой счет 5001846327", ["5001846327"]),
        ("номер операции не знаю. тел 89037776655", ["9037776655"]),
    ],
)
def test_a_banks_number_is_no_paid_account(text: str, numbers: list[str]) -> None:
    """Nor is an operation's."""
    assert told(text) == numbers
