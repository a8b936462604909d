"""Which of two payments a report is about; each said on Monday 2026-11-23 at 10:15."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from incidents.matching.facts import read_facts
from incidents.matching.passage import Origin, Passage

ZONE = ZoneInfo("Europe/Moscow")
WRITTEN = datetime(2026, 11, 23, 10, 15, tzinfo=ZONE)


def told(text: str) -> set[str]:
    """Return the sums in roubles, receipts and accounts that a text claims."""
    passage = Passage(origin=Origin.NEW, text=text, written_at=WRITTEN)
    found = set()
    for fact in read_facts([passage], zone=ZONE, gazetteer=None):
        if isinstance(fact.value, dict) and fact.kind == "amount":
            found.add(str(fact.value["minor"] // 100))
        elif isinstance(fact.value, dict) and fact.kind == "account":
            found.add(str(fact.value["digits"]))
        elif fact.kind == "receipt":
            found.add(str(fact.value))
    return found


GOOD = "сотню на МТС 8 916 222-33-44 (чек 077653)"
BAD = "а тысяча на Билайн 8 903 777-66-55 не пришла"


@pytest.mark.parametrize(
    "text",
    [
        f"Ту {GOOD} я увидел, спасибо. {BAD.capitalize()}",
        f"Про {GOOD} вопрос снят, {BAD}",
        f"По поводу {GOOD}: претензий нет. {BAD.capitalize()}",
        f"Клал {GOOD}. С ней всё в порядке. {BAD.capitalize()}",
        f"Клал {GOOD}. Она дошла. {BAD.capitalize()}",
        f"Вчера клал {GOOD}, она зачислилась потом, {BAD}",
        f"Вчера клал {GOOD} - нашлась, {BAD}",
        f"Ту {GOOD} уже вижу, {BAD}",
        f"Клал {GOOD}. Не о ней речь. {BAD.capitalize()}",
        f"Та оплата: {GOOD} отобразилась, {BAD}",
        f"Первую {GOOD} мне уже вернули. {BAD.capitalize()}",
        f"Ту {GOOD} можно не искать, {BAD}",
        f"Вторая операция: {GOOD} прошла. {BAD.capitalize()}",
        f"Клал {GOOD}. К ней вопросов нет. {BAD.capitalize()}",
        f"{BAD.capitalize()}. Ту {GOOD} получил, спасибо",
        f"Насчёт {GOOD} уже разобрались. {BAD.capitalize()}",
        f"Тот раз {GOOD} вернули, спасибо! {BAD.capitalize()}",
        f"Тот платёж ({GOOD}) пусть остаётся. {BAD.capitalize()}",
        f"Речь не про {GOOD}, она дошла, {BAD}",
        f"{GOOD} в итоге зачислилась, {BAD}",
        f"{BAD.capitalize()}. А {GOOD} пришла нормально",
        f"Раньше {GOOD} приходила, {BAD}",
        f"Положил {GOOD}, всё нормально. {BAD.capitalize()}",
    ],
)
def test_a_payment_that_its_writer_calls_fine_claims_nothing(text: str) -> None:
    """Its sum, receipt and account are of no use."""
    assert told(text) == {"1000", "9037776655"}


@pytest.mark.parametrize(
    ("text", "claimed"),
    [
        ("Клал 500 и ещё раз 300 на 89037776655. Из двух прошла только первая, чек 000123",
         {"500", "300", "9037776655"}),
        ("Первая, на 200 р, чек 000123, прошла. Вторую, 300 р, до сих пор жду", {"300"}),
    ],
)  # fmt: skip
def test_only_one_of_two_went_through(text: str, claimed: set[str]) -> None:
    """The receipt of that one is not read."""
    assert told(text) == claimed


@pytest.mark.parametrize(
    ("text", "claimed"),
    [
        ("Положил 500 на 89037776655, чек 000123. На экране успешно, денег не увидел",
         {"500", "9037776655", "000123"}),
        ("Внёс 500 р, чек 000123. Они списались, деньги не дошли", {"500", "000123"}),
        ("Чек 000123 получил, 500 рублей на телефон не пришли", {"500", "000123"}),
        ("Внёс 1000, чек 000123, платёж прошёл успешно. Оператор его не видит, верните 1000",
         {"1000", "000123"}),
        ("Прошу чек за вчерашний платёж 500 рублей на 89037776655, претензий нет",
         {"500", "9037776655"}),
        ("Положил 500 р, чек 000123, претензий нет. Телефон 89037776655. Пришлите копию чека",
         {"500", "000123", "9037776655"}),
        ("Положила 500 рублей, деньги пришли. Нужен чек 000123", {"500", "000123"}),
        ("В чеке 000123 вижу, что прошло 500, но их нет на номере 89037776655",
         {"500", "9037776655", "000123"}),
    ],
)  # fmt: skip
def test_one_payment_alone_keeps_what_is_said_of_it(text: str, claimed: set[str]) -> None:
    """Though something of it is called fine."""
    assert told(text) == claimed
