"""An SMTP server that does what it is told: refuses, drops the line, says nothing, or takes."""

import asyncio
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.integration.mail_world import parsed
from tests.integration.postgres import free_port

HANG_S: Final = 30.0
OK: Final = "250 OK"
NULL: Final = "<>"
"""The null sender, as aiosmtpd tells it."""
DROP: Final = "drop"
"""Close the connection instead of an answer."""
HANG: Final = "hang"
"""Give no answer."""
SLOW: Final = "slow"
"""Give a good answer after a second."""
SLOW_S: Final = 1.0


@dataclass
class Taken:
    """A mail that the server said it took, or took in silence."""

    sender: str
    recipients: Sequence[str]
    content: bytes

    @property
    def message_id(self) -> str:
        """Return its Message-ID."""
        return str(parsed(self.content)["Message-ID"])


@dataclass
class ScriptedServer:
    """Each list is used up from its front; when it is empty, the answer is good."""

    mail: list[str] = field(default_factory=list)
    rcpt: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    """`drop` and `hang` come after the whole mail was taken."""
    null_sender: str = OK
    password: str | None = None
    port: int = field(default_factory=free_port)
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    open_most: int = 0

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, session: Any, _envelope: Any, name: str, answers: list[str]
    ) -> list[str]:
        """Count the connections."""
        self.connections += session.host_name is None
        session.host_name = name
        return answers

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Answer to the sender."""
        answer = self.null_sender if address == NULL else OK
        if answer == OK:
            answer = await self._said(server, self.mail)
        if answer == OK:
            envelope.mail_from = address
        return answer

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Answer to the recipient."""
        answer = await self._said(server, self.rcpt)
        if answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the same
        """Take the mail, then answer."""
        self.open_now += 1
        self.open_most = max(self.open_most, self.open_now)
        try:
            answer = self.data.pop(0) if self.data else OK
            if answer in {OK, DROP, HANG, SLOW}:
                assert isinstance(envelope.content, bytes)
                self.taken.append(
                    Taken(envelope.mail_from, tuple(envelope.rcpt_tos), envelope.content)
                )
            return await self._said(server, [answer])
        finally:
            self.open_now -= 1

    async def _said(self, server: Any, script: list[str]) -> str:
        answer = script.pop(0) if script else OK
        if answer == DROP:
            server.transport.abort()
            return "421 gone"
        await asyncio.sleep({HANG: HANG_S, SLOW: SLOW_S}.get(answer, 0))
        return OK if answer in {HANG, SLOW} else answer

    def authenticate(self, *arguments: Any) -> AuthResult:
        """Let in who knows the password."""
        data = arguments[-1]
        assert isinstance(data, LoginPassword)
        good = self.password is not None and data.password == self.password.encode()
        return AuthResult(success=good, handled=False)


@contextmanager
def serving(script: ScriptedServer, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """Run the server in a thread until the block ends."""
    controller = Controller(
        script,
        hostname="127.0.0.1",
        port=script.port,
        tls_context=tls,
        require_starttls=tls is not None,
        authenticator=script.authenticate,
        auth_required=script.password is not None,
        auth_require_tls=tls is not None,
    )
    controller.start()
    try:
        yield script
    finally:
        controller.stop()
