"""Accounts become a mask and a keyed hash before anything is stored or logged.

An account is whatever stands in a field named `account`, at any depth and of any type: what a
customer typed (a phone, a wallet, a contract number). The mask is for people; the hash lets the
desk confirm an account that a customer names, and never reveal one.

Normalised form, so that one account written in two ways has one hash: blanks and `+ - ( ) . /` go,
letters are case-folded; 11 digits that begin with 7 or 8 lose that digit (`8 (916) 123-45-67`,
`+7 916 123 45 67` and `9161234567` are one phone). A number is its decimal text; an object or list
its JSON.
"""

import hmac
import json
from typing import Any, Final

FIELD: Final = "account"
HASH_HEX: Final = 32
SHORT: Final = 8
"""A shorter account is masked whole: its ends would be most of it."""

_PHONE_DIGITS: Final = 10
_HIDDEN: Final = "***"
_DROPPED: Final = str.maketrans("", "", " \t\n\u00a0+-().,/")


def normalised(account: str) -> str:
    """Return the form of an account that is hashed."""
    bare = account.translate(_DROPPED).casefold()
    digits = bare.isascii() and bare.isdigit()
    if digits and len(bare) == _PHONE_DIGITS + 1 and bare[0] in "78":
        return bare[1:]
    return bare


def account_hash(account: str, key: bytes) -> str:
    """Return the keyed hash of an account, the same for every way to write it."""
    text = normalised(account).encode("utf-8", "surrogatepass")
    return hmac.digest(key, text, "sha256").hex()[:HASH_HEX]


def account_mask(account: str) -> str:
    """Return what people may see: a phone's operator code and its last two digits, or two ends."""
    bare = normalised(account)
    if len(bare) == _PHONE_DIGITS and bare.isascii() and bare.isdigit() and bare[0] == "9":
        return f"+7 {bare[:3]} ***-**-{bare[-2:]}"
    if len(bare) < SHORT or not bare.isalnum():
        return _HIDDEN
    return f"{bare[:2]}{_HIDDEN}{bare[-2:]}"


def stored_account(value: Any, key: bytes) -> dict[str, str] | None:  # noqa: ANN401 - JSON
    """Return what is stored in place of an account; of none (null), None."""
    if value is None:
        return None
    if isinstance(value, str):
        return {"masked": account_mask(value), "hash": account_hash(value, key)}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return stored_account(str(value), key)
    return {"masked": _HIDDEN, "hash": account_hash(_text(value), key)}


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    try:
        return json.dumps(value, sort_keys=True)
    except RecursionError:
        return "too deep"
