"""What the desk keeps secret: reports at rest, and the signature of a browser session.

Both keys are derived from the one `report_key` of the configuration. A sealed text says which
form it has in its first byte, so that the form can change.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_FORM: Final = b"\x01"
_NONCE_BYTES: Final = 12
_KEY_BYTES_MIN: Final = 16


def _derived(key: bytes, purpose: bytes) -> bytes:
    if len(key) < _KEY_BYTES_MIN:
        raise ValueError(f"The desk's report_key needs at least {_KEY_BYTES_MIN} bytes.")
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"kvitok " + purpose).derive(key)


class Seal:
    """Encrypts and decrypts with AES-256-GCM; what was changed by one bit does not open."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(_derived(key, b"report v1"))
        self._fingerprints = _derived(key, b"fingerprint v1")

    def seal(self, content: bytes) -> bytes:
        """Return the content so that only the key's owner reads it."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _FORM + nonce + self._cipher.encrypt(nonce, content, _FORM)

    def open(self, sealed: bytes) -> bytes | None:
        """Return the content; None if it was not sealed with this key, or was changed."""
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _FORM or len(nonce) != _NONCE_BYTES:
            return None
        try:
            return self._cipher.decrypt(nonce, body, _FORM)
        except InvalidTag:
            return None

    def fingerprint(self, text: str) -> bytes:
        """Return by what a text is known again, and told by nobody who lacks the key."""
        return hmac.digest(self._fingerprints, text.encode("utf-8", "surrogateescape"), "sha256")


class Sessions:
    """Signs what a browser keeps after login: whose token it was, and until when it holds."""

    def __init__(self, key: bytes, *, hold_s: int) -> None:
        self._key = _derived(key, b"session v1")
        self.hold_s = hold_s

    def issue(self, bearer_id: int, now_unix_s: int) -> str:
        """Return the cookie's value."""
        body = f"{bearer_id}.{now_unix_s + self.hold_s}"
        return f"{body}.{self._signature(body)}"

    def bearer_id(self, cookie: str, now_unix_s: int) -> int | None:
        """Return whose session this is; None if it is not ours, or over."""
        body, _, signature = cookie.rpartition(".")
        if not cookie.isascii() or not hmac.compare_digest(signature, self._signature(body)):
            return None
        bearer, _, until = body.partition(".")
        return int(bearer) if int(until) > now_unix_s else None

    def _signature(self, body: str) -> str:
        digest = hmac.new(self._key, body.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
