"""Places told without a word before them, and streets whose names begin with a number."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from incidents.matching.facts import read_facts
from incidents.matching.gazetteer import Gazetteer, Row
from incidents.matching.passage import Fact, Origin, Passage

ZONE = ZoneInfo("Europe/Moscow")
WRITTEN = datetime(2026, 11, 23, 10, 15, tzinfo=ZONE)
FLEET = Gazetteer([
    Row("1", None, "RU", "Краснодар", "ул. 40-летия Победы, 33", None, "Магазин «Магнит»"),
    Row("2", None, "RU", "Омск", "ул. 70 лет Октября, 25", None, "ТРЦ «Континент»"),
    Row("3", None, "RU", "Казань", "ул. 8 Марта, 15", None, "Магазин «Эссен»"),
    Row("4", None, "RU", "Москва", "ул. 1905 года, 10", "Улица 1905 года", "Магазин «Дикси»"),
    Row("5", None, "RU", "Самара", "ул. 22 Партсъезда, 7", None, "ТЦ «Апельсин»"),
    Row("6", None, "RU", "Иркутск", "ул. Баумана, 220", None, "Супермаркет «Слата»"),
    Row("7", None, "RU", "Иркутск", "ул. Байкальская, 253", None, "Супермаркет «Слата»"),
    Row("8", None, "RU", "Иркутск", "ул. Литвинова, 17", None, "ТЦ «Карамель»"),
    Row("9", None, "RU", "Казань", "пр. Победы, 141", None, "ТЦ «Мега»"),
    *(Row(f"{n}", None, "RU", "Пермь", f"ул. Зелёная, {n}", None, "Кафе") for n in range(10, 200)),
])  # fmt: skip


def read(text: str) -> list[Fact]:
    """Return the facts of a text."""
    passage = Passage(origin=Origin.NEW, text=text, written_at=WRITTEN)
    return read_facts([passage], zone=ZONE, gazetteer=FLEET)


def places(text: str) -> set[str]:
    """Return the likeliest terminals of the places that a text names."""
    found: set[str] = set()
    for fact in read(text):
        if fact.kind == "place" and isinstance(fact.value, dict):
            weights = fact.value["terminals"]
            found |= {name for name in weights if weights[name] > 0.3}
    return found


@pytest.mark.parametrize(
    ("text", "terminals"),
    [
        ("внесла 500 рублей на 40 летия победы магнит", {"1"}),
        ("магнит, 40-летия Победы", {"1"}),
        ("терминал 40 лет победы 33", {"1"}),
        ("континент 70 лет октября", {"2"}),
        ("70-летия Октября не дали чек", {"2"}),
        ("на 8 марта положила 500", {"3"}),
        ("улица 8 Марта, терминал не дал чек", {"3"}),
        ("8 марта 15, не дали чек", {"3"}),
        ("на 1905 года внёс 300 р", {"4"}),
        ("метро улица 1905 года", {"4"}),
        ("на 22 партсъезда внёс 300 р", {"5"}),
        ("terminal at 40 let Pobedy 33", {"1"}),
        ("8 марта внёс 500 рублей на билайн", set()),
        ("мне 40 лет, победы вам", set()),
        ("40 рублей не дошли", set()),
    ],
)
def test_a_streets_name_may_begin_with_a_number(text: str, terminals: set[str]) -> None:
    """Where the fleet has such a street; a day is none, unless a word says so."""
    assert places(text) == terminals


@pytest.mark.parametrize(
    ("text", "terminals"),
    [
        ("вчера в обед слата баумана 400 рублей билайн", {"6"}),
        ("деньги не дошли слата байкальская", {"7"}),
        ("карамель литвинова чека нет", {"8"}),
        ("не пришли деньги литвинова, карамель", {"8"}),
        ("слата победы 300 рублей", set()),
        ("ели карамель и пили чай", set()),
    ],
)
def test_a_shop_beside_its_street_needs_no_other_word(text: str, terminals: set[str]) -> None:
    """Two words that one terminal has in common; each of them alone names nothing."""
    assert places(text) == terminals


def test_a_street_is_neither_a_day_nor_a_sum() -> None:
    """Its number is read once."""
    kinds = [fact.kind for fact in read("на 8 марта 15 положила 500 рублей")]
    assert kinds.count("amount") == 1
    assert "paid_at" not in kinds
