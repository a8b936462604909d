import re
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from desk.mail.letter import OwnAddresses
from desk.mail.mime import read_letter
from desk.mail.suspicion import suspicion
from desk.mailing.backoff import FIRST, GIVE_UP, JITTER, MOST, is_over, wait
from desk.mailing.compose import Heading, Term, answer, plain, resolution, safe_id
from desk.mailing.phrases import PHRASES
from desk.mailing.settings import AnswerLanguage
from desk.mailing.terms import term
from incidents.matching.decision import WORTH

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LANGUAGES = get_args(AnswerLanguage)


def heading(**more: object) -> Heading:
    """Return a heading, changed as told."""
    values = {
        "case": "K-2026-000123", "own_id": "ks.K-2026-000123.1.0123456789ab@kvitok.example",
        "to": "ivan@customer.example", "sender": "support@kvitok.example",
        "sender_name": "Служба поддержки", "answered": "a@mail.example", "at": NOW,
    } | more  # fmt: skip
    return Heading(**values)  # type: ignore[arg-type]  # of a test


def read(raw: bytes) -> EmailMessage:
    """Return a mail as a mail program reads it."""
    mail = message_from_bytes(raw, policy=modern)
    assert isinstance(mail, EmailMessage)
    return mail


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_in_every_language(language: AnswerLanguage) -> None:
    """Number, day, what is missing in whole sentences; every place is filled."""
    raw = answer(
        heading(), language=language, term=Term(day=date(2026, 11, 30)), ask=("receipt", "account")
    )
    mail = read(raw)
    text = mail.get_content()
    assert mail["Subject"].startswith("[K-2026-000123] ")
    assert "K-2026-000123" in text
    assert "30" in text
    assert "2026" in text
    assert "%" not in text
    words = PHRASES[language]
    assert text.count("\n- ") == 2
    assert words.ask["receipt"].rstrip(";.") in text
    assert words.ask["terminal"].rstrip(";.") not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_are_whole(language: AnswerLanguage) -> None:
    """Every fact that may be asked for has its words, every month its name, every day its place."""
    words = PHRASES[language]
    assert set(words.ask) == set(WORTH)
    assert len(set(words.months)) == 12
    assert words.day(date(2026, 5, 9)).count("9") == 1
    assert "2026" in words.day(date(2026, 5, 9))
    assert words.by_days % {"days": 5} != words.by_one_day


def test_russian_as_customers_read_it() -> None:
    """The whole text, once."""
    raw = answer(
        heading(), language="ru", term=Term(day=date(2026, 11, 30)), ask=("receipt", "amount")
    )
    assert read(raw).get_content().replace("\r\n", "\n") == (
        "Здравствуйте!\n\n"
        "Мы получили ваше обращение и присвоили ему номер K-2026-000123.\n"
        "Мы ответим вам не позднее 30 ноября 2026 года.\n\n"
        "Чтобы мы быстрее нашли платёж, пожалуйста, ответьте на это письмо и напишите:\n"
        "- номер чека: он напечатан на чеке (или приложите фото чека);\n"
        "- сумму, которую вы внесли наличными.\n"
        "Если чего-то из этого вы не знаете, так и напишите: мы будем искать и без этого.\n\n"
        "Если захотите что-то добавить, просто ответьте на это письмо, не меняя его тему.\n\n"
        "Это письмо составлено программой. Обращение прочитает сотрудник.\n\n"
        "С уважением,\nСлужба поддержки\n"
    )


@pytest.mark.parametrize(
    ("term", "told"),
    [
        (Term(working_days=5), "в течение 5 рабочих дней"),
        (Term(working_days=1), "в течение одного рабочего дня"),
        (Term(), "в ближайшее время"),
    ],
)
def test_terms_without_a_day(term: Term, told: str) -> None:
    """Nothing is promised that nobody knows."""
    assert told in read(answer(heading(), language="ru", term=term, ask=())).get_content()


def test_two_facts_are_asked_for_at_most() -> None:
    """And one that has no words is left out."""
    raw = answer(
        heading(), language="en", term=Term(), ask=("place", "receipt", "account", "terminal")
    )
    assert read(raw).get_content().count("\n- ") == 2


def test_what_a_mail_server_may_do_to_it() -> None:
    """ASCII, CRLF, no line longer than 998, plain text alone, each header once."""
    long = "a" * 60
    raw = answer(
        heading(
            to=f"{'b' * 60}@{long}.{long}.{long}.example",
            answered=f"{'c' * 200}@mail.example",
            references=[f"{'d' * 200}@{n}.example" for n in range(30)],
        ),
        language="kk", term=Term(), ask=tuple(WORTH),
    )  # fmt: skip
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    mail = read(raw)
    assert mail.get_content_type() == "text/plain"
    assert len({name.lower() for name in mail}) == len(mail.keys())
    assert len(mail["References"].split()) == 11
    assert mail["In-Reply-To"] == f"<{'c' * 200}@mail.example>"


def test_it_is_known_as_ours_without_any_settings() -> None:
    """When it comes back it is no customer's letter."""
    for raw in (
        answer(heading(), language="ru", term=Term(), ask=()),
        resolution(heading(), language="ru", texts=["Деньги зачислены."]),
    ):
        letter = read_letter(raw)
        found = suspicion(letter, OwnAddresses(), said=letter.text)
        assert found is not None
        assert found.reason.value == "own_mail"


def test_its_words_do_not_make_a_reply_an_automaton_s() -> None:
    """A customer whose mail program quotes without marks is still a person."""
    for language in LANGUAGES:
        text = read(answer(heading(), language=language, term=Term(), ask=tuple(WORTH)))
        raw = b"From: ivan@customer.example\nSubject: Re: x\n\n" + b"4471\n\n"
        letter = read_letter(raw + text.get_content().encode())
        assert suspicion(letter, OwnAddresses(), said=letter.text) is None


@pytest.mark.parametrize(
    "message_id",
    ["", "x", "a b@c", "a@b>\r\nBcc: x@y", "a@b\n", "<a@b>", "é@b", "a@" + "b" * 300, None],
)
def test_an_id_that_is_none_is_left_out(message_id: str | None) -> None:
    """Nothing of a foreign header gets into ours that was not looked at."""
    assert safe_id(message_id) is None
    raw = answer(heading(answered=message_id), language="ru", term=Term(), ask=())
    assert read(raw)["In-Reply-To"] is None
    assert read(raw)["References"] is None


def test_what_staff_wrote_is_plain_text() -> None:
    """Controls, direction marks and tabs are gone; lines stay lines."""
    assert plain("a\tb\r\nc\rd\x00\x1b[31m\u202ee\n\n\n") == "a b\nc\nd[31me"


def test_a_resolution_without_words_is_whole() -> None:
    """Its number, and that it can be answered."""
    text = read(resolution(heading(), language="ru", texts=["", "\0"])).get_content()
    assert re.search(r"K-2026-000123\.\r?\n\r?\nЕсли вопрос остался", text)


def test_a_resolution_is_bounded() -> None:
    """What was said last counts."""
    texts = [f"{n} " + "слово " * 500 for n in range(20)]
    text = read(resolution(heading(), language="ru", texts=texts)).get_content()
    assert len(text) < 11_000
    assert "19 слово" in text


@pytest.mark.parametrize(
    ("due_at", "zone", "is_guessed", "expected"),
    [
        (NOW + timedelta(days=7), "Europe/Moscow", False, Term(day=date(2026, 11, 30))),
        (datetime(2026, 11, 30, 20, 59, 59, tzinfo=UTC), "Europe/Moscow", False,
         Term(day=date(2026, 11, 30))),
        (datetime(2026, 11, 30, 20, 59, 59, tzinfo=UTC), "Asia/Vladivostok", False,
         Term(day=date(2026, 12, 1))),
        (NOW + timedelta(days=7), "Europe/Moscow", True, Term(working_days=5)),
        (NOW - timedelta(days=7), "Europe/Moscow", True, Term()),
        (NOW, "Europe/Moscow", False, Term()),
    ],
)  # fmt: skip
def test_the_term(due_at: datetime, zone: str, is_guessed: bool, expected: Term) -> None:  # noqa: FBT001 - a parameter of the table
    """By the clock of the terminal; a guess is no promise, and neither is the past."""
    told = term(due_at, now=NOW, zone=ZoneInfo(zone), is_guessed=is_guessed, working_days=5)
    assert told == expected


def test_waits_double_up_to_four_hours() -> None:
    """A minute, two, four, …, with a spread that a mail keeps; three days and it is over."""
    for tries in range(1, 40):
        middle = min(FIRST * 2 ** (tries - 1), MOST)
        waited = wait(tries, mail=7)
        assert middle * (1 - JITTER) <= waited <= middle * (1 + JITTER)
        assert waited == wait(tries, mail=7)
    assert len({wait(3, mail=mail) for mail in range(20)}) > 10
    assert not is_over(timedelta(days=2), tries=40, mail=1)
    assert is_over(GIVE_UP, tries=1, mail=1)
