"""Puts what somebody wrote into a raw mail, as their mail program does."""

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from random import Random
from typing import Final

import zxingcpp
from PIL import Image

OURS: Final = "konsultant@kvitok.example"
PEOPLE: Final = (
    ("Ирина Павлова", "irina.pavlova"), ("Сергей", "serg_74"), ("Петров Николай", "nik-petrov"),
    ("Ольга К.", "olga.k.88"), ("alex", "alexx2001"), ("Марина Викторовна", "marina-v"),
    ("Дмитрий Соколов", "d.sokolov"), ("Гульнара", "gulnara.s"), ("", "wasilij1958"),
    ("Татьяна", "tanya_t"), ("Артём", "artem.zh"), ("Кузнецова Е.А.", "kuznecova-ea"),
)  # fmt: skip
_HOSTS: Final = ("yandex.example", "mail.example", "gmail.example", "rambler.example")


@dataclass(slots=True, kw_only=True)
class Letter:
    """A mail before it is bytes."""

    subject: str
    body: str
    sent_at: datetime
    charset: str = "utf-8"
    declared: str | None = None
    html: bool = False
    sender: tuple[str, str] | None = None
    headers: Sequence[tuple[str, str]] = ()
    picture: bytes | None = None
    message_id: str = ""
    extra: dict[str, str] = field(default_factory=dict)


def raw(letter: Letter, chance: Random) -> bytes:
    """Return the mail's bytes."""
    name, address = letter.sender or _person(chance)
    charset = letter.charset
    body = letter.body
    try:
        content = body.encode(charset)
    except UnicodeEncodeError:
        charset, content = "utf-8", body.encode()
    kind = "text/plain"
    if letter.html:
        kind, content = "text/html", _page(body, charset)
    sender = f"{Header(name, charset).encode()} <{address}>" if name else address
    host = address.rpartition("@")[2]
    head = [
        ("Received", f"from mx.{host} by mx.kvitok.example; {format_datetime(letter.sent_at)}"),
        ("From", sender), ("To", OURS),
        ("Subject", Header(letter.subject, charset).encode() if letter.subject else ""),
        ("Date", format_datetime(letter.sent_at)),
        ("Message-ID", f"<{chance.randrange(16**12):012x}@{address.rpartition('@')[2]}>"),
        ("MIME-Version", "1.0"), *letter.headers,
    ]  # fmt: skip
    part = [
        f'Content-Type: {kind}; charset="{letter.declared or charset}"',
        "Content-Transfer-Encoding: base64", "", base64.encodebytes(content).decode(),
    ]  # fmt: skip
    lines = [f"{key}: {value}" for key, value in head]
    if letter.picture is None:
        return "\r\n".join([*lines, *part]).replace("\n", "\r\n").replace("\r\r", "\r").encode()
    mark = f"--=_{chance.randrange(16**10):010x}"
    lines.append(f'Content-Type: multipart/mixed; boundary="{mark}"')
    file = [
        'Content-Type: image/jpeg; name="IMG_2041.jpg"', "Content-Transfer-Encoding: base64",
        'Content-Disposition: attachment; filename="IMG_2041.jpg"', "",
        base64.encodebytes(letter.picture).decode(),
    ]  # fmt: skip
    all_lines = [*lines, "", f"--{mark}", *part, f"--{mark}", *file, f"--{mark}--", ""]
    return "\n".join(all_lines).replace("\r", "").replace("\n", "\r\n").encode()


def _person(chance: Random) -> tuple[str, str]:
    name, box = chance.choice(PEOPLE)
    return name, f"{box}{chance.randrange(100)}@{chance.choice(_HOSTS)}"


def _page(body: str, charset: str) -> bytes:
    lines = "".join(f"<div>{html.escape(line) or '<br>'}</div>\n" for line in body.split("\n"))
    style = "<style>p {margin:0}</style>"
    head = f'<head><meta charset="{charset}">{style}</head>'
    page = f"<html>{head}<body>{lines}</body></html>"
    return page.encode(charset, "xmlcharrefreplace")


def picture(code: str, chance: Random) -> bytes:
    """Return a photo of a receipt's QR code: turned a little, not quite white, JPEG."""
    barcode = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.QRCode)
    drawn = Image.fromarray(zxingcpp.write_barcode_to_image(barcode, scale=6))
    photo = Image.new("L", (900, 1200), 190)
    photo.paste(drawn.convert("L"), (chance.randint(100, 350), chance.randint(300, 650)))
    photo = photo.rotate(chance.uniform(-8, 8), fillcolor=150)
    out = io.BytesIO()
    photo.save(out, "JPEG", quality=70)
    return out.getvalue()


def wrapped(text: str, width: int = 72) -> str:
    """Return the text with hard line ends, as old programs send it."""
    lines = []
    for line in text.split("\n"):
        rest = line
        while len(rest) > width and " " in rest[:width]:
            cut = rest.rindex(" ", 0, width)
            lines.append(rest[:cut])
            rest = rest[cut + 1 :]
        lines.append(rest)
    return "\n".join(lines)
