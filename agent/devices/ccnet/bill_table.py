"""The answer to command 41: which note each bill type is (CCNET Rev 2.4.3, section 5.5).

24 entries of 5 bytes: the digit, three letters of a country, the exponent of ten (bit 7 set: the
exponent is negative). An entry of zeros is no note. The table differs between firmwares of one
model, so it is always read, never assumed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

TYPES: Final = 24
ENTRY_BYTES: Final = 5
TABLE_BYTES: Final = TYPES * ENTRY_BYTES
_NEGATIVE: Final = 0x80
_MINOR_DIGITS: Final = 2
_EXPONENT_MAX: Final = 9

CURRENCIES: Final[Mapping[str, str]] = {
    "ARM": "AMD",
    "AZE": "AZN",
    "BLR": "BYN",
    "BYR": "BYN",
    "CHN": "CNY",
    "CZE": "CZK",
    "DEU": "EUR",
    "EUR": "EUR",
    "GBR": "GBP",
    "GEO": "GEL",
    "KAZ": "KZT",
    "KGZ": "KGS",
    "MDA": "MDL",
    "MNG": "MNT",
    "POL": "PLN",
    "RUR": "RUB",
    "RUS": "RUB",
    "TJK": "TJS",
    "TKM": "TMT",
    "TUR": "TRY",
    "UKR": "UAH",
    "USA": "USD",
    "UZB": "UZS",
}
"""Country letters as validators write them → ISO 4217; letters that are a currency stay one."""


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """A denomination: minor units and currency."""

    amount: int
    currency: str


BillTable = Mapping[int, Note]
"""Bill type → note; a type that is missing is no note."""


def read_bill_table(body: bytes) -> BillTable | None:
    """Return the table in an answer's body, or None when it is no bill table."""
    if len(body) != TABLE_BYTES:
        return None
    entries = (body[start : start + ENTRY_BYTES] for start in range(0, TABLE_BYTES, ENTRY_BYTES))
    notes = ((bill_type, _note(entry)) for bill_type, entry in enumerate(entries))
    return {bill_type: note for bill_type, note in notes if note is not None}


def _note(entry: bytes) -> Note | None:
    digit, country, exponent = entry[0], entry[1:4], entry[4]
    size = exponent & ~_NEGATIVE
    letters = country.decode("ascii", "replace").upper()
    if digit == 0 or size > _EXPONENT_MAX or not (letters.isascii() and letters.isalpha()):
        return None
    # Amounts in minor units: two digits more. What is less than a minor unit is no note.
    power = _MINOR_DIGITS - size if exponent & _NEGATIVE else _MINOR_DIGITS + size
    amount = digit * 10**power if power >= 0 else digit // 10**-power
    return Note(amount, CURRENCIES.get(letters, letters)) if amount else None


def type_mask(types: frozenset[int]) -> bytes:
    """Return the three bytes that name bill types in ENABLE: type 0 is the last byte's bit 0."""
    return sum(1 << each for each in types).to_bytes(3, "big")
