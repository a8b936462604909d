"""`kvitok mail check`: can mail come in and go out; each line says what was tried, and what to do.

Nothing is sent, fetched or marked, and no password is printed.
"""

import asyncio
import re
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import typer
from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPResponseException

from desk.mailing.imap import Mailbox
from desk.mailing.imap_wire import MailboxAway, MailboxRefuses, tls_context
from desk.mailing.settings import NOWHERE, MailSettings
from kvitok.doctor import Finding, Grade
from kvitok.settings import Settings
from kvitok.show import as_json

SLOW_S: Final = 2.0
"""From here on a step says that it is still at work."""
STEP_S: Final = 30.0
_SHOWN_FOLDERS_MAX: Final = 12
_ANSWER_CHARS_MAX: Final = 200

Way = Literal["imap", "smtp"]
_PORTS: Final = {
    "imap": '993 is for `"tls"`, 143 for `"starttls"`',
    "smtp": '465 is for `"tls"`, 587 for `"starttls"`',
}
ADVICE: Final[tuple[tuple[str, str], ...]] = (
    (r"no host of that name|Name or service", "is [mail] {way}_host right?"),
    (r"nothing listens|refused\b.*\bconnect|Connect call failed",
     "is [mail] {way}_port right ({ports}), and does a firewall let us through?"),
    (r"hostname mismatch|IP address mismatch|not valid for",
     "[mail] {way}_host must be a name that stands in the server's certificate"),
    (r"certificate has expired", "the server's certificate is over: have it renewed"),
    (r"self-signed|local issuer|certificate",
     "if the server is your own, name its authority in [mail] ca_file"),
    (r"does not speak TLS|WRONG_VERSION|RECORD_LAYER|SSL",
     ('that port does not begin with TLS: set [mail] {way}_security = "starttls", or the port of '
     "TLS ({ports})")),
    (r"TLS not supported|STARTTLS.*not supported|SMTP STARTTLS extension",
     ('the server offers no STARTTLS there: set [mail] {way}_security = "tls" and its port '
     "({ports})")),
    (r"PRIVACYREQUIRED|LOGINDISABLED|5\.7\.11|[Ee]ncryption required|a STARTTLS|AUTH ext",
     'the server takes passwords only encrypted: set [mail] {way}_security = "tls" or "starttls"'),
    (r"AUTHENTICATIONFAILED|Authentication failed|\b53[45]\b|\blogin\b",
     ("are [mail] {way}_user and {way}_password right? Many providers want a password made for "
     "programs, and the service switched on in the mailbox's own settings")),
    (r"^tls: .*(?:EOF|ended|closed|reset|lost|disconnected)",
     'does that port begin with TLS ({ports})? If not, set [mail] {way}_security = "starttls"'),
    (r"EOF|connection ended|closed|reset|no answer|timed out|[Tt]imeout",
     ('is the port one of TLS ({ports}) while [mail] {way}_security is not "tls"? Or does a '
     "firewall hold us up?")),
)  # fmt: skip
"""What a server or the system says → what to do; the first that fits."""


class Stuck(Exception):  # noqa: N818 - says what is, like every error of ours
    """A step failed; the text says how, and what to do."""


@dataclass(slots=True)
class Walk:
    """One way of mail, tried step by step."""

    what: str
    done: list[str] = field(default_factory=list)

    def finding(self, walk: Callable[["Walk"], None]) -> Finding:
        """Take all steps and tell in a line how far that went."""
        try:
            walk(self)
        except Stuck as error:
            return Finding(Grade.FAIL, self.what, "; ".join([*self.done, str(error)]))
        return Finding(Grade.OK, self.what, "; ".join(self.done))

    @contextmanager
    def step(self, doing: str) -> Iterator[None]:
        """Say what is being done if it takes long."""
        slow = threading.Timer(SLOW_S, typer.echo, (f"{self.what}: {doing} …",), {"err": True})
        slow.daemon = True
        slow.start()
        try:
            yield
        finally:
            slow.cancel()


def check(settings: Settings, *, json: bool) -> None:
    """Look at every way that the settings name; exit status 1 when one does not work."""
    mail = settings.section(MailSettings)
    findings = []
    for finding in look(mail):
        findings.append(finding)
        if not json:
            typer.echo(f"{finding.grade.value:<4}  {finding.what}: {finding.text}")
    if json:
        as_json(list[Finding], findings)
    if any(finding.grade is Grade.FAIL for finding in findings):
        raise typer.Exit(1)


def look(mail: MailSettings) -> Iterator[Finding]:
    """Yield what was found of each way in and out."""
    if mail.imap_host:
        yield Walk("incoming, mailbox").finding(lambda walk: _mailbox(mail, walk))
    if mail.drop is not None:
        yield _folder("incoming, drop folder", mail.drop)
    if not mail.imap_host and mail.drop is None:
        text = "none: set [mail] imap_host, or drop, if customers write to you"
        yield Finding(Grade.WARN, "incoming", text)
    if mail.smtp_host:
        yield Walk("outgoing, server").finding(lambda walk: asyncio.run(_server(mail, walk)))
    elif mail.outbox is not None:
        yield _folder("outgoing, outbox folder", mail.outbox)
    else:
        text = "none: set [mail] smtp_host, or outbox, or nobody is answered"
        yield Finding(Grade.WARN, "outgoing", text)


def advice(way: Way, text: str, security: str = "") -> str:
    """Return what to do about what a server said; empty where we do not know."""
    for pattern, words in ADVICE:
        if re.search(pattern, f"{security}: {text}"):
            return words.format(way=way, ports=_PORTS[way])
    return ""


def _stuck(way: Way, text: str, security: str = "") -> Stuck:
    return Stuck(": ".join(filter(None, (text, advice(way, text, security)))))


def _resolve(walk: Walk, way: Way, host: str, port: int) -> None:
    with walk.step(f"looking {host} up"):
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise _stuck(way, f"there is no host of that name, {host}") from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    walk.done.append(f"{host} is {addresses[0]}")


def _mailbox(mail: MailSettings, walk: Walk) -> None:
    _resolve(walk, "imap", mail.imap_host, mail.imap_port)
    connection = Mailbox(mail)
    try:
        with walk.step(f"connecting to port {mail.imap_port}"):
            connection.connect()
        walk.done.append(_connected(mail.imap_port, mail.imap_security, connection.until()))
        with walk.step("logging in"):
            connection.login()
        walk.done.append(f"logged in as {mail.imap_user}")
        with walk.step(f"opening {mail.imap_folder}"):
            _choose(mail, connection, walk)
        walk.done.append(
            "new mail is told at once (IDLE)" if connection.can_idle
            else f"no IDLE: looked at each {mail.imap_poll_s:.0f} s"
        )  # fmt: skip
    except (MailboxAway, MailboxRefuses) as error:
        raise _stuck("imap", str(error), mail.imap_security) from error
    finally:
        connection.close()


def _choose(mail: MailSettings, connection: Mailbox, walk: Walk) -> None:
    there = connection.folders()
    shown = ", ".join(there[:_SHOWN_FOLDERS_MAX])
    if mail.imap_folder.upper() != "INBOX" and mail.imap_folder not in there:
        raise Stuck(
            f"there is no folder {mail.imap_folder}: set [mail] imap_folder to one of: {shown}"
        )
    folder = connection.choose()
    walk.done.append(f"{mail.imap_folder} has {folder.mails} mails")
    if not folder.writable:
        walk.done.append("it is read-only: stored mails are not marked there")
    if mail.imap_processed and mail.imap_processed not in there:
        walk.done.append(f"the folder {mail.imap_processed} will be made")


def _connected(port: int, security: str, until: str | None) -> str:
    if security == "none":
        return f"connected to port {port}, not encrypted"
    return f"connected to port {port}, TLS" + (f" good until {until}" if until else "")


async def _server(mail: MailSettings, walk: Walk) -> None:
    if mail.sender == NOWHERE or "@" not in mail.sender:
        raise Stuck("[mail] sender is not set: name the address that customers answer to")
    _resolve(walk, "smtp", mail.smtp_host, mail.smtp_port)
    client = SMTP(
        hostname=mail.smtp_host,
        port=mail.smtp_port,
        use_tls=mail.smtp_security == "tls",
        start_tls=False,
        tls_context=_smtp_context(mail) if mail.smtp_security == "tls" else None,
        timeout=min(mail.smtp_timeout_s, STEP_S),
    )
    try:
        await _converse(mail, walk, client)
    except (SMTPException, OSError) as error:
        raise _stuck("smtp", _said(error, mail), mail.smtp_security) from error
    finally:
        await _hang_up(client)


async def _hang_up(client: SMTP) -> None:
    """Close the line at once: what TLS would still say needs a loop that goes on."""
    transport = client.transport
    client.close()
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
        await asyncio.sleep(0)


async def _converse(mail: MailSettings, walk: Walk, client: SMTP) -> None:
    with walk.step(f"connecting to port {mail.smtp_port}"):
        await client.connect()
        if mail.smtp_security == "starttls":
            await client.starttls(tls_context=_smtp_context(mail))
    told = client.get_transport_info("peercert") or {}
    walk.done.append(_connected(mail.smtp_port, mail.smtp_security, told.get("notAfter")))
    if mail.smtp_user:
        with walk.step("logging in"):
            await client.login(mail.smtp_user, mail.smtp_password)
        walk.done.append(f"logged in as {mail.smtp_user}")
    with walk.step("asking whether it would take mail"):
        try:
            await client.mail(mail.sender)
            await client.rcpt(mail.sender)
        except SMTPResponseException as error:
            text = f"it takes no mail from {mail.sender}: {_said(error, mail)}"
            raise Stuck(f"{text}: is [mail] sender an address of that account?") from error
        await client.rset()
        await client.quit()
    walk.done.append(f"it would take mail from {mail.sender}")


def _smtp_context(mail: MailSettings) -> ssl.SSLContext:
    try:
        return tls_context(mail)
    except MailboxRefuses as error:
        raise Stuck(str(error)) from error


def _said(error: Exception, mail: MailSettings) -> str:
    """Return what the server or the system says in one line, without the password."""
    text = str(error)
    if isinstance(error, SMTPAuthenticationError):
        text = f"login refused: {error.code} {error.message}"
    elif isinstance(error, SMTPResponseException):
        text = f"{error.code} {error.message}"
    if mail.smtp_password:
        text = text.replace(mail.smtp_password, "***")
    return " ".join(text.split())[:_ANSWER_CHARS_MAX] or type(error).__name__


def _folder(what: str, folder: Path) -> Finding:
    """Look whether a folder is there and can be written; the mail program makes a missing one."""
    if not folder.exists():
        text = f"{folder} is not there: `kvitok mail run` makes it, or make it yourself"
        return Finding(Grade.FAIL, what, text)
    if not folder.is_dir():
        return Finding(Grade.FAIL, what, f"{folder} is no folder: name another in the settings")
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".kvitok-check-"):
            pass
        waiting = sum(1 for each in folder.iterdir() if each.name.lower().endswith(".eml"))
        refused = folder / "refused"
        aside = sum(1 for each in refused.glob("*.eml")) if refused.is_dir() else 0
    except OSError as error:
        text = f"{folder}: {error.strerror}: let the user that runs Kvitok write there"
        return Finding(Grade.FAIL, what, text)
    text = f"{folder} can be written; {waiting} mails in it"
    if aside:
        text += f"; {aside} put aside in refused/, each with its reason"
    return Finding(Grade.OK, what, text)
