"""A receipt's text as bytes for the printer."""

from typing import Final

TEXT_CHARACTERS_MAX: Final = 16_000
"""A longer receipt is cut: it would be a metre and a half of paper."""

_REPLACED: Final = str.maketrans(
    {
        "\t": "    ",
        "₽": "р.",
        "«": '"',
        "»": '"',
        "„": '"',
        "“": '"',
        "”": '"',
        "’": "'",
        "–": "-",
        "—": "-",
        "…": "...",
        "\u00a0": " ",
        "\u2009": " ",
        "\u202f": " ",
    }
)


def encode_text(text: str, encoding: str) -> bytes:
    """Return printable bytes: lines end with LF, what the code page lacks becomes `?`.

    Control characters are dropped, so that no text can command the printer.
    """
    lines = text[:TEXT_CHARACTERS_MAX].translate(_REPLACED).splitlines()
    clean = ("".join(each for each in line if each.isprintable()) for line in lines)
    return "".join(f"{line}\n" for line in clean).encode(encoding, "replace")
