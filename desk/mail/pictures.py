"""Fiscal QR codes in a picture: read as it is, then enlarged, sharpened, smoothed and turned."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Final

import zxingcpp
from PIL import Image, ImageFile, ImageFilter, ImageOps

PIXELS_MAX: Final = 40_000_000
JPEG_PIXELS_MAX: Final = 250_000_000
"""A JPEG is decoded at an eighth of its size if need be, so that it may be larger."""
_KEPT_PIXELS: Final = 13_000_000
"""What a picture is reduced to: the size that phones send."""
_QUICK_SIDE: Final = 1_600
_LARGE_SIDE: Final = 3_000
_SIDE_MIN: Final = 21
"""Modules of the smallest QR code."""
_LONG: Final = 60
"""No picture of a receipt is so many times longer than wide."""
_CODES_MAX: Final = 8
_CODE_CHARS_MAX: Final = 600

_PLUGINS: Final = (
    (re.compile(rb"\xff\xd8\xff"), "PIL.JpegImagePlugin", "JPEG"),
    (re.compile(rb"\x89PNG\r\n"), "PIL.PngImagePlugin", "PNG"),
    (re.compile(rb"GIF8"), "PIL.GifImagePlugin", "GIF"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "PIL.WebPImagePlugin", "WEBP"),
    (re.compile(rb"BM"), "PIL.BmpImagePlugin", "BMP"),
    (re.compile(rb"II\*\x00|MM\x00\*"), "PIL.TiffImagePlugin", "TIFF"),
    (re.compile(rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL), "pi_heif", "HEIF"),
)
"""How a file begins, the decoder to load for it, and Pillow's name of the format."""

_QR: Final = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)

_FISCAL: Final = re.compile(
    r"(?=.*\bt=\d{8}T\d{4})(?=.*\bs=\d)(?=.*\b(?:fn|f|i)=\d).{20,}", re.DOTALL | re.IGNORECASE
)
"""`t=20261122T0016&s=1500.00&fn=…&i=…&fp=…&n=1`, also inside an address."""

Left = Callable[[], float]
"""Tells how many seconds of work are left."""


class NotReadable(Exception):  # noqa: N818 - it names what the file is
    """The file cannot be read; its text is the reason."""


def is_picture(content: bytes) -> bool:
    """Return whether the bytes begin like a picture that can be decoded."""
    return any(begin.match(content) for begin, _, _ in _PLUGINS)


def picture_codes(content: bytes, left: Left) -> list[str]:
    """Return the fiscal codes in a picture file."""
    return image_codes(_opened(content), left)


def image_codes(image: Image.Image, left: Left) -> list[str]:
    """Return the fiscal codes in a picture, trying until there is one or no time is left."""
    if min(image.size) < _SIDE_MIN or max(image.size) > _LONG * min(image.size):
        return []
    for attempt in _attempts(_grey(image)):
        found = _codes(attempt)
        if found or left() <= 0:
            return found
    return []


def _opened(content: bytes) -> Image.Image:
    """Return the decoded picture, refusing what would not fit into memory."""
    _, module, name = next(each for each in _PLUGINS if each[0].match(content))
    plugin = import_module(module)
    if name == "HEIF":
        plugin.register_heif_opener()
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # half a receipt may hold the whole code
    Image.MAX_IMAGE_PIXELS = None  # counted here, before anything is decoded
    with _failing_readably():
        image = Image.open(io.BytesIO(content), formats=[name])
    pixels = image.width * image.height
    if pixels > (JPEG_PIXELS_MAX if name == "JPEG" else PIXELS_MAX):
        raise NotReadable("too_many_pixels")
    with _failing_readably():
        if name == "JPEG" and pixels > _KEPT_PIXELS:
            part = (_KEPT_PIXELS / pixels) ** 0.5
            image.draft("L", (int(image.width * part), int(image.height * part)))
        image.load()
    return image


@contextmanager
def _failing_readably() -> Iterator[None]:
    """Make one kind of failure of the many that decoders of foreign formats have."""
    try:
        yield
    except MemoryError:
        raise NotReadable("too_much_memory") from None
    except Exception as error:
        raise NotReadable("not_readable") from error


def _grey(image: Image.Image) -> Image.Image:
    """Return the picture in shades of grey, on white where it is transparent."""
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        layers = image.convert("RGBA")
        image = Image.new("RGBA", layers.size, "white")
        image.alpha_composite(layers)
    grey = image.convert("L")
    if grey.width * grey.height > _KEPT_PIXELS:
        part = (_KEPT_PIXELS / (grey.width * grey.height)) ** 0.5
        grey = grey.resize((int(grey.width * part), int(grey.height * part)), Image.Resampling.BOX)
    return grey


def _codes(image: Image.Image) -> list[str]:
    found = zxingcpp.read_barcodes(image, formats=_QR)
    texts = dict.fromkeys(code.text for code in found)
    return [each for each in texts if len(each) <= _CODE_CHARS_MAX and _FISCAL.match(each)][
        :_CODES_MAX
    ]


def _attempts(grey: Image.Image) -> Iterator[Image.Image]:
    """Yield the picture in the forms that a code may be readable in, the likeliest first."""
    quick = _at_most(grey, _QUICK_SIDE)
    yield quick
    if grey.size != quick.size:
        yield grey
    yield ImageOps.autocontrast(quick, cutoff=2)
    yield _sharp(quick, radius=2)
    double = _scaled(quick, 2)
    yield _sharp(double, radius=3)
    yield quick.filter(ImageFilter.MedianFilter(3))
    yield _sharp(_scaled(quick, 3), radius=6)
    yield ImageOps.autocontrast(double.filter(ImageFilter.GaussianBlur(2)), cutoff=5)
    for angle in (45, 20):
        yield quick.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    yield _sharp(quick, radius=5)
    if grey.size != quick.size:
        yield _sharp(grey, radius=3)


def _at_most(image: Image.Image, side: int) -> Image.Image:
    part = side / max(image.size)
    if part >= 1:
        return image
    size = (max(1, int(image.width * part)), max(1, int(image.height * part)))
    return image.resize(size, Image.Resampling.BOX)


def _scaled(image: Image.Image, times: int) -> Image.Image:
    part = min(times, _LARGE_SIDE / max(image.size))
    if part <= 1:
        return image
    return image.resize(
        (int(image.width * part), int(image.height * part)), Image.Resampling.BICUBIC
    )


def _sharp(image: Image.Image, *, radius: int) -> Image.Image:
    return ImageOps.autocontrast(
        image.filter(ImageFilter.UnsharpMask(radius=radius, percent=250, threshold=0)), cutoff=1
    )
