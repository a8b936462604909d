"""What we wrote to a customer, unsealed for the case's page and for nothing else."""

from collections.abc import Mapping
from datetime import datetime
from email import message_from_string
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from desk.mailing.outgoing import unpacked
from desk.state import Desk

OPENED_MAX: Final = 20
"""Mails whose words are shown, the latest."""
READ_SENT: Final = """
select sent_at, content from mail_out
where case_number = $1 and state = 'sent' order by sent_at desc, id desc limit $2
"""


async def our_mails(desk: Desk, case: str) -> Mapping[datetime, str]:
    """Return the texts of a case's mails by when they were sent: as the history's lines say it."""
    rows = await desk.database.fetch(READ_SENT, case, OPENED_MAX)
    opened = ((row["sent_at"], desk.seal.open(row["content"])) for row in rows)
    return {sent_at: _text(unpacked(each).mail) for sent_at, each in opened if each is not None}


def _text(mail: str) -> str:
    parsed = message_from_string(mail, policy=SMTP)
    assert isinstance(parsed, EmailMessage)
    text: str = parsed.get_content()
    return text.replace("\r\n", "\n").strip()
