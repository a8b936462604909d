"""Raw mails as mail programs write them: headers, texts of both kinds, quotes, forwards."""

from datetime import datetime, timedelta, timezone
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from desk.mail.letter import OwnAddresses
from desk.mail.reading import ReadMail, read_mail
from incidents.matching.passage import Origin

MOSCOW = timezone(timedelta(hours=3))
RECEIVED = datetime(2026, 11, 23, 10, 16, tzinfo=MOSCOW)
SENT = datetime(2026, 11, 23, 10, 15, tzinfo=MOSCOW)
YESTERDAY = datetime(2026, 11, 22, 18, 30, tzinfo=MOSCOW)
OWN = OwnAddresses(
    mailboxes=frozenset({"konsultant@kassy.example"}),
    domains=frozenset({"kassy.example"}),
    hosts=frozenset({"mx.kassy.example"}),
)
CLIENT = "Иван Петров <ivan.petrov@mail.example>"
STAFF = "Ольга Смирнова <o.smirnova@kassy.example>"
CLAIM = (
    "Вчера около 7 вечера внёс 500 руб. на номер 8-916-123-45-67, терминал 104233, чек не вышел."
)


def headers(**given: str) -> dict[str, str]:
    """Return a mail's usual headers, changed and added to by name (`_` for `-`)."""
    usual = {
        "From": CLIENT,
        "To": "konsultant@kassy.example",
        "Subject": "Не пришли деньги",
        "Date": "Mon, 23 Nov 2026 10:15:00 +0300",
        "Message-ID": "<1234@mail.example>",
    }
    return usual | {name.replace("_", "-"): value for name, value in given.items()}


def encoded(value: str) -> str:
    """Return a header's value with its Russian in encoded words."""
    if value.isascii():
        return value
    name, angle, address = value.partition(" <")
    return Header(name, "utf-8", maxlinelen=900).encode() + (f" <{address}" if angle else "")


Files = tuple[tuple[str, str, bytes], ...]
"""Name, media type and content of each."""


def mail(
    text: str = CLAIM, html: str | None = None, *, charset: str = "utf-8", **given: str
) -> bytes:
    """Return a mail with a text and an HTML version."""
    return _whole(_body(text, html, charset), given)


def mail_with(files: Files, text: str = CLAIM, **given: str) -> bytes:
    """Return a mail with files."""
    whole = MIMEMultipart("mixed")
    whole.attach(_body(text, None, "utf-8"))
    for name, kind, content in files:
        part: MIMEImage | MIMEApplication
        if kind.startswith("image/"):
            part = MIMEImage(content, kind.partition("/")[2])
        else:
            part = MIMEApplication(content, kind.partition("/")[2])
        part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", name))
        whole.attach(part)
    return _whole(whole, given)


def _body(text: str, html: str | None, charset: str) -> MIMEText | MIMEMultipart:
    body: MIMEText | MIMEMultipart = MIMEText(text, "plain", charset)
    if html is not None:
        rich = MIMEText(html, "html", charset)
        if text:
            both = MIMEMultipart("alternative")
            both.attach(body)
            both.attach(rich)
            body = both
        else:
            body = rich
    return body


def _whole(body: MIMEText | MIMEMultipart, given: dict[str, str]) -> bytes:
    for name, value in headers(**given).items():
        if value:
            body[name] = encoded(value)
    return body.as_bytes()


def raw(head: str, body: bytes) -> bytes:
    """Return a mail with these very bytes as its body."""
    first = "\r\n".join(line.strip() for line in head.strip().splitlines())
    return first.encode() + b"\r\n\r\n" + body


def read(content: bytes) -> ReadMail:
    """Read a mail as the consultant's mailbox does."""
    return read_mail(content, received_at=RECEIVED, own=OWN)


def of(found: ReadMail, *origins: Origin) -> str:
    """Return the text of the passages of these origins, on single lines."""
    return "\n".join(each.text for each in found.passages if each.origin in origins)


def new(found: ReadMail) -> str:
    """Return what its sender wrote now."""
    return of(found, Origin.NEW)


def forwarded(found: ReadMail) -> str:
    """Return what is passed on."""
    return of(found, Origin.FORWARDED)


def quoted(found: ReadMail) -> str:
    """Return what is only quoted."""
    return of(found, Origin.QUOTED)


def signature(found: ReadMail) -> str:
    """Return the signatures."""
    return of(found, Origin.SIGNATURE)
