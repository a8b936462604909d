"""Whatever a customer writes, and wherever: none of it stands in our answer."""

import json
import re
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.policy import default as modern
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from desk.mail.letter import OwnAddresses
from desk.mailing.addressee import Addressee, usable
from desk.mailing.compose import Heading, Term, answer, plain, resolution, safe_id
from desk.mailing.correspondent import correspondent
from desk.mailing.languages import language_of
from desk.mailing.settings import AnswerLanguage
from desk.reports.content import Received
from incidents.matching.decision import WORTH

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
OWN = OwnAddresses(mailboxes=frozenset({"support@kvitok.example"}))
CASE = "K-2026-000123"
OURS = {"to", "message-id", "in-reply-to", "references"}
"""Headers that carry an address or an id: they are looked at by themselves."""

languages = st.sampled_from(get_args(AnswerLanguage))
numbers = st.integers(min_value=10**4, max_value=10**11).map(str)
lines = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def heading(to: str, answered: str | None, references: tuple[str, ...]) -> Heading:
    """Return a heading of a mail to a customer."""
    return Heading(
        case=CASE, own_id=f"ks.{CASE}.1.0123456789ab@kvitok.example", to=to,
        sender="support@kvitok.example", sender_name="Служба поддержки", answered=answered,
        references=references, at=NOW,
    )  # fmt: skip


@given(
    account=numbers, amount=numbers, receipt=numbers, terminal=numbers, name=st.from_regex(
        r"[А-Я][а-я]{7,12}ович", fullmatch=True
    ), language=languages, ask=st.lists(st.sampled_from(list(WORTH)), max_size=5),
)  # fmt: skip
def test_no_fact_of_a_report_is_in_its_answer(  # noqa: PLR0913, PLR0917 - one a fact
    account: str, amount: str, receipt: str, terminal: str, name: str,
    language: AnswerLanguage, ask: list[str],
) -> None:  # fmt: skip
    """Neither in the text nor in any header, but the address that it goes to and the ids."""
    raw = (
        f"From: {name} <ivan@customer.example>\nSubject: {name} {account}\n"
        "Message-ID: <a@b.example>\n"
        f"Content-Type: text/plain; charset=utf-8\n\n{name}: {amount} руб. на {account}, "
        f"терминал {terminal}, чек {receipt}"
    ).encode()
    who = correspondent(
        raw, Received(channel="mail", at=NOW, reported_at=None), OWN, automatic=True
    )
    assert isinstance(who.to, Addressee)
    mail = message_from_bytes(
        answer(
            heading(who.to.address, who.message_id, who.references),
            language=language, term=Term(day=date(2026, 11, 30)), ask=ask,
        ),
        policy=modern,
    )  # fmt: skip
    told = mail.get_content() + "".join(
        str(value) for key, value in mail.items() if key.lower() not in OURS | {"date", "x-kvitok"}
    )
    told = told.replace(CASE, "")
    for fact in (account, amount, receipt, terminal, name, "customer.example"):
        assert fact not in told


@given(
    address=st.one_of(lines, st.emails(), lines.map(lambda text: f"a{text}@customer.example")),
    message_id=st.one_of(lines, lines.map(lambda text: f"{text}@mail.example")),
    references=st.lists(lines.map(lambda text: f"{text}@mail.example"), max_size=4),
    language=languages,
)
def test_no_header_is_injected(
    address: str, message_id: str, references: list[str], language: AnswerLanguage
) -> None:
    """An address that is used and any ids: the same headers in the same number, ASCII, CRLF."""
    to = usable(address)
    assert to is None or re.fullmatch(r"[\x21-\x7e]+@[a-z0-9.-]+", to)
    raw = answer(
        heading(to or "ivan@customer.example", message_id, tuple(references)),
        language=language, term=Term(), ask=(),
    )  # fmt: skip
    head, _, _ = raw.partition(b"\r\n\r\n")
    names = [
        line.partition(b":")[0].lower() for line in head.split(b"\r\n") if line[:1] not in b" \t"
    ]
    expected = {
        b"to", b"message-id", b"from", b"subject", b"date", b"x-auto-response-suppress",
        b"x-kvitok", b"auto-submitted", b"precedence", b"content-type",
        b"content-transfer-encoding", b"mime-version",
    }  # fmt: skip
    if safe_id(message_id) is not None:
        expected |= {b"in-reply-to", b"references"}
    assert set(names) == expected
    assert len(names) == len(expected)
    assert raw.isascii()
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")


@given(texts=st.lists(st.text(), max_size=3), language=languages)
def test_any_public_text_makes_one_plain_mail(texts: list[str], language: AnswerLanguage) -> None:
    """What staff wrote comes through as it is shown, whatever it was."""
    raw = resolution(heading("ivan@customer.example", None, ()), language=language, texts=texts)
    mail = message_from_bytes(raw, policy=modern)
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content().replace("\r\n", "\n")
    assert all(plain(each) in text for each in texts)


@given(st.binary(max_size=2000))
def test_no_letter_breaks_the_question_who_wrote_it(raw: bytes) -> None:
    """There is an answer for any bytes, and an address only where a letter gives one."""
    received = Received(channel="mail", at=NOW, reported_at=None)
    who = correspondent(raw, received, OWN, automatic=True)
    assert not isinstance(who.to, Addressee) or b"@" in raw


@given(st.one_of(st.binary(max_size=300), st.text().map(lambda text: json.dumps(
    {"channel": "form", "text": "x", "reported_at": "2026-11-23T09:00:00Z", "email": text}
).encode())))  # fmt: skip
def test_no_typed_report_breaks_it_either(raw: bytes) -> None:
    """An address of a form is anything that somebody typed."""
    who = correspondent(
        raw, Received(channel="form", at=NOW, reported_at=None), OWN, automatic=True
    )
    assert not isinstance(who.to, Addressee) or usable(who.to.address) == who.to.address


@given(st.text(max_size=200))
def test_numbers_and_links_have_no_language(text: str) -> None:
    """Whatever the text is written in, they change nothing."""
    assert language_of(f"{text} 4471 https://the.example/and/is") == language_of(text)
