"""What the desk is told at start; a line each in docs/settings.md."""

from dataclasses import dataclass, field
from pathlib import Path

from desk.words import Language
from incidents.thresholds import Thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSettings:
    """The section [desk], with the database's address and the desk's secret."""

    dsn: str
    """The database."""
    report_key: bytes = field(repr=False)
    """Encrypts reports at rest and signs sessions; at least 16 random bytes, never changed."""
    account_key: bytes = field(repr=False)
    """Key of the account hashes; the desk needs the same. Lost, no account can be confirmed."""
    host: str = "127.0.0.1"
    """The address to listen on; loopback unless somebody decides otherwise."""
    port: int = 8080
    """The port to listen on; 0: any free one."""
    language: Language = "ru"
    """The language of pages and sentences until somebody chooses."""
    metrics_dir: Path | None = None
    """The folder that all processes count in (PROMETHEUS_MULTIPROC_DIR); None: only this one."""
    connections_max: int = 10
    """Connections to the database at most."""
    session_hours: int = 12
    """How long a login on the pages holds."""
    token_believe_s: float = 5.0
    """How long a good token is believed without asking again: the delay of a revocation."""
    report_bytes_max: int = 26_214_400
    """The largest report taken (25 MiB, what mail servers carry)."""
    mailboxes: str = ""
    """Our own addresses, apart by blanks: what they wrote is no customer's mail."""
    staff_domains: str = ""
    """Domains of our people, apart by blanks: who passes on what a customer wrote to them."""
    mail_hosts: str = ""
    """Our own mail servers, apart by blanks, whose word on who sent a mail is believed."""
    form: bool = True
    """Take messages from customers at /help, a public page without a login."""
    due_working_days: int = Thresholds().due_working_days
    """A case is due at the end of this working day; the key stands in [incidents]."""
    body_bytes_max: int = 65_536
    """The largest body of any other request."""
    secure_cookies: bool = False
    """Send cookies over TLS only; set it where a proxy serves the pages by https."""
    access_log: bool = False
    """Log each request: method, path without its query, status."""
