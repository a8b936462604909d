"""Text and fiscal QR codes of a PDF: its first pages."""

from typing import Final

import pypdfium2

from desk.mail.pictures import Left, NotReadable, image_codes

PAGES_MAX: Final = 5
TEXT_CHARS_MAX: Final = 20_000
_PIXELS_MAX: Final = 6_000_000
"""Of a rendered page."""
_SCALE: Final = 200 / 72
"""200 dots per inch: a receipt's code has four or more for each module."""


def pdf_contents(content: bytes, left: Left) -> tuple[list[str], str]:
    """Return the codes and the text of the first pages."""
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        secret = "password" in str(error).lower()
        raise NotReadable("encrypted" if secret else "not_readable") from None
    codes: dict[str, None] = {}
    texts = []
    try:
        for number in range(min(len(document), PAGES_MAX)):
            page = document[number]
            texts.append(page.get_textpage().get_text_range())
            codes |= dict.fromkeys(_page_codes(page, left))
            if left() <= 0:
                break
    except pypdfium2.PdfiumError:
        if not texts:
            raise NotReadable("not_readable") from None
    return list(codes), "\n".join(texts)[:TEXT_CHARS_MAX]


def _page_codes(page: pypdfium2.PdfPage, left: Left) -> list[str]:
    width, height = page.get_size()
    if width < 1 or height < 1:
        return []
    scale = min(_SCALE, (_PIXELS_MAX / (width * height)) ** 0.5)
    return image_codes(page.render(scale=scale, grayscale=True).to_pil(), left)
