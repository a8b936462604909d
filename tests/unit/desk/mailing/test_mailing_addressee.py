import pytest

from desk.mail.letter import OwnAddresses
from desk.mail.mime import read_letter
from desk.mailing.addressee import Addressee, Withheld, of_letter, usable

OWN = OwnAddresses(
    mailboxes=frozenset({"support@kvitok.example"}),
    domains=frozenset({"staff.example"}),
    hosts=frozenset({"mx.kvitok.example"}),
)
FROM = "From: Ivan <ivan@customer.example>"


def who(*headers: str, automatic: bool = True) -> Addressee | Withheld:
    """Return who gets an answer to a letter with these headers."""
    raw = "\n".join([*headers, "Subject: x", "", "деньги не пришли"]).encode()
    return of_letter(read_letter(raw), OWN, automatic=automatic)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((FROM,), Addressee("ivan@customer.example")),
        ((FROM, "Reply-To: other@customer.example"), Addressee("other@customer.example")),
        ((FROM, "Reply-To: a@b.example, c@d.example"), Addressee("ivan@customer.example")),
        ((FROM, "Auto-Submitted: no"), Addressee("ivan@customer.example")),
        ((FROM, "X-Auto-Response-Suppress: None"), Addressee("ivan@customer.example")),
        ((FROM, "X-Auto-Response-Suppress: DR, OOF"), Addressee("ivan@customer.example")),
        ((FROM, "Return-Path: <ivan@customer.example>"), Addressee("ivan@customer.example")),
        ((FROM, "Precedence: first-class"), Addressee("ivan@customer.example")),
        ((FROM, "List-Id: <support.kvitok.example>", "Precedence: list"),
         Addressee("ivan@customer.example")),
        (("From: Иван <ivan@почта.рф>",), Addressee("ivan@xn--80a1acny.xn--p1ai")),
        (("From: formular@site.example", "Reply-To: ivan@customer.example"),
         Addressee("ivan@customer.example")),
        ((), Withheld.NO_ADDRESS),
        (("From: a@customer.example, b@customer.example",), Withheld.NO_ADDRESS),
        (("From: anna@staff.example",), Withheld.OURS),
        (("From: support@kvitok.example",), Withheld.OURS),
        (("From: support+tag@kvitok.example",), Withheld.OURS),
        ((FROM, "Reply-To: support@kvitok.example"), Withheld.OURS),
        ((FROM, "Reply-To: noreply@customer.example"), Withheld.ROBOT),
        (("From: postmaster@customer.example",), Withheld.ROBOT),
        (("From: MAILER-DAEMON@customer.example",), Withheld.ROBOT),
        (("From: no-reply+123@customer.example",), Withheld.ROBOT),
        (("From: users-request@customer.example",), Withheld.ROBOT),
        ((FROM, "Auto-Submitted: auto-replied (vacation)"), Withheld.AUTOMATIC),
        ((FROM, "Auto-Submitted: auto-generated"), Withheld.AUTOMATIC),
        ((FROM, "Precedence: bulk"), Withheld.AUTOMATIC),
        ((FROM, "Precedence: list"), Withheld.AUTOMATIC),
        ((FROM, "Precedence: junk"), Withheld.AUTOMATIC),
        ((FROM, "List-Id: <news.shop.example>"), Withheld.AUTOMATIC),
        ((FROM, "List-Unsubscribe: <mailto:off@shop.example>"), Withheld.AUTOMATIC),
        ((FROM, "Return-Path: <>"), Withheld.AUTOMATIC),
        ((FROM, "X-Autoreply: yes"), Withheld.AUTOMATIC),
        ((FROM, "X-Kvitok: ks.K-2026-000001.1.0"), Withheld.AUTOMATIC),
        ((FROM, "X-Auto-Response-Suppress: All"), Withheld.SUPPRESSED),
        ((FROM, "X-Auto-Response-Suppress: DR, AutoReply"), Withheld.SUPPRESSED),
        ((FROM, "Authentication-Results: mx.kvitok.example; dmarc=fail"), Withheld.FORGED),
        (("From: ivan@localhost",), Withheld.UNUSABLE),
        (("From: иван@customer.example",), Withheld.UNUSABLE),
    ],
)  # fmt: skip
def test_who_is_answered(headers: tuple[str, ...], expected: Addressee | Withheld) -> None:
    """The one address that the letter gives for answers, if a person reads it."""
    assert who(*headers) == expected


def test_a_person_may_write_where_a_program_may_not() -> None:
    """`X-Auto-Response-Suppress` asks for no automatic answers; nothing else is softened."""
    assert who(FROM, "X-Auto-Response-Suppress: All", automatic=False) == Addressee(
        "ivan@customer.example"
    )
    assert who(FROM, "Precedence: bulk", automatic=False) is Withheld.AUTOMATIC
    assert who("From: anna@staff.example", automatic=False) is Withheld.OURS


def test_an_address_inside_a_forward_is_only_text() -> None:
    """A colleague passes on a customer's letter: nobody is answered, for anybody can write that."""
    raw = (
        "From: anna@staff.example\nSubject: Fwd: x\n\n-------- Пересылаемое сообщение --------\n"
        "От: ivan@customer.example\n\nденьги не пришли"
    ).encode()
    assert of_letter(read_letter(raw), OWN, automatic=True) is Withheld.OURS


@pytest.mark.parametrize(
    "address",
    [
        "", "ivan", "ivan@", "@customer.example", "ivan@customer",
        "ivan@customer.example\r\nBcc: x",
        "ivan@customer.example\n", "iv an@customer.example", '"ivan petrov"@customer.example',
        "ivan@[127.0.0.1]", "ivan@127.0.0.1", "ivan@customer..example", "ivan@-customer.example",
        ".ivan@customer.example", "ivan.@customer.example", "ivan@customer.example>",
        "a@b@c.example",
        "ivan@x.local", "ivan@x.invalid", f"{'a' * 65}@customer.example",
        f"ivan@{'a' * 64}.example", f"ivan@{'a.' * 130}example", "ivan@\u202ecustomer.example",
        "ivan@customer.example\0", "ivan@customer\u2028.example", "Ivan <ivan@customer.example>",
    ],
)  # fmt: skip
def test_an_address_that_is_not_written_to(address: str) -> None:
    """What no server takes, and everything that could be a second line or a second address."""
    assert usable(address) is None


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("ivan@customer.example", "ivan@customer.example"),
        ("i.van+tag@Customer.Example", "i.van+tag@customer.example"),
        ("o'brien@customer.example", "o'brien@customer.example"),
        ("ivan@кто.рф", "ivan@xn--j1ail.xn--p1ai"),
    ],
)
def test_an_address_as_it_goes_over_the_wire(address: str, wire: str) -> None:
    """Domains in small letters and in ASCII."""
    assert usable(address) == wire
