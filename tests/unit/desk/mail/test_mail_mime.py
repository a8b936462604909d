"""Raw bytes to a letter: structure, files, limits, and everything that is broken."""

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.mail import mime
from desk.mail.headers import addresses
from desk.mail.markup import html_text
from desk.mail.mime import read_letter
from tests.unit.desk.mail.mail_letters import CLAIM, mail, mail_with, new, raw, read


def multipart(*parts: bytes, kind: str = "mixed") -> bytes:
    """Return a mail of these parts."""
    head = f"From: a@b.example\nSubject: s\nContent-Type: multipart/{kind}; boundary=BOUND"
    return raw(head, b"".join(b"--BOUND\r\n" + part + b"\r\n" for part in parts) + b"--BOUND--\r\n")


PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n"


def test_headers_are_read() -> None:
    """Names decoded, addresses small, ids bare, the date aware."""
    letter = read_letter(mail(Cc="Анна <Anna@B.example>, c@d.example", In_Reply_To="<x@y>",
                              References="<a@b>\r\n <x@y>", Reply_To="z@z.example"))  # fmt: skip
    assert (letter.sender.name, letter.sender.address) == (
        "Иван Петров",
        "ivan.petrov@mail.example",
    )
    assert [each.address for each in letter.cc] == ["anna@b.example", "c@d.example"]
    assert [each.address for each in letter.to] == ["konsultant@kassy.example"]
    assert letter.reply_to[0].address == "z@z.example"
    assert (letter.message_id, letter.in_reply_to) == ("1234@mail.example", ("x@y",))
    assert letter.references == ("a@b", "x@y")
    assert letter.sent_at is not None
    assert letter.sent_at.isoformat() == "2026-11-23T10:15:00+03:00"
    assert letter.senders == 1
    assert letter.faults == ()


def test_the_plain_version_is_read_where_it_is_whole() -> None:
    """The HTML says the same with more dress."""
    assert read_letter(mail(CLAIM, f"<p><b>{CLAIM}</b></p>")).text == CLAIM


@pytest.mark.parametrize(
    "stub", ["", " ", "Ваш почтовый клиент не показывает HTML", "????? ???? ?"]
)
def test_a_stub_gives_way_to_the_html(stub: str) -> None:
    """An empty plain version, a notice, or one spoilt to question marks."""
    html = f"<p>{CLAIM}</p><p>{CLAIM}</p>"
    found = read_letter(mail(stub, html)).text if stub else read_letter(mail("", html)).text
    assert CLAIM in found


@pytest.mark.parametrize(
    ("html", "text"),
    [("<p>Внёс <b>1</b>&nbsp;<i>000</i> руб</p>", "Внёс 1 000 руб"),
     ("<span>7</span><span>00</span> р.", "700 р."),
     ("<div>a</div><div>b</div>", "a\nb"),
     ("a<br>b<br><br>c", "a\nb\n\nc"),
     ("<table><tr><td>Сумма</td><td>1\u202f500,00</td></tr><tr><td>Чек</td><td>4471</td></tr></table>",
      "Сумма 1 500,00\nЧек 4471"),
     ("<ul><li>раз</li><li>два</li></ul>", "- раз\n- два"),
     ("<div style='display:none'>preheader</div><p>x</p>", "x"),
     ("<span style='font-size:0px'>z</span>y", "y"),
     ("<style>p{}</style><script>alert(1)</script><!-- c --><title>t</title>x", "x"),
     ("<blockquote>q<blockquote>r</blockquote></blockquote>n", "> q\n>> r\nn"),
     ("8&#8209;916&shy;-123", "8\u2011916-123"),
     ("<p>one\n two\t three</p>", "one two three"),
     ("<pre>a  b\n c</pre>", "a  b\n c"),
     ("x<p>", "x"), ("", ""), ("<", "<"), ("&lt;b&gt;", "<b>")],
)  # fmt: skip
def test_html_as_it_is_seen(html: str, text: str) -> None:
    """Numbers stay whole, blocks are lines, what is hidden is not there."""
    assert mime.clean(html_text(html)).strip() == text


@given(st.text(alphabet="<>/abdiprtv \"'=&;#x0\n-!", max_size=300))
def test_any_markup_is_text(html: str) -> None:
    """No tag soup fails."""
    html_text(html)


@pytest.mark.parametrize(
    "html",
    ["<div>" * 100_000 + "x", "<blockquote>a" * 20_000, "<" * 400_000, "<script " * 50_000,
     "<b" * 200_000, "<p>a</p>" * 100_000, "&" * 300_000, "<table><tr><td>" * 20_000],
    ids=["deep", "quotes", "angles", "scripts", "open", "many", "ampersands", "tables"],
)  # fmt: skip
def test_no_markup_takes_long(html: str) -> None:
    """Depth and number cost what their length costs."""
    began = time.process_time()
    html_text(html)
    assert time.process_time() - began < 4


def test_flowed_text_is_joined() -> None:
    """Soft line ends are no line ends; quotes and the signature's mark stay."""
    body = "Внёс 1 \r\n000 рублей \r\nвчера\r\n> цитата \r\n> дальше\r\n-- \r\nИван".encode()
    content = raw("From: a@b\nContent-Type: text/plain; charset=utf-8; format=flowed", body)
    assert read_letter(content).text == "Внёс 1 000 рублей вчера\n> цитата дальше\n-- \nИван"


def test_files_are_put_aside_with_their_names() -> None:
    """Also a Russian name, and a photo shown inside the text."""
    photo = ("чек от 22.11.jpg", "image/jpeg", b"\xff\xd8\xff1")
    found = read_letter(mail_with((photo, ("b.pdf", "application/pdf", b"%PDF-1"))))
    assert [(each.name, each.media_type, each.content) for each in found.files] == [
        ("чек от 22.11.jpg", "image/jpeg", b"\xff\xd8\xff1"),
        ("b.pdf", "application/pdf", b"%PDF-1"),
    ]
    assert found.text == CLAIM


def test_texts_around_a_photo_are_one_text() -> None:
    """Apple Mail cuts the text where the photo stands."""
    photo = b"Content-Type: image/png\r\nContent-ID: <1>\r\n\r\nPNG"
    letter = read_letter(multipart(PLAIN + "до".encode(), photo, PLAIN + "после".encode()))
    assert letter.text == "до\n\nпосле"
    assert [each.inline for each in letter.files] == [True]


def test_a_text_that_is_a_file_is_no_text_of_the_letter() -> None:
    """An attached .txt is somebody else's."""
    part = (
        b'Content-Type: text/plain\r\nContent-Disposition: attachment; filename="a.txt"\r\n\r\nhi'
    )
    letter = read_letter(multipart(PLAIN + b"body", part))
    assert letter.text == "body"
    assert [each.name for each in letter.files] == ["a.txt"]


def test_html_that_calls_itself_plain() -> None:
    """Some shops' programs send it."""
    letter = read_letter(
        raw("From: a@b\nContent-Type: text/plain", b"<html><body>a<br>b</body></html>")
    )
    assert letter.text == "a\nb"


def test_too_many_files_are_named() -> None:
    """The first ones are kept."""
    part = b'Content-Type: image/png; name="a.png"\r\n\r\nx'
    letter = read_letter(multipart(*[part] * (mime.FILES_MAX + 3)))
    assert len(letter.files) == mime.FILES_MAX
    assert letter.faults == ("too_many_files",)


def test_too_deep_and_too_many_parts_are_named() -> None:
    """What lies above the limit is read."""
    inner = PLAIN + b"deep"
    for level in range(mime.DEPTH_MAX + 3):
        line = f"\r\n--L{level}\r\n".encode()
        head = f"Content-Type: multipart/mixed; boundary=L{level}\r\n".encode()
        inner = head + line + PLAIN + f"t{level}".encode() + line + inner
    letter = read_letter(b"From: a@b\r\n" + inner)
    assert "too_deep" in letter.faults
    assert "t14" in letter.text
    many = read_letter(multipart(*[PLAIN + b"x"] * (mime.PARTS_MAX + 5)))
    assert many.faults == ("too_many_parts",)


@pytest.mark.parametrize("levels", [50, 99, 2_000])
def test_endless_nesting_ends(levels: int) -> None:
    """A thousand boxes in one another do not overflow the reader."""
    body = b"".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n".encode()
        for n in range(levels)
    )
    assert read_letter(b"From: a@b\r\n" + body + b"\r\nx").faults
    mails = b"Content-Type: message/rfc822\r\n\r\n" * levels
    assert read_letter(b"From: a@b\r\n" + mails + b"x").faults


def test_a_long_text_is_cut_and_says_so() -> None:
    """Staff see that there was more."""
    letter = read_letter(mail("слово " * 60_000))
    assert len(letter.text) == mime.TEXT_CHARS_MAX
    assert letter.faults == ("text_cut",)


@pytest.mark.parametrize(
    ("value", "found"),
    [('"Петров, И" <I@b.example>', ["i@b.example"]),
     ("a@b.example, c@d.com", ["a@b.example", "c@d.com"]),
     ('"a@good.example" <evil@bad.example>', ["evil@bad.example"]),
     ("<a@b.example", ["a@b.example"]), ("no address", []), ("", []), ("@", []),
     ("=?utf-8?B?0JjQstCw0L0gPGlAYi5leGFtcGxlPg==?=", ["i@b.example"])],
)  # fmt: skip
def test_addresses_in_any_form(value: str, found: list[str]) -> None:
    """What is no address is none."""
    assert [each.address for each in addresses([value])] == found


SAMPLES = st.sampled_from(
    [mail(), mail(CLAIM, f"<p>{CLAIM}</p>"), mail_with((("a.png", "image/png", b"x"),)),
     mail(charset="koi8-r"), multipart(PLAIN + b"x", HTML + b"<p>y", kind="alternative"),
     b"From: a@b\r\nContent-Type: message/rfc822\r\n\r\n" + mail()]
)  # fmt: skip


@given(st.binary(max_size=2_000))
def test_any_bytes_are_a_letter(content: bytes) -> None:
    """Nothing raises."""
    read(content)


@given(SAMPLES, st.data())
def test_a_damaged_mail_is_a_letter(content: bytes, data: st.DataObject) -> None:
    """Cut, with bytes changed, with pieces put in elsewhere."""
    spoilt = bytearray(content)
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, max(0, len(spoilt) - 1)))
        bit = data.draw(st.sampled_from(
            [b"", b"\x00", b"\r\n\r\n", b"\xff", b"Content-Type: ", b"; charset=", b"--BOUND",
             b"=?utf-8?B?", b"base64", b"<", b"\r\nFrom: ", b"message/rfc822", b"\r\nDate: ",
             b"utf-16", b'"']))  # fmt: skip
        spoilt[at : at + data.draw(st.integers(0, 40))] = bit
    found = read(bytes(spoilt))
    for passage in found.passages:
        assert found.text[passage.start : passage.start + len(passage.text)] == passage.text
        assert passage.written_at.tzinfo is not None
        passage.text.encode()


@given(st.lists(st.tuples(st.sampled_from(
    ["From", "To", "Subject", "Date", "Content-Type", "Content-Transfer-Encoding", "References",
     "Content-Disposition", "List-Id", "Auto-Submitted", "Authentication-Results"]),
    st.text(max_size=60)), max_size=8))  # fmt: skip
def test_any_header_values_are_a_letter(values: list[tuple[str, str]]) -> None:
    """Whatever stands in the headers that we look at."""
    head = "".join(f"{name}: {value}\r\n" for name, value in values)
    read(head.encode("utf-8", "replace") + b"\r\n" + base64.b64encode(b"abc"))


def test_a_usual_letter_is_read_fast() -> None:
    """A few milliseconds of the 200 that a report may take."""
    content = mail(CLAIM * 5, f"<p>{CLAIM * 5}</p>")
    read(content)
    began = time.process_time()
    for _ in range(20):
        assert new(read(content))
    assert (time.process_time() - began) / 20 < 0.03
