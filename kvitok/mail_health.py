"""How the mail program does: whether it runs, and what waits or failed; for `kvitok doctor`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sql.connect import Connection

LATE: Final = timedelta(minutes=10)
"""A mail or an answer that waits longer is worth a look: greylisting takes less."""

RUNNING: Final = """
select count(*) from pg_stat_activity
where application_name = 'kvitok mail' and datname = current_database()
"""
WAITING: Final = """
select count(*), min(created_at),
  (select count(*) from report where answer = 'owed' and received_at < now() - %s::interval)
from mail_out where state in ('waiting', 'sending')
"""
FAILED: Final = """
select count(*) from mail_out
where state = 'failed' and created_at > now() - interval '4 days'
"""


@dataclass(frozen=True, slots=True)
class MailHealth:
    """What was seen; `is_good` is None where nothing is set up."""

    is_good: bool | None
    text: str


def look(connection: Connection, now: datetime, *, sends: bool, fetches: bool) -> MailHealth:
    """Look at the mail program's tables; `sends`, `fetches`: what the settings name."""
    if not sends:
        text = "customers get no answer: name [mail] smtp_host, or outbox, a folder for their mail"
        return MailHealth(None, text)
    running = connection.execute(RUNNING).fetchone()
    if not running or not running[0]:
        return MailHealth(False, "does not run, nobody is answered: start it (`kvitok serve`)")
    row = connection.execute(WAITING, [LATE]).fetchone()
    assert row is not None
    waiting, oldest, owed = row
    late = oldest is not None and now - oldest > LATE
    if late or owed:
        minutes = (now - oldest).total_seconds() / 60 if oldest else 0
        text = (
            f"{waiting} mails wait, the oldest for {minutes:.0f} min, and {owed} answers are not "
            "written: see its log, and `kvitok mail check`"
        )
        return MailHealth(None, text)
    failed = connection.execute(FAILED).fetchone()
    if failed and failed[0]:
        text = f"{failed[0]} mails of the last days were refused: their cases say why"
        return MailHealth(None, text)
    inward = "" if fetches else "; no mailbox and no drop folder is read"
    return MailHealth(True, f"{waiting} mails wait{inward}")
