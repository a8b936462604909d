"""When a payment was, by the phrases that people use; each said on Monday 2026-11-23 at 10:15."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from incidents.matching.facts import read_facts
from incidents.matching.passage import Fact, Origin, Passage

ZONE = ZoneInfo("Europe/Moscow")
WRITTEN = datetime(2026, 11, 23, 10, 15, tzinfo=ZONE)


def times(text: str, written: datetime = WRITTEN) -> list[Fact]:
    """Return the times that a text names."""
    passage = Passage(origin=Origin.NEW, text=text, written_at=written)
    facts = read_facts([passage], zone=ZONE, gazetteer=None)
    return [fact for fact in facts if fact.kind == "paid_at"]


def local(text: object) -> datetime:
    """Return a fact's time as a clock on the wall shows it."""
    assert isinstance(text, str)
    return datetime.fromisoformat(text).astimezone(ZONE).replace(tzinfo=None)


PHRASES = [
    ("вчера шёл в школу. В 8 00. У меня второй урок", "22 07:45", "22 08:15"),
    ("вчера внесла в 9 15 утра", "22 09:03", "22 09:27"),
    ("в 7 45 вчера утром", "22 07:33", "22 07:57"),
    ("20-40 вчера положил", "22 20:31", "22 20:49"),
    ("закинул 500р. 19-05, вчера", "22 18:56", "22 19:14"),
    ("вчера клал деньги. Это было 18 30.", "22 18:15", "22 18:45"),
    ("вчера, терминал 104871. На часах 17 05", "22 16:56", "22 17:14"),
    ("вчера в 3 500 рублёвых купюр", "22 00:00", "22 23:59"),
    ("вчера живу в 8 40 квартире", "22 00:00", "22 23:59"),
    ("вчера около 7 вечера", "22 18:00", "22 20:00"),
    ("позавчера утром", "21 05:00", "21 12:00"),
    ("21.11.2026 в 18:42", "21 18:36", "21 18:49"),
    ("20 ноября в 14-05", "20 13:55", "20 14:15"),
    ("20 ноября в 14:05", "20 13:55", "20 14:15"),
    ("в прошлую пятницу", "20 00:00", "20 23:59"),
    ("сегодня в 9.30 утра", "23 09:15", "23 09:45"),
    ("три дня назад", "20 00:00", "20 23:59"),
    ("22.11", "22 00:00", "22 23:59"),
    ("22.11 в 00:15", "22 00:00", "22 00:30"),
    ("14 числа", "14 00:00", "14 23:59"),
    ("20-го ноября", "20 00:00", "20 23:59"),
    ("двадцатого ноября", "20 00:00", "20 23:59"),
    ("двадцать первого ноября", "21 00:00", "21 23:59"),
    ("в ночь с субботы на воскресенье", "21 21:00", "22 06:00"),
    ("в ночь на 21-е", "20 21:00", "21 06:00"),
    ("на прошлой неделе в среду", "18 00:00", "18 23:59"),
    ("вчера в восьмом часу вечера", "22 19:00", "22 20:00"),
    ("вчера в начале десятого утра", "22 09:00", "22 09:30"),
    ("вчера в середине десятого утра", "22 09:15", "22 09:50"),
    ("вчера в конце десятого вечера", "22 21:30", "22 22:00"),
    ("вчера полвосьмого вечера", "22 19:10", "22 19:50"),
    ("вчера вечером в половине восьмого", "22 19:10", "22 19:50"),
    ("вчера без пятнадцати девять вечера", "22 20:30", "22 21:00"),
    ("вчера без четверти девять утра", "22 08:30", "22 09:00"),
    ("вчера десять минут восьмого вечера", "22 18:55", "22 19:25"),
    ("вчера около полудня", "22 11:00", "22 13:00"),
    ("вчера около десяти вечера", "22 21:00", "22 23:00"),
    ("вчера в районе 11 утра", "22 10:00", "22 12:00"),
    ("вчера ближе к 9 вечера", "22 20:00", "22 21:30"),
    ("вчера в трёх часов дня", "22 14:00", "22 16:00"),
    ("вчера днём с двух до трёх", "22 14:00", "22 15:00"),
    ("вчера с двух до трех часов дня", "22 14:00", "22 15:00"),
    ("вчера между 15 и 16", "22 15:00", "22 16:00"),
    ("вчера с 18:00 до 19:30", "22 18:00", "22 19:30"),
    ("вчера 15-16 часов", "22 15:00", "22 16:00"),
    ("вчера в 13ч20мин", "22 13:10", "22 13:30"),
    ("вчера в 13 часов 07 минут", "22 13:00", "22 13:14"),
    ("вчера в 9 час. 40 мин.", "22 09:25", "22 09:55"),
    ("минут 40 назад", "23 09:10", "23 09:55"),
    ("час назад", "23 08:30", "23 09:50"),
    ("полтора часа назад", "23 08:00", "23 09:30"),
    ("вчера после работы", "22 16:30", "22 21:30"),
    ("вчера после обеда", "22 13:00", "22 17:00"),
    ("вчера в обед", "22 11:30", "22 15:00"),
    ("18-го числа", "18 00:00", "18 23:59"),
    ("в пятницу, 20 ноября", "20 00:00", "20 23:59"),
    ("вчера в 15.45", "22 15:30", "22 16:00"),
    ("15.11", "15 00:00", "15 23:59"),
    ("вчера в час дня", "22 12:15", "22 14:00"),
    ("вчера в 19 часов", "22 18:15", "22 20:00"),
    ("вчера в 7 вечера", "22 18:15", "22 20:00"),
    ("вчера в семь вечера", "22 18:15", "22 20:00"),
    ("вчера ночью в 2 часа", "22 01:15", "22 03:00"),
    ("ВЧЕРА В 19:20", "22 19:00", "22 19:35"),
    ("вчера вечером", "22 17:00", "22 23:59"),
    ("yesterday at 7 pm", "22 18:15", "22 20:00"),
    ("on 20 November at 14:05", "20 13:50", "20 14:20"),
    ("учора о 19:30", "22 19:10", "22 19:50"),
    ("кеше сағат 18:40", "22 18:25", "22 18:55"),
    ("вчера – в 18:40", "22 18:25", "22 18:55"),
    ("2026-11-20 08:12", "20 08:00", "20 08:25"),
    ("20/11/26 08:12", "20 08:00", "20 08:25"),
]


@pytest.mark.parametrize(("phrase", "low", "high"), PHRASES, ids=[each[0] for each in PHRASES])
def test_a_phrase_gives_an_interval_and_never_a_wrong_minute(
    phrase: str, low: str, high: str
) -> None:
    """The interval lies within what the phrase can mean, and holds its middle."""
    found = times(f"Платил {phrase}, терминал завис")
    assert len(found) == 1, found
    value = found[0].value
    assert isinstance(value, dict)
    first = datetime.fromisoformat(f"2026-11-{low.replace(' ', 'T')}")
    last = datetime.fromisoformat(f"2026-11-{high.replace(' ', 'T')}")
    assert first <= local(value["from"]) <= local(value["best"]) <= local(value["to"]) <= last
    assert local(value["from"]) <= first + (last - first) / 2 <= local(value["to"])


@pytest.mark.parametrize(
    "text",
    [
        "Звонил вам 22.11, никто не ответил",
        "Звонил вам 22.11 в 18:20, никто не ответил",
        "Обратилась к вам 20 ноября, в 9:40",
        "Сказали ждать 5 рабочих дней",
        "Терминал работает с 9 до 21",
        "Паспорт выдан 12.03.2010",
        "Перезвоните мне завтра после 18",
        "Добрый день! Добрый вечер! Доброе утро!",
        "Я в отпуске до 30.11.2026",
        "Ответ в течение 24 часов",
    ],
)
def test_other_dates_are_no_payment(text: str) -> None:
    """The date of a call, a term, opening hours and greetings say nothing about the payment."""
    assert times(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "К нам обратился покупатель: 20 ноября в 14:05 он вносил 100 рублей",
        "Клиентка позвонила и говорит: 20.11 в 14:05 через вас оплата была",
        "Звонил вам 21.11 в 9:10. Платил 20 ноября в 14:05",
        "Дата | 20.11.2026\nВремя | 14:05",
    ],
)
def test_what_somebody_tells_is_the_payment(text: str) -> None:
    """Behind the colon of who called or wrote stands what happened."""
    found = [fact.value for fact in times(text)]
    assert [local(each["best"]) for each in found if isinstance(each, dict)] == [
        datetime(2026, 11, 20, 14, 5)  # noqa: DTZ001 - a clock on the wall
    ]


def test_last_friday_has_two_readings() -> None:
    """«В прошлую пятницу» may be this week's or the one before."""
    (fact,) = times("В прошлую пятницу оплатил")
    value = fact.value
    assert isinstance(value, dict)
    (other,) = value["alternatives"]
    assert local(other["from"]).date().isoformat() == "2026-11-13"


def test_an_hour_without_morning_or_evening_keeps_both() -> None:
    """«В половине восьмого» is 19:30, or else 7:30."""
    (fact,) = times("вчера в половине восьмого положил")
    value = fact.value
    assert isinstance(value, dict)
    assert local(value["best"]).strftime("%H:%M") == "19:30"
    assert [local(each["best"]).strftime("%H:%M") for each in value["alternatives"]] == ["07:30"]


def test_waiting_bounds_the_payment_from_above() -> None:
    """«Жду уже 3 часа» says before about 7:15, not at 7:15."""
    (fact,) = times("Жду уже 3 часа, денег нет")
    value = fact.value
    assert isinstance(value, dict)
    assert value["precision"] == "period"
    assert local(value["to"]) <= datetime(2026, 11, 23, 8, 15)  # noqa: DTZ001 - local
    assert local(value["from"]) <= datetime(2026, 11, 22, 10, 15)  # noqa: DTZ001 - local


def test_a_forwarded_mail_counts_from_its_own_day() -> None:
    """A mail of Friday that says "today" means Friday."""
    friday = datetime(2026, 11, 20, 21, tzinfo=ZONE)
    passage = Passage(origin=Origin.FORWARDED, text="Сегодня в 20.15 внёс 500", written_at=friday)
    facts = read_facts([passage], zone=ZONE, gazetteer=None)
    (fact,) = [fact for fact in facts if fact.kind == "paid_at"]
    assert isinstance(fact.value, dict)
    assert local(fact.value["best"]) == datetime(2026, 11, 20, 20, 15)  # noqa: DTZ001 - local


def spans(text: str, written: datetime) -> list[tuple[str, str]]:
    """Return from and to of the first time of a text, and of its other readings, day and time."""
    value = times(text, written)[0].value
    assert isinstance(value, dict)
    return [
        (f"{local(each['from']):%d %H:%M}", f"{local(each['to']):%d %H:%M}")
        for each in (value, *value.get("alternatives", ()))
    ]


NOVOSIBIRSK = ZoneInfo("Asia/Novosibirsk")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("сегодня в 17:11", "23 17:05", "23 17:17"),
        ("вчера в 17:11", "22 17:05", "22 17:17"),
        ("23.11.2026 17:11", "23 17:05", "23 17:17"),
        ("час назад", "23 17:19", "23 18:28"),
    ],
)
def test_a_writers_own_clock_counts(text: str, low: str, high: str) -> None:
    """Written at 18:58 in Novosibirsk, "today at 17:11" was today, though Moscow has 14:58."""
    assert spans(text, datetime(2026, 11, 23, 18, 58, tzinfo=NOVOSIBIRSK))[0] == (low, high)


@pytest.mark.parametrize(
    ("text", "low"), [("сегодня в 17:11", "23 17:05"), ("23.11.2026 17:11", "23 17:05")]
)
def test_a_day_that_is_named_is_kept_where_clocks_are_ahead_of_the_letters(
    text: str, low: str
) -> None:
    """A mailbox of Moscow's clock may be of a town where it is evening already."""
    assert spans(text, datetime(2026, 11, 23, 14, 58, tzinfo=ZONE))[0][0] == low


def test_what_was_today_in_the_future_may_have_been_yesterday_too() -> None:
    """The other reading is kept beside the first."""
    found = spans("сегодня в 17:11", datetime(2026, 11, 23, 14, 58, tzinfo=ZONE))
    assert found[1][0] == "22 17:05"


def test_an_hour_that_has_been_is_preferred_to_one_that_may_come() -> None:
    """At noon, "today at 8" is the morning's."""
    assert spans("сегодня в 8", datetime(2026, 11, 23, 12, 0, tzinfo=ZONE))[0][0] == "23 07:30"
