import pytest

from desk.mailing.languages import language_of

RUSSIAN = [
    "Здравствуйте, не пришли деньги на телефон",
    "положил 500 рублей на мтс а денег нет!!! терминал в пятерочке",
    "Добрый день. Терминал QIWI на Ленина, 5 съел купюру. Sent from my iPhone",
    "деньги не зачислились, счёт у Айгүл",
]
UKRAINIAN = [
    "Добрий день! Вчора поповнював рахунок, гроші не надійшли",
    "не прийшли кошти на телефон, термінал у магазині",
    "Поповнила мобільний на 200 гривень, чека немає, що робити?",
]
KAZAKH = [
    "Сәлеметсіз бе! Кеше терминал арқылы ақша салдым, түспеді",
    "телефонға ақша түскен жоқ, чек бар",
    "Төлем жасадым, бірақ қаражат шотқа түспеді",
]
ENGLISH = [
    "Hello, I paid 500 roubles at the terminal yesterday and the money did not arrive",
    "The machine took my money and gave no receipt. Please help!",
]
NOBODY = [
    "",
    "500",
    "ok",
    "+7 916 123-45-67",
    "https://example.org/terminal/the/and/is",
    "asdf qwer zxcv uiop",
]


@pytest.mark.parametrize(
    ("text", "language"),
    [(text, language) for language, texts in
     (("ru", RUSSIAN), ("uk", UKRAINIAN), ("kk", KAZAKH), ("en", ENGLISH), (None, NOBODY))
     for text in texts],
)  # fmt: skip
def test_the_language_of_a_text(text: str, language: str | None) -> None:
    """Letters tell it; numbers, addresses and one foreign letter do not."""
    assert language_of(text) == language
