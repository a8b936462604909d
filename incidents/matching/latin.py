"""Russian words in Latin letters, as tourists and old telephones write them."""

import re
from typing import Final

_PAIRS: Final = {
    "shch": "щ", "sch": "щ", "zh": "ж", "kh": "х", "ch": "ч", "sh": "ш", "ts": "ц", "yu": "ю",
    "ju": "ю", "ya": "я", "ja": "я", "ia": "я", "yo": "е", "jo": "е", "ye": "е", "yy": "ый",
    "iy": "ий", "ij": "ий", "yj": "ый",
    "a": "а", "b": "б", "c": "ц", "d": "д", "e": "е", "f": "ф", "g": "г", "h": "х", "i": "и",
    "j": "й", "k": "к", "l": "л", "m": "м", "n": "н", "o": "о", "p": "п", "q": "к", "r": "р",
    "s": "с", "t": "т", "u": "у", "v": "в", "w": "в", "x": "кс", "y": "ы", "z": "з",
}  # fmt: skip
_LETTERS: Final = re.compile("|".join(sorted(_PAIRS, key=len, reverse=True)))
_SHORT_I: Final = re.compile(r"(?<=[аеиоуыэюя])ы")


def cyrillic(word: str) -> str:
    """Return an even word of Latin letters in Cyrillic ones; another word, as it is."""
    if not (word.isascii() and word.isalpha()):
        return word
    if re.search(r"[^aeiouy]y$", word):
        word = word[:-1] + "iy"
    return _SHORT_I.sub("й", _LETTERS.sub(lambda found: _PAIRS[found[0]], word))
