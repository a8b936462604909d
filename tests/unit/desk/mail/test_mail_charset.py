"""Bytes to text: honest labels, missing ones, and wrong ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.mail.charset import part_text, repaired
from desk.mail.headers import decoded
from tests.unit.desk.mail.mail_letters import CLAIM, mail, new, raw, read

TEXTS = (
    CLAIM,
    "НЕ ПРИШЛИ ДЕНЬГИ!!! ВЕРНИТЕ",
    "Добрый день",
    "Сдачи нет, комиссия 60 руб",
    "терминал съел купюру",
    "Щёлково, «Магнит» — автомат завис",
    "Оплатил 22.11 в 18:40, чек № 4471",
)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("written", ["utf-8", "cp1251", "koi8-r", "cp866", "iso8859-5"])
@pytest.mark.parametrize("label", [None, "utf-8", "us-ascii", "x-unknown", "iso-8859-1", "honest"])
def test_russian_is_read_under_any_label(text: str, written: str, label: str | None) -> None:
    """A missing, unknown or wrong label costs nothing."""
    if written not in {"utf-8", "cp1251"}:
        text = text.replace("«", '"').replace("»", '"').replace("—", "-").replace("№", "N")
    bytes_ = text.encode(written)
    assert part_text(bytes_, written if label == "honest" else label) == text


@pytest.mark.parametrize(
    ("written", "label"),
    [("cp1251", "koi8-r"), ("koi8-r", "windows-1251"), ("utf-8", "windows-1251"),
     ("utf-8", "koi8-r"), ("cp1251", "utf-8"), ("koi8-r", "us-ascii"), ("cp1251", "cp-1251")],
)  # fmt: skip
def test_two_russian_charsets_are_told_apart(written: str, label: str) -> None:
    """KOI8-R labelled Windows-1251, and the other way round."""
    assert part_text(CLAIM.encode(written), label) == CLAIM


@pytest.mark.parametrize(
    ("text", "written", "label"),
    [("Термінал не видав чек, гроші не зараховано", "cp1251", None),
     ("Терминал ақшаны жұтып қойды", "utf-8", "windows-1251"),
     ("Grüße aus Köln, müßte", "latin-1", "iso-8859-1"),
     ("Zażółć gęślą jaźń", "iso8859-2", "iso-8859-2"),
     ("Terminal yedi 500 rubles", "ascii", "x-unknown"),
     ("日本語のメール", "iso-2022-jp", "iso-2022-jp")],
)  # fmt: skip
def test_other_languages_keep_their_label(text: str, written: str, label: str | None) -> None:
    """What is no Russian is not made Russian."""
    assert part_text(text.encode(written), label) == text


@pytest.mark.parametrize("wrong", ["cp1251", "latin-1", "cp1252"])
def test_text_that_was_read_wrongly_before_is_put_right(wrong: str) -> None:
    """UTF-8 that some gateway took for another charset and encoded again."""
    spoilt = "Привет, деньги не дошли".encode().decode(wrong, "ignore")
    if spoilt.encode(wrong, "ignore") == "Привет, деньги не дошли".encode():
        assert part_text(spoilt.encode()) == "Привет, деньги не дошли"


@given(st.text(alphabet="абвгдежзийклмнопрстуфхцчшщъыьэюяАБВЁё 0123456789.,«»—№-\n"))
def test_good_russian_is_never_repaired(text: str) -> None:
    """No Russian text looks like a spoilt one."""
    assert repaired(text) == text


@given(st.binary(), st.one_of(st.none(), st.text(max_size=30)))
def test_any_bytes_under_any_label_are_text(content: bytes, label: str | None) -> None:
    """Nothing raises, and the text can be stored."""
    part_text(content, label).encode()


@pytest.mark.parametrize("label", ["utf-7", "utf-16-le", "utf-8"])
def test_half_a_surrogate_pair_is_replaced(label: str) -> None:
    """A database would not take it."""
    part_text(
        {"utf-7": b"+2AA-", "utf-16-le": b"\x00\xd8a\x00"}.get(label, b"\xed\xa0\x80"), label
    ).encode()


@pytest.mark.parametrize(
    "value",
    ["=?koi8-r?B?98/QMg==?=", "=?utf-8?Q?=D0=A7=D0?= =?utf-8?Q?=B5=D0=BA?=", "=?x?B?!!!?=",
     "=?utf-8?B?0KfQtdC6?= =?koi8-r?Q?=DE=C5=CB?="],
)  # fmt: skip
def test_encoded_words_never_fail(value: str) -> None:
    """Cut letters, unknown charsets and broken base64 in a subject."""
    assert "=?" not in decoded(value)


def test_a_letter_cut_between_two_encoded_words_is_whole() -> None:
    """Programs cut by bytes, not by letters."""
    assert decoded("=?utf-8?Q?=D0=A7=D0?=\r\n =?utf-8?Q?=B5=D0=BA?=") == "Чек"


def test_a_subject_cannot_add_a_header() -> None:
    """A line end inside an encoded word becomes a space."""
    assert decoded("=?utf-8?Q?a=0D=0ABcc:_x@y.example?=") == "a Bcc: x@y.example"


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "utf-8"])
def test_a_mail_in_a_russian_charset(charset: str) -> None:
    """The three that Russian mail comes in."""
    assert new(read(mail(charset=charset))) == CLAIM


@pytest.mark.parametrize(
    ("written", "label"),
    [("cp1251", "utf-8"), ("koi8-r", "us-ascii"), ("cp1251", "x-unknown"), ("utf-8", "koi8-r")],
)
def test_a_mislabelled_mail(written: str, label: str) -> None:
    """Its text is read all the same."""
    content = raw(
        f"From: a@b.example\nSubject: x\nContent-Type: text/plain; charset={label}",
        CLAIM.encode(written),
    )
    assert new(read(content)) == CLAIM


@pytest.mark.parametrize("written", ["cp1251", "koi8-r", "utf-8"])
def test_raw_bytes_in_headers(written: str) -> None:
    """Old programs write the subject and the name without encoding them."""
    content = (
        b"From: " + "Иван Петров".encode(written) + b" <Ivan@Mail.example>\r\n"
        b"Subject: " + "Не пришли деньги за телефон".encode(written) + b"\r\n\r\n" + b"x"
    )
    letter = read(content).letter
    assert letter.subject == "Не пришли деньги за телефон"
    assert (letter.sender.name, letter.sender.address) == ("Иван Петров", "ivan@mail.example")
