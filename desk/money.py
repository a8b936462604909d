"""Money as people read it: minor units and a currency, in a language's way."""

from functools import cache

from babel.core import UnknownLocaleError
from babel.numbers import get_currency_precision, get_currency_symbol

_NARROW_SPACE = "\u00a0"


@cache
def _shape(currency: str, language: str) -> tuple[int, str]:
    try:
        return get_currency_precision(currency), get_currency_symbol(currency, language)
    except (UnknownLocaleError, ValueError, KeyError):
        return 2, currency


def money(minor: int, currency: str, language: str) -> str:
    """Return `1 500,00 ₽` or `₽1,500.00`."""
    digits, symbol = _shape(currency, language)
    whole, rest = divmod(abs(minor), 10**digits)
    sign = "−" if minor < 0 else ""
    group, point = (_NARROW_SPACE, ",") if language == "ru" else (",", ".")
    number = f"{whole:,}".replace(",", group)
    if digits:
        number += f"{point}{rest:0{digits}d}"
    if language == "ru":
        return f"{sign}{number}{_NARROW_SPACE}{symbol}"
    spacer = _NARROW_SPACE if symbol.isalpha() else ""
    return f"{sign}{symbol}{spacer}{number}"
