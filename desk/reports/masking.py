"""Facts on their way into the tables: no account and no address in clear.

An account or phone becomes its mask and keyed hash, an address its mask; in the texts of all other
facts, whatever lies under such a fact, has its digits, or looks like a phone is hidden.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from incidents.matching.passage import Fact
from wire.accounts import account_hash, account_mask

HIDDEN: Final = "***"
_HIDDEN_KINDS: Final = frozenset({"account", "contact"})
_PHONE: Final = re.compile(r"(?<!\d)(?:\+?[78][\s(.-]*)?9\d{2}(?:[\s().-]*\d){7}(?!\d)")
_LONG: Final = re.compile(r"\d(?:[\s().-]*\d){6,}")
_NUMBERS: Final = frozenset({"receipt", "operation", "amount"})
"""Kinds whose long numbers are what they are; only a phone is hidden in them."""
_PLAIN: Final = frozenset({"fiscal", "terminal", "paid_at"})
"""Kinds whose form alone says that no number in them is a phone."""
_CUSTOMER_KEY_HEX: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFact:
    """A fact as the table has it."""

    kind: str
    value: Any
    text: str
    span: tuple[int, int]
    confidence: float
    origin: str


def stored_facts(facts: Sequence[Fact], key: bytes) -> list[StoredFact]:
    """Return the facts as they may lie in the clear."""
    secret = {digits for fact in facts if (digits := _digits(fact))}
    return [
        StoredFact(
            kind=fact.kind,
            value=_value(fact, key, secret),
            text=_text(fact, secret),
            span=fact.span,
            confidence=fact.confidence,
            origin=str(fact.origin),
        )
        for fact in facts
    ]


def customer_keys(address: str | None, facts: Sequence[Fact], key: bytes) -> frozenset[str]:
    """Return the keys of a report's customer: the address that it came from, else its contacts."""
    reached = [address] if address else [str(f.value) for f in facts if f.kind == "contact"]
    return frozenset(
        hmac.digest(key, f"customer {each.strip().casefold()}".encode(), hashlib.sha256).hex()[
            :_CUSTOMER_KEY_HEX
        ]
        for each in reached
    )


def mask_address(address: str) -> str:
    """Return what of a mail address, a name with one, or a phone may be read in a list."""
    name, at, domain = address.rpartition("@")
    if not at:
        return account_mask(address)
    return f"{name.rpartition('<')[2][:1]}{HIDDEN}@{domain.rstrip('>')}"


def _digits(fact: Fact) -> str:
    """Return the account or contact that must not be seen."""
    if fact.kind == "account" and isinstance(fact.value, dict):
        return str(fact.value["digits"])
    return str(fact.value) if fact.kind == "contact" else ""


def _value(fact: Fact, key: bytes, secret: set[str]) -> Any:  # noqa: ANN401 - JSON
    digits = _digits(fact)
    if not digits:
        return _hidden(fact.value, fact.kind, secret)
    mask = mask_address(digits)
    rest = fact.value if isinstance(fact.value, dict) else {}
    shown = {name: value for name, value in rest.items() if name != "digits"}
    return {"masked": mask, "hash": account_hash(digits, key), **shown}


def _text(fact: Fact, secret: set[str]) -> str:
    if fact.kind in _HIDDEN_KINDS:
        return mask_address(_digits(fact))
    return str(_hidden(fact.text, fact.kind, secret))


def _hidden(value: Any, kind: str, secret: set[str]) -> Any:  # noqa: ANN401 - JSON
    """Return the same JSON with what must not be seen masked in every text."""
    if isinstance(value, dict):
        return {name: _hidden(inner, kind, secret) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(inner, kind, secret) for inner in value]
    if not isinstance(value, str):
        return value
    text = value if kind in _PLAIN else _PHONE.sub(_mask, value)
    if kind not in _PLAIN | _NUMBERS:
        text = _LONG.sub(_mask, text)
    for each in secret:
        if each in text:
            text = text.replace(each, mask_address(each))
        if each and re.sub(r"\D", "", text) == each:
            text = mask_address(each)
    return text


def _mask(found: re.Match[str]) -> str:
    return account_mask(found[0])
