"""The SMTP door: one connection for all that is due, a mail at a time.

Laws: only what a server says about a mail is held against the mail; that the server cannot be
reached, or does not take our login, is not (`ServerAway`). Once the mail's text was handed over,
only the server's word makes it sent or refused; silence makes it uncertain.
"""

import asyncio
import contextlib
import re
import ssl
from typing import Final

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from desk.mailing.delivery import Delivered, Outcome, ServerAway
from desk.mailing.outgoing import Outgoing
from desk.mailing.settings import MailSettings
from desk.mailing.state import host

_QUIT_S: Final = 5.0
_PERMANENT: Final = 500
_CLOSING: Final = 421
_ENHANCED: Final = re.compile(r"\s*(\d\.\d{1,3}\.\d{1,3})\b")


class SmtpServer:
    """The server that takes our mail."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._tls: ssl.SSLContext | None = None
        self._client: SMTP | None = None
        self._uses = 0
        """Mails begun on the connection."""

    async def deliver(self, mail: Outgoing) -> Delivered:
        """Hand one mail over, within `smtp_timeout_s`; connects if there is no connection.

        Raises:
            ServerAway: the server cannot be reached, or does not let us in.
        """
        handed = _Handed()
        try:
            async with asyncio.timeout(self._settings.smtp_timeout_s):
                if self._client is not None:
                    with contextlib.suppress(_Stale):
                        return await self._hand_over(self._client, mail, handed)
                    self._drop()
                return await self._hand_over(await self._connected(), mail, handed)
        except (SMTPException, OSError) as error:  # a TimeoutError is an OSError
            self._drop()
            if not handed.connected:
                raise ServerAway(_kind(error)) from error
            return Delivered(Outcome.UNCERTAIN if handed.text else Outcome.DEFERRED, "lost")
        except asyncio.CancelledError:
            self._drop()
            raise

    async def rest(self) -> None:
        """Say good-bye: connections that nobody uses are closed by servers anyway."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(SMTPException, OSError):
                await client.quit(timeout=_QUIT_S)
            client.close()

    async def _hand_over(self, client: SMTP, mail: Outgoing, handed: "_Handed") -> Delivered:
        is_used = handed.connected = self._uses > 0
        self._uses += 1
        try:
            await self._open(client, mail.envelope)
            handed.connected = True
            await client.rcpt(mail.to)
            handed.text = True
            await client.data(mail.mail)
        except SMTPResponseException as error:
            if error.code < 0:
                raise
            if is_used and not handed.text and error.code == _CLOSING:
                raise _Stale from error
            await self._reset(client, error.code)
            permanent = error.code >= _PERMANENT
            outcome = Outcome.FAILED if permanent else Outcome.DEFERRED
            return Delivered(outcome, _code(error))
        except (SMTPServerDisconnected, ConnectionError) as error:
            # A server may close what stood idle, or had enough mails: that is no answer.
            if is_used and not handed.text:
                raise _Stale from error
            raise
        return Delivered(Outcome.SENT)

    async def _open(self, client: SMTP, envelope: str) -> None:
        """Name the sender: where the null sender is refused, as at mailbox providers, ours.

        Raises:
            ServerAway: ours is refused for good: that is no fault of the mail.
        """
        try:
            await client.mail(envelope)
        except SMTPResponseException as error:
            if error.code < _PERMANENT:
                raise
            if not envelope:
                await client.rset(timeout=_QUIT_S)
                await self._open(client, self._settings.sender)
                return
            self._drop()
            raise ServerAway(f"smtp: sender refused, {_code(error)}") from error

    async def _connected(self) -> SMTP:
        """Return a new connection that is logged in."""
        wanted = self._settings
        client = SMTP(
            hostname=wanted.smtp_host,
            port=wanted.smtp_port,
            use_tls=wanted.smtp_security == "tls",
            start_tls=wanted.smtp_security == "starttls",
            tls_context=self._context() if wanted.smtp_security != "none" else None,
            local_hostname=host(wanted),
            timeout=wanted.smtp_timeout_s,
        )
        try:
            await client.connect()
            if wanted.smtp_user:
                await client.login(wanted.smtp_user, wanted.smtp_password)
        except (SMTPException, OSError) as error:
            client.close()
            raise ServerAway(_kind(error)) from error
        except asyncio.CancelledError:
            client.close()
            raise
        self._client, self._uses = client, 0
        return client

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=self._settings.ca_file)
        return self._tls

    async def _reset(self, client: SMTP, code: int) -> None:
        """Forget the mail on the server; a connection where that fails is of no more use."""
        if code == _CLOSING:
            self._drop()
            return
        try:
            await client.rset(timeout=_QUIT_S)
        except (SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


class _Stale(Exception):  # noqa: N818 - says what is
    """A connection that was good for other mails is not any more; nothing was handed over."""


class _Handed:
    """How far a delivery has come."""

    connected = False
    text = False
    """The mail's text may be with the server."""


def _code(error: SMTPResponseException) -> str:
    """Return the codes of an answer; its text may hold an address, or the mail."""
    enhanced = _ENHANCED.match(error.message or "")
    return f"{error.code} {enhanced[1]}" if enhanced else str(error.code)


def _kind(error: BaseException) -> str:
    if isinstance(error, SMTPResponseException):
        return f"smtp: {type(error).__name__} {_code(error)}"
    if isinstance(error, ssl.SSLError):
        return f"smtp: {error.reason or type(error).__name__}"
    return f"smtp: {type(error).__name__}"
