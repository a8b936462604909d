"""What people read, in their language: English msgids, translations from `locales/*.po`.

The `.po` files are read at start; nothing is compiled. `message()` marks a text that stands in
a table for the extractor; `Words.say` translates and fills in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, Literal, get_args

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.plural import PluralRule

Language = Literal["ru", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
FOLDER: Final = Path(__file__).parent / "locales"


def message(text: str) -> str:
    """Mark a text for translation where it cannot be translated yet."""
    return text


def language_of(text: str | None, default: Language) -> Language:
    """Return the language a text names, or the default."""
    return next((known for known in LANGUAGES if known == text), default)


def preferred(accepted: str, default: Language) -> Language:
    """Return the language for an `Accept-Language` header: the first that we have, or a near one.

    Who reads a neighbour's language reads Russian sooner than English; everybody else English.
    """
    asked: list[tuple[float, str]] = []
    for each in accepted[:_HEADER_MAX].split(","):
        name, _, weight = each.partition(";")
        share = _WEIGHT.fullmatch(weight.strip())
        asked.append((-float(share[1]) if share else -1.0, name.strip().lower().partition("-")[0]))
    asked = [(weight, name) for weight, name in asked if name and name != "*" and weight]
    for _, name in sorted(asked, key=lambda each: each[0]):
        known = "ru" if name in _NEAR_RUSSIAN else name
        if known in LANGUAGES:
            return language_of(known, default)
    return "en" if asked else default


_HEADER_MAX: Final = 500
_WEIGHT: Final = re.compile(r"q\s*=\s*([01](?:\.\d{0,3})?)")
_NEAR_RUSSIAN: Final = frozenset({"uk", "be", "kk", "ky", "uz", "tg", "tt", "ba", "hy", "az", "ka"})


@dataclass(frozen=True)
class Words:
    """One language's words; a text without a translation stays English."""

    language: Language
    single: Mapping[str, str] = field(default_factory=dict)
    plural: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def say(self, text: str, **values: object) -> str:
        """Translate and fill in `%(name)s` places."""
        translated = self.single.get(text, text)
        return translated % values if values else translated

    def count(self, one: str, many: str, number: int) -> str:
        """Translate by number and fill in `%(num)d`."""
        forms = self.plural.get(one)
        if forms is None:
            return (one if number == 1 else many) % {"num": number}
        return forms[_form(self.language, number)] % {"num": number}


_RUSSIAN: Final = PluralRule(
    {
        "one": "n mod 10 is 1 and n mod 100 is not 11",
        "few": "n mod 10 in 2..4 and n mod 100 not in 12..14",
    }
)


def _form(language: Language, number: int) -> int:
    if language == "ru":
        return {"one": 0, "few": 1}.get(_RUSSIAN(number), 2)
    return 0 if number == 1 else 1


@cache
def words(language: Language) -> Words:
    """Return the words of a language, read once."""
    path = FOLDER / f"{language}.po"
    if not path.exists():
        return Words(language)
    return from_catalog(language, catalog(path))


def catalog(path: Path) -> Catalog:
    """Read one `.po` file."""
    with path.open("rb") as file:
        return read_po(file)


def from_catalog(language: Language, source: Catalog) -> Words:
    """Turn a catalogue into words; messages without a translation are left out."""
    single: dict[str, str] = {}
    plural: dict[str, tuple[str, ...]] = {}
    for entry in source:
        if not entry.id or not entry.string:
            continue
        if isinstance(entry.id, str):
            single[entry.id] = str(entry.string)
        else:
            plural[entry.id[0]] = tuple(entry.string)
    return Words(language, single, plural)
