"""What the mail program is joined from: passed to its loops, never looked up."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from desk.mail.letter import OwnAddresses
from desk.mail.thread import MessageIds
from desk.mailing.settings import MailSettings
from desk.queries.database import Database
from desk.sealing import Seal
from desk.settings import DeskSettings
from desk.state import Clocks, own_addresses


@dataclass(slots=True)
class Mailing:
    """Everything that a loop needs."""

    settings: MailSettings
    desk: DeskSettings
    """Database, secrets and who we are: the same as the desk's."""
    database: Database
    clocks: Clocks
    seal: Seal = field(init=False)
    ids: MessageIds = field(init=False)
    own: OwnAddresses = field(init=False)
    """Who we are, the sender of our own mail included."""

    def __post_init__(self) -> None:
        self.seal = Seal(self.desk.report_key)
        self.ids = MessageIds(self.desk.report_key, host(self.settings))
        known = own_addresses(self.desk)
        self.own = OwnAddresses(
            mailboxes=known.mailboxes | {self.settings.sender.lower()},
            domains=known.domains,
            hosts=known.hosts,
        )


Loop = Callable[[Mailing], Awaitable[None]]
"""One of the program's loops: works until it is cancelled.

It may raise anything: that is logged by its kind alone, and the loop is called again after a
pause that grows with each failure (`desk/mailing/app.py`). It keeps what it must not lose in the
database, never in itself. A loop that has nothing to do by the settings says so once and returns:
it is not called again.
"""


def host(settings: MailSettings) -> str:
    """Return the right side of our Message-IDs."""
    return settings.message_host or settings.sender.rpartition("@")[2]


def can_send(settings: MailSettings) -> bool:
    """Return whether there is any way out for mail."""
    return bool(settings.smtp_host) or settings.outbox is not None
