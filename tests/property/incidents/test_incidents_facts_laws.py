"""Laws of reading facts: any text is read, every span is true, the same text, the same facts."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.matching.facts import TELLING, TOLD_MIN, read_facts
from incidents.matching.gazetteer import Gazetteer, Row
from incidents.matching.passage import Fact, Origin, Passage

ZONE = ZoneInfo("Europe/Moscow")
GAZETTEER = Gazetteer(
    [
        Row("104233", None, "RU", "Москва", "ул. Хлобыстова, 20к1", "Выхино", "«Пятёрочка»"),
        Row("104871", None, "RU", "Москва", "ул. Тверская, 14", "Пушкинская", "Аптека"),
    ]
)
PIECES = (
    "вчера", "в 18:42", "21.11.2026", "31.02", "в 99:99", "500 рублей", "пятихатку", "89161234567",
    "терминал № 104233", "чек", "не выдал", "на Тверской 14", "код операции", "жду уже 3 часа",
    "час назад", "в ночь на", "с двух до трёх", "половине восьмого", "2 по 500 и", "тысяча", "сто",
    "вместо", "лицевой счёт", "t=20261121T1842&fn=1&i=2&fp=3", "29 февраля", "ß", "İ",
    "№", "+7 (", "0" * 30, "\x00", "𝟝𝟘𝟘", "٥٠٠", "²", "в прошлую пятницу", "конце 24", "00:00",
    "полдень", "0 числа", "без 0 час", "недели 0 назад", "99999999 тыс", "9" * 40 + " руб",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=12).map("".join),
)
MOMENTS = st.datetimes(timezones=st.just(UTC))


def passages(texts: list[tuple[Origin, str]], written: datetime) -> list[Passage]:
    """Return passages that follow one another with a line end between."""
    found, start = [], 0
    for origin, text in texts:
        found.append(Passage(origin=origin, text=text, written_at=written, start=start))
        start += len(text) + 1
    return found


def facts_of(said: list[Passage]) -> list[Fact]:
    """Return their facts in a fleet of two."""
    return read_facts(said, zone=ZONE, gazetteer=GAZETTEER)


@given(st.lists(st.tuples(st.sampled_from(Origin), TEXTS), max_size=4), MOMENTS)
def test_any_text_is_read_and_every_span_is_true(
    texts: list[tuple[Origin, str]], written: datetime
) -> None:
    """No text is too strange; a fact's text stands at its span; a confidence is a probability."""
    said = passages(texts, written)
    whole = "\n".join(text for _, text in texts)
    facts = facts_of(said)
    for fact in facts:
        start, end = fact.span
        assert 0 <= start < end <= len(whole)
        assert whole[start:end] == fact.text
        assert 0 < fact.confidence <= 1
        assert fact.origin != Origin.QUOTED or fact.kind in TELLING
        if fact.kind == "paid_at":
            value = fact.value
            assert isinstance(value, dict)
            assert value["from"] <= value["best"] <= value["to"]
    assert facts == facts_of(said)
    said_now = {fact.kind for fact in facts if fact.origin != Origin.QUOTED} & TELLING
    if len(said_now) >= TOLD_MIN:
        assert all(fact.origin != Origin.QUOTED for fact in facts)


HOSTILE = {
    "digits": "1" * 20_000,
    "spaced digits": "1 " * 10_000,
    "dots": "1." * 10_000,
    "blanks": " " * 20_000,
    "lines": "\n" * 20_000,
    "one word": "а" * 20_000,
    "a latin word": "x" * 20_000,
    "nots": "не чек " * 2_900,
    "money not": "деньги то се не " * 1_300,
    "times": "в 8:30 с 2 до 3 " * 1_250,
    "phones": "+7 (916) 123-45-67," * 1_050,
    "sums": "2 по 500 и " * 1_800,
    "thousands": "тысяча " * 2_900,
    "labels": "лицевой счет терминал № код операции " * 550,
    "dates": "20 ноября 22.11 " * 1_250,
    "waits": "жду уже 3 часа назад " * 950,
    "login": "логин " + "a." * 9_900,
    "places": "метро Выхина на Тверской 14 " * 700,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_takes_long(text: str) -> None:
    """20 kB of anything: no pattern runs away (50 ms is the aim; CI machines are given more)."""
    said = passages([(Origin.NEW, text)], datetime(2026, 11, 23, 10, 15, tzinfo=ZONE))
    facts_of(said)
    began = time.process_time()
    facts_of(said)
    assert time.process_time() - began < 0.25
