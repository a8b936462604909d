"""Pictures of fiscal codes as people send them: turned, blurred, small, curled, dark, squeezed."""

import io
import math
import random
from collections.abc import Callable, Iterator

import zxingcpp
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

CODE = "t=20261122T0016&s=1500.00&fn=9960440301234567&i=4471&fp=3345567812&n=1"

WHITE = 255


def code(text: str = CODE, *, module: int = 4) -> Image.Image:
    """Return the code alone, `module` pixels for each of its modules."""
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    drawn = memoryview(made.to_image(scale=module, add_quiet_zones=True))  # type: ignore[arg-type]  # a buffer, in its stub an object
    height, width = drawn.shape or (0, 0)
    return Image.frombytes("L", (width, height), drawn.tobytes())


def receipt(text: str = CODE, *, module: int = 4) -> Image.Image:
    """Return a paper receipt: lines of text and the code under them."""
    mark = code(text, module=module)
    page = Image.new("L", (mark.width + 120, mark.height + 420), 245)
    draw = ImageDraw.Draw(page)
    for row, line in enumerate(("KASSOVYI CHEK", "TERMINAL 104233", "OPLATA USLUG  1500.00",
                                "PRINYATO      1500.00", "CHEK 4471", "FN 9960440301234567",
                                "22.11.26 00:16", "SPASIBO")):  # fmt: skip
        draw.text((40, 20 + row * 40), line, fill=40, font_size=26)
    page.paste(mark, (60, 370))
    return page


def squeezed(image: Image.Image, quality: int) -> Image.Image:
    """Return the picture after JPEG of this quality."""
    kept = io.BytesIO()
    image.convert("L").save(kept, "JPEG", quality=quality)
    return Image.open(io.BytesIO(kept.getvalue()))


def turned(image: Image.Image, angle: float) -> Image.Image:
    """Return the picture turned, the corners filled with the table's grey."""
    return image.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=128)


def smaller(image: Image.Image, share: float) -> Image.Image:
    """Return the picture scaled down."""
    size = (int(image.width * share), int(image.height * share))
    return image.resize(size, Image.Resampling.BILINEAR)


def noisy(image: Image.Image, sigma: float, seed: int = 7) -> Image.Image:
    """Return the picture with a sensor's noise."""
    rng = random.Random(seed)
    table = [int(rng.gauss(0, sigma)) for _ in range(4099)]
    pixels = image.tobytes()
    spoilt = bytes(
        min(255, max(0, pixel + table[(at * 31 + at // 977) % 4099]))
        for at, pixel in enumerate(pixels)
    )
    return Image.frombytes("L", image.size, spoilt)


def curled(image: Image.Image, depth: float) -> Image.Image:
    """Return the picture of a paper that rolls up: columns squeezed and shifted by a wave."""
    out = Image.new("L", image.size, 128)
    for x in range(image.width):
        shift = int(depth * math.sin(math.pi * x / image.width))
        column = image.crop((x, 0, x + 1, image.height))
        out.paste(column, (x, shift))
    return out


def seen_aslant(image: Image.Image, share: float) -> Image.Image:
    """Return the picture as a camera beside it sees it."""
    wide, high, cut = image.width, image.height, int(image.width * share)
    corners = (-cut, -cut // 2, 0, high, wide, high + cut // 2, wide + cut, -cut)
    return image.transform(
        image.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC, fillcolor=128
    )


def moved(image: Image.Image, length: int) -> Image.Image:
    """Return the picture of a hand that moved to the side."""
    out = image
    for step in range(1, length):
        shifted = Image.new("L", image.size, 200)
        shifted.paste(image, (step, 0))
        out = Image.blend(out, shifted, 1 / (step + 1))
    return out


def faded(image: Image.Image, contrast: float) -> Image.Image:
    """Return the picture of thermal paper that lay in the sun."""
    return ImageEnhance.Contrast(image).enhance(contrast)


def shaded(image: Image.Image) -> Image.Image:
    """Return the picture with a shadow across it."""
    shade = Image.linear_gradient("L").resize(image.size).rotate(90)
    return Image.blend(image, Image.composite(image, Image.new("L", image.size, 30), shade), 0.75)


def on_a_table(image: Image.Image, size: tuple[int, int], angle: float) -> Image.Image:
    """Return a photograph of the paper lying on a table."""
    photo = Image.effect_noise(size, 30).point(lambda value: value * 2 // 3 + 20)
    paper = image.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=90)
    photo.paste(paper, ((size[0] - paper.width) // 2, (size[1] - paper.height) // 3))
    return photo


def hidden(image: Image.Image, share: float) -> Image.Image:
    """Return the picture with a thumb over a corner of the code."""
    out = image.copy()
    side = int(image.width * share)
    ImageDraw.Draw(out).ellipse(
        (image.width - side, image.height - side, image.width, image.height), fill=120
    )
    return out


def distorted() -> Iterator[tuple[str, Image.Image]]:
    """Yield the pictures by name, the same ones every time."""
    paper = receipt()
    fine = receipt(module=6)
    make: list[tuple[str, Callable[[], Image.Image]]] = [
        ("plain", lambda: paper),
        ("code alone", code),
        ("module 2", lambda: receipt(module=2)),
        ("module 10", lambda: receipt(module=10)),
        *((f"turned {a}", lambda a=a: turned(paper, a))
          for a in (5, 12, 30, 45, 90, 135, 180, 270)),
        *((f"blur {r}", lambda r=r: paper.filter(ImageFilter.GaussianBlur(r)))
          for r in (0.8, 1.2, 1.6, 2.0, 2.5)),
        *((f"blur fine {r}", lambda r=r: fine.filter(ImageFilter.GaussianBlur(r))) for r in (2, 3)),
        *((f"smaller {s}", lambda s=s: smaller(paper, s)) for s in (0.7, 0.5, 0.4, 0.3)),
        *((f"jpeg {q}", lambda q=q: squeezed(paper, q)) for q in (40, 20, 10, 8)),
        *((f"noise {n}", lambda n=n: noisy(paper, n)) for n in (15, 25, 35, 50)),
        *((f"curl {d}", lambda d=d: curled(paper, d)) for d in (10, 25, 45)),
        *((f"aslant {s}", lambda s=s: seen_aslant(paper, s)) for s in (0.08, 0.15, 0.25)),
        *((f"moved {m}", lambda m=m: moved(paper, m)) for m in (3, 5, 9)),
        *((f"faded {c}", lambda c=c: faded(paper, c)) for c in (0.35, 0.2, 0.1)),
        ("dark", lambda: ImageEnhance.Brightness(paper).enhance(0.3)),
        ("bright", lambda: ImageEnhance.Brightness(paper).enhance(1.6)),
        ("shadow", lambda: shaded(paper)),
        ("inverted", lambda: ImageOps.invert(paper)),
        ("thumb", lambda: hidden(code(), 0.2)),
        ("mirrored", lambda: ImageOps.mirror(paper)),
        ("phone 12 MP", lambda: on_a_table(receipt(module=8), (4000, 3000), 7)),
        ("phone 12 MP far", lambda: on_a_table(receipt(module=4), (4000, 3000), 20)),
        ("phone 12 MP far blur", lambda: on_a_table(receipt(module=5), (4000, 3000), 4)
            .filter(ImageFilter.GaussianBlur(1.5))),
        ("messenger 1280", lambda: squeezed(
            smaller(on_a_table(receipt(module=8), (4000, 3000), 10), 0.32), 60)),
        ("aslant blur jpeg", lambda: squeezed(
            seen_aslant(fine, 0.12).filter(ImageFilter.GaussianBlur(1.5)), 30)),
        ("curl faded noise", lambda: noisy(faded(curled(fine, 20), 0.4), 8)),
        ("dark blur turned", lambda: turned(
            ImageEnhance.Brightness(fine).enhance(0.4).filter(ImageFilter.GaussianBlur(1.5)), 15)),
    ]  # fmt: skip
    for name, picture in make:
        yield name, picture()


def saved(image: Image.Image, form: str = "JPEG", **options: int) -> bytes:
    """Return the picture as a file."""
    kept = io.BytesIO()
    image.save(kept, form, **options)
    return kept.getvalue()
