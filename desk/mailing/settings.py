"""What the mail program is told at start; a line each in docs/settings.md."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

Security = Literal["none", "starttls", "tls"]
AnswerLanguage = Literal["ru", "uk", "kk", "en"]

NOWHERE: Final = "support@kvitok.invalid"
"""The sender of mail that never leaves its folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """The section [mail]. Database, secrets and who we are stand in [desk]: mail runs as it does.

    All of it may be missing: then the program runs, and neither fetches nor sends anything.
    """

    sender: str = NOWHERE
    """Our address in the mails that we send; needed with `smtp_host`."""
    sender_name: str = "Служба поддержки"
    """The name beside it."""
    message_host: str = ""
    """The right side of our Message-IDs; empty: the sender's domain."""

    smtp_host: str = ""
    """The server that takes our mail; empty: none."""
    smtp_port: int = 587
    """Its port."""
    smtp_security: Security = "starttls"
    """`tls` from the first byte (465), `starttls` (587), or `none` (25, on a trusted network)."""
    smtp_user: str = ""
    """Whom to log in as; empty: no login."""
    smtp_password: str = field(default="", repr=False)
    """Its password; better in a file of its own: `smtp_password_file`."""
    smtp_timeout_s: float = 60.0
    """How long one delivery may take, all in all."""
    outbox: Path | None = None
    """Where there is no `smtp_host`: the folder that gets each mail as one `.eml` file."""

    imap_host: str = ""
    """The server whose mailbox is read; empty: none."""
    imap_port: int = 993
    """Its port."""
    imap_security: Security = "tls"
    """`tls` from the first byte (993), `starttls` (143), or `none` (143, on a trusted network)."""
    imap_user: str = ""
    """Whom to log in as."""
    imap_password: str = field(default="", repr=False)
    """Its password; better in a file of its own: `imap_password_file`."""
    imap_folder: str = "INBOX"
    """The folder that is read; its mails stay where they are."""
    imap_seen: bool = True
    """Mark a mail as read once it is stored; nothing else is changed in the mailbox."""
    imap_processed: str = ""
    """The folder that a mail is moved to once it is stored; empty: it stays."""
    imap_days: int = 30
    """How old, in days since its arrival, a mail may be at the first look; 0: of any age."""
    imap_poll_s: float = 60.0
    """How often to look by ourselves; of new mail most servers tell at once (IDLE)."""
    drop: Path | None = None
    """A folder whose `.eml` files are taken as mail; with or without `imap_host`."""

    ca_file: Path | None = None
    """Certificates (PEM) to trust instead of the system's, for both servers."""

    answers: bool = True
    """Answer customers' reports at once with the case's number, its term and what is missing."""
    resolutions: bool = True
    """Write to the customer when a case is resolved."""
    language: AnswerLanguage = "ru"
    """The language of an answer where the report's own is not sure."""
    address_answers_max: int = 2
    """Automatic answers to one address within three hours at most."""
    address_day_answers_max: int = 10
    """The same within a day."""
    minute_answers_max: int = 60
    """Automatic answers in a minute, to everybody; what is beyond waits."""

    metrics_port: int = 0
    """Port on loopback for this process's own metrics; 0 = none (`serve` has them at the desk)."""
