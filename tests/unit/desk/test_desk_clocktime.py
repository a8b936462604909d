from datetime import UTC, date, datetime, timedelta

from desk.clocktime import ago, day_of, day_span, day_words, offset, until, zone
from desk.money import money
from desk.words import words

NOW = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)


def test_a_day_is_the_terminals_own() -> None:
    """21:30 UTC is tomorrow in Moscow."""
    assert day_of(NOW, zone("Europe/Moscow")) == date(2026, 11, 24)
    assert day_of(NOW, zone("Europe/Kaliningrad")) == date(2026, 11, 23)


def test_a_day_of_a_clock_change_has_its_own_length() -> None:
    """From midnight to midnight, 25 hours when the clock goes back."""
    span = day_span(date(2026, 10, 25), zone("Europe/Berlin"))
    assert span.until.astimezone(UTC) - span.since.astimezone(UTC) == timedelta(hours=25)


def test_an_unknown_zone_is_moscows() -> None:
    """As the contract says for due dates."""
    assert zone("Mars/Olympus").key == "Europe/Moscow"
    assert zone("../etc/passwd").key == "Europe/Moscow"


def test_an_offset_is_short() -> None:
    """Hours, minutes where there are any."""
    assert offset(NOW, zone("Europe/Moscow")) == "UTC+3"
    assert offset(NOW, zone("Asia/Kathmandu")) == "UTC+5:45"
    assert offset(NOW, zone("America/New_York")) == "UTC−5"
    assert offset(NOW, zone("UTC")) == "UTC"


def test_days_are_named_by_nearness() -> None:
    """Today, yesterday, then with the weekday."""
    today = date(2026, 11, 23)
    assert day_words(today, today, words("ru")) == "Сегодня, 23 ноября"
    assert day_words(date(2026, 11, 22), today, words("en")) == "Yesterday, 22 November"
    assert day_words(date(2026, 11, 20), today, words("ru")) == "пт, 20 ноября 2026"


def test_ages_are_short() -> None:
    """Seconds until two minutes, and so on; the future is now."""
    tongue = words("ru")
    for seconds, said in ((0, "0 с назад"), (10, "10 с назад"), (119, "119 с назад"),
                          (120, "2 мин назад"), (7200, "2 ч назад"), (400_000, "4 д назад"),
                          (-5, "0 с назад")):  # fmt: skip
        assert ago(NOW - timedelta(seconds=seconds), NOW, tongue) == said
    assert until(NOW + timedelta(days=5), NOW, tongue) == "через 5 д"
    assert until(NOW - timedelta(days=5), NOW, tongue) == "5 д назад"


def test_money_is_written_as_the_language_does() -> None:
    """Groups, decimals by currency, the sign first."""
    assert money(123456789, "RUB", "ru") == "1\xa0234\xa0567,89\xa0₽"
    assert money(-5, "RUB", "ru") == "−0,05\xa0₽"
    assert money(1500, "JPY", "en") == "¥1,500"
    assert money(100, "USD", "en") == "$1.00"
    assert money(100, "", "ru") == "1,00\xa0"
    assert money(100, "XQQ", "ru") == "1,00\xa0XQQ"
