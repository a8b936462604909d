"""Below `imap`: how a connection is made, how fetched mails are told apart, what errors say."""

import contextlib
import imaplib
import re
import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Any, Final

from imap_tools import BaseMailBox
from imap_tools.utils import encode_folder

from desk.mailing.settings import MailSettings

IO_S: Final = 30.0
"""How long one answer may let wait for its next bytes."""
LITERAL_BYTES_MAX: Final = 67_108_864
"""Of what a server may send in one piece, whatever was asked for."""
_SAID_CHARS_MAX: Final = 300
_UID: Final = re.compile(rb"\bUID (\d+)")
_SIZE: Final = re.compile(rb"\bRFC822\.SIZE (\d+)")
_SHORT_BODY: Final = re.compile(rb'\bBODY\[\](?:<0>)? (NIL|"(?:[^"\\]|\\.)*")')
_ESCAPED: Final = re.compile(rb"\\(.)")

Fetched = bytes | tuple[bytes, bytes]
"""A line of an answer to FETCH, or what stands before a literal, and the literal."""


class MailboxAway(Exception):  # noqa: N818 - says what is
    """The server cannot be reached, or stopped answering; it may come back. No secret in it."""


class MailboxRefuses(Exception):  # noqa: N818 - the same
    """The server does not let us do what we need until somebody changes something."""


class _Bounded(imaplib.IMAP4):
    """Reads no literal that nobody asked for."""

    def read(self, size: int) -> bytes:
        if size > LITERAL_BYTES_MAX:
            raise self.abort(f"a literal of {size} bytes")
        return super().read(size)


class _BoundedTls(_Bounded, imaplib.IMAP4_SSL):
    """The same inside TLS."""


class Box(BaseMailBox):
    """imap-tools' mailbox over a connection that is closed whatever fails on the way to it."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        wanted = self._settings
        if wanted.imap_security == "tls":
            context = tls_context(wanted)
            return _BoundedTls(
                wanted.imap_host, wanted.imap_port, ssl_context=context, timeout=IO_S
            )
        client = _Bounded(wanted.imap_host, wanted.imap_port, timeout=IO_S)
        if wanted.imap_security == "starttls":
            try:
                client.starttls(tls_context(wanted))
            except BaseException:
                # A handshake that failed has taken the socket with it.
                with contextlib.suppress(OSError):
                    client.shutdown()
                raise
        return client


def tls_context(settings: MailSettings) -> ssl.SSLContext:
    """Return what checks a server's certificate and name.

    Raises:
        MailboxRefuses: `ca_file` cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise MailboxRefuses(f"[mail] ca_file {settings.ca_file}: {error.strerror}") from error


def where(settings: MailSettings) -> str:
    """Return the server as people write it."""
    return f"{settings.imap_host}:{settings.imap_port}"


def joined(uids: Iterable[int]) -> str:
    """Return uids as a command takes them."""
    return ",".join(map(str, uids))


def quoted(folder: str) -> str:
    """Return a folder's name as a command takes it (RFC 3501, 5.1.3)."""
    return encode_folder(folder).decode("ascii")


def sizes_of(lines: Sequence[Fetched]) -> dict[int, int]:
    """Return uid → size in bytes."""
    found = {}
    for line in lines:
        text = line if isinstance(line, bytes) else line[0]
        uid, size = _UID.search(text), _SIZE.search(text)
        if uid and size:
            found[int(uid[1])] = int(size[1])
    return found


def bodies_of(lines: Sequence[Fetched]) -> dict[int, bytes]:
    """Return uid → the bytes fetched; a server may name the uid before or after them."""
    found = {}
    for at, line in enumerate(lines):
        if isinstance(line, bytes):
            uid, short = _UID.search(line), _SHORT_BODY.search(line)
            if uid and short:
                found[int(uid[1])] = b"" if short[1] == b"NIL" else _unquoted(short[1])
            continue
        after = lines[at + 1] if at + 1 < len(lines) else b""
        uid = _UID.search(line[0]) or _UID.search(after if isinstance(after, bytes) else after[0])
        if uid and b"BODY[]" in line[0]:
            found[int(uid[1])] = line[1]
    return found


def said(error: Any, settings: MailSettings) -> str:  # noqa: ANN401 - lines or an exception
    """Return in one line what the server or the system says; never the password."""
    if isinstance(error, socket.gaierror):
        text = f"there is no host of that name ({error.strerror})"
    elif isinstance(error, ConnectionRefusedError):
        text = "nothing listens there"
    elif isinstance(error, TimeoutError):
        text = f"no answer within {IO_S:.0f} s"
    elif isinstance(error, list | tuple):
        parts = [each for each in error if isinstance(each, bytes)]
        text = b" ".join(parts).decode("utf-8", "replace")
    else:
        text = str(error)
    for secret in filter(None, (settings.imap_password,)):
        text = text.replace(secret, "***")
    return " ".join(text.split())[:_SAID_CHARS_MAX]


def _unquoted(text: bytes) -> bytes:
    return _ESCAPED.sub(rb"\1", text[1:-1])
