"""Wordings by many kinds of people, class by class; each said on Monday 2026-11-23 at 10:15."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from incidents.matching.facts import read_facts
from incidents.matching.gazetteer import Gazetteer, Row
from incidents.matching.passage import Fact, Origin, Passage

ZONE = ZoneInfo("Europe/Moscow")
WRITTEN = datetime(2026, 11, 23, 10, 15, tzinfo=ZONE)
FLEET = Gazetteer([
    Row("104233", None, "RU", "Москва", "ул. Хлобыстова, 20к1", "Выхино", "Магазин «Пятёрочка»"),
    Row("104234", None, "RU", "Москва", "Рязанский проспект, 99", "Выхино", "ТЦ «Вешняки»"),
    Row("104871", None, "RU", "Москва", "ул. Тверская, 14", "Пушкинская", "Аптека «36,6»"),
    Row("105002", None, "RU", "Химки", "ул. Ленина, д. 15", None, "Магазин «Магнит»"),
    Row("105003", None, "RU", "Химки", "ул. Ленина, д. 40", None, "Салон «Евросеть»"),
    Row("203312", None, "RU", "Казань", "пр. Победы, 141", "Проспект Победы", "ТЦ «Мега»"),
    Row("107714", None, "RU", "Казань", "пл. Восстания, 2", "Площадь Восстания", "Вокзал"),
])  # fmt: skip


def read(text: str, kind: str) -> list[Fact]:
    """Return the facts of a kind in a text."""
    passage = Passage(origin=Origin.NEW, text=text, written_at=WRITTEN)
    return [f for f in read_facts([passage], zone=ZONE, gazetteer=FLEET) if f.kind == kind]


def numbers(text: str) -> list[str]:
    """Return the accounts of a text, those not paid with their role before them."""
    told = []
    for fact in read(text, "account"):
        assert isinstance(fact.value, dict)
        form, role = fact.value["form"], fact.value["role"]
        name = "tail " if form == "tail" else "" if role == "paid" else f"{role} "
        told.append(f"{name}{fact.value['digits']}")
    return [*told, *(f"contact {fact.value}" for fact in read(text, "contact"))]


def sums(text: str) -> list[str]:
    """Return the amounts of a text in roubles, those not put in with their role before them."""
    told = []
    for fact in read(text, "amount"):
        assert isinstance(fact.value, dict)
        name = "" if fact.value["role"] == "inserted" else f"{fact.value['role']} "
        told.append(f"{name}{fact.value['minor'] / 100:.10g}")
    return told


def spans(text: str) -> list[str]:
    """Return the times of a text as intervals of local days and times."""
    told = []
    for fact in read(text, "paid_at"):
        assert isinstance(fact.value, dict)
        low, high = (
            datetime.fromisoformat(fact.value[key]).astimezone(ZONE) for key in ("from", "to")
        )
        told.append(f"{low:%d %H:%M}..{high:%d %H:%M}")
    return told


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("вчера в пятнадцать тридцать клал", "22 15:15..22 15:45"),
        ("вчера в шесть двадцать вечера", "22 18:11..22 18:29"),
        ("вчера в девятнадцать ноль пять", "22 18:56..22 19:14"),
        ("двадцать первого в шесть двадцать вечера", "21 18:11..21 18:29"),
        ("вчера часу в шестом вечера", "22 17:00..22 18:00"),
        ("вчера в пол-третьего дня", "22 14:12..22 14:50"),
        ("вчера в начале третьего дня", "22 14:00..22 14:30"),
        ("вчера в районе 4х дня", "22 15:15..22 16:45"),
        ("21-го в 13 часов 5 минут", "21 12:56..21 13:14"),
        ("вчера, 18 05, тишина", "22 17:56..22 18:14"),
        ("21,11 в 18,20 платил", "21 18:11..21 18:29"),
        ("21-11 в 18-20 платил", "21 18:11..21 18:29"),
        ("сб 21.11 13:05", "21 12:56..21 13:14"),
        ("ноябрь 21, 2026 в 1:05 PM", "21 12:56..21 13:14"),
        ("21 ноября, приблизительно 11-00 - 11-30", "21 11:00..21 11:30"),
        ("вчера не позднее 18:00", "22 16:00..22 18:05"),
        ("вчера перед обедом", "22 08:00..22 13:00"),
        ("висит со вчерашнего дня", "22 00:00..22 23:59"),
        ("около часа назад положил", "23 08:36..23 09:45"),
        ("минут 20 как положил", "23 09:44..23 10:03"),
        ("егодня в 9:05 положил", "23 08:56..23 09:14"),
        ("учора а 15-й гадзіне", "22 14:30..22 15:45"),
        ("Дата и время: 06.11.2026 08:09.", "06 08:03..06 08:15"),
        ("I paid on 2026-11-17 at your terminal", "17 00:00..17 23:59"),
        ("пожалуйста,22.11 в 14.20 оплатила", "22 14:11..22 14:29"),
        ("сумма-300 руб,дата-20.11.26,время-13:45,терминал-104871", "20 13:33..20 13:57"),
        ("On 11/20/2026 at 18:45 I paid", "20 18:33..20 18:57"),
        ("вчера во время обеда", "22 11:30..22 15:00"),
        ("перезвоните мне на 89161112233, 500р 21.11 19:05", "21 18:56..21 19:14"),
        ("до 25.11 надо оплатить, платила 20.11 в 18:32", "20 18:26..20 18:38"),
        ("вчера до обеда, часиков в 11-12", "22 11:00..22 12:00"),
        ("вчера днём, часа в три-четыре", "22 15:00..22 16:00"),
        ("вчера в 17-18 клал", "22 17:00..22 18:15"),
        ("в понедельник 16-го", "16 00:00..16 23:59"),
        ("в пятницу тринадцатого в 13:13", "13 13:07..13 13:19"),
        ("в минувшие выходные", "21 00:00..22 23:59"),
        ("в субботу или воскресенье", "21 00:00..22 23:59"),
        ("с 18 по 20 ноября", "18 00:00..20 23:59"),
        ("в конце прошлой недели", "19 00:00..22 23:59"),
        ("полмесяца назад", "04 00:00..12 23:59"),
        ("накануне вечером", "22 17:00..22 23:59"),
        ("час-полтора назад", "23 08:21..23 09:30"),
        ("half past eight in the evening yesterday", "22 20:12..22 20:50"),
        ("quarter to nine pm yesterday", "22 20:33..22 20:57"),
        ("last night at 11", "22 22:30..22 23:45"),
        ("on the 20th at about 5 pm", "20 16:15..20 17:45"),
        (
            "двадцатого ноября две тысячи двадцать шестого года в восемнадцать часов тридцать мин",
            "20 18:15..20 18:45",
        ),
        ("20 / 11 / 2026", "20 00:00..20 23:59"),
        ("20.11.2025 в 18:32", "20 18:26..20 18:38"),
        ("По состоянию на 23.11 не пришли, платил 20.11 в 18:32", "20 18:26..20 18:38"),
        ("кинул 4.5к на 473854428468 сегодня в 9.02", "23 08:56..23 09:08"),
    ],
)
def test_a_time_is_read(text: str, span: str) -> None:
    """Whoever tells it, and however it is spelt."""
    assert spans(text) == [span]


@pytest.mark.parametrize("text", ["25.12.2026 в 10:00", "родился 12.05.1956 в 10:00", "час пик"])
def test_a_day_of_no_payment_lends_its_time_to_none(text: str) -> None:
    """Neither does its time of day become that of today."""
    assert spans(text) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("восемь девятьсот три семьсот семьдесят семь шестьдесят шесть пятьдесят пять пятьсот руб",
         ["9037776655"]),
        ("плюс семь девятьсот шестнадцать двести двадцать два тридцать три сорок четыре положил",
         ["9162223344"]),
        ("восемь девять два шесть один два три четыре пять шесть семь, не дошли", ["9261234567"]),
        ("девять ноль три семьсот семьдесят семь шесть шесть пять пять клал", ["9037776655"]),
        ("клал одну тысячу двести тридцать рублей двадцать первого", []),
        ("клала на 8-903 -- 777-66-55", ["9037776655"]),
        ("Когда: 09.11.2026 01:56", []),
        ("ее тел +7 903 777 66 55, мой для справок 8 916 000 11 22",
         ["9037776655", "contact 9160001122"]),
        ("700 руб, ном. 9037776655, обр.св. 9160001122", ["9037776655", "contact 9160001122"]),
        ("у меня 89037776655 а положил на 89037776656 ошибся",
         ["intended 9037776655", "9037776656"]),
        ("Вместо своего номера 89037776655 положил на 89037776656",
         ["intended 9037776655", "9037776656"]),
        ("номер не мой, а жены, 89037776655. Мой 89160001122",
         ["9037776655", "contact 9160001122"]),
        ("за чужой телефон 89037776655, мой 89037776656", ["9037776655", "intended 9037776656"]),
        ("внёс 1000 вместо 100, хотел 100 на 9037776655", ["9037776655"]),
        ("вместо ...66-54 набрал ...66-55. номер полный 8 903 777 66 54", ["9037776654"]),
        (
            "Имя: Олег\nE-mail: o@mail.ru\nТелефон: 89160001122\nСообщение: клал на 89037776655",
            ["9037776655", "contact 9160001122"],
        ),
        ("штраф, УИН 18810177201122334455", ["18810177201122334455"]),
        ("С карты 4276****1234 не платил, 89037776655", ["9037776655"]),
        ("закинул на мегу 9037776655", ["9037776655"]),
        ("денег не как не было. Номер мой 25576061", ["25576061"]),
        ("не пришло косарь 3166871209 сегодня", ["3166871209"]),
        ("привет чека нет 27917910 в субботу", ["27917910"]),
        ("на номер 89037776655,чек сохранился номер 000451", ["9037776655"]),
        ("варфейс логин Killer_2010 500 рэ", ["killer_2010"]),
        ("Звонил клиент 8 916 000 11 22 Сергей. Платил МТС 9037776655",
         ["9037776655", "contact 9160001122"]),
        ("вх. звонок с 89037776655, внес на номер с которого звонит", ["9037776655"]),
        ("маме на телефон (она 89037776655, я 89160001122)", ["9037776655", "contact 9160001122"]),
        ("пополнял симку модема 9037776655 (мой личный 9160001122)",
         ["9037776655", "contact 9160001122"]),
        ("тел. для связи тот же 89037776655, платил вчера", ["9037776655"]),
        ("номер 89037776655 он же контактный", ["9037776655"]),
        ("платила за телефон дочери 4457 2466 3166", ["445724663166"]),
        ("чека нет 104871 в субботу", []),
    ],
)  # fmt: skip
def test_accounts_are_told_from_contacts(text: str, told: list[str]) -> None:
    """What was paid, what should have been, and whom to call."""
    assert sorted(numbers(text)) == sorted(told)


def test_a_terminals_number_may_be_dictated() -> None:
    """Where the fleet has such a terminal."""
    text = "терминал номер сто четыре двести тридцать три, двести рублей"
    assert [fact.value for fact in read(text, "terminal")] == ["104233"]
    assert sums(text) == ["200"]


def test_a_network_before_a_phone_is_no_shop() -> None:
    """«на мегу 903…» is no shopping centre."""
    assert read("закинул на мегу 9037776655", "place") == []


def places(text: str) -> set[str]:
    """Return the terminals that the place in a text may mean."""
    found: set[str] = set()
    for fact in read(text, "place"):
        assert isinstance(fact.value, dict)
        found |= set(fact.value["terminals"])
    return found


@pytest.mark.parametrize(
    ("text", "terminals"),
    [
        ("не пришло 500р 9030369541 сегодня в 9:40 ленина 40 че делать", {"105003"}),
        ("Звонок. Терм. 999999. Ленина 15. Внёс 100р", {"105002"}),
        ("кинул 500р рязанский 99", {"104234"}),
        ("polozhil 500r cherez terminal lenina 40 dengi ne prishli", {"105003"}),
        ("at Tverskaya 14 the kiosk ate my money", {"104871"}),
        ("cherez terminal hlobystova 20", {"104233"}),
        ("внёс ленина 777 рублей", set()),
        ("площадь Восстания 2, не дали чек", {"107714"}),
        ("проспект Победы д.141 не дали чек", {"203312"}),
        ("на ул Победы дом 141 не дали чек", {"203312"}),
    ],
)
def test_a_street_is_found(text: str, terminals: set[str]) -> None:
    """Without a word before it, and in Latin letters."""
    assert places(text) == terminals


def test_a_shop_that_many_terminals_stand_in_names_them_all() -> None:
    """A weak set is better than none."""
    rows = [
        Row(str(n), None, "RU", "Москва", f"ул. Новая, {n}", None,
            "Магазин «Уют»" if n % 5 == 0 else "Кафе «Рассвет»")
        for n in range(1, 401)
    ]  # fmt: skip
    passage = Passage(origin=Origin.NEW, text="зашла в магазин «Уют»", written_at=WRITTEN)
    (fact,) = [
        fact
        for fact in read_facts([passage], zone=ZONE, gazetteer=Gazetteer(rows))
        if fact.kind == "place"
    ]
    assert isinstance(fact.value, dict)
    assert len(fact.value["terminals"]) == 80


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("сунул две по тыще", ["2000"]),
        ("104871 300 9261234567 20.11 13:45", ["300"]),
        ("Tel: 9261234567 Sum: 300", ["300"]),
        ("сумма-300 руб,дата-20.11.26", ["300"]),
        ("paid 1,000 rubles and got only 900", ["1000", "credited 900"]),
        ("сумма 500 терминал 104233", ["500"]),
        ("внес 1000 рублей, из них комиссия 40, пришло 960", ["1000", "fee 40", "credited 960"]),
        ("21.11.26г. 13ч05м внёс 500=00", ["500"]),
        ("привет баланс пустой 2600р", ["2600"]),
        ("С карты 4276****1234 не платил, только наличные 1000р", ["1000"]),
        ("внёс 1000 вместо 100", ["1000", "intended 100"]),
        ("положил пятихату и косую", ["1500"]),
        ("закинул пятнашку", []),
        ("внесла три тысячи пятьсот", ["3500"]),
        ("внесла 3т 500", ["3500"]),
        ("положил 1 тыс 200", ["1200"]),
        ("положил 2х500", ["1000"]),
        ("положил 2*500", ["1000"]),
        ("положил 500+100 рублей", ["600"]),
        ("внёс пять сотен", ["500"]),
        ("внёс полторы штуки", ["1500"]),
        ("внёс две с половиной тысячи", ["2500"]),
        ("опустила тыщу рублями и полтинник", ["1050"]),
        ("сумма к зачислению 950, внесено 1000, комиссия 50", ["credited 950", "1000", "fee 50"]),
        ("заплатил 12 345,67", ["12345.67"]),
        ("заплатил 12.345,67 руб", ["12345.67"]),
        ("сто рублей 50 копеек внёс", ["100.5"]),
        ("внёс одну купюру 1000 и две по 50", ["1100"]),
        ("положил пару тысяч", ["2000"]),
        ("положил 300 рублей, комиссия составила 15 руб.", ["300", "fee 15"]),
        ("положил 500 рублей. Требую компенсацию морального вреда 5000 рублей", ["500"]),
        ("внёс 700 р, неустойка 3% и 10000 рублей морального вреда", ["700"]),
        ("палажыў 20 рублёў", ["20"]),
        ("сунул штукарь", ["1000"]),
        ("внес 0,5 тыс", ["500"]),
        ("закинул пятёру", []),
        ("положил 500 рублей мелочью по 50", ["500"]),
        ("на балансе было 12 рублей, положил 300", ["300"]),
        ("тариф 450 в месяц, положил 500", ["500"]),
    ],
)
def test_sums_are_told_apart(text: str, told: list[str]) -> None:
    """Slang, products, fees, claims: each with its role."""
    assert sorted(sums(text)) == sorted(told)


@pytest.mark.parametrize(
    ("text", "times", "amounts"),
    [
        (
            "в 9.05 первая прошла, а в 9.12 вторая на 300р нет. 89037776655",
            ["23 09:06..23 09:18"],
            ["300"],
        ),
        (
            "Вчера: вторая, на 100 рублей в 20:31 с чеком 230954, прошла. Не прошла на 1000 рублей",
            ["22 08:25..23 10:15"],
            ["1000"],
        ),
        (
            "Первый, 200 руб. (8 ноября), прошёл, речь о втором. 11.11 в 20-38 внесла 100р",
            ["11 20:32..11 20:44"],
            ["100"],
        ),
        (
            "21.11 в 18:00 клал 500 и в 18:20 ещё 300. Первый платёж пришёл, второй не пришёл",
            ["21 17:45..21 18:15", "21 18:11..21 18:29"],
            ["500", "300"],
        ),
        (
            "Первый раз пользуюсь. Вчера в 18:20 положил 500, операция прошла, деньги не пришли",
            ["22 18:11..22 18:29"],
            ["500"],
        ),
        (
            "Внесла 700, из них 350 зачислились, а вторые 350 пропали. 21 числа в 17.30",
            ["21 17:15..21 17:45"],
            ["700", "350", "credited 350"],
        ),
        (
            "вчера в 18:20 положил 500, пришло только 480, остальное не дошло",
            ["22 18:11..22 18:29"],
            ["500", "credited 480"],
        ),
    ],
)
def test_the_payment_that_went_well_claims_nothing(
    text: str, times: list[str], amounts: list[str]
) -> None:
    """Where another one failed; and one payment alone keeps what is said of it."""
    assert spans(text) == times
    assert sorted(sums(text)) == sorted(amounts)


def test_a_failed_payment_is_looked_for_since_the_one_before_it() -> None:
    """Where only the good one's time is told."""
    found = spans("21 ноября в 18:19 я клал 100 рублей, всё пришло. А вот следующий раз нет")
    assert found == ["21 06:13..23 10:15"]


def test_the_receipt_of_the_good_payment_is_not_read() -> None:
    """It would find the wrong transaction by itself."""
    text = "Вторая, на 100 рублей с чеком 230954, прошла. Не прошла первая, на 1000 рублей"
    assert read(text, "receipt") == []


@pytest.mark.parametrize(
    ("text", "elsewhere"),
    [
        ("Автомат стоит: Заводская ул., 30", True),
        ("терминал на ул. Чехова, дом 28", True),
        ("по адресу: Москва, проспект Космонавтов 54, внёс 500", True),
        ("терминал на ул. Ленина, дом 15", False),
        ("терминал на ул. Лнина, дом 15", False),
        ("улица Тверская 14", False),
        ("внёс 500 руб., дом 5", False),
    ],
)
def test_an_address_where_no_terminal_stands_is_told(text: str, *, elsewhere: bool) -> None:
    """A street that the fleet's addresses do not name speaks for another fleet."""
    values = [fact.value for fact in read(text, "place") if isinstance(fact.value, dict)]
    assert any(value.get("elsewhere") for value in values) is elsewhere
