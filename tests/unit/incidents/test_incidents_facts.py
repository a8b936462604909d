"""Amounts, accounts, numbers, places and origins: what a report says, and what it only seems to."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incidents.matching.facts import read_facts
from incidents.matching.fiscal import fiscal_minor, fiscal_moment
from incidents.matching.gazetteer import Gazetteer, Row
from incidents.matching.passage import Fact, Origin, Passage

ZONE = ZoneInfo("Europe/Moscow")
WRITTEN = datetime(2026, 11, 23, 10, 15, tzinfo=ZONE)
FLEET = [
    Row("104233", None, "RU", "Москва", "ул. Хлобыстова, 20к1", "Выхино", "Магазин «Пятёрочка»"),
    Row("104234", None, "RU", "Москва", "Рязанский проспект, 99", "Выхино", "ТЦ «Вешняки»"),
    Row("104871", None, "RU", "Москва", "ул. Тверская, 14", "Пушкинская", "Аптека"),
    Row("105002", None, "RU", "Химки", "ул. Ленина, д. 15", None, "Магазин «Магнит»"),
    Row("105003", None, "RU", "Химки", "ул. Ленина, д. 40", None, "Салон «Евросеть»"),
    Row("KV-0031", None, "RU", "Самара", "ул. Гагарина, 99", None, "Гипермаркет «Лента»"),
]  # fmt: skip


def read(text: str, origin: Origin = Origin.NEW, gazetteer: Gazetteer | None = None) -> list[Fact]:
    """Return the facts of a text."""
    passage = Passage(origin=origin, text=text, written_at=WRITTEN)
    return read_facts([passage], zone=ZONE, gazetteer=gazetteer)


def amounts(text: str) -> list[tuple[str, int]]:
    """Return role and minor units of the amounts in a text."""
    values = [fact.value for fact in read(text) if fact.kind == "amount"]
    return [(value["role"], value["minor"]) for value in values if isinstance(value, dict)]


def accounts(text: str) -> list[tuple[str, str]]:
    """Return role and digits of the accounts in a text; of contacts, `contact`."""
    found = []
    for fact in read(text):
        if fact.kind == "account" and isinstance(fact.value, dict):
            found.append((fact.value["role"], fact.value["digits"]))
        elif fact.kind == "contact":
            found.append(("contact", str(fact.value)))
    return found


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("внёс 500 рублей", 50_000),
        ("внёс 500р", 50_000),
        ("внес 500", 50_000),
        ("внес 1 000,00 руб.", 100_000),
        ("внес 1.500,00 руб", 150_000),
        ("сумма: 1000.50", 100_050),
        ("700 руб. 00 коп.", 70_000),
        ("положил 100-00", 10_000),
        ("2 тыс. рублей", 200_000),
        ("3 тыс. 200 руб", 320_000),
        ("1,5 тыс руб", 150_000),
        ("положил 2к", 200_000),
        ("положил 5 т.р.", 500_000),
        ("25 тыс. рублей", 2_500_000),
        ("полторы тысячи", 150_000),
        ("одну тысячу двести", 120_000),
        ("две с половиной тысячи рублей", 250_000),
        ("засунула пятисотку", 50_000),
        ("кинул пятихатку", 50_000),
        ("положил косарь", 100_000),
        ("закинул тыщу", 100_000),
        ("клал сотню", 10_000),
        ("кинул 5 соток", 50_000),
        ("вставил полтинник", 5_000),
        ("сунул в щель полтос", 5_000),
        ("скормил полторашку", 150_000),
        ("кинула косарь двести", 120_000),
        ("оплатил двумя косарями", 200_000),
        ("закинул полкосаря", 50_000),
        ("закинул пол косаря", 50_000),
        ("закинул 70р 40718822", 7_000),
        ("3 купюры по 1000 и 1 по 500", 350_000),
        ("вставил 2 по 500 и одну сотку", 110_000),
        ("внёс 1500р (1000+500)", 150_000),
        ("200 грн", 20_000),
        ("2000 теңге", 200_000),
        ("двести рублей", 20_000),
    ],
)
def test_an_amount_is_read_in_every_spelling(text: str, minor: int) -> None:
    """What was put in, in kopecks, however it is written."""
    assert ("inserted", minor) in amounts(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "внес 2000, комиссию сняли 60 руб, зачислили только 1940",
            [("inserted", 200_000), ("fee", 6_000), ("credited", 194_000)],
        ),
        ("12 тыс. рублей вернул", [("returned", 1_200_000)]),
        ("не зачислено 500 рублей", [("inserted", 50_000)]),
        ("верните 500 рублей", [("inserted", 50_000)]),
        (
            "хотела положить 500, а вставила 5000",
            [("intended", 50_000), ("inserted", 500_000)],
        ),
    ],
)
def test_an_amount_has_its_role(text: str, expected: list[tuple[str, int]]) -> None:
    """Put in, credited, fee, meant, given back: the nearest word says."""
    assert amounts(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "ждать 5 рабочих дней",
        "живу в доме 500",
        "мне 67 лет",
        "в 18 30 пришёл к терминалу",
        "терминал 104233 завис",
        "паспорт 4510 123456",
        "10% сняли",
    ],
)
def test_a_number_is_no_amount_by_itself(text: str) -> None:
    """Days, houses, ages, times and numbers of things are no money."""
    assert amounts(text) == []


@pytest.mark.parametrize(
    "written",
    [
        "8-916-123-45-67", "+7 (916) 123-45-67", "89161234567", "9161234567", "8.916.123.45.67",
        "8 9 1 6 1 2 3 4 5 6 7", "(916) 123-45-67", "8916 123 45 67", "+7916 1234567",
        "079161234567", "8(916)1234567", "7-916-123-4567", "8 – 916 – 123 45 67",
    ],
)  # fmt: skip
def test_a_phone_is_read_in_every_spelling(written: str) -> None:
    """Ten digits, as the collector hashes them."""
    assert accounts(f"положил 500 рублей на номер {written}, не пришло") == [("paid", "9161234567")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("на 8 903 222 60-70 вместо 8 903 222 60-71 перевёл",
         [("paid", "9032226070"), ("intended", "9032226071")]),
        ("надо было 89161234567, а я положила на 89161234576",
         [("intended", "9161234567"), ("paid", "9161234576")]),
        ("внёс 500 на 89161234567. Для связи 8 925 000 11 22",
         [("paid", "9161234567"), ("contact", "9250001122")]),
        ("мой номер 89161112200, а пополняла дочке 89163334400",
         [("contact", "9161112200"), ("paid", "9163334400")]),
        ("звонил на горячую линию 8 800 707-77-59, платил на 89161234567",
         [("paid", "9161234567")]),
        ("тел. +7 495 123-45-67, оплатил 89161234567", [("paid", "9161234567")]),
        ("лицевой счёт 12345678", [("paid", "12345678")]),
        ("договор № 77-123456", [("paid", "77123456")]),
        ("оплатил 380951356548", [("paid", "380951356548")]),
        ("оплатил 8 701 356 12 12", [("paid", "7013561212")]),
        ("Куда: 40718822", [("paid", "40718822")]),
        ("Заплатил на номер 4471203385 250 рублей", [("paid", "4471203385")]),
        ("Кабельный интернет «Заря» 40718822, внёс 250", [("paid", "40718822")]),
        ("вчера 50р 40718822 не пришло", [("paid", "40718822")]),
        ("логин ivan_77, платил за игру", [("paid", "ivan_77")]),
        ("пополнял, последние цифры 45-67", [("paid", "4567")]),
        ("пополнил 8 916 123 45 67 вместо ...68", [("paid", "9161234567"),
                                                  ("intended", "9161234568")]),
    ],
)  # fmt: skip
def test_an_account_has_its_role(text: str, expected: list[tuple[str, str]]) -> None:
    """What was typed, what should have been, whom to call; hotlines and offices are none."""
    assert accounts(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Пополняла 89161112233 в пятницу. Обр. связь 89037778899",
         [("paid", "9161112233"), ("contact", "9037778899")]),
        ("Клала на 89161112233, пусто. Домашний телефон 8 903 777 88 99",
         [("paid", "9161112233"), ("contact", "9037778899")]),
        ("Вчера кинул 300 р, тихо. Можно звонить мне на 89037778899", [("contact", "9037778899")]),
        ("Вчера кинул 300 р, тихо. Мой номер для связи: 89037778899", [("contact", "9037778899")]),
        ("Дочь вчера платила 300 р, тихо. Мой телефон 89037778899, Олег",
         [("contact", "9037778899")]),
        ("Не пришли 300 р.\n\nВера Зимина\n89037778899", [("contact", "9037778899")]),
        ("Не пришли 300 р.\nС уважением, Вера\nтел. 89037778899\nг. Тверь, Садовая, 1",
         [("contact", "9037778899")]),
        ("Клал на 89161112233\nВера Зимина, 89037778899",
         [("paid", "9161112233"), ("contact", "9037778899")]),
        ("Клал на 89161112233, тишина\nВера\n89037778899",
         [("paid", "9161112233"), ("contact", "9037778899")]),
        ("Клал деньги, тишина\nБилайн\n89037778899", [("paid", "9037778899")]),
        ("Клал деньги, тишина\nМой телефон\n89037778899\n300 р в 14:20", [("paid", "9037778899")]),
        ("пополнял мой номер 89161112233, связаться можно по 89037778899",
         [("paid", "9161112233"), ("contact", "9037778899")]),
        ("положил на свой телефон 89161112233 300 р", [("paid", "9161112233")]),
        ("Не дошли 300 р. Мой телефон 89161112233", [("paid", "9161112233")]),
    ],
)  # fmt: skip
def test_whose_phone_it_is(text: str, expected: list[tuple[str, str]]) -> None:
    """A phone to call is told by its words, or by the name it stands under; else it was paid."""
    assert accounts(text) == expected


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("терминал № 104871", "terminal", "104871"),
        ("терминал номер 1 004 512 завис", "terminal", "1004512"),
        ("номер терминала: 203312", "terminal", "203312"),
        ("терминал KV-0031", "terminal", "KV-0031"),
        ("Автомат у аптеки, №205117", "terminal", "205117"),
        ("№ 205117", "terminal", "205117"),
        ("стоит у кассы, на ней номер 205117", "terminal", "205117"),
        ("т-л 205117", "terminal", "205117"),
        ("номер на корпусе 2051178", "terminal", "2051178"),
        ("на боку наклейка 2051178", "terminal", "2051178"),
        ("№ 205117 терминал", "terminal", "205117"),
        ("чек №205117", "receipt", "205117"),
        ("по квитанции № 205117 терминал ничего не отдал", "receipt", "205117"),
        ("my receipt is 003310", "receipt", "003310"),
        ("Чек | 003310", "receipt", "003310"),
        ("Операция | 77120045118", "operation", "77120045118"),
        ("Терминал | 104218", "terminal", "104218"),
        ("чек № 4471", "receipt", "4471"),
        ("номер чека 005671", "receipt", "005671"),
        ("код операции 20261121184233", "operation", "20261121184233"),
        ("операция № 3345567812", "operation", "3345567812"),
    ],
)
def test_numbers_of_things_are_told_apart(text: str, kind: str, value: str) -> None:
    """Terminal, receipt and operation are what the word before them says, and no account."""
    facts = read(text)
    assert [(f.kind, f.value) for f in facts if f.kind in {"terminal", "receipt", "operation"}] == [
        (kind, value)
    ]
    assert not [fact for fact in facts if fact.kind in {"account", "amount"}]


def test_a_receipt_before_a_terminal() -> None:
    """Each number is what the word before it says, not the one behind."""
    facts = read("чек № 003310 терминал 205117")
    said = {(fact.kind, fact.value) for fact in facts}
    assert {("receipt", "003310"), ("terminal", "205117")} == said


@pytest.mark.parametrize("text", ["Обращение № 4001177", "закон № 2300121", "№ 4001177"])
def test_a_number_of_something_else_is_no_terminal(text: str) -> None:
    """Nor is one that stands alone in a subject, where tickets have theirs."""
    assert not [fact for fact in read(text, Origin.SUBJECT) if fact.kind == "terminal"]


@pytest.mark.parametrize(
    "text",
    [
        "Заканчивается её номер на 7719.",
        "Номер, что пополняла, оканчивается на 77-19",
        "последние цифры телефона 77 19",
        "пополнял номер, 7719 на конце",
        "в конце номера 7719",
    ],
)
def test_the_end_of_an_account(text: str) -> None:
    """Last digits are told in front of them or behind."""
    (value,) = [fact.value for fact in read(text) if fact.kind == "account"]
    assert value == {"digits": "7719", "form": "tail", "role": "paid"}


@pytest.mark.parametrize("text", ["пополнил на 1500 в конце дня", "конец 2026 года"])
def test_other_ends_are_no_account(text: str) -> None:
    """A day and a year end as well."""
    assert accounts(text) == []


QR = "t=20261121T1842&s=1000.00&fn=9282440300661234&i=04471&fp=0250448795&n=1"


@pytest.mark.parametrize("origin", [Origin.NEW, Origin.ATTACHMENT])
def test_a_fiscal_code_is_one_fact(origin: Origin) -> None:
    """Its digits are nothing else, and numbers lose their leading zeros."""
    facts = read(QR, origin)
    assert [fact.kind for fact in facts] == ["fiscal"]
    value = facts[0].value
    assert isinstance(value, dict)
    assert (value["i"], value["fp"]) == ("4471", "250448795")
    assert fiscal_minor(value) == 100_000
    moment = fiscal_moment(value, ZONE)
    assert moment is not None
    assert moment.astimezone(UTC) == datetime(2026, 11, 21, 15, 42, tzinfo=UTC)


QUOTE = "21.11.2026 внёс 1000 руб на 89261112233, терминал 40107"


def passages(new: str) -> list[Passage]:
    """Return an answer above a quoted mail."""
    at = datetime(2026, 11, 22, 12, tzinfo=ZONE)
    return [
        Passage(origin=Origin.NEW, text=new, written_at=at),
        Passage(origin=Origin.QUOTED, text=QUOTE, written_at=at, start=len(new) + 2),
    ]


def test_quoted_text_says_nothing_beside_an_answer_that_does() -> None:
    """An earlier mail below an answer that tells of a payment gives no facts."""
    facts = read_facts(passages("Внёс 500 руб на 8 926 111-22-44"), zone=ZONE, gazetteer=None)
    assert {fact.origin for fact in facts} == {Origin.NEW}


def test_quoted_text_is_read_where_nothing_else_tells() -> None:
    """What an answer without facts quotes is read, and each fact says that it is quoted."""
    new = "Ну и где мои деньги?"
    facts = read_facts(passages(new), zone=ZONE, gazetteer=None)
    quoted = {fact.kind: fact for fact in facts if fact.origin == Origin.QUOTED}
    assert {"account", "amount", "paid_at", "terminal"} <= quoted.keys()
    assert all(fact.span[0] > len(new) for fact in quoted.values())


def test_a_signature_names_only_whom_to_call() -> None:
    """Its mobile phone is a contact; its office phone is nothing."""
    facts = read("Иван, 5 лет опыта, +7 495 123-45-67, 8 926 999-88-77", Origin.SIGNATURE)
    assert [(fact.kind, fact.value) for fact in facts] == [("contact", "9269998877")]


def test_a_wrapped_line_and_a_slip_are_read_through() -> None:
    """Blanks, a mail program's line ends and misspelt words change nothing; spans stay true."""
    text = "Добрый день, вчира вечером  пополняла тилефон мамы на пятьсот\nрублй, денги непришли"
    facts = read(text)
    said = {(fact.kind, fact.text) for fact in facts}
    assert ("amount", "пятьсот\nрублй") in said
    assert ("paid_at", "вчира вечером") in said
    assert [fact.value for fact in facts if fact.kind == "symptom"] == ["not_credited"]
    assert all(text[fact.span[0] : fact.span[1]] == fact.text for fact in facts)


def test_spans_are_of_the_whole_text() -> None:
    """A passage that begins later has its facts later."""
    text = "внёс 500 рублей"
    passage = Passage(origin=Origin.NEW, text=text, written_at=WRITTEN, start=100)
    (fact,) = read_facts([passage], zone=ZONE, gazetteer=None)
    assert fact.span == (105, 115)
    assert fact.text == "500 рублей"


def places(text: str) -> dict[str, float]:
    """Return the terminals that a text's places may mean."""
    facts = [fact for fact in read(text, gazetteer=Gazetteer(FLEET)) if fact.kind == "place"]
    assert len(facts) <= 1
    value = facts[0].value if facts else {"terminals": {}}
    assert isinstance(value, dict)
    terminals: dict[str, float] = value["terminals"]
    return terminals


def test_a_metro_station_means_all_its_terminals() -> None:
    """Never one of them by a guess."""
    weights = places("у метро Выхино терминал завис")
    assert weights.keys() == {"104233", "104234"}
    assert weights["104233"] == weights["104234"]


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("терминал на Ленина 15 в Химках", "105002"),
        ("в Химках на ул. Ленина, д. 40", "105003"),
        ("в Пятёрочке на Хлобыстова", "104233"),
        ("на Тверской 14", "104871"),
        ("терминал в Ленте на Гагарина", "KV-0031"),
        ("у метро Выхина, в Вешняках", "104234"),
    ],
)
def test_street_house_and_shop_weigh_together(text: str, best: str) -> None:
    """The terminal with most in common weighs most, and not all."""
    weights = places(text)
    assert max(weights, key=lambda each: weights[each]) == best
    assert sum(weights.values()) < 1


@pytest.mark.parametrize("text", ["деньги не пришли", "чек не выдал", "на телефон не поступили"])
def test_ordinary_words_are_no_place(text: str) -> None:
    """A complaint without a place has none."""
    assert places(text) == {}


@pytest.mark.parametrize(
    ("text", "symptom"),
    [
        ("чек не выдал", "no_receipt"),
        ("не распечатал чек", "no_receipt"),
        ("без чека остался", "no_receipt"),
        ("деньги не поступили", "not_credited"),
        ("денги непришли", "not_credited"),
        ("до сих пор не зачислено", "not_credited"),
        ("сожрал купюру", "note_swallowed"),
        ("зажевал тысячу", "note_swallowed"),
        ("терминал завис", "hung"),
        ("перезагрузился", "rebooted"),
        ("ошиблась номером", "wrong_number"),
        ("списали два раза", "double_payment"),
        ("сняли комиссию", "fee"),
        ("ақшаны жұтып қойды", "note_swallowed"),
        ("гроші не надійшли", "not_credited"),
        ("the money has not arrived", "not_credited"),
    ],
)
def test_a_symptom_has_a_name(text: str, symptom: str) -> None:
    """What customers write, in a word."""
    assert [fact.value for fact in read(text) if fact.kind == "symptom"] == [symptom]


def test_good_news_has_no_symptom() -> None:
    """The money arrived, the receipt is there."""
    facts = read("Спасибо, деньги пришли, чек есть")
    assert [fact for fact in facts if fact.kind == "symptom"] == []


def test_a_year_that_cannot_be_gives_no_times() -> None:
    """A mail dated in the year 1 is read all the same, without its days."""
    passage = Passage(
        origin=Origin.NEW,
        text="вчера внёс 500 рублей",
        written_at=datetime(1, 1, 1, tzinfo=UTC) + timedelta(days=1),
    )
    facts = read_facts([passage], zone=ZONE, gazetteer=None)
    assert [fact.kind for fact in facts] == ["amount"]
