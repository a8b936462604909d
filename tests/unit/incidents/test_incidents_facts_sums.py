"""Sums that are easily misread: counts of notes, numbers of other things, who gave what to whom."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from incidents.matching.facts import read_facts
from incidents.matching.passage import Origin, Passage

ZONE = ZoneInfo("Europe/Moscow")
WRITTEN = datetime(2026, 11, 23, 10, 15, tzinfo=ZONE)


def sums(text: str) -> list[str]:
    """Return the sums of a text in roubles, those not put in with their role before them."""
    passage = Passage(origin=Origin.NEW, text=text, written_at=WRITTEN)
    told = []
    for fact in read_facts([passage], zone=ZONE, gazetteer=None):
        if fact.kind == "amount" and isinstance(fact.value, dict):
            role = "" if fact.value["role"] == "inserted" else f"{fact.value['role']} "
            told.append(f"{role}{fact.value['minor'] / 100:g}")
    return sorted(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Пять тысяч одной бумажкой положил на билайн", ["5000"]),
        ("внесла две тысячи одной купюрой", ["2000"]),
        ("сунул тысячу двумя бумажками", ["1000"]),
        ("две тысячи двумя купюрами по тысяче внёс", ["2000"]),
        ("шесть тысяч тремя по две тысячи положила", ["6000"]),
        ("положила четыре тысячи рублей двухтысячными", ["4000"]),
        ("внёс три тысячи пять рублей", ["3005"]),
        ("положил тысячу двести на телефон", ["1200"]),
    ],
)
def test_a_count_of_notes_is_no_part_of_a_sum(text: str, told: list[str]) -> None:
    """Nor is the sum told a second time by its notes."""
    assert sums(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("теле2 500р не пришли", ["500"]),
        ("т2 500 рублей положил", ["500"]),
        ("кинул на tele2 300 руб", ["300"]),
        ("теле 2 700р внёс", ["700"]),
        ("ехал поездом 069, вагон 7, место 23, положил 300 рублей", ["300"]),
        ("на 336 автобусе приехала, внесла 1000 рублей, кабинет 212", ["1000"]),
        ("I live in dormitory 6, room 412. paid 150 rub", ["150"]),
        ("внёс 2 500 руб", ["2500"]),
    ],
)
def test_numbers_of_other_things_are_no_sums(text: str, told: list[str]) -> None:
    """An operator's name, a train, a room."""
    assert sums(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Три раза по сто на телефон положил", ["100", "300"]),
        ("трижды по 500 рублей закинул", ["1500", "500"]),
        ("два раза по 500 внёс", ["500"]),
        ("feeding your machine with 50 rub notes, three of them", ["150"]),
        ("put 100 rub x 3", ["300"]),
        ("put three 100 rub notes in", ["300"]),
        ("сунула полторы тысячи тремя пятисотками", ["1500"]),
        ("2000 на МТС 9161112233 так и висит", ["2000"]),
        ("чай стоил 90 рублей, положил 100", ["100"]),
        ("засунул сотку, три штуки", ["300"]),
        ("вставила по 50 рублей, четыре штуки", ["200"]),
    ],
)
def test_a_sum_may_be_told_by_its_notes(text: str, told: list[str]) -> None:
    """So many times a sum is one payment of notes, or so many payments: both are kept."""
    assert sums(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Шесть тысяч отдала, чек есть", ["6000"]),
        ("отдала 500 рублей вашей железке", ["500"]),
        ("я ему 1000 рублей отдал, а он молчит", ["1000"]),
        ("дал автомату 300 рублей", ["300"]),
        ("скормил терминалу 200 рублей", ["200"]),
        ("автомат отдал 100 рублей обратно", ["returned 100"]),
        ("взял тысячу, отдал пятьсот рублей", ["1000", "returned 500"]),
        ("внёс 1000 рублей, отдал мне 400", ["1000", "returned 400"]),
        ("съел 500 рублей и не отдал", ["500"]),
        ("купила творогу за 89 рублей и внесла 6000 рублей", ["6000"]),
        ("я там беру капли по 438 рублей, положил шестьсот рублей", ["600"]),
        ("внесла 5000 рублей, иначе выставят пеню 112 рублей", ["5000"]),
    ],
)
def test_who_gave_money_to_whom(text: str, told: list[str]) -> None:
    """What the terminal gave is returned; what was bought is no payment."""
    assert sums(text) == told
