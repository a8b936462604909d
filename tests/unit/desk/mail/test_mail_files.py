"""Fiscal codes in pictures and PDFs, each file opened by a program of its own."""

import asyncio
import io
import random
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from desk.mail import attachments
from desk.mail.attachments import FileReading, read_file, read_files
from desk.mail.letter import AttachedFile
from desk.mail.pictures import image_codes
from desk.mail.reading import with_files
from incidents.matching.passage import Origin
from tests.unit.desk.mail.mail_codes import (
    CODE,
    code,
    distorted,
    receipt,
    saved,
    turned,
)  # fmt: skip
from tests.unit.desk.mail.mail_letters import CLAIM, mail_with, read

HEIC = Path(__file__).parent / "samples/receipt.heic"
UNREADABLE = {"curl 25", "curl 45", "moved 9", "curl faded noise"}
"""What no attempt reads so far: a paper bent across the code, a hand that moved by two modules."""
PICTURES = dict(distorted())


def opened(content: bytes, name: str = "photo", kind: str = "image/jpeg") -> FileReading:
    """Return what the program finds in a file."""
    return asyncio.run(read_file(AttachedFile(name=name, media_type=kind, content=content)))


def pdf(*images: Image.Image) -> bytes:
    """Return a scan of these pages."""
    first, *others = (image.convert("RGB") for image in images)
    kept = io.BytesIO()
    first.save(kept, "PDF", save_all=True, append_images=others, resolution=150)
    return kept.getvalue()


@pytest.mark.parametrize("name", PICTURES)
def test_a_distorted_code_is_read(name: str) -> None:
    """Turned, blurred, small, squeezed, noisy, curled, aslant, faded, dark, far away."""
    found = image_codes(PICTURES[name], lambda: 60.0)
    assert found == ([] if name in UNREADABLE else [CODE])


def test_nearly_all_distorted_codes_are_read() -> None:
    """The share that this set of pictures is held to."""
    assert 1 - len(UNREADABLE) / len(PICTURES) >= 0.9


def test_no_further_attempt_begins_without_time() -> None:
    """The first look is always taken."""
    assert image_codes(receipt(), lambda: 0.0) == [CODE]
    assert image_codes(PICTURES["blur 2.5"], lambda: 0.0) == []


@pytest.mark.parametrize(
    "text",
    ["https://example.com/pay?phone=79161234567", "t=2026&s=1", "WIFI:S:cafe;P:12345678;;",
     "79161234567"],
)  # fmt: skip
def test_other_codes_say_nothing(text: str) -> None:
    """An advertisement's code holds no fact about a payment."""
    assert image_codes(code(text), lambda: 60.0) == []


@pytest.mark.parametrize(
    "text",
    [CODE, "fn=9960440301234567&fp=3345567812&i=4471&n=1&s=1500.00&t=20261122T001600",
     "http://consumer.oofd.kz?i=2334&f=010100&s=500.00&t=20261122T001600"],
)  # fmt: skip
def test_fiscal_codes_in_other_orders_and_inside_addresses(text: str) -> None:
    """Some cash registers change the order; Kazakhstan's put it into an address."""
    assert image_codes(code(text), lambda: 60.0) == [text]


def test_two_receipts_on_one_photo() -> None:
    """Both are read."""
    other = CODE.replace("4471", "4472")
    page = Image.new("L", (800, 600), 255)
    page.paste(receipt(), (0, 0))
    page.paste(receipt(other), (400, 0))
    assert set(image_codes(page, lambda: 60.0)) == {CODE, other}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"])
def test_the_program_opens_every_usual_form(form: str) -> None:
    """Whatever the mail calls it."""
    found = opened(saved(turned(receipt(), 8), form), kind="application/octet-stream")
    assert found == FileReading(name="photo", kind="picture", codes=(CODE,))


def test_a_photo_of_an_iphone() -> None:
    """HEIC, as it comes from the camera."""
    assert opened(HEIC.read_bytes(), kind="image/heic").codes == (CODE,)


def test_a_transparent_and_a_palette_picture() -> None:
    """Screenshots: what is transparent is white."""
    clear = Image.new("RGBA", receipt().size, (0, 0, 0, 0))
    clear.paste(receipt().convert("RGBA"), mask=receipt().point(lambda value: 255 * (value < 128)))
    assert opened(saved(clear, "PNG")).codes == (CODE,)
    assert opened(saved(receipt().convert("P"), "PNG")).codes == (CODE,)


def test_a_large_photo_is_reduced() -> None:
    """50 megapixels of a phone: decoded at half their size."""
    photo = Image.new("L", (8_160, 6_120), 100)
    photo.paste(turned(receipt(module=12), 3), (3_000, 2_000))
    assert opened(saved(photo, quality=60)).codes == (CODE,)


def test_a_scan_in_a_pdf() -> None:
    """Also on its second page."""
    blank = Image.new("L", (800, 1100), 255)
    found = opened(pdf(blank, turned(receipt(module=5), 3)), kind="application/pdf")
    assert (found.kind, found.codes, found.reason) == ("pdf", (CODE,), None)


def test_a_pdf_of_many_pages_is_read_up_to_its_bound() -> None:
    """A code behind the fifth page is not looked for."""
    blank = Image.new("L", (200, 200), 255)
    assert opened(pdf(*[blank] * 7, receipt())).codes == ()


def test_a_pdf_of_text() -> None:
    """An electronic receipt."""
    font = b"/Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
    drawn = b"BT /F1 12 Tf 72 700 Td (Terminal 104233 fn=9960440301234567) Tj ET"
    found = opened(pdf_of(font, drawn))
    assert found.text == "Terminal 104233 fn=9960440301234567"
    assert found.kind == "pdf"


def bomb() -> bytes:
    """Return 100 KiB that want 900 megapixels."""
    return saved(Image.new("1", (30_000, 30_000)), "PNG")


def pdf_bomb() -> bytes:
    """Return a PDF of 50 KiB whose picture wants gigabytes."""
    side = 20_000
    packed = zlib.compress(bytes(side * side // 8))
    picture = (
        b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8"
        b"/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (side, side, len(packed), packed)
    )
    return pdf_of(b"/XObject<</I 5 0 R>>", b"q 500 0 0 500 0 0 cm /I Do Q", picture)


def pdf_of(resources: bytes, drawn: bytes, *others: bytes) -> bytes:
    """Return a PDF of one page that is drawn so."""
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<%s>>>>"
        % resources,
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
        *others,
    )
    body = b"".join(b"%d 0 obj%s endobj\n" % (at + 1, each) for at, each in enumerate(objects))
    return b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R>>"


def lying_png(width: int, height: int) -> bytes:
    """Return a PNG that says to be larger than any memory."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        length, check = len(content), zlib.crc32(kind + content)
        return struct.pack(">I", length) + kind + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunks + chunk(b"IEND", b"")


NOISE = random.Random(5).randbytes(4_000)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(bomb(), "too_many_pixels"), (lying_png(60_000, 60_000), "too_many_pixels"),
     (b"\xff\xd8\xff" + NOISE, "not_readable"), (b"\x89PNG\r\n\x1a\n" + NOISE, "not_readable"),
     (b"%PDF-1.7\n" + NOISE, "not_readable"), (b"GIF89a" + NOISE, "not_readable"),
     (HEIC.read_bytes()[:300] + NOISE, "not_readable"), (b"MZ" + NOISE, "unknown_type"),
     (b"%!PS-Adobe-3.0 EPSF\n(a) run", "unknown_type"), (b"", "unknown_type"),
     (b"\xff\xd8\xff" + bytes(26_300_000), "too_large")],
    ids=["bomb", "liar", "jpeg", "png", "pdf", "gif", "heic", "program", "postscript", "empty",
         "large"],
)  # fmt: skip
def test_a_harmful_file_is_one_with_a_reason(content: bytes, reason: str) -> None:
    """Nothing of it reaches the program that asked."""
    found = opened(content)
    assert (found.reason, found.codes, found.text) == (reason, (), "")


@pytest.mark.parametrize(
    "content",
    [pdf_bomb(), pdf_of(b"", b"0 0 m 1 1 l S").replace(b"595 842", b"2000000000 2000000000"),
     saved(Image.new("L", (1_500_000, 25)), "PNG"),
     saved(Image.new("RGBA", (6_000, 6_000), (9, 9, 9, 0)), "PNG")],
    ids=["pdf of gigabytes", "page of kilometres", "narrow", "transparent"],
)  # fmt: skip
def test_what_is_large_only_when_opened_is_survived(content: bytes) -> None:
    """It holds no code, and the reader says so within its bounds."""
    found = opened(content)
    assert (found.codes, found.text) == ((), "")
    assert found.reason in {None, "too_much_memory"}


def test_half_a_photo_is_read_as_far_as_it_goes() -> None:
    """A mail cut on its way: the code stands in what has arrived."""
    page = Image.new("L", (600, 1600), 245)
    page.paste(receipt(), (50, 0))
    page.paste(Image.effect_noise((600, 900), 40), (0, 700))
    content = saved(page, quality=80)
    assert opened(content[: len(content) * 2 // 3]).codes == (CODE,)


def test_a_reader_that_takes_too_long_is_ended() -> None:
    """And leaves no process behind."""
    file = AttachedFile(name="x", media_type="image/jpeg", content=saved(receipt()))
    found = asyncio.run(read_file(file, wall_s=0.001))
    assert (found.reason, found.codes) == ("too_much_time", ())


def test_the_program_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of our settings stands in its environment."""
    monkeypatch.setenv("KVITOK_SECRETS_REPORT_KEY", "00" * 32)
    kept = attachments._environment()  # noqa: SLF001 - what a stranger's file could read
    assert not [name for name in kept if "KVITOK" in name]


def test_a_letter_with_a_photo_gets_its_code_as_a_passage() -> None:
    """At the end of what staff see, at its place."""
    blurred = turned(receipt(module=6).filter(ImageFilter.GaussianBlur(1)), 11)
    files = (
        ("чек.jpg", "image/jpeg", saved(blurred)),
        ("note.txt", "text/plain", "Терминал 104233".encode("cp1251")),
        ("logo.gif", "image/gif", b"GIF89a" + bytes(50)),
    )
    found = read(mail_with(files))
    readings = asyncio.run(read_files(found.letter.files))
    assert [each.reason for each in readings] == [None, None, None]
    whole = with_files(found, [text for each in readings for text in each.texts])
    last = whole.passages[-2:]
    assert [(each.origin, each.text) for each in last] == [
        (Origin.ATTACHMENT, CODE), (Origin.ATTACHMENT, "Терминал 104233"),
    ]  # fmt: skip
    for passage in whole.passages:
        assert whole.text[passage.start : passage.start + len(passage.text)] == passage.text
    assert whole.text.startswith(f"Не пришли деньги\n\n{CLAIM}")


def test_a_letter_of_many_files_is_read_up_to_its_bound() -> None:
    """The others are named."""
    files = [AttachedFile(name=f"{n}", media_type="x/y", content=b"") for n in range(10)]
    readings = asyncio.run(read_files(files))
    assert [each.reason for each in readings] == ["unknown_type"] * 8 + ["too_many_files"] * 2
