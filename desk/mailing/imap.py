"""One mailbox by IMAP: a connection that blocks, and what is asked of it.

Laws: nothing is judged here and nothing remembered; what comes back is the server's bytes, never a
mail parsed and written anew. No answer is waited for longer than `IO_S`, no literal larger than was
asked for is read, no mail is expunged that we have not moved. imap-tools opens and selects; its
`fetch` parses and its `flag` expunges, so those two commands are our own (RFC 3501, 6.4.8).
"""

import contextlib
import imaplib
import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from io import BufferedReader
from typing import Final, cast

from imap_tools import BaseMailBox
from imap_tools.errors import ImapToolsError, UnexpectedCommandStatusError

from desk.mailing.imap_wire import (
    IO_S,
    Box,
    Fetched,
    MailboxAway,
    MailboxRefuses,
    bodies_of,
    joined,
    quoted,
    said,
    sizes_of,
    where,
)
from desk.mailing.settings import MailSettings

IDLE_MAX_S: Final = 540.0
"""Of one IDLE; servers and NAT tables forget a silent one after ten minutes and more (RFC 2177)."""
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_TRANSIENT: Final = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\]", re.IGNORECASE)
_IDLE_TAG: Final = b"IDLE1"


class Unreadable(Exception):  # noqa: N818 - says what is
    """The server does not give this mail out."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder that was opened."""

    uidvalidity: int
    uid_next: int | None
    mails: int
    writable: bool


@dataclass(slots=True)
class Mailbox:
    """A connection to one folder; used by one thread at a time, closed by any."""

    settings: MailSettings
    can_idle: bool = False
    _box: BaseMailBox | None = None
    _capabilities: frozenset[str] = frozenset()
    _closing: threading.Event = field(default_factory=threading.Event)

    def open(self) -> Folder:
        """Connect, log in and select the folder.

        Raises:
            MailboxAway, MailboxRefuses: see there; the connection is closed.
        """
        try:
            self.connect()
            self.login()
            folder = self.choose()
            self._prepare()
            return folder  # noqa: TRY300 - what fails in between closes the connection too
        except BaseException:
            self.close()
            raise

    def connect(self) -> None:
        """Connect, encrypted as the settings want it."""
        wanted = self.settings
        try:
            self._box = Box(wanted)
        except ssl.SSLCertVerificationError as error:
            raise MailboxRefuses(
                f"the certificate of {where(wanted)} does not prove who it is "
                f"({error.verify_message})"
            ) from error
        except ssl.SSLError as error:
            raise MailboxRefuses(
                f"{where(wanted)} does not speak TLS as expected ({error.reason})"
            ) from error
        except (imaplib.IMAP4.abort, OSError) as error:
            raise MailboxAway(f"{where(wanted)}: {said(error, wanted)}") from error
        except imaplib.IMAP4.error as error:
            raise MailboxRefuses(f"{where(wanted)}: {said(error, wanted)}") from error
        if self._closing.is_set():
            self.close()
            raise MailboxAway("closed")

    def login(self) -> None:
        """Log in and learn what the server can do."""
        wanted, box = self.settings, self.box
        plain = wanted.imap_user.isascii() and wanted.imap_password.isascii()
        log_in = box.login if plain else box.login_utf8
        with self._failures("login"):
            log_in(wanted.imap_user, wanted.imap_password, initial_folder=None)
            told = box.client.capability()[1][-1] or b""
        self._capabilities = frozenset(told.decode("ascii", "replace").upper().split())
        self.can_idle = "IDLE" in self._capabilities

    def choose(self) -> Folder:
        """Select the folder; read-only where it may not be changed."""
        box, name = self.box, self.settings.imap_folder
        with self._failures(f"folder {name}"):
            writable = True
            try:
                box.folder.set(name)
            except imaplib.IMAP4.readonly:
                box.folder.set(name, readonly=True)
                writable = False
        validity, uid_next, mails = (
            self._number(each) for each in ("UIDVALIDITY", "UIDNEXT", "EXISTS")
        )
        box.client.untagged_responses.pop("EXISTS", None)
        if validity is None:
            raise MailboxRefuses(f"{where(self.settings)} gives its mails no lasting uids")
        return Folder(validity, uid_next, mails or 0, writable)

    def until(self) -> str | None:
        """Return the last day of the server's certificate as the certificate writes it."""
        sock = self.box.client.sock
        told = (sock.getpeercert() or {}) if isinstance(sock, ssl.SSLSocket) else {}
        last = told.get("notAfter")
        return last if isinstance(last, str) else None

    def folders(self) -> list[str]:
        """Return the names of all folders."""
        with self._failures("list of folders"):
            return [each.name for each in self.box.folder.list()]

    def uids(self, first: int, since: date | None = None) -> list[int]:
        """Return the uids from `first` on, in order; those that arrived before `since` left out."""
        wanted = f"UID {first}:*"
        if since is not None:
            wanted += f" SINCE {since.day}-{_MONTHS[since.month - 1]}-{since.year}"
        with self._failures("search"):
            self.box.client.untagged_responses.pop("EXISTS", None)
            found = self.box.uids(wanted, charset=None)
        # `n:*` names the last mail also where its uid is less than n.
        return sorted(uid for each in found if (uid := int(each)) >= first)

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Return the size in bytes of each mail that is still there."""
        found = sizes_of(self._fetch(uids, "(UID RFC822.SIZE)"))
        return {uid: found[uid] for uid in uids if uid in found}

    def mails(self, uids: Sequence[int], *, bytes_max: int) -> dict[int, bytes]:
        """Return the first `bytes_max` bytes of each mail that is still there, nothing marked.

        Raises:
            Unreadable: the server refuses; maybe for one of them only.
        """
        return bodies_of(self._fetch(uids, f"(UID BODY.PEEK[]<0.{bytes_max}>)"))

    def mark(self, uids: Sequence[int], flag: str) -> None:
        r"""Set a flag such as `\Seen`."""
        if uids:
            self._change("STORE", joined(uids), "+FLAGS.SILENT", f"({flag})")

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Move mails to another folder; nothing but them is expunged."""
        if not uids:
            return
        target = quoted(folder)
        if "MOVE" in self._capabilities:
            self._change("MOVE", joined(uids), target)
            return
        self._change("COPY", joined(uids), target)
        self._change("STORE", joined(uids), "+FLAGS.SILENT", r"(\Deleted)")
        if "UIDPLUS" in self._capabilities:
            self._change("EXPUNGE", joined(uids))

    def wait(self, most_s: float) -> None:
        """Return when the server tells of new mail, or after `most_s` seconds.

        Raises:
            MailboxAway: the connection is gone, or was closed.
        """
        # What came during a command was told with its end, and is not told again by IDLE.
        if self.box.client.untagged_responses.pop("EXISTS", None):
            return
        if not self.can_idle:
            self._closing.wait(most_s)
        else:
            with self._failures("IDLE"):
                self._idle(min(most_s, IDLE_MAX_S))
        if self._closing.is_set():
            raise MailboxAway("closed")

    def close(self) -> None:
        """End the connection, from any thread; whoever waits for it is woken."""
        self._closing.set()
        box = self._box
        if box is None:
            return
        with contextlib.suppress(OSError):
            box.client.sock.shutdown(socket.SHUT_RDWR)
        for each in (box.client.file, box.client.sock):
            with contextlib.suppress(OSError, ValueError):
                each.close()

    @property
    def box(self) -> BaseMailBox:
        """Return the connection."""
        if self._box is None:
            raise MailboxAway("not connected")
        return self._box

    def _prepare(self) -> None:
        wanted, box = self.settings.imap_processed, self.box
        if wanted:
            with self._failures(f"folder {wanted}"):
                if not box.folder.exists(wanted):
                    box.folder.create(wanted)

    def _number(self, name: str) -> int | None:
        found = self.box.client.untagged_responses.get(name) or [b""]
        last = found[-1]
        return int(last) if isinstance(last, bytes) and last.isdigit() else None

    def _fetch(self, uids: Sequence[int], items: str) -> list[Fetched]:
        with self._failures("fetch"):
            client = self.box.client
            for name in ("RECENT", "EXPUNGE", "FETCH"):  # what came by itself piles up
                client.untagged_responses.pop(name, None)
            status, lines = client.uid("FETCH", joined(uids), items)
            if status != "OK":
                raise Unreadable(said(lines, self.settings))
            return [each for each in lines if each is not None]

    def _change(self, *command: str) -> None:
        with self._failures(command[0]):
            status, lines = self.box.client.uid(*command)
            if status != "OK":
                raise MailboxRefuses(f"{command[0]}: {said(lines, self.settings)}")

    def _idle(self, most_s: float) -> None:
        client = self.box.client
        client.send(_IDLE_TAG + b" IDLE\r\n")
        ends, told = time.monotonic() + most_s, False
        while not told and (left := ends - time.monotonic()) > 0:
            line = self._line(left)
            told = line.endswith(b" EXISTS")
            if line.startswith(_IDLE_TAG):  # refused, or ended by the server
                self.can_idle = b" OK" in line
                return
            if line.upper().startswith(b"* BYE"):
                raise MailboxAway("the server says goodbye")
        client.send(b"DONE\r\n")
        while not self._line(IO_S, must=True).startswith(_IDLE_TAG):
            pass

    def _line(self, most_s: float, *, must: bool = False) -> bytes:
        """Return the server's next line; empty where none comes in time."""
        client = self.box.client
        buffer = cast("BufferedReader", client.file)
        ends, arrived = time.monotonic() + most_s, False
        while True:
            # A line may lie in Python's buffer or in TLS's, where no select sees it.
            client.sock.setblocking(False)
            try:
                waiting = bool(buffer.peek(1))
                ended = arrived and not waiting
            except (ssl.SSLWantReadError, BlockingIOError):
                waiting = ended = False
            finally:
                client.sock.settimeout(IO_S)
            if ended:
                raise MailboxAway("the connection ended")
            if waiting:
                return bytes(client._get_line())  # noqa: SLF001 - imaplib itself has IDLE from Python 3.14 on
            left = ends - time.monotonic()
            if left <= 0:
                if must:
                    raise MailboxAway("no answer")
                return b""
            arrived = bool(select.select([client.sock], [], [], left)[0])

    @contextlib.contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        """Tell what the server did as one of our two words."""
        try:
            yield
        except UnexpectedCommandStatusError as error:
            text = said(error.command_result[1], self.settings)
            kind = MailboxAway if _TRANSIENT.search(text) else MailboxRefuses
            raise kind(f"{what}: {text}") from error
        except (imaplib.IMAP4.abort, OSError, ValueError, ImapToolsError) as error:
            raise MailboxAway(f"{what}: {said(error, self.settings)}") from error
        except imaplib.IMAP4.error as error:
            raise MailboxRefuses(f"{what}: {said(error, self.settings)}") from error
