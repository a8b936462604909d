"""API tokens: 256 random bits, kept as SHA-256; and how long a check is believed."""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

TOKEN_BYTES: Final = 32
_PREFIX: Final = "kvt_"
_LENGTH_MAX: Final = 256


def new_token() -> str:
    """Return a token nobody has seen before; the prefix lets a scanner recognise a leaked one."""
    return _PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """Return what is stored of a token; an absurdly long text is cut before it is hashed."""
    return hashlib.sha256(token[:_LENGTH_MAX].encode("utf-8", "replace")).digest()


def same(left: bytes, right: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(left, right)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a token belongs to."""

    id: int
    name: str


@dataclass
class Believed:
    """Tokens that were good a moment ago, so that not every request asks the database.

    A revoked token works on for at most `believe_s`. Only good tokens are kept: a new one works
    at once. Bounded: the oldest is forgotten first.
    """

    believe_s: float = 5.0
    size_max: int = 1024
    _known: OrderedDict[bytes, tuple[Bearer, float]] = field(default_factory=OrderedDict)

    def get(self, digest: bytes, now_s: float) -> Bearer | None:
        """Return the bearer if this token was good less than `believe_s` ago."""
        entry = self._known.get(digest)
        if entry is None:
            return None
        bearer, until_s = entry
        if now_s >= until_s:
            del self._known[digest]
            return None
        return bearer

    def put(self, digest: bytes, bearer: Bearer, now_s: float) -> None:
        """Remember a good token."""
        self._known[digest] = (bearer, now_s + self.believe_s)
        self._known.move_to_end(digest)
        while len(self._known) > self.size_max:
            self._known.popitem(last=False)
