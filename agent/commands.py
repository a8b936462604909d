"""Answers orders from the service (contract, section 5).

An order must carry a valid Ed25519 signature. This version has no key and cannot check one, so it
refuses every order, in words; it never does anything unsigned.
"""

from typing import Final

from wire.codec import PayloadRefused, read
from wire.orders import Reply

_ID_CHARACTERS_MAX: Final = 128
_WHY: Final = "this agent has no key to check the order's signature with; nothing was done"


def reply_to(payload: bytes) -> Reply | None:
    """Return the refusal of an order, or None for what has no id to answer to."""
    message = read(payload)
    if isinstance(message, PayloadRefused):
        return None
    name = message.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= _ID_CHARACTERS_MAX:
        return None
    if not name.isprintable():  # a lone surrogate, which no answer could carry
        return None
    return Reply(id=name, outcome="refused", text=_WHY)
